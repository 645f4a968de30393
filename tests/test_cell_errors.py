"""Mistakes in cells that users write: each error names cell and method, and what to write.

And layers inside cells: they are built and trained, or refused.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers, ops
from references import assert_close, random_normal, randomize_weights, weighted_sum_of_tensors

import zoo

BATCH, TIME, FEATURES, UNITS = 3, 4, 2, 5


class ConditionCell(zoo.SimpleRNNCell):
    def update(self, x, r, states):
        h = x if ops.mean(x) > 0 else r
        return h, [h]


class IteratingCell(zoo.SimpleRNNCell):
    def update(self, x, r, states):
        h = sum(row for row in x + r)
        return h, [h]


class NumPyCell(zoo.SimpleRNNCell):
    def update(self, x, r, states):
        h = np.tanh(x + r)
        return h, [h]


class EagerValueCell(zoo.SimpleRNNCell):
    def update(self, x, r, states):
        h = x + r.numpy()
        return h, [h]


class NumPyProjectionCell(zoo.SimpleRNNCell):
    def project(self, inputs):
        return super().project(np.abs(inputs))


class WithoutConstructorCell(zoo.SimpleRNNCell):
    def __init__(self, units):
        self.scale = 2.0


class WithoutBuildCell(zoo.SimpleRNNCell):
    def build(self, input_shape):
        self.scale = self.add_weight(shape=(self.units,), name="scale")


class WrongBlocksCell(zoo.GatedCell):
    weight_blocks = ("update", "reset", "candidate")

    def gates(self, x, r, states):
        u, g = self.split(x + r)
        return {"update": u, "candidate": g}


class SplitCell(zoo.SimpleRNNCell):
    weight_blocks = ("first", "second")

    def update(self, x, r, states):
        first, _ = self.split(x[..., 1:])
        return first, [first]


class StringBlocksCell(zoo.SimpleRNNCell):
    weight_blocks = "u"


class StringStatesCell(zoo.SimpleRNNCell):
    state_names = "hidden"


class StatefulGatesCell(zoo.LinearCell):
    weight_blocks = ("update",)

    def gates(self, x, r, states):
        return {"update": ops.sigmoid(x + states[0])}

    def coefficients(self, gates):
        return gates["update"], gates["update"]


class RecurrentGatesCell(StatefulGatesCell):
    def gates(self, x, r, states):
        return {"update": ops.sigmoid(x + r[..., :5])}


class InPlaceCell(zoo.SimpleRNNCell):
    def update(self, x, r, states):
        states[0] = self.activation(x + r)
        return states[0], states


class AppendingCell(zoo.SimpleRNNCell):
    def update(self, x, r, states):
        states.append(x)
        return x, states


class NestedSizesCell(zoo.SimpleRNNCell):
    state_names = ("hidden", "memory")

    @property
    def state_size(self):
        return [6, [2, 3]]


class TooFewSizesCell(NestedSizesCell):
    @property
    def state_size(self):
        return self.units


class MissingStateCell(zoo.SimpleRNNCell):
    def update(self, x, r, states):
        h = x + states[1]
        return h, [h]


class WrongSizeCell(zoo.SimpleRNNCell):
    @property
    def state_size(self):
        return [3]


class WrongSizeInUpdateCell(zoo.SimpleRNNCell):
    state_names = ("hidden", "memory")

    @property
    def state_size(self):
        return [self.units, 3]

    def update(self, x, r, states):
        memory = states[1] + x
        return memory, [memory, memory]


class TooManyStatesCell(zoo.SimpleRNNCell):
    def update(self, x, r, states):
        h = x + r
        return h, [h, h]


class StateWithoutListCell(zoo.SimpleRNNCell):
    def update(self, x, r, states):
        h = x + r
        return h, h


class StatesWithoutListCell(zoo.LSTMCell):
    def combine(self, gates, states):
        h, (_, c) = super().combine(gates, states)
        return h, h, c


class WithoutGatesCell(zoo.GatedCell):
    weight_blocks = ("update",)

    def combine(self, g, states):
        h = g["update"] * states[0]
        return h, [h]


class WithoutGatesAndCombineCell(zoo.GatedCell):
    weight_blocks = ("update",)


class LinearWithoutGatesCell(zoo.LinearCell):
    weight_blocks = ("update",)


class MissingGateCell(zoo.GatedCell):
    weight_blocks = ("update",)

    def gates(self, x, r, states):
        return {"update": x + r}

    def combine(self, gates, states):
        h = gates["candidate"]
        return h, [h]


class MisspeltGateCell(MissingGateCell):
    """Its `combine` has another name for the gates."""

    def combine(self, g, states):
        h = g["updat"]
        return h, [h]


class MissingWeightCell(zoo.SimpleRNNCell):
    def update(self, x, r, states):
        h = self.product("mix", r)
        return h, [h]


class OtherProductCell(zoo.SimpleRNNCell):
    """Its `product` has another name for the weight."""

    def product(self, weight, v):
        return super().product(weight, v)

    def update(self, x, r, states):
        h = self.product("mix", r)
        return h, [h]


class TwoDtypesCell(zoo.SimpleRNNCell):
    def update(self, x, r, states):
        h = x + tf.ones(self.units, "float64")
        return h, [h]


class WrongArgumentsCell(zoo.SimpleRNNCell):
    def update(self, x, states):
        return x, [x]


class ListConstantsCell(zoo.SimpleRNNCell):
    def prepare_constants(self, constants, training):
        return [self.kernel]


class NestedConstantsCell(zoo.SimpleRNNCell):
    def prepare_constants(self, constants, training):
        return {"pair": (self.kernel, self.bias)}


class MissingConstantCell(zoo.SimpleRNNCell):
    def prepare_constants(self, constants, training):
        return {"context": 2 * constants["context"]}


MISTAKES = {
    ListConstantsCell: r"`prepare_constants` of ListConstantsCell must return a dict .* returns a list",
    NestedConstantsCell: r"constant 'pair' of NestedConstantsCell must be a tensor, but it is a tuple",
    MissingConstantCell: r"`prepare_constants` of MissingConstantCell reads .* no constant 'context'.*layer\(x, const",
    ConditionCell: r"`update` of ConditionCell uses a tensor as a Python condition.*keras.ops.where",
    IteratingCell: r"`update` of IteratingCell iterates over a tensor.*keras.ops.split",
    NumPyCell: r"`update` of NumPyCell passes a tensor to a NumPy.*keras.ops.tanh",
    NumPyProjectionCell: r"`project` of NumPyProjectionCell passes a tensor to a NumPy.*keras.ops",
    EagerValueCell: r"`update` of EagerValueCell calls `.numpy\(\)`.*keras.ops",
    WithoutConstructorCell: r"`__init__` of WithoutConstructorCell does not call .*super\(\).__init__\(units",
    WithoutBuildCell: r"of WithoutBuildCell needs the weight `kernel`.*`super\(\).build\(input_shape\)`",
    WrongBlocksCell: r"`gates` of WrongBlocksCell unpacks .*expected 2.*`split` returns 3, .*'reset'",
    SplitCell: r"`split` of SplitCell needs a tensor of 10 columns, 5 units .* but the tensor has 9",
    StringBlocksCell: r"`weight_blocks` of StringBlocksCell must be a tuple .* it is 'u'.*comma",
    StringStatesCell: r"`state_names` of StringStatesCell must be a tuple .* it is 'hidden'.*comma",
    StatefulGatesCell: r"`gates` of StatefulGatesCell reads `states`.*zoo.GatedCell",
    RecurrentGatesCell: r"`gates` of RecurrentGatesCell uses `r`, which is None.*has no U",
    InPlaceCell: r"`update` of InPlaceCell changes `states` in place.*Return a list of new states",
    AppendingCell: r"`update` of AppendingCell changes `states` in place.*Return a list of new states",
    NestedSizesCell: r"`state_size` of NestedSizesCell must be a list with 2 entries.*\[6, \[2, 3\]\].* as a tuple",
    TooFewSizesCell: r"`state_size` of TooFewSizesCell must be a list with 2 entries.* it is 5",
    MissingStateCell: r"`update` of MissingStateCell reads a state .* `state_names` \('hidden',\)",
    WrongSizeCell: r"`recurrent` of WrongSizeCell .* do not match \(.*\[3,3\].*By `state_size` \[3\] .*hidden \(3,\)",
    WrongSizeInUpdateCell: r"`update` of WrongSizeIn.*`state_size` \[5, 3\] .*memory \(3,\).*`units` are 5.*Correct",
    TooManyStatesCell: r"TooManyStatesCell .*`state_names` \('hidden',\): `return output, \[hidden\]`.*change `state_n",
    StateWithoutListCell: r"StateWithoutListCell .*`return output, \[hidden\]`.* returns a tensor in place of the list",
    StatesWithoutListCell: r"StatesWithoutListCell .*`return output, \[hidden, cell\]`.*returns a tuple of 3",
    WithoutGatesCell: r"WithoutGatesCell must define `gates\(x, r, states\)`.*and `combine\(gates, states\)`",
    WithoutGatesAndCombineCell: r"AndCombineCell must define `gates\(x, r, states\)`.*and `combine\(gates, states\)`",
    LinearWithoutGatesCell: r"LinearWithoutGatesCell must define `gates.*LinearCell` `coefficients\(gates\)`",
    MissingGateCell: r"`combine` of MissingGateCell reads the gate 'candidate', which .* It returns update",
    MisspeltGateCell: r"`combine` of MisspeltGateCell reads the gate 'updat', which `gates` does not return",
    MissingWeightCell: r"`update` of MissingWeightCell reads the weight 'mix', .* recurrent_kernel, bias\..*`self.mix",
    OtherProductCell: r"`update` of OtherProductCell reads the weight 'mix', .* kernel, recurrent_kernel, bias\.",
    TwoDtypesCell: r"`update` of TwoDtypesCell .*two dtypes \(.*float32.*`keras.ops.cast\(x, self.compute_dtype\)`",
    WrongArgumentsCell: r"`update` of WrongArgumentsCell has the wrong arguments.*def update\(self, x, r, states\)",
}

EAGER_IS_FINE = {ConditionCell, IteratingCell, NumPyCell, NumPyProjectionCell, EagerValueCell}


FAILS_INSIDE_KERAS = {WithoutConstructorCell, NestedSizesCell, TooFewSizesCell}

USES = [
    pytest.param(cell, layer, graph, id=f"{cell.__name__} {layer.__module__} {'graph' if graph else 'eager'}")
    for cell in MISTAKES
    for layer in (zoo.RNN, layers.RNN)
    for graph in (False, True)
    if (graph or cell not in EAGER_IS_FINE) and (layer is zoo.RNN or cell not in FAILS_INSIDE_KERAS)
]


@pytest.mark.parametrize(("cell", "layer", "graph"), USES)
def test_mistake_is_explained(cell: type[zoo.Cell], layer: type[layers.RNN], graph: bool) -> None:
    def use(x: tf.Tensor) -> tf.Tensor:
        run = layer(cell(UNITS))
        return (tf.function(run, autograph=False) if graph else run)(x)

    with pytest.raises((TypeError, ValueError, NotImplementedError), match="(?s)" + MISTAKES[cell]):
        use(tf.ones([BATCH, TIME, FEATURES]))


def test_mistake_is_explained_in_fit() -> None:
    model = keras.Sequential([zoo.RNN(ConditionCell(UNITS))])
    model.compile("sgd", "mse")
    with pytest.raises(
        (TypeError, ValueError, RuntimeError), match="`update` of ConditionCell uses a tensor"
    ):
        model.fit(np.ones((BATCH, TIME, FEATURES)), np.ones((BATCH, UNITS)), verbose=0)


@pytest.mark.parametrize(
    ("cell", "found"),
    [
        (zoo.LSTMCell, r"the class LSTMCell: write `LSTMCell\(\.\.\.\)`"),
        ([zoo.GRUCell(UNITS), zoo.LSTMCell], "the class LSTMCell"),
        (zoo.LSTM(UNITS), r"<LSTM .*, a layer that runs over all time steps; use that layer alone"),
        (zoo.LSTM(UNITS, return_state=True), "<.*, a layer that runs over all time steps"),
        (zoo.GRU(UNITS), "<.*, a layer that runs over all time steps"),
        (layers.GRU(UNITS), "<.*, a layer that runs over all time steps"),
        ([], r"\[\]\."),
        ("lstm", r"'lstm': write `zoo.cells.LSTMCell\(\.\.\.\)`\."),
        ("layer_norm_gru", r".*: write `zoo.cells.LayerNormGRUCell\(\.\.\.\)`\."),
        (8, r"8\."),
        (layers.Dense(3), "<Dense .*"),
    ],
    ids=str,
)
def test_what_is_not_a_cell_raises(cell: Any, found: str) -> None:
    with pytest.raises(TypeError, match=rf"`cell` must be a cell, .*`zoo.LSTMCell\(4\)`.* but it is {found}"):
        zoo.RNN(cell)


@pytest.mark.parametrize("make", [zoo.GRU, layers.GRU])
def test_layer_that_returns_its_state_is_a_cell_for_sequences_of_sequences(make: type[layers.RNN]) -> None:
    layer = make(UNITS, return_state=True)
    x = random_normal(0, BATCH, 2, TIME, FEATURES, dtype="float32")
    outputs = zoo.RNN(layer)(x)
    _, state = layer(x[:, 0])
    assert_close(outputs, layer(x[:, 1], initial_state=state)[0], 1e-6)


@pytest.mark.parametrize(
    "make", [zoo.Encoder, lambda cell: zoo.Decoder(9, 4, cell)], ids=["Encoder", "Decoder"]
)
@pytest.mark.parametrize(
    ("cell", "found"),
    [(zoo.LSTMCell, "the class LSTMCell"), ("gru", "'gru'"), (8, "8"), ([zoo.GRUCell(4)], r"\[<GRUC")],
)
def test_template_that_is_not_a_cell_raises(make: Callable, cell: Any, found: str) -> None:
    with pytest.raises(TypeError, match=rf"`cell` must be a cell, .* `depth` layers .* but it is {found}"):
        make(cell)


def test_template_without_its_constructor_raises() -> None:
    with pytest.raises(TypeError, match="`__init__` of WithoutConstructorCell does not call"):
        zoo.Encoder(WithoutConstructorCell(UNITS))


ENCODER, DECODER = zoo.Encoder(zoo.GRUCell(4)), zoo.Decoder(9, 4, zoo.GRUCell(4))


@pytest.mark.parametrize("part", ["gru", 8, zoo.GRUCell, zoo.GRUCell(4)], ids=str)
@pytest.mark.parametrize(
    ("make", "name", "kind"),
    [
        (lambda part: zoo.ManyToOne(9, 4, part, 2), "encoder", "zoo.Encoder"),
        (lambda part: zoo.ManyToMany(part, 2), "encoder", "zoo.Encoder"),
        (lambda part: zoo.ManyToMany(None, 2, part), "vectors", "zoo.FrameVectors"),
        (lambda part: zoo.LanguageModel(9, 4, part), "encoder", "zoo.Encoder"),
        (
            lambda part: zoo.DelayedManyToMany(zoo.ScaledEmbedding(9, 4), part, DECODER),
            "encoder",
            "zoo.Encoder",
        ),
        (
            lambda part: zoo.DelayedManyToMany(zoo.ScaledEmbedding(9, 4), ENCODER, part),
            "decoder",
            "zoo.Decoder",
        ),
        (lambda part: zoo.OneToMany(part), "decoder", "zoo.Decoder"),
        (lambda part: zoo.Decoder(9, 4, zoo.GRUCell(4), attention=part), "attention", "zoo.Attention"),
    ],
)
def test_part_of_another_type_raises(make: Callable, name: str, kind: str, part: Any) -> None:
    with pytest.raises(TypeError, match=f"`{name}` must be a `{kind}`, but it is .*`zoo.*`"):
        make(part)


@pytest.mark.parametrize("name", ["DelayedManyToMany", "OneToMany", "FrameVectors"])
def test_part_that_is_no_layer_raises(name: str) -> None:
    arguments = {
        "DelayedManyToMany": ("x", ENCODER, DECODER),
        "OneToMany": (DECODER, "x"),
        "FrameVectors": ("x",),
    }
    with pytest.raises(TypeError, match=r"must be a `keras\.Layer`, but it is 'x'"):
        getattr(zoo, name)(*arguments[name])


@pytest.mark.parametrize(
    "make", [lambda: layers.Bidirectional(zoo.LSTMCell(8)), lambda: zoo.LSTMCell(8, go_backwards=True)]
)
def test_cell_with_an_argument_of_a_layer_raises(make: Callable) -> None:
    with pytest.raises(
        ValueError, match=r"^LSTMCell is a cell.* not accept `go_backwards`.*zoo.RNN\(LSTMCell\("
    ):
        make()


@pytest.mark.parametrize(
    ("states", "found"),
    [
        ([tf.zeros([3, 4])] * 2, r"\[tensor \(3, 4\), tensor"),
        ([tf.zeros([1, 5])] * 2, r"\[tensor \(1, 5\), tensor"),
        ([tf.zeros([3, 5])], r"\[tensor \(3, 5\)\]"),
        (tf.zeros([3, 5]), r"\[tensor \(3, 5\)\]"),
    ],
)
def test_states_of_a_cell_that_do_not_fit_raise(states: Any, found: str) -> None:
    with pytest.raises(
        ValueError,
        match=rf"`states` of .*\[hidden \(3, 5\), cell \(3, 5\)\] for these inputs, but it is {found}",
    ):
        zoo.LSTMCell(UNITS)(tf.ones([BATCH, FEATURES]), states)


def test_sequences_as_input_of_a_cell_raise() -> None:
    with pytest.raises(ValueError, match="expected ndim=2, found ndim=3"):
        zoo.GRUCell(UNITS)(tf.ones([BATCH, TIME, FEATURES]), tf.zeros([BATCH, UNITS]))


@pytest.mark.parametrize("error", [ArithmeticError, KeyError])
def test_other_errors_stay_as_they_are(error: type[Exception]) -> None:
    class BrokenCell(zoo.SimpleRNNCell):
        def update(self, x, r, states):
            raise error("not known")

    for layer in (zoo.RNN, layers.RNN):
        with pytest.raises(error, match="not known"):
            layer(BrokenCell(UNITS))(tf.ones([BATCH, TIME, FEATURES]))


# Layers inside a cell.


class UnbuiltCell(zoo.SimpleRNNCell):
    """A layer that `build` does not build."""

    def __init__(self, units: int, **kwargs: Any) -> None:
        super().__init__(units, **kwargs)
        self.mix = layers.Dense(units, dtype=self.dtype_policy)

    def update(self, x, r, states):
        return super().update(self.mix(x), r, states)


class UnbuiltProjectionCell(UnbuiltCell):
    def project(self, inputs):
        return self.mix(inputs)

    def update(self, x, r, states):
        return zoo.SimpleRNNCell.update(self, x, r, states)


class LayerInUpdateCell(zoo.SimpleRNNCell):
    def update(self, x, r, states):
        return super().update(layers.Dense(self.units)(x), r, states)


@pytest.mark.parametrize("cell", [UnbuiltCell, UnbuiltProjectionCell])
def test_layer_that_build_does_not_build_is_trained(cell: type[zoo.Cell]) -> None:
    cell = cell(UNITS, dtype="float64")
    ours, theirs = (layer(cell, return_sequences=True, dtype="float64") for layer in (zoo.RNN, layers.RNN))
    x = tf.constant(random_normal(0, BATCH, TIME, FEATURES))
    ours.build(x.shape)
    assert len(cell.trainable_variables) == 5
    randomize_weights(cell)

    def compute(layer: layers.RNN) -> list[tf.Tensor]:
        with tf.GradientTape() as tape:
            outputs = layer(x, training=True)
            loss = weighted_sum_of_tensors([outputs])
        values = [weight.value for weight in cell.trainable_variables]
        return [outputs, *tape.gradient(loss, values, unconnected_gradients="zero")]

    expected = compute(theirs)
    assert sum(bool(np.any(gradient)) for gradient in expected[1:]) >= 3
    assert_close(compute(ours), expected, 1e-10)
    assert_close(tf.function(compute, autograph=False)(ours), expected, 1e-10)


def fit_sequential(layer: keras.Layer) -> keras.Model:
    model = keras.Sequential([layer])
    model.compile("sgd", "mse")
    model.fit(np.ones((BATCH, TIME, FEATURES)), np.ones((BATCH, UNITS)), verbose=0)
    return model


class SubclassedModel(keras.Model):
    def __init__(self, layer: keras.Layer) -> None:
        super().__init__()
        self.layer = layer

    def call(self, x, training=False):
        return self.layer(x, training=training)


def fit_subclassed(layer: keras.Layer) -> keras.Model:
    model = SubclassedModel(layer)
    model.compile("sgd", "mse")
    model.fit(np.ones((BATCH, TIME, FEATURES)), np.ones((BATCH, UNITS)), verbose=0)
    return model


def call_in_graph(layer: keras.Layer) -> keras.Layer:
    tf.function(layer, autograph=False)(tf.ones([BATCH, TIME, FEATURES]))
    return layer


def call_eagerly(layer: keras.Layer) -> keras.Layer:
    layer(tf.ones([BATCH, TIME, FEATURES]))
    return layer


@pytest.mark.parametrize("use", [fit_sequential, fit_subclassed, call_in_graph, call_eagerly])
@pytest.mark.parametrize("stacked", [False, True])
def test_layers_inside_cells_in_every_use(use: Callable, stacked: bool) -> None:
    def make(cell: zoo.Cell) -> zoo.RNN:
        return zoo.RNN([zoo.SimpleRNNCell(3), cell]) if stacked else zoo.RNN(cell)

    used = use(make(UnbuiltCell(UNITS)))
    assert len(used.trainable_variables) == (8 if stacked else 5)
    with pytest.raises(
        ValueError, match=r"(?s)step of LayerInUpdateCell creates .*dense.*/kernel.*`__init__`"
    ):
        use(make(LayerInUpdateCell(UNITS)))


def test_layer_that_build_does_not_build_is_saved(tmp_path: Path) -> None:
    inputs = keras.Input((None, FEATURES))
    model = keras.Model(inputs, zoo.RNN(UnbuiltCell(UNITS))(inputs))
    randomize_weights(model)
    model.save(tmp_path / "model.keras")
    twin = keras.models.load_model(tmp_path / "model.keras")
    x = random_normal(0, BATCH, TIME, FEATURES, dtype="float32")
    assert_close(twin(x), model(x), 1e-6)
