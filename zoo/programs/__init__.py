"""Exported models, found by name and asked: from Python, from the command line, and on a page."""

from zoo.programs.asking import Asked, Question, ask, check_picture, lines
from zoo.programs.captions import Caption, Captioner
from zoo.programs.ending import ended_well
from zoo.programs.loading import load
from zoo.programs.program import Answer, Program
from zoo.programs.shelf import UsageError, models, models_folder, path_of, saved
from zoo.programs.tags import Part, Tagger, Tags
from zoo.programs.texts import Classifier, Label, NextWords, Translation, Translator, WordTeller

__all__ = [
    "Answer",
    "Asked",
    "Caption",
    "Captioner",
    "Classifier",
    "Label",
    "NextWords",
    "Part",
    "Program",
    "Question",
    "Tagger",
    "Tags",
    "Translation",
    "Translator",
    "UsageError",
    "WordTeller",
    "ask",
    "check_picture",
    "ended_well",
    "lines",
    "load",
    "models",
    "models_folder",
    "path_of",
    "saved",
]
