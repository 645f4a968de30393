"""The base of the layers with a cell of their own, such as `LSTM`."""

from operator import attrgetter
from typing import Any, ClassVar, Self

import keras

from zoo.cells import Cell
from zoo.cells.serialization import deserialize_functions
from zoo.cells.signatures import complete_docstring
from zoo.layers.rnn import RNN


def attribute_of_cell(name: str) -> Any:
    """Return a read-only property that is an attribute of the layer's cell."""
    return property(attrgetter(f"cell.{name}"), doc=f"`{name}` of the cell.")


@complete_docstring
class CellLayer(RNN):
    """Runs a cell of `cell_class` over time.

    A subclass sets `cell_class`, writes out the arguments of the cell and those below in its constructor, and
    passes all of them on.

    Args:
        activity_regularizer: str, dict, callable or None. Regularizer of the output.
        layer_arguments: dict. `name`, `dtype`, `trainable` and further arguments of every Keras layer.
        **cell_arguments: those of `cell_class`.

    Raises:
        TypeError: in a call, `constants` is not a dict.
        ValueError: an argument is out of its range, or unknown. In a call: the sequences, `initial_state`, `mask` or
            `resets` do not have the shapes above, a mask of floats has others than 0 and 1, or the cell does not read
            one of the `constants`. In `get_config` of a subclass: the constructor could not be called with the
            result.
    """

    cell_class: ClassVar[type[Cell]]

    units: int = attribute_of_cell("units")
    activation: Any = attribute_of_cell("activation")
    recurrent_activation: Any = attribute_of_cell("recurrent_activation")
    use_bias: bool = attribute_of_cell("use_bias")
    kernel_initializer: Any = attribute_of_cell("kernel_initializer")
    recurrent_initializer: Any = attribute_of_cell("recurrent_initializer")
    bias_initializer: Any = attribute_of_cell("bias_initializer")
    kernel_regularizer: Any = attribute_of_cell("kernel_regularizer")
    recurrent_regularizer: Any = attribute_of_cell("recurrent_regularizer")
    bias_regularizer: Any = attribute_of_cell("bias_regularizer")
    kernel_constraint: Any = attribute_of_cell("kernel_constraint")
    recurrent_constraint: Any = attribute_of_cell("recurrent_constraint")
    bias_constraint: Any = attribute_of_cell("bias_constraint")
    dropout: float = attribute_of_cell("dropout")
    recurrent_dropout: float = attribute_of_cell("recurrent_dropout")
    seed: int | None = attribute_of_cell("seed")
    zoneout: list[float] = attribute_of_cell("zoneout")
    candidate_dropout: float = attribute_of_cell("candidate_dropout")
    implementation: int = attribute_of_cell("implementation")

    def __init__(
        self,
        layer_arguments: dict[str, Any],
        *,
        return_sequences: bool,
        return_state: bool,
        go_backwards: bool,
        stateful: bool,
        unroll: bool,
        zero_output_for_mask: bool,
        activity_regularizer: Any,
        **cell_arguments: Any,
    ) -> None:
        shared = {name: layer_arguments[name] for name in ("dtype", "trainable") if name in layer_arguments}
        super().__init__(
            self.cell_class(**cell_arguments, **shared),
            return_sequences,
            return_state,
            go_backwards,
            stateful,
            unroll,
            zero_output_for_mask,
            activity_regularizer=activity_regularizer,
            **layer_arguments,
        )
        self.input_spec = keras.layers.InputSpec(ndim=3)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor: the cell's and the layer's."""
        config = {**self.cell.get_config(), **super().get_config()}
        del config["cell"]
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """Create a layer from the result of `get_config`, of this class or of the Keras layer of its name."""
        return cls(**deserialize_functions(config))
