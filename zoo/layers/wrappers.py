"""Paths past a recurrent layer, by which many of them can be stacked: `Residual` and `Highway`."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from zoo.cells import Serializable, Tensor


class Bypass(Serializable, keras.layers.Wrapper):
    """A recurrent layer and a path past it: what `Residual` and `Highway` share.

    A subclass defines `merge(x, y)`.

    Args:
        layer: a recurrent layer of this library or of Keras, a `keras.layers.Bidirectional` of one, or
            another `Bypass`. It has `return_sequences=True`, and its output is as wide as its input.
        **kwargs: `name`, `dtype` and `trainable`. The `dtype` is the layer's, unless it is given.

    Call arguments:
        sequences: [batch, time, width].
        initial_state, mask, training: as the layer takes them.

    Returns:
        Outputs [batch, time, width], followed by the layer's final states if it has `return_state`. The
        mask is passed on; under padding the outputs are of no meaning.
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
                f"{name} needs one output, but {layer.name!r} has `merge_mode=None`: give it another, "
                'such as "concat".'
            )
        super().__init__(layer, **{**kwargs, "dtype": kwargs.get("dtype") or layer.dtype_policy})
        self.return_sequences, self.return_state = True, layer.return_state
        self.supports_masking = True

    def build(
        self, sequences_shape: Sequence[int | None], initial_state_shape: Sequence[Any] | None = None
    ) -> None:
        """Make the layer's weights, for sequences [batch, time, width]."""
        output = self.compute_output_shape(sequences_shape)
        width, output_width = sequences_shape[-1], (output[0] if self.return_state else output)[-1]
        if width != output_width:
            raise ValueError(
                f"{type(self).__name__} needs an output as wide as the input, but the input of "
                f"{self.layer.name!r} has {width} features and its output {output_width}. Change the layer's "
                f"units, or put keras.layers.Dense({output_width}) before {self.name!r}."
            )
        super().build(tuple(sequences_shape))

    def compute_output_shape(
        self, sequences_shape: Sequence[int | None], initial_state_shape: Sequence[Any] | None = None
    ) -> Any:
        """Shape of the outputs, and of the states if they are returned: the layer's."""
        return self.layer.compute_output_shape(tuple(sequences_shape))

    def compute_mask(self, sequences: Tensor, mask: Tensor | None) -> Any:
        """The mask of the outputs: the layer's."""
        return self.layer.compute_mask(sequences, mask)

    def merge(self, x: Tensor, y: Tensor) -> Tensor:
        """What to put out for inputs x and outputs y of the layer, each [batch, time, width]."""
        raise NotImplementedError(f"{type(self).__name__} must define `merge(x, y)`.")

    def call(
        self,
        sequences: Tensor,
        initial_state: Any = None,
        mask: Tensor | None = None,
        training: bool = False,
    ) -> Any:
        """Run the layer and the path past it; see the class."""
        outputs = self.layer(sequences, initial_state=initial_state, mask=mask, training=training)
        y, *states = outputs if self.return_state else [outputs]
        merged = self.merge(sequences, ops.cast(y, self.compute_dtype))
        return (merged, *states) if self.return_state else merged


class Residual(Bypass):
    """Adds the input to the output of a recurrent layer: y = x + layer(x).

    He et al. (2016, "Deep residual learning for image recognition"); between recurrent layers, Wu et al.
    (2016, "Google's neural machine translation system"). The arguments are those of `Bypass`.
    """

    def merge(self, x: Tensor, y: Tensor) -> Tensor:
        """See `Bypass.merge`."""
        return x + y


class Highway(Bypass):
    """Mixes the input and the output of a recurrent layer by a gate.

        t = σ(W_t x + b_t)              transform: how much goes through the layer
        y = t ⊙ layer(x) + (1 - t) ⊙ x

    Srivastava, Greff and Schmidhuber (2015, "Highway networks"). W_t [width, width] and b_t [width] are the
    same at all time steps.

    Args:
        layer: as in `Bypass`.
        initial_bias: what b_t starts from. Below zero, inputs are mostly carried past the layer at first,
            so that gradients reach the first of many layers.
        **kwargs: as in `Bypass`.
    """

    def __init__(self, layer: keras.layers.Layer, initial_bias: float = -1.0, **kwargs: Any) -> None:
        super().__init__(layer, **kwargs)
        self.initial_bias = initial_bias

    def build(
        self, sequences_shape: Sequence[int | None], initial_state_shape: Sequence[Any] | None = None
    ) -> None:
        """Make the weights of the layer and of the gate, for sequences [batch, time, width]."""
        super().build(sequences_shape)
        width = sequences_shape[-1]
        bias = keras.initializers.Constant(self.initial_bias)
        self.transform_kernel = self.add_weight(shape=(width, width), name="transform_kernel")
        self.transform_bias = self.add_weight(shape=(width,), name="transform_bias", initializer=bias)

    def merge(self, x: Tensor, y: Tensor) -> Tensor:
        """See `Bypass.merge`."""
        t = ops.sigmoid(ops.matmul(x, self.transform_kernel) + self.transform_bias)
        return t * y + (1 - t) * x

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "initial_bias": self.initial_bias}
