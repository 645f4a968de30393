"""The tasks of the zoo, one file each; `zoo.tasks.base` says what a task consists of."""

from zoo.tasks.ancestor import Ancestor, read_ancestor
from zoo.tasks.base import (
    Description,
    Evaluation,
    Explanation,
    Prediction,
    Predictor,
    Preprocessor,
    ServingModule,
    Table,
    Task,
    TextPredictor,
    WordEffect,
    make_signature,
)
from zoo.tasks.registry import get_task, list_tasks

__all__ = [
    "Ancestor",
    "Description",
    "Evaluation",
    "Explanation",
    "Prediction",
    "Predictor",
    "Preprocessor",
    "ServingModule",
    "Table",
    "Task",
    "TextPredictor",
    "WordEffect",
    "get_task",
    "list_tasks",
    "make_signature",
    "read_ancestor",
]
