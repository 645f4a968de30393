"""Validation of models that generate text."""

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras

from zoo.training.distribution import is_chief

logger = logging.getLogger(__name__)

_GOLDEN_RATIO = 0.618034
"""Its multiples modulo 1 are far from each other, whatever their number."""


class GenerationMetrics(keras.callbacks.Callback):
    """Scores generated texts after each epoch, and logs one of them as an example.

    Loss and accuracy of a decoder are measured with the right tokens before each step. This callback measures
    what the model generates by itself, such as BLEU of its translations. `zoo.fit` can monitor the scores.

    The examples of successive epochs are far from each other, since neighbors in a data set are often alike.

    Args:
        inputs: the inputs, or the references, to log beside the generated texts.
        generate: function that returns the generated text for each input.
        score: function from the generated texts to metrics by name, such as "val_bleu".

    >>> callback = GenerationMetrics(["a cat"], lambda: ["une chatte"], lambda texts: {"val_bleu": 0.0})
    >>> callback.on_epoch_end(0, logs := {"loss": 1.0})
    >>> logs
    {'loss': 1.0, 'val_bleu': 0.0}
    """

    def __init__(
        self,
        inputs: Sequence[str],
        generate: Callable[[], Sequence[str]],
        score: Callable[[Sequence[str]], Mapping[str, float]],
    ) -> None:
        super().__init__()
        self.inputs, self.generate, self.score = inputs, generate, score
        rows: dict[str, int] = {}
        for row, text in enumerate(inputs):
            rows.setdefault(text, row)
        self._shown = list(rows.values())  # each input once

    def get_state(self) -> dict[str, Any]:
        """Return the state for a checkpoint of `zoo.fit`: none."""
        return {}

    def set_state(self, state: dict[str, Any]) -> None:
        """Continue with a state that `get_state` has returned."""

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Add the scores to `logs`."""
        texts = self.generate()
        if logs is not None:
            logs.update(self.score(texts))
        if is_chief():
            index = self._shown[int(len(self._shown) * (epoch * _GOLDEN_RATIO % 1))]
            logger.info("\n  %s\n  -> %s", self.inputs[index], texts[index])
