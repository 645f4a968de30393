"""Plot gates, attention and shots of the shipped models for the documentation.

python docs/drawings/figures.py
"""

from pathlib import Path

import tensorflow as tf

import zoo

DOCS = Path(__file__).parents[1]
REVIEW = "A slow start, but by the end I was moved and quite delighted."
SENTENCE = "My sister is reading a book in the garden."


def plot_sentiment_gates() -> None:
    """Plot the forget gate and the cell state of both directions over the words of a review."""
    outputs = zoo.load("sentiment").signatures["gates"](text=tf.constant([REVIEW]))
    words = [word.decode() for word in outputs["words"].numpy()]
    names = [f"{direction}_{name}" for name in ("forget", "cell") for direction in ("forward", "backward")]
    values = {name: outputs[f"layer1_{name}"].numpy() for name in names}
    zoo.inspection.plot_gates(values, DOCS / "sentiment.png", words, columns=2)


def plot_prediction(model: str, example: str, filename: str) -> None:
    """Plot what `zoo predict MODEL EXAMPLE --plot` does."""
    predictor = zoo.load(model)
    (prediction,) = predictor.predict([example])
    predictor.plot(example, prediction, DOCS / filename)


if __name__ == "__main__":
    plot_sentiment_gates()
    plot_prediction("translation", SENTENCE, "alignment.png")
    plot_prediction("captioning", str(DOCS / "drawings" / "dog.jpg"), "dog.png")
    plot_prediction("tagging", str(DOCS / "drawings" / "film.mp4"), "shots.png")
