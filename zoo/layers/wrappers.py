"""Bypasses around recurrent layers, which make deep stacks trainable: `Residual` and `Highway`."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from zoo.cells import Serializable, Tensor
from zoo.cells.signatures import complete_docstring


@complete_docstring
class Bypass(Serializable, keras.layers.Wrapper):
    """The base of the bypasses: it runs a recurrent layer and merges its output with its input.

        y_t = merge(x_t, layer(x)_t)

    A subclass defines `merge(x, y)`.

    Args:
        layer: a recurrent layer of this library or of Keras, a `keras.layers.Bidirectional` of one, or
            another `Bypass`. It needs `return_sequences=True`, and an output as wide as its input. The
            default `dtype` of the bypass is that of the layer.
        **kwargs: `name`, `dtype` and `trainable`, as of every Keras layer.

    Call arguments:
        sequences: tensor [batch, time, width].
        initial_state: initial states as the layer accepts them, None by default.
        mask: bool tensor [batch, time], False under padding; none by default. It is passed to the layer and
            on to the next one. Outputs under padding are meaningless.
        training: bool, `False` by default. Whether the layer runs in training.
        constants: dict of tensors by name for a layer that accepts them, such as `zoo.RNN`; none by default.
        resets: bool tensor [batch, time] for a layer that accepts them; none by default.

    Input shape:
        [batch, time, width]

    Output shape:
        [batch, time, width]. If the layer has `return_state`, a tuple of that and the layer's final states.

    Raises:
        ValueError: the layer does not return whole sequences, runs backwards, or is a `Bidirectional` with
            `merge_mode=None`. In `build`: its output is not as wide as its input.

    Example:
        >>> import keras, zoo
        >>> class Average(zoo.Bypass):
        ...     def merge(self, x, y):
        ...         return (x + y) / 2
        >>> Average(zoo.GRU(4, return_sequences=True))(keras.ops.ones((2, 7, 4))).shape
        TensorShape([2, 7, 4])
    """

    def __init__(self, layer: keras.layers.Layer, **kwargs: Any) -> None:
        name = type(self).__name__
        if not getattr(layer, "return_sequences", False):
            raise ValueError(f"{name} needs a recurrent layer with `return_sequences=True`, not {layer!r}.")
        if getattr(layer, "go_backwards", False):
            raise ValueError(
                f"{name} needs outputs in the order of the inputs, but {layer.name!r} has "
                "`go_backwards=True`. Wrap a keras.layers.Bidirectional, or reverse the inputs before it."
            )
        if getattr(layer, "merge_mode", "concat") is None:
            raise ValueError(
                f"{name} needs one output, but {layer.name!r} has `merge_mode=None`. Choose another one, "
                'for example "concat".'
            )
        super().__init__(layer, **{**kwargs, "dtype": kwargs.get("dtype") or layer.dtype_policy})
        self.return_sequences, self.return_state = True, layer.return_state
        self.supports_masking = True

    def build(
        self,
        sequences_shape: Sequence[int | None],
        initial_state_shape: Sequence[Any] | None = None,
        constants_shape: dict[str, Sequence[int | None]] | None = None,
    ) -> None:
        """Create the weights of the layer for sequences [batch, time, width]."""
        output = self.compute_output_shape(sequences_shape)
        width, output_width = sequences_shape[-1], (output[0] if self.return_state else output)[-1]
        if width != output_width:
            raise ValueError(
                f"{type(self).__name__} needs an output as wide as the input, but the input of "
                f"{self.layer.name!r} has {width} features and its output {output_width}. Change the units "
                f"of the layer, or put keras.layers.Dense({output_width}) before {self.name!r}."
            )
        if constants_shape and not self.layer.built:
            self.layer.build(tuple(sequences_shape), constants_shape=constants_shape)
        super().build(tuple(sequences_shape))

    def compute_output_shape(
        self, sequences_shape: Sequence[int | None], initial_state_shape: Sequence[Any] | None = None
    ) -> Any:
        """Return the shape of the outputs, and those of the states if the layer returns them."""
        return self.layer.compute_output_shape(tuple(sequences_shape))

    def compute_mask(self, sequences: Tensor, mask: Tensor | None) -> Any:
        """Return the mask of the outputs, which is that of the layer."""
        return self.layer.compute_mask(sequences, mask)

    def merge(self, x: Tensor, y: Tensor) -> Tensor:
        """Compute the output from inputs `x` and outputs `y` of the layer, each [batch, time, width]."""
        raise NotImplementedError(f"{type(self).__name__} must define `merge(x, y)`.")

    def call(
        self,
        sequences: Tensor,
        initial_state: Any = None,
        mask: Tensor | None = None,
        training: bool = False,
        constants: dict[str, Tensor] | None = None,
        resets: Tensor | None = None,
    ) -> Any:
        """Run the layer and merge its outputs with its inputs.

        Args:
            sequences: tensor [batch, time, width].
            initial_state: initial states as the layer accepts them.
            mask: bool tensor [batch, time], False under padding.
            training: whether the layer runs in training.
            constants: tensors by name for a layer that accepts them.
            resets: bool tensor [batch, time] for a layer that accepts them.

        Returns:
            Outputs [batch, time, width]; a tuple of them and the final states if the layer has
            `return_state`.
        """
        # Layers of Keras and `Bidirectional` do not accept these.
        passed = {"constants": constants, "resets": resets}
        passed = {name: value for name, value in passed.items() if value is not None}
        outputs = self.layer(sequences, initial_state=initial_state, mask=mask, training=training, **passed)
        y, *states = outputs if self.return_state else [outputs]
        merged = self.merge(sequences, ops.cast(y, self.compute_dtype))
        return (merged, *states) if self.return_state else merged


@complete_docstring
class Residual(Bypass):
    """Adds the input of a recurrent layer to its output.

        y_t = x_t + layer(x)_t

    He et al. (2016), "Deep residual learning for image recognition"; between recurrent layers Wu et al.
    (2016), "Google's neural machine translation system: bridging the gap between human and machine
    translation".

    Example:
        >>> import keras, zoo
        >>> layer = zoo.Residual(zoo.LSTM(4, return_sequences=True))
        >>> layer(keras.ops.ones((2, 7, 4))).shape
        TensorShape([2, 7, 4])
    """

    def merge(self, x: Tensor, y: Tensor) -> Tensor:
        """Return x + y."""
        return x + y


@complete_docstring
class Highway(Bypass):
    """Mixes the input and the output of a recurrent layer by a gate.

        t_t = σ(W_t x_t + b_t)          transform gate: how much of the output comes from the layer
        y_t = t_t ⊙ layer(x)_t + (1 - t_t) ⊙ x_t

    with σ the logistic sigmoid. The weights `transform_kernel` W_t [width, width] and `transform_bias` b_t
    [width] are the same at all time steps.

    Srivastava, Greff and Schmidhuber (2015), "Highway networks".

    Args:
        initial_bias: float. Initial value of b_t. Below zero, inputs mostly bypass the layer at first, so
            that gradients reach the first of many layers.

    Example:
        >>> import keras, zoo
        >>> layer = zoo.Highway(zoo.LSTM(4, return_sequences=True))
        >>> layer(keras.ops.ones((2, 7, 4))).shape
        TensorShape([2, 7, 4])
    """

    def __init__(self, layer: keras.layers.Layer, initial_bias: float = -1.0, **kwargs: Any) -> None:
        super().__init__(layer, **kwargs)
        self.initial_bias = initial_bias

    def build(
        self,
        sequences_shape: Sequence[int | None],
        initial_state_shape: Sequence[Any] | None = None,
        constants_shape: dict[str, Sequence[int | None]] | None = None,
    ) -> None:
        """Create the weights of the layer and of the gate for sequences [batch, time, width]."""
        super().build(sequences_shape, initial_state_shape, constants_shape)
        width = sequences_shape[-1]
        bias = keras.initializers.Constant(self.initial_bias)
        self.transform_kernel = self.add_weight(shape=(width, width), name="transform_kernel")
        self.transform_bias = self.add_weight(shape=(width,), name="transform_bias", initializer=bias)

    def merge(self, x: Tensor, y: Tensor) -> Tensor:
        """Return t ⊙ y + (1 - t) ⊙ x with the gate t of x."""
        t = ops.sigmoid(ops.matmul(x, self.transform_kernel) + self.transform_bias)
        return t * y + (1 - t) * x

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor."""
        return {**super().get_config(), "initial_bias": self.initial_bias}
