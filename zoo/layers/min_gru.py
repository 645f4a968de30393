"""The minimal gated recurrent unit, as a layer."""

from zoo.cells import MinGRUCell
from zoo.cells.signatures import complete_docstring
from zoo.layers.linear_rnn import LinearRNN


@complete_docstring
class MinGRU(LinearRNN):
    """The minimal gated recurrent unit (minGRU).

    Example:
        >>> import keras, zoo
        >>> layer = zoo.MinGRU(4, return_sequences=True)
        >>> layer(keras.ops.ones((2, 7, 3))).shape
        TensorShape([2, 7, 4])
    """

    cell_class = MinGRUCell
