"""The tasks of the zoo, one file each."""

from zoo.tasks.captioning import Caption, Captioner
from zoo.tasks.frame_tagging import Tagger, Tags
from zoo.tasks.predictor import Answer, Program
from zoo.tasks.texts import Classifier, Label, NextWordPrediction, NextWordPredictor, Translation, Translator

__all__ = [
    "Answer",
    "Caption",
    "Captioner",
    "Classifier",
    "Label",
    "NextWordPrediction",
    "NextWordPredictor",
    "Program",
    "Tagger",
    "Tags",
    "Translation",
    "Translator",
]
