"""The base of the cells whose state is linear in the one before."""

from collections.abc import Callable
from typing import Any

from zoo.cells.base import GatedCell, States, Tensor


class LinearCell(GatedCell):
    """A gated cell without U, whose state is linear in the one before, unit by unit.

        h_t = a_t ⊙ h_{t-1} + b_t

    a_t and b_t depend on the input alone, so `gates` and `coefficients` work on any number of time steps
    at once, and no product is left in the loop. `gates(x, r, states)` is given None for r, and must not
    look at the states, which may be None.

    Args:
        units: width of the output and of the state.
        activation: φ, a name or a function; None, the default, is the identity.
        recurrent_activation: σ, likewise.
        **kwargs: as in `GatedCell`; those of U are without effect, and `recurrent_dropout` is refused.
    """

    def __init__(
        self,
        units: int,
        activation: str | Callable | None = None,
        recurrent_activation: str | Callable | None = "sigmoid",
        **kwargs: Any,
    ) -> None:
        super().__init__(units, activation, recurrent_activation, **kwargs)
        if self.recurrent_dropout:
            raise ValueError(
                f"{type(self).__name__} has no U, on whose way in `recurrent_dropout` drops: leave it 0 "
                f"and use `zoneout` or `candidate_dropout`. It is {self.recurrent_dropout!r}."
            )

    def recurrent_shape(self, width: int) -> None:
        """There is no U."""

    def coefficients(self, gates: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        """The two of h_t = a ⊙ h_{t-1} + b, each [..., units], from the gates by name."""
        raise NotImplementedError(f"{type(self).__name__} must define `coefficients(gates)`.")

    def combine(self, gates: dict[str, Tensor], states: States) -> tuple[Tensor, list[Tensor]]:
        """See `GatedCell.combine`."""
        a, b = self.coefficients(gates)
        h = a * states[0] + b
        return h, [h]
