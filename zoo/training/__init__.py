"""Training: batches of sequences of like length, and a loop that goes on exactly where it was stopped."""

from zoo.training.batching import Batches, batches, bucketed, streams
from zoo.training.errors import Interrupted, TrainingError
from zoo.training.features import image_features
from zoo.training.loop import evaluate, fit
from zoo.training.progress import Progress
from zoo.training.schedule import warmed_cosine
from zoo.training.workers import distributed, is_chief

__all__ = [
    "Batches",
    "Interrupted",
    "Progress",
    "TrainingError",
    "batches",
    "bucketed",
    "distributed",
    "evaluate",
    "fit",
    "image_features",
    "is_chief",
    "streams",
    "warmed_cosine",
]
