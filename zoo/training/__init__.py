"""Training: batches of sequences of like length, and a loop that goes on exactly where it was stopped."""

from zoo.training.bucketing import BucketedDataset, batches, bucketed, streams
from zoo.training.distribution import distributed, is_chief
from zoo.training.features import image_features
from zoo.training.loop import evaluate, fit
from zoo.training.progress import Progress

__all__ = [
    "BucketedDataset",
    "Progress",
    "batches",
    "bucketed",
    "distributed",
    "evaluate",
    "fit",
    "image_features",
    "is_chief",
    "streams",
]
