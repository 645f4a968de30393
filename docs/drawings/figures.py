"""Draw what predictions of the shipped models are based on, for the README and the documentation.

python docs/drawings/figures.py                      # all pictures
python docs/drawings/figures.py sentiment tagging    # those of two models

The captions are those of a test scene and of a test clip, by the models of these commands:

zoo train captioning
zoo train captioning --dataset clips --run-dir runs/clips --export-dir runs/clips/export/1
"""

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

import zoo
from zoo.datasets.builders.clips import make_clip
from zoo.datasets.builders.scenes import make_scene

DOCS = Path(__file__).parents[1]
REVIEW = "The cast is fine, but the film is dreadful."
SENTENCE = "My sister is reading a book in the garden."
TEST_SCENE, TEST_CLIP = 115, 25
COLORS = 256
"""Colors of a picture: few, so that the files are small."""


def save(plot: Callable[[Path], object], name: str) -> None:
    """Write a picture to the directory of the documentation, with few colors."""
    path = DOCS / name
    plot(path)
    Image.open(path).convert("RGB").quantize(
        COLORS, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE
    ).save(path, optimize=True)


def plot_prediction(model: str, example: str | Image.Image | np.ndarray, name: str) -> None:
    """Plot what `zoo predict MODEL EXAMPLE --plot` does."""
    predictor = zoo.load(model)
    (prediction,) = predictor.predict([example])
    save(lambda path: predictor.plot(example, prediction, path), name)


def plot_sentiment() -> None:
    """Plot the effect of each word of a review, once alone and once with the gates."""
    plot_prediction("sentiment", REVIEW, "sentiment.png")
    predictor = zoo.load("sentiment")
    (prediction,) = predictor.predict([REVIEW])
    effects = predictor.measure_effects(REVIEW, prediction)
    words, values = [word.text for word in effects], [word.effect for word in effects]
    save(
        lambda path: zoo.inspection.plot_saliency(values, words, path, y_label="effect on log-odds"),
        "effects.png",
    )


PICTURES: dict[str, Callable[[], None]] = {
    "captioning": lambda: plot_prediction(
        "runs/captioning/export/1", make_scene("test", TEST_SCENE)[0], "captioning.png"
    ),
    "clips": lambda: plot_prediction("runs/clips/export/1", make_clip("test", TEST_CLIP)[0], "clip.png"),
    "sentiment": plot_sentiment,
    "tagging": lambda: plot_prediction("tagging", str(DOCS / "drawings" / "film.mp4"), "shots.png"),
    "translation": lambda: plot_prediction("translation", SENTENCE, "alignment.png"),
}

if __name__ == "__main__":
    for name in sys.argv[1:] or PICTURES:
        PICTURES[name]()
