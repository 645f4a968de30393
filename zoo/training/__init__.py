"""Training: batches of similar length, a loop that resumes exactly, run directories, several workers."""

from zoo.training.amount import choose_batches_and_epochs
from zoo.training.bucketing import BucketedDataset, bptt_windows, bucket_by_length, plan_buckets
from zoo.training.candidates import sample_candidates
from zoo.training.distribution import compare_workers, distribution_scope, is_chief
from zoo.training.features import extract_features
from zoo.training.generation_metrics import GenerationMetrics
from zoo.training.optimizer import build_optimizer
from zoo.training.progress import Progress
from zoo.training.run import Run
from zoo.training.run_log import read_log
from zoo.training.run_record import Cycle, plan_cycles
from zoo.training.training_loop import evaluate, fit

__all__ = [
    "BucketedDataset",
    "Cycle",
    "GenerationMetrics",
    "Progress",
    "Run",
    "bptt_windows",
    "bucket_by_length",
    "build_optimizer",
    "choose_batches_and_epochs",
    "compare_workers",
    "distribution_scope",
    "evaluate",
    "extract_features",
    "fit",
    "is_chief",
    "plan_buckets",
    "plan_cycles",
    "read_log",
    "sample_candidates",
]
