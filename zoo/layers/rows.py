"""The rows of a batch: what a loop over time reads of each, and whether a cell computes each for itself."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto

import tensorflow as tf

from zoo.cells import Tensor

BROADCASTING = frozenset(
    """
    Abs Add AddN AddV2 BatchMatMulV2 Cast ClipByValue Cos DivNoNan Elu Equal Erf Exp Expm1 Floor
    FloorDiv FloorMod Greater GreaterEqual Identity IsFinite IsInf IsNan LeakyRelu Less LessEqual Log
    Log1p LogicalAnd LogicalNot LogicalOr Maximum Minimum Mul MulNoNan Neg NotEqual OnesLike Pow RealDiv
    Reciprocal Relu Relu6 Rsqrt SelectV2 Selu Sigmoid Sign Sin Softplus Softsign Sqrt Square
    SquaredDifference StopGradient Sub Tan Tanh Xdivy Xlogy ZerosLike
    """.split()  # noqa: SIM905
)
"""Operations that compute index i of the first axis from index i of their inputs, after broadcasting."""

ARRANGING = frozenset(
    """
    All Any ArgMax ArgMin BroadcastTo ConcatV2 ExpandDims Fill Max Mean Min Pack Pad PadV2 Prod Reshape
    Slice Split SplitV Squeeze Sum Transpose Unpack
    """.split()  # noqa: SIM905
)
"""Operations that mix or reorder rows only if they change the size of the first axis or move it."""

SHAPE_INPUTS = {"BroadcastTo": 1, "Fill": 0, "Reshape": 1, "Slice": 2}
"""Operations that take the shape of their result, and which of their inputs that is."""


@dataclass(frozen=True)
class LoopInputs:
    """What a loop over time reads besides weights; each tensor has the batch as an axis.

    Attributes:
        inputs: [time, batch, features]; `time` may be 0.
        states: before the first step, each [batch, size].
        sequences: what steps get besides their input, by name, where there is any. Each is [time, batch, ...]:

            noise       random numbers [time, batch, noise_size]
            mask        bool [time, batch, 1]; where False, states and output stay as they are
            resets      bool [time, batch, 1]; where True, the states are set to `starts` before the step

        drop: the mask of recurrent dropout [batch, ...], or None.
        starts: with resets, the states that they set, each [batch, size]; else empty.
    """

    inputs: Tensor
    states: Sequence[Tensor]
    sequences: Mapping[str, Tensor] = field(default_factory=dict)
    drop: Tensor | None = None
    starts: Sequence[Tensor] = ()

    def halve(self) -> "list[LoopInputs]":
        """Return the first and the second half of the batch."""
        batch = self.inputs.shape[1]
        half = (tf.shape(self.inputs)[1] if batch is None else batch) // 2
        return [self._take(slice(half)), self._take(slice(half, None))]

    def _take(self, rows: slice) -> "LoopInputs":
        return LoopInputs(
            self.inputs[:, rows],
            [state[rows] for state in self.states],
            {name: value[:, rows] for name, value in self.sequences.items()},
            None if self.drop is None else self.drop[rows],
            [start[rows] for start in self.starts],
        )


class Dependence(Enum):
    """How a tensor depends on the batch."""

    NONE = auto()
    """Not at all."""

    ROWS = auto()
    """Row i of its first axis depends on row i of the batch."""

    SIZE = auto()
    """It depends on the batch size, as shapes do."""


class MixedRowsError(Exception):
    """An operation mixes rows, or may do so."""


def has_independent_rows(inputs: Iterable[Tensor], results: Iterable[Tensor], other: tf.Graph) -> bool:
    """Return whether row i of all results depends on row i of the inputs alone.

    The answer is no for operations that are not known here, such as branches and loops.

    Args:
        inputs: tensors [batch, ...] of a graph, of a static batch size that is the size of no other axis: so
            shapes show where rows are. What else the graph computes with is the same for all rows.
        results: tensors of the same graph.
        other: the same graph for another batch size. What differs depends on the batch size.
    """
    inputs = list(inputs)
    graph, batch = inputs[0].graph, inputs[0].shape[0]
    constants, other_constants = find_constants(graph), find_constants(other)
    if [o.type for o in graph.get_operations()] != [o.type for o in other.get_operations()]:
        return False
    sizes = {name for name, value in constants.items() if value != other_constants.get(name)}
    found = {id(tensor): Dependence.ROWS for tensor in inputs}

    def find(tensor: Tensor) -> Dependence:
        if id(tensor) not in found:
            if tensor.op.name in sizes:
                found[id(tensor)] = Dependence.SIZE
            else:
                found[id(tensor)] = find_dependence(
                    tensor, [find(value) for value in tensor.op.inputs], batch
                )
        return found[id(tensor)]

    try:
        return all(find(result) is Dependence.ROWS for result in results)
    except MixedRowsError:
        return False


def find_constants(graph: tf.Graph) -> dict[str, bytes]:
    """Return the constants in a graph by the name of their operation."""
    constants = (operation for operation in graph.get_operations() if operation.type == "Const")
    return {constant.name: constant.get_attr("value").SerializeToString() for constant in constants}


def find_dependence(tensor: Tensor, inputs: list[Dependence], batch: int) -> Dependence:
    """Return how a result of an operation depends on the batch, from how the operation's inputs do.

    Raises:
        MixedRowsError: if the operation mixes rows, or may do so.
    """
    name = tensor.op.type
    if set(inputs) <= {Dependence.NONE} and tensor.shape.is_fully_defined():
        return Dependence.NONE
    if name in {"ConcatV2", "Pack", "StridedSlice"} and Dependence.ROWS not in inputs:
        return Dependence.SIZE
    if name in SHAPE_INPUTS:
        inputs = [dependence for i, dependence in enumerate(inputs) if i != SHAPE_INPUTS[name]]
    has_rows = tensor.shape.rank and tensor.shape[0] == batch and batch not in tensor.shape[1:]
    if not has_rows or Dependence.SIZE in inputs or not keeps_rows(tensor, inputs):
        raise MixedRowsError
    return Dependence.ROWS


def keeps_rows(tensor: Tensor, inputs: list[Dependence]) -> bool:
    """Return whether row i of an operation's result depends on row i of its inputs alone.

    The batch size is the size of the first axis, and of no other axis, of the result and of the inputs that
    depend on rows.
    """
    operation, rank = tensor.op, tensor.shape.rank
    name, values = operation.type, operation.inputs
    if name in ARRANGING:
        return True
    if name in BROADCASTING:
        ranks = {value.shape.rank for value, d in zip(values, inputs, strict=True) if d is Dependence.ROWS}
        return ranks == {rank} and (rank > 2 or name != "BatchMatMulV2")
    if name == "MatMul":
        return inputs == [Dependence.ROWS, Dependence.NONE]
    if name == "GatherV2":
        return inputs.count(Dependence.ROWS) == 1
    if name == "Einsum":
        *factors, result = operation.get_attr("equation").decode().replace("->", ",").split(",")
        of_rows = [factor for factor, d in zip(factors, inputs, strict=True) if d is Dependence.ROWS]
        return all(factor.startswith(result[0]) and result[0].isalpha() for factor in of_rows)
    if name == "StridedSlice":
        strides = tf.get_static_value(values[3])
        return strides is not None and all(stride == 1 for stride in strides)
    if name in {"Cumsum", "ReverseV2"}:
        axes = tf.get_static_value(values[1])
        return axes is not None and 0 not in (axes % rank).reshape(-1)
    return name in {"Softmax", "LogSoftmax"} and rank > 1
