"""Draws what the shipped models show of themselves: python docs/drawings/figures.py writes to docs/."""

from pathlib import Path

import tensorflow as tf

import zoo

DOCS = Path(__file__).parents[1]
REVIEW = "A slow start, but by the end I was moved and quite delighted."
SENTENCE = "My sister is reading a book in the garden."


def draw_gates() -> None:
    """The forget gate and the cell state over the words of a review, both ways."""
    inside = zoo.load("sentiment").signatures["gates"](text=tf.constant([REVIEW]))
    words = [word.decode() for word in inside["words"].numpy()]
    names = [f"{way}_{name}" for name in ("forget", "cell") for way in ("forward", "backward")]
    values = {name: inside[f"layer1_{name}"].numpy() for name in names}
    zoo.inspection.plot_gates(values, DOCS / "sentiment.png", words, columns=2)


def draw(name: str, given: str, picture: str) -> None:
    """What lies behind an answer, as `zoo predict --plot` draws it."""
    model = zoo.load(name)
    (answer,) = model.predict([given])
    model.plot(given, answer, DOCS / picture)


if __name__ == "__main__":
    draw_gates()
    draw("translation", SENTENCE, "alignment.png")
    draw("captioning", str(DOCS / "drawings" / "dog.jpg"), "dog.png")
    draw("tagging", str(DOCS / "drawings" / "film.mp4"), "shots.png")
