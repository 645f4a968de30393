"""The closed-form continuous-time network."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, Literal

import keras
from keras import ops

from zoo.cells.base import GatedCell, States, Tensor, check_widths
from zoo.cells.signatures import collect_arguments, complete_docstring
from zoo.cells.time_input import TimeInputCell

MODES = ("default", "no_gate", "pure")


@complete_docstring
class CfCCell(TimeInputCell, GatedCell):
    """One step of the closed-form continuous-time network (CfC), for steps at irregular times.

        z = V ψ(W features_t + b + U h_{t-1}) + d           backbone and heads: z_s, z_g, z_f, z_o
        s = φ(z_s)                                          start: h after a short time
        g = φ(z_g)                                          candidate: h after a long time
        k = σ(z_f δ_t + z_o)                                time gate
        h_t = (1 - k) ⊙ s + k ⊙ g                           with `mode="default"`
        h_t = s + k ⊙ g                                     with `mode="no_gate"`

    The last column of the input is δ_t, the time since the step before; a negative one counts as 0. The
    other columns are features_t. For regular steps it is a column of ones. Choose a unit in which a typical
    δ is about 1.

    With `mode="pure"` there is one head, z_g, and vectors A and w:

        g = z_g
        k = exp(-δ_t (|w| + |g|))
        h_t = A ⊙ (1 - k ⊙ g)

    ψ is `backbone_activation`. `backbone_layers` is the number of hidden layers; the second one and further
    ones have weights of their own. With `backbone_layers=0` there is no ψ and no V: z = W features_t + b + U
    h_{t-1}.

    Hasani et al. (2022), "Closed-form continuous-time neural networks". Departures: as in the authors' code,
    the time gate has an offset z_o. ψ is tanh, where theirs is 1.7159 tanh(0.666 z), and there is no dropout
    inside the backbone.

    Args:
        activation: str, callable or None. φ, a function or its Keras name; None is the identity. Without
            effect with `mode="pure"`.
        recurrent_activation: str, callable or None. σ, the activation of the time gate: a function or its
            Keras name; None is the identity. Without effect with `mode="pure"`.
        use_bias: bool. Whether the layers of the backbone and the heads have biases.
        kernel_initializer: str, dict, callable or None. Initializer of W, V and the kernels between them.
        kernel_regularizer: str, dict, callable or None. Regularizer of W, V and the kernels between them.
        kernel_constraint: str, dict, callable or None. Constraint on W, V and the kernels between them.
        bias_initializer: str, dict, callable or None. Initializer of all biases.
        bias_regularizer: str, dict, callable or None. Regularizer of all biases.
        bias_constraint: str, dict, callable or None. Constraint on all biases.
        mode: "default", "no_gate" or "pure". Which of the equations above gives h_t.
        backbone_units: int. Width of each hidden layer.
        backbone_layers: int. Number of hidden layers; 0 for none.
        backbone_activation: str, callable or None. ψ, a function or its Keras name; None is the identity.

    Input shape:
        [batch, features + 1]. The last column is δ, the time since the step before.

    Example:
        >>> import keras, zoo
        >>> cell = zoo.cells.CfCCell(4)
        >>> output, [h] = cell(keras.ops.ones((2, 3)), cell.get_initial_state(batch_size=2))
        >>> output.shape
        TensorShape([2, 4])
    """

    weight_blocks = ("start", "candidate", "rate", "offset")

    def __init__(
        self,
        units: int,
        activation: str | Callable[..., Any] | None = "tanh",
        recurrent_activation: str | Callable[..., Any] | None = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        *,
        mode: Literal["default", "no_gate", "pure"] = "default",
        backbone_units: int = 128,
        backbone_layers: int = 1,
        backbone_activation: str | Callable[..., Any] | None = "tanh",
        zoneout: float | Sequence[float] = 0.0,
        candidate_dropout: float = 0.0,
        implementation: int = 2,
        **kwargs: Any,
    ) -> None:
        inherited = collect_arguments(
            locals(), "mode", "backbone_units", "backbone_layers", "backbone_activation"
        )
        super().__init__(**inherited, **kwargs)
        if mode not in MODES:
            raise ValueError(f"`mode` must be one of {', '.join(map(repr, MODES))}, but it is {mode!r}.")
        check_widths(backbone_units=backbone_units)
        if backbone_layers:
            check_widths(backbone_layers=backbone_layers)
        self.mode = mode
        self.backbone_units = int(backbone_units)
        self.backbone_layers = int(backbone_layers)
        self.backbone_activation = keras.activations.get(backbone_activation)

    def _layer_widths(self) -> list[int]:
        heads = 1 if self.mode == "pure" else len(self.weight_blocks)
        return [self.backbone_units] * self.backbone_layers + [heads * self.units]

    def kernel_shape(self, features: int) -> tuple[int, int]:
        """Return the shape of W for `features` without the time."""
        return (features, self._layer_widths()[0])

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Create the weights for inputs [batch, features + 1]."""
        super().build(input_shape)
        for i, shape in enumerate(pairwise(self._layer_widths()), 1):
            setattr(self, f"kernel_{i}", self._add_weight(f"kernel_{i}", shape))
            bias = self._add_weight(f"bias_{i}", shape[1:]) if self.use_bias else None
            setattr(self, f"bias_{i}", bias)
        if self.mode == "pure":
            self.decay = self.add_weight(shape=(self.units,), name="decay", initializer="zeros")
            self.amplitude = self.add_weight(shape=(self.units,), name="amplitude", initializer="ones")

    def project(self, inputs: Tensor) -> Tensor:
        """Return W features + b and δ, side by side, for `inputs` [..., features + 1]."""
        return ops.concatenate([super().project(inputs[..., :-1]), ops.relu(inputs[..., -1:])], axis=-1)

    def gates(self, x: Tensor, r: Tensor, states: States) -> dict[str, Tensor]:
        """Return the gates by name, each [..., units]: "start" (not if pure), "candidate", "time"."""
        z, gap = x[..., :-1] + r, x[..., -1:]
        for i in range(1, self.backbone_layers + 1):
            z = self.product(f"kernel_{i}", self.backbone_activation(z))
            z = z + self.get_weight(f"bias_{i}") if self.use_bias else z
        if self.mode == "pure":
            time = ops.exp(-gap * (ops.abs(self.get_weight("decay")) + ops.abs(z)))
            return {"candidate": z, "time": time}
        s, g, f, o = self.split(z)
        time = self.recurrent_activation(f * gap + o)
        return {"start": self.activation(s), "candidate": self.activation(g), "time": time}

    def combine(self, gates: dict[str, Tensor], states: States) -> tuple[Tensor, list[Tensor]]:
        """Compute h_t [batch, units], the output and the only state."""
        g, k = gates["candidate"], gates["time"]
        if self.mode == "pure":
            h = self.get_weight("amplitude") * (1 - k * g)
        elif self.mode == "no_gate":
            h = gates["start"] + k * g
        else:
            h = (1 - k) * gates["start"] + k * g
        return h, [h]

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor."""
        return {
            **super().get_config(),
            "mode": self.mode,
            "backbone_units": self.backbone_units,
            "backbone_layers": self.backbone_layers,
            "backbone_activation": keras.activations.serialize(self.backbone_activation),
        }
