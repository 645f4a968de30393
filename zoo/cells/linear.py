"""The base of cells whose state is linear in the state before."""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from keras import ops

from zoo.cells.base import Cell, GatedCell, States, Tensor
from zoo.cells.checks import NoStates
from zoo.cells.signatures import collect_arguments, complete_docstring
from zoo.scans import scan_valid_steps

MIN_SCAN_STEPS = 1000
"""`min_parallel_steps` of a cell whose `parallel` is a linear scan: measured at 32 rows and 64 units."""


@complete_docstring
class LinearCell(GatedCell):
    """The base of gated cells without U, whose state is linear in the state before, unit by unit.

        x_t = W input_t + b
        gates_t = gates(x_t)
        a_t, b_t = coefficients(gates_t)
        h_t = a_t ⊙ h_{t-1} + b_t

    Nothing but h depends on the step before, so `zoo.RNN` computes gates and coefficients of all time steps
    at once, and h by a parallel scan. A subclass defines `gates` and `coefficients`. Its `gates(x, r,
    states)` gets None for r and must not use the states.

    Args:
        recurrent_initializer: str, dict, callable or None. Without effect: there is no U.
        recurrent_regularizer: str, dict, callable or None. Without effect: there is no U.
        recurrent_constraint: str, dict, callable or None. Without effect: there is no U.
        recurrent_dropout: float. Must be 0: there is no U, so that nothing could be dropped on its way there.

    Example:
        >>> import keras, zoo
        >>> class AverageCell(zoo.LinearCell):
        ...     weight_blocks = ("candidate",)
        ...
        ...     def gates(self, x, r, states):
        ...         return {"candidate": self.activation(x)}
        ...
        ...     def coefficients(self, gates):
        ...         return 0.9 * keras.ops.ones_like(gates["candidate"]), 0.1 * gates["candidate"]
        >>> zoo.RNN(AverageCell(4))(keras.ops.ones((2, 5, 3))).shape
        TensorShape([2, 4])
    """

    parallel_methods: ClassVar[frozenset[str]] = frozenset(
        {"project", "product", "get_weight", "gates", "compute_gates", "coefficients", "split"}
    )
    min_parallel_steps = MIN_SCAN_STEPS

    def __init__(
        self,
        units: int,
        activation: str | Callable[..., Any] | None = None,
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
        zoneout: float | Sequence[float] = 0.0,
        candidate_dropout: float = 0.0,
        implementation: int = 2,
        **kwargs: Any,
    ) -> None:
        super().__init__(**collect_arguments(locals()), **kwargs)
        check_no_recurrent_dropout(self)

    def recurrent_shape(self, width: int) -> None:
        """Return None: there is no U."""

    def compute_gates(self, x: Tensor, r: Tensor | None, states: States) -> dict[str, Tensor]:
        """Return the result of `gates`, which must not read the states."""
        return super().compute_gates(x, r, NoStates(self))

    def coefficients(self, gates: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        """Return a and b of h_t = a ⊙ h_{t-1} + b from the gates by name.

        Each is [..., units], or what is broadcast to that: a weight [units], a number.
        """
        raise NotImplementedError(f"{type(self).__name__} must define `coefficients(gates)`.")

    def combine(self, gates: dict[str, Tensor], states: States) -> tuple[Tensor, list[Tensor]]:
        """Compute h_t [batch, units], the output and the only state."""
        a, b = self.coefficients(gates)
        h = a * states[0] + b
        return h, [h]

    def parallel(self, inputs: Tensor, valid: Tensor | None, states: States) -> tuple[Tensor, list[Tensor]]:
        """Compute h of all time steps, [time, batch, units], with all a and b computed beforehand."""
        a, b = self.coefficients(self.compute_gates(self.project(inputs), None, ()))
        shape = (*ops.shape(inputs)[:-1], self.units)
        a, b = (self._broadcast(x, shape) for x in (a, b))
        hidden, last = scan_valid_steps(a, b, states[0], valid)
        return hidden, [last]

    def _broadcast(self, x: Tensor, shape: tuple[Any, ...]) -> Tensor:
        """Return a coefficient as a tensor of this shape, [time, batch, units]."""
        x = ops.convert_to_tensor(x, dtype=self.compute_dtype)
        is_full = len(x.shape) == len(shape) and x.shape[-1] == self.units
        return x if is_full else ops.broadcast_to(x, shape)


def check_no_recurrent_dropout(cell: Cell) -> None:
    """Raise a ValueError for a cell without U that has a `recurrent_dropout`."""
    if cell.recurrent_dropout:
        instead = "`zoneout` or `candidate_dropout`" if isinstance(cell, GatedCell) else "`zoneout`"
        raise ValueError(
            f"`recurrent_dropout` of {type(cell).__name__} must be 0, because the cell has no U, but it is "
            f"{cell.recurrent_dropout!r}. Use {instead} instead."
        )
