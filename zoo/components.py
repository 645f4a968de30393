"""Cells, attention layers and parts of models by the names that select them on the command line."""

from collections.abc import Callable, Sequence

import keras

from zoo._compat import flatten_layers
from zoo.attention import AdditiveAttention, Attention, MultiplicativeAttention
from zoo.cells import Cell, GRUCell, LSTMCell, SimpleRNNCell
from zoo.errors import UsageError
from zoo.formulations import FrameVectors

CELLS: dict[str, type[Cell]] = {"lstm": LSTMCell, "gru": GRUCell, "simple_rnn": SimpleRNNCell}
"""Classes of cells, to be called with the number of units."""

ATTENTIONS: dict[str, Callable[[], Attention | None]] = {
    "multiplicative": MultiplicativeAttention,
    "additive": lambda: AdditiveAttention(256),
    "none": lambda: None,
}
"""Functions that create the attention of a decoder."""


def freeze_parts(model: keras.Model, parts: Sequence[str]) -> None:
    """Exclude parts of a model from training: their weights stay as they are, to the bit.

    An optimizer has no state for them. Dropout inside a frozen part stays active in training, because it
    regularizes the parts behind it. Batch normalization uses its moving averages and leaves them unchanged.

    Args:
        model: a built model, one of `zoo.formulations`.
        parts: names of parts:

            - "embedding": the vectors of words or tokens, those of a decoder too;
            - "vectors": the network that turns each frame that a `ManyToMany` reads into a vector;
            - "encoder": the recurrent encoder, or what a decoder reads images or clips with.

    Raises:
        UsageError: the model has no such part, or all of it is frozen already.

    >>> import zoo
    >>> model = zoo.ManyToOne(50, 16, zoo.Encoder(zoo.GRUCell(8)), classes=2)
    >>> model.build((None, None))
    >>> freeze_parts(model, ["embedding", "encoder"])
    >>> [weight.name for weight in model.trainable_variables]
    ['kernel', 'bias']
    """
    for part in parts:
        weights = [weight for layer in _find_layers(model, part) for weight in layer.trainable_variables]
        if not weights:
            raise UsageError(f"--freeze {part}: the model has no {part} that is trained. Leave it out.")
        # The weights, not the layers: `trainable` of a layer would stay in the configuration of an export.
        for weight in weights:
            weight.trainable = False
        for layer in _find_layers(model, part):
            for sublayer in flatten_layers(layer):
                if isinstance(sublayer, keras.layers.BatchNormalization):
                    sublayer.trainable = False


def _find_layers(model: keras.Model, part: str) -> list[keras.Layer]:
    """Return the layers of a part."""
    embeddings = [getattr(owner, "embedding", None) for owner in (model, getattr(model, "decoder", None))]
    layers = {
        "embedding": [layer for layer in embeddings if isinstance(layer, keras.layers.Embedding)],
        "vectors": [getattr(model, "vectors", None)],
        # A `DelayedManyToMany` for clips has the network of the frames in the place of an embedding.
        "encoder": [
            getattr(model, "encoder", None),
            *(layer for layer in embeddings if isinstance(layer, FrameVectors)),
        ],
    }
    return [layer for layer in layers[part] if layer is not None]
