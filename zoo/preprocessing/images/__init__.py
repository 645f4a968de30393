"""Encoded images to pixels, and pixels to feature maps."""

from zoo.preprocessing.images.conversion import convert_images, describe_unknown, encode_image, open_image
from zoo.preprocessing.images.encoders import apply_encoder, build_image_encoder, split_encoder
from zoo.preprocessing.images.feature_extractor import ExtractedFeatures, FeatureExtractor, Reader
from zoo.preprocessing.images.reader import DecodedImages, ImageReader, make_thumbnail

__all__ = [
    "DecodedImages",
    "ExtractedFeatures",
    "FeatureExtractor",
    "ImageReader",
    "Reader",
    "apply_encoder",
    "build_image_encoder",
    "convert_images",
    "describe_unknown",
    "encode_image",
    "make_thumbnail",
    "open_image",
    "split_encoder",
]
