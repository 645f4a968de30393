"""Minimal long short-term memory, as a layer."""

from zoo.cells import MinLSTMCell
from zoo.cells.signatures import complete_docstring
from zoo.layers.linear_rnn import LinearRNN


@complete_docstring
class MinLSTM(LinearRNN):
    """Minimal long short-term memory (minLSTM).

    Example:
        >>> import keras, zoo
        >>> layer = zoo.MinLSTM(4, return_sequences=True)
        >>> layer(keras.ops.ones((2, 7, 3))).shape
        TensorShape([2, 7, 4])
    """

    cell_class = MinLSTMCell
