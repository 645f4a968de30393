"""Draw what predictions of the shipped models are based on, for the README and the documentation.

python docs/drawings/figures.py                      # all pictures
python docs/drawings/figures.py sentiment tagging    # those of two models

The caption is that of a test scene, by the model that `zoo train captioning` trains on drawn scenes.
"""

import sys
from collections.abc import Callable
from pathlib import Path

from PIL import Image

import zoo
from zoo.datasets.builders.scenes import make_scene

DOCS = Path(__file__).parents[1]
REVIEW = "The cast is fine, but the film is dreadful."
SENTENCE = "My sister is reading a book in the garden."
SCENES_MODEL, TEST_SCENE = "runs/captioning/export/1", 2
COLORS = 256
"""Colors of a picture: few, so that the files are small."""


def save(plot: Callable[[Path], object], name: str) -> None:
    """Write a picture to the directory of the documentation, with few colors."""
    path = DOCS / name
    plot(path)
    Image.open(path).convert("RGB").quantize(
        COLORS, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE
    ).save(path, optimize=True)


def plot_prediction(model: str, example: str, name: str) -> None:
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


def plot_captioning() -> None:
    """Plot the attention for each word of the caption of a test scene."""
    predictor = zoo.load(SCENES_MODEL)
    image, _ = make_scene("test", TEST_SCENE)
    (prediction,) = predictor.predict([image])
    save(lambda path: predictor.plot(image, prediction, path), "captioning.png")


PICTURES: dict[str, Callable[[], None]] = {
    "captioning": plot_captioning,
    "sentiment": plot_sentiment,
    "tagging": lambda: plot_prediction("tagging", str(DOCS / "drawings" / "film.mp4"), "shots.png"),
    "translation": lambda: plot_prediction("translation", SENTENCE, "alignment.png"),
}

if __name__ == "__main__":
    for name in sys.argv[1:] or PICTURES:
        PICTURES[name]()
