"""Encoded pictures to pixels, and pixels to maps of features."""

from zoo.preprocessing.images.encoders import ImageFeatures, cut, image_encoder
from zoo.preprocessing.images.reader import ImageReader, Images, small_copy

__all__ = ["ImageFeatures", "ImageReader", "Images", "cut", "image_encoder", "small_copy"]
