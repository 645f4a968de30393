"""Encoded pictures to pixels, and pixels to maps of features."""

from zoo.images.encoders import ImageFeatures, cut, image_encoder
from zoo.images.lite0 import WeightsError
from zoo.images.reading import ImageReader, Images, small_copy

__all__ = ["ImageFeatures", "ImageReader", "Images", "WeightsError", "cut", "image_encoder", "small_copy"]
