"""Arguments of `zoo.fit` as a Keras user types them: strings, class weights, and what to do instead of others."""

from functools import partial
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

import zoo
from zoo.training.arguments import balance_class_weight

RNG = np.random.default_rng(7)
X = RNG.normal(size=(60, 5)).astype("float32")
LABELS = (X[:, 0] > 0.8).astype("int64") + (X[:, 0] > 1.5)
IDS = RNG.integers(1, 9, (60, 4))


pytestmark = pytest.mark.usefixtures("no_plots")


def make_dataset(*values: np.ndarray) -> tf.data.Dataset:
    return tf.data.Dataset.from_tensor_slices(values).batch(20)


def build_model(outputs: int, activation: str | None) -> keras.Model:
    keras.utils.set_random_seed(5)
    return keras.Sequential([keras.Input((5,)), keras.layers.Dense(outputs, activation)])


def run_fit(run_dir: Path, model: keras.Model, data: Any, **options: Any) -> dict[str, list[float]]:
    options = {"optimizer": keras.optimizers.SGD(0.5), "epochs": 3, **options}
    return zoo.fit(model, data, run_dir=run_dir, **options).history


@pytest.mark.parametrize(
    ("outputs", "activation", "targets", "loss", "metrics"),
    [
        (3, "softmax", LABELS, "sparse_categorical_crossentropy", ["accuracy"]),
        (3, "softmax", LABELS, "crossentropy", ["acc", "sparse_top_k_categorical_accuracy"]),
        (3, "softmax", np.eye(3)[LABELS], "categorical_crossentropy", ["accuracy"]),
        (1, "sigmoid", LABELS > 0, "binary_crossentropy", ["accuracy", "mae"]),
        (1, None, X[:, 1], "mse", ["mae", keras.losses.mean_absolute_percentage_error]),
    ],
)
def test_strings_mean_what_they_mean_in_keras(
    outputs: int, activation: str, targets: np.ndarray, loss: str, metrics: list, tmp_path: Path
) -> None:
    data = make_dataset(X, targets)
    model = build_model(outputs, activation)
    history = zoo.fit(
        model, data, data, optimizer="rmsprop", loss=loss, metrics=metrics, epochs=2, run_dir=tmp_path
    )
    other = build_model(outputs, activation)
    other.compile("rmsprop", loss, metrics=metrics)
    expected = other.fit(data, validation_data=data, epochs=2, shuffle=False, verbose=0).history
    assert set(history.history) == set(expected)
    for name, values in expected.items():
        assert history.history[name] == pytest.approx(values, rel=1e-4), name
    evaluated = zoo.evaluate(model, data, loss, metrics)
    assert evaluated["loss"] == pytest.approx(min(history.history["val_loss"]), rel=1e-4)


TAGS = RNG.integers(0, 3, (20, 6))
PADDED_IDS = RNG.integers(1, 9, (20, 6)) * (np.arange(6) < RNG.integers(1, 7, 20)[:, None])


class CountRightTags(keras.metrics.Metric):
    """Returns its variable itself, as the example in the documentation of `keras.metrics.Metric` does."""

    def __init__(self) -> None:
        super().__init__(name="right_tags")
        self.count = self.add_variable((), "zeros", name="count")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        is_right = keras.ops.cast(keras.ops.equal(keras.ops.argmax(y_pred, -1), y_true), "float32")
        weights = keras.ops.ones(1) if sample_weight is None else keras.ops.cast(sample_weight, "float32")
        self.count.assign_add(keras.ops.sum(keras.ops.transpose(is_right) * keras.ops.transpose(weights)))

    def result(self) -> Any:
        return self.count


@pytest.mark.parametrize(
    "weights", [None, RNG.random((20, 6)), RNG.random(20)], ids=["none", "steps", "rows"]
)
@pytest.mark.parametrize("is_masked", [False, True])
@pytest.mark.parametrize(
    "loss",
    ["sparse_categorical_crossentropy", keras.losses.SparseCategoricalCrossentropy(ignore_class=2)],
    ids=["string", "ignore_class"],
)
def test_masks_and_weights_mean_what_they_mean_in_keras(
    loss: Any, is_masked: bool, weights: np.ndarray | None, tmp_path: Path
) -> None:
    """The elements that Keras's loss divides by are those that neither the model nor the loss masks."""

    def build() -> keras.Model:
        keras.utils.set_random_seed(5)
        layers = [keras.layers.Embedding(9, 4, mask_zero=is_masked), keras.layers.Dense(3, "softmax")]
        return keras.Sequential([keras.Input((6,), dtype="int32"), *layers])

    data = tf.data.Dataset.from_tensors((PADDED_IDS, TAGS, *(() if weights is None else (weights,))))
    metrics: Any = ["accuracy", "sparse_categorical_crossentropy", "sparse_top_k_categorical_accuracy"]
    model, other = build(), build()
    history = run_fit(tmp_path, model, data, validation=data, loss=loss, metrics=[*metrics, CountRightTags()])
    config = {} if isinstance(loss, str) else {"ignore_class": 2}
    loss = keras.losses.SparseCategoricalCrossentropy(reduction="mean_with_sample_weight", **config)
    other.compile(keras.optimizers.SGD(0.5), loss, weighted_metrics=metrics)
    # A loss and the metrics that are means of a function read the mask; Keras gives it to no other metric. A weight for
    # each step has the rank of a mask, which Keras needs.
    x, y, *rows = next(iter(data))
    rows = [tf.broadcast_to(tf.reshape(w, [20, -1]), [20, 6]) for w in rows]
    expected = other.fit(x, y, 20, 3, 0, sample_weight=rows[0] if rows else None, shuffle=False).history
    for name, values in expected.items():
        assert history[name] == pytest.approx(values, rel=1e-5), name
    total = (np.ones((20, 6)) if weights is None else np.asarray(rows[0])) * (
        PADDED_IDS > 0 if is_masked else 1
    )
    is_right = keras.ops.convert_to_numpy(model(PADDED_IDS)).argmax(-1) == TAGS
    assert history["val_right_tags"][-1] == pytest.approx((total * is_right).sum(), rel=1e-5)
    assert zoo.evaluate(model, data, loss)["loss"] == pytest.approx(history["val_loss"][-1], rel=1e-5)


LOGITS_METRICS: list[Any] = [
    "accuracy",
    "binary_accuracy",
    "BinaryAccuracy",
    "binary_crossentropy",
    "BinaryCrossentropy",
    "AUC",
    "Precision",
    "Recall",
    "TruePositives",
    "FalseNegatives",
    "mse",
    "hinge",
]


def test_strings_mean_metrics_of_logits_for_formulations() -> None:
    """Each metric equals Keras's of the probabilities, except for those of the outputs themselves."""
    keras.utils.set_random_seed(2)
    model = zoo.ManyToOne(9, 4, zoo.Encoder(zoo.GRUCell(4)), classes=1)
    model(IDS)
    model.set_weights([5 * weight for weight in model.get_weights()])
    targets, logits = (LABELS > 0).astype("float32")[:, None], model.predict(IDS, verbose=0)
    assert (logits > 0).mean() not in ((logits > 0.5).mean(), 0, 1)
    results = zoo.evaluate(model, make_dataset(IDS, targets), "binary_crossentropy", LOGITS_METRICS)
    identity = keras.Sequential([keras.Input((1,)), keras.layers.Identity()])
    for names, outputs in ((LOGITS_METRICS[:-2], 1 / (1 + np.exp(-logits))), (LOGITS_METRICS[-2:], logits)):
        identity.compile(loss="binary_crossentropy", metrics=names)
        expected = identity.evaluate(outputs, targets, batch_size=20, verbose=0, return_dict=True)
        for name in names:
            assert results[name] == pytest.approx(expected[name], rel=1e-4), name


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"loss": keras.losses.SparseCategoricalCrossentropy()},
            r"`loss` is SparseCategoricalCrossentropy, which takes probabilities.*Pass `from_logits=True`",
        ),
        (
            {"loss": keras.losses.sparse_categorical_crossentropy},
            r"`loss` is sparse_categorical_crossentropy",
        ),
        ({"loss": "kl_divergence"}, r"`loss` is 'kl_divergence', which takes probabilities"),
        ({"loss": keras.losses.KLDivergence()}, r"`loss` is KLDivergence, which takes probabilities"),
        (
            {"metrics": [keras.metrics.SparseCategoricalCrossentropy()]},
            r"`metrics` .* Pass `from_logits=True`",
        ),
        ({"metrics": [keras.metrics.AUC()]}, r"`metrics` has AUC, .* Pass `from_logits=True`"),
        ({"metrics": [keras.metrics.Precision()]}, r"`metrics` has Precision, .* Pass `thresholds=0`"),
        (
            {"metrics": [keras.metrics.BinaryAccuracy()]},
            r"`metrics` has BinaryAccuracy, .* Pass `threshold=0`",
        ),
        ({"metrics": [keras.metrics.PrecisionAtRecall(0.5)]}, r"`metrics` has PrecisionAtRecall"),
        ({"metrics": ["poisson"]}, r"`metrics` has 'poisson', which takes probabilities"),
        ({"metrics": [keras.metrics.F1Score(threshold=0.5)]}, r"`metrics` has F1Score"),
    ],
)
def test_losses_and_metrics_of_probabilities_are_refused_for_formulations(
    options: dict[str, Any], message: str, tmp_path: Path
) -> None:
    model = zoo.ManyToOne(9, 4, zoo.Encoder(zoo.GRUCell(4)), classes=3)
    options = {"loss": "sparse_categorical_crossentropy", **options}
    with pytest.raises(ValueError, match=message):
        run_fit(tmp_path, model, make_dataset(IDS, LABELS), **options)
    with pytest.raises(ValueError, match=message):
        zoo.evaluate(model, make_dataset(IDS, LABELS), **options)


def test_losses_and_metrics_of_logits_are_accepted_for_formulations() -> None:
    model = zoo.ManyToOne(9, 4, zoo.Encoder(zoo.GRUCell(4)), classes=3)
    metrics = [
        keras.metrics.SparseCategoricalCrossentropy("entropy", from_logits=True),
        partial(keras.losses.sparse_categorical_crossentropy, from_logits=True),
    ]
    results = zoo.evaluate(model, make_dataset(IDS, LABELS), "sparse_categorical_crossentropy", metrics)
    assert list(results.values()) == pytest.approx([results["loss"]] * 3)


def test_strings_mean_losses_of_logits_for_formulations(tmp_path: Path) -> None:
    def train(name: str, loss: Any, metrics: list) -> dict[str, list[float]]:
        keras.utils.set_random_seed(2)
        model = zoo.ManyToOne(9, 4, zoo.Encoder(zoo.GRUCell(4)), classes=3)
        return run_fit(tmp_path / name, model, make_dataset(IDS, LABELS), loss=loss, metrics=metrics)

    strings = train("strings", "sparse_categorical_crossentropy", ["accuracy"])
    objects = train(
        "objects",
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        [keras.metrics.SparseCategoricalAccuracy("accuracy")],
    )
    assert strings == objects


def test_accuracy_of_two_classes_from_logits_is_that_of_their_sign(tmp_path: Path) -> None:
    """Keras compares logits with 0.5."""
    model, targets = build_model(1, None), LABELS > 0
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    accuracy = zoo.evaluate(model, make_dataset(X, targets), loss, ["accuracy"])["accuracy"]
    scores = model.predict(X, verbose=0)[:, 0]
    assert accuracy == pytest.approx(np.mean((scores > 0) == targets))
    assert accuracy != pytest.approx(np.mean((scores > 0.5) == targets))


def test_loss_of_probabilities_is_refused_for_logits(tmp_path: Path) -> None:
    message = r"outputs of the model are between -.*pass `keras\.losses\.SparseCategoricalCrossentropy\(from_"
    with pytest.raises(ValueError, match=message):
        run_fit(
            tmp_path, build_model(3, None), make_dataset(X, LABELS), loss="sparse_categorical_crossentropy"
        )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"loss": "msee"}, "Could not interpret loss identifier: msee"),
        ({"metrics": ["accurracy"]}, "Could not interpret metric identifier: accurracy"),
        ({"optimizer": "adamm"}, "Could not interpret optimizer identifier: adamm"),
        ({"mode": "higher"}, '`mode` must be "auto", "min" or "max"'),
        (
            {"metrics": ["mae", keras.metrics.Sum()], "monitor": "sum"},
            "`monitor` is 'sum', but only of loss, mae",
        ),
        ({"patience": 0}, "`patience` must be at least 1"),
        ({"optimizer": keras.optimizers.Adam(use_ema=True)}, "`optimizer` has `use_ema`, .* Leave `use_ema`"),
        (
            {"optimizer": keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(use_ema=True))},
            "`optimizer` has `use_ema`",
        ),
    ],
)
def test_invalid_arguments_raise(options: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=message):
        run_fit(tmp_path, build_model(1, None), make_dataset(X, X[:, 1:2]), **{"loss": "mse", **options})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"validation_split": 0.1}, r"'validation_split'\. Split the data before: .*split_dataset"),
        ({"validation_data": (X, X)}, r"'validation_data'\. Give batches as `validation`"),
        ({"sample_weight": X}, r"'sample_weight'\. Make the weights the third component"),
        ({"verbos": 1}, r"unexpected argument 'verbos'\."),
        (
            {"validation": (X, X)},
            "`validation` must be a `tf.data.Dataset` of batches, .* but it is of type tuple",
        ),
    ],
)
def test_arguments_of_keras_fit_are_explained(options: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(TypeError, match=message):
        run_fit(tmp_path, build_model(1, None), make_dataset(X, X[:, 1:2]), loss="mse", **options)


DATA = make_dataset(X, X[:, 1:2])
TWO_OUTPUTS = keras.Input((5,))
MODELS = {
    "dict": keras.Model(TWO_OUTPUTS, {name: keras.layers.Dense(1)(TWO_OUTPUTS) for name in "ab"}),
    "list": keras.Model(TWO_OUTPUTS, [keras.layers.Dense(1)(TWO_OUTPUTS) for _ in range(3)]),
}


@pytest.mark.parametrize(
    ("model", "data", "options", "message"),
    [
        (None, DATA.repeat(), {}, r"`train` has no end, .*`dataset\.take\(steps\)`"),
        (None, lambda epoch: DATA.repeat(), {}, "`train` has no end"),
        (None, DATA, {"validation": DATA.repeat()}, "`validation` has no end"),
        (None, make_dataset(X).map(lambda x: x), {}, "`train` has batches without targets. Make batches"),
        (None, DATA, {"validation": make_dataset(X)}, "`validation` has batches without targets"),
        (None, DATA, {"epochs": 0}, "`epochs` must be a whole number of at least 1, but it is 0"),
        (None, DATA, {"epochs": -1}, "at least 1, but it is -1"),
        (None, DATA, {"epochs": 2.5}, "whole number of at least 1, but it is 2.5"),
        (None, DATA, {"metrics": ["mae", "mae"]}, "`metrics` has the name 'mae' twice"),
        (None, DATA, {"metrics": [keras.metrics.MeanSquaredError("loss")]}, "has the name 'loss' twice"),
        (None, DATA, {"metrics": {"a": "mae"}}, "`metrics` has {'a': 'mae'}. Expected a Keras metric"),
        (None, DATA, {"loss": {"a": "mse"}}, "`loss` has {'a': 'mse'}. Expected a Keras loss"),
        (None, DATA, {"loss": None}, "`loss` has None"),
        (None, DATA.map(lambda x, y: (x, {"a": y})), {}, "The batches have several targets, dict of 1"),
        ("dict", DATA, {}, "`model` has several outputs, dict of 2"),
        ("list", DATA, {"loss": keras.losses.MeanSquaredError()}, "`model` has several outputs, list of 3"),
    ],
)
def test_mistakes_are_explained(
    model: str | None, data: Any, options: dict[str, Any], message: str, tmp_path: Path
) -> None:
    network = MODELS[model] if model else build_model(1, None)
    with pytest.raises(ValueError, match=message):
        run_fit(tmp_path / "run", network, data, **{"loss": "mse", **options})
    assert not (tmp_path / "run").exists()


def test_functions_that_return_no_datasets_are_explained(tmp_path: Path) -> None:
    def generate() -> Any:
        yield X, X

    for data, found in ((generate, "it is a generator function"), (lambda epoch: X, "returns a ndarray")):
        with pytest.raises(TypeError, match=rf"`train` must be .* {found}\. .*from_generator"):
            run_fit(tmp_path, build_model(1, None), data, loss="mse")


def test_a_function_may_take_several_outputs(tmp_path: Path) -> None:
    data = DATA.map(lambda x, y: (x, {"a": y, "b": 2 * y}))
    history = run_fit(
        tmp_path,
        MODELS["dict"],
        data,
        loss=lambda y, outputs: sum(keras.ops.mean((y[name] - outputs[name]) ** 2, -1) for name in "ab"),
        optimizer=keras.optimizers.SGD(0.05),
    )
    assert history["loss"][-1] < history["loss"][0]


def test_arrays_are_explained(tmp_path: Path) -> None:
    with pytest.raises(
        TypeError, match=r"`train` must be .* type ndarray\. Make a dataset of arrays, .*batch\(32\)"
    ):
        run_fit(tmp_path, build_model(1, None), X, loss="mse")


# --- Class weights -------------------------------------------------------------------------------------


@pytest.mark.parametrize("one_hot", [False, True])
def test_class_weight_equals_that_of_keras_in_the_loss_alone(one_hot: bool, tmp_path: Path) -> None:
    class_weight = {0: 0.5, 1: 1.0, 2: 3.0}
    targets = np.eye(3)[LABELS] if one_hot else LABELS
    name = "categorical_crossentropy" if one_hot else "sparse_categorical_crossentropy"
    data, model, other = make_dataset(X, targets), build_model(3, "softmax"), build_model(3, "softmax")
    options = {"loss": name, "metrics": ["accuracy"], "class_weight": class_weight, "monitor": "last"}
    history = run_fit(tmp_path, model, data, validation=data, callbacks=[KeepLast()], mode="max", **options)
    other.compile(keras.optimizers.SGD(0.5), name, metrics=["accuracy"])
    expected = other.fit(
        data, epochs=3, validation_data=data, class_weight=class_weight, shuffle=False, verbose=0
    ).history
    for one, two in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_allclose(one, two, atol=1e-6)
    for metric, values in expected.items():
        assert history[metric] == pytest.approx(values, rel=1e-5)


class KeepLast(keras.callbacks.Callback):
    """Adds a metric by which the last epoch is the best."""

    def on_epoch_end(self, epoch: int, logs: dict[str, float]) -> None:
        logs["last"] = epoch


def test_class_weight_has_the_same_effect_with_gradient_accumulation(tmp_path: Path) -> None:
    def train(batch: int, steps: int | None, class_weight: Any) -> list[np.ndarray]:
        model = build_model(3, "softmax")
        data = tf.data.Dataset.from_tensor_slices((X, LABELS)).batch(batch)
        run_fit(
            tmp_path / f"{batch} {class_weight}",
            model,
            data,
            optimizer=keras.optimizers.SGD(0.5, gradient_accumulation_steps=steps),
            loss="sparse_categorical_crossentropy",
            class_weight=class_weight,
            epochs=1,
        )
        return model.get_weights()

    with zoo.disable_jit():
        expected, unweighted = train(60, None, "balanced"), train(60, None, None)
        assert not np.allclose(expected[1], unweighted[1], atol=1e-2)
        for batch in (1, 20):
            for one, two in zip(train(batch, 60 // batch, "balanced"), expected, strict=True):
                np.testing.assert_allclose(one, two, atol=1e-5)


def test_class_weight_multiplies_the_weights_of_time_steps(tmp_path: Path) -> None:
    """A tag for each step, with padding; the loss of the first batch is computed by NumPy."""
    tags = RNG.integers(0, 3, (20, 6))
    present = (np.arange(6) < RNG.integers(2, 7, 20)[:, None]).astype("float32")
    x = RNG.normal(size=(20, 6, 5)).astype("float32")
    keras.utils.set_random_seed(5)
    model = keras.Sequential([keras.Input((6, 5)), keras.layers.Dense(3, "softmax")])
    probabilities = np.take_along_axis(model.predict(x, verbose=0), tags[..., None], -1)[..., 0]
    weights = present * np.array([1.0, 4.0, 0.25])[tags]
    history = run_fit(
        tmp_path,
        model,
        make_dataset(x, tags, present),
        loss="sparse_categorical_crossentropy",
        class_weight={1: 4.0, 2: 0.25},
        epochs=1,
    )
    expected = (weights * -np.log(probabilities)).sum() / present.sum()
    assert history["loss"][0] == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("kind", ["ids", "one-hot", "steps", "binary"])
def test_balanced_weights_give_each_class_the_same_sum(kind: str) -> None:
    labels, sample_weight = LABELS, RNG.integers(0, 3, 60).astype("float32")
    spec = tf.TensorSpec([None, 3])
    targets = labels
    if kind == "one-hot":
        targets = np.eye(3)[labels]
    elif kind == "steps":
        labels = targets = RNG.choice(3, (60, 4), p=[0.7, 0.2, 0.1])
        sample_weight, spec = RNG.integers(0, 2, (60, 4)).astype("float32"), tf.TensorSpec([None, 4, 3])
    elif kind == "binary":
        labels, spec = labels > 0, tf.TensorSpec([None, 1])
        targets = labels.astype("float32")[:, None]
    weights = balance_class_weight(make_dataset(X, targets, sample_weight), spec)
    totals = {c: weight * sample_weight[labels == c].sum() for c, weight in weights.items()}
    assert set(totals) == set(np.unique(labels[sample_weight > 0]).astype(int))
    assert list(totals.values()) == pytest.approx([sample_weight.sum() / len(totals)] * len(totals))


def test_class_weights_of_padding_outside_of_the_classes(tmp_path: Path) -> None:
    """The ids of padding, with the weight 0, are of no consequence; others are refused."""
    steps = RNG.normal(size=(60, 4, 5)).astype("float32")
    tags, weights = RNG.integers(0, 3, (60, 4)), np.ones((60, 4), "float32")
    weights[:, 2:] = 0
    losses = []
    for number, padding in enumerate((0, -1)):
        tags[:, 2:] = padding
        keras.utils.set_random_seed(5)
        model = keras.Sequential([keras.Input((4, 5)), keras.layers.Dense(3, "softmax")])
        loss = keras.losses.SparseCategoricalCrossentropy(ignore_class=-1)
        data = make_dataset(steps, tags, weights)
        losses.append(
            run_fit(tmp_path / f"{number}", model, data, loss=loss, class_weight="balanced")["loss"]
        )
    assert losses[0] == pytest.approx(losses[1])
    data = make_dataset(steps, tags)
    with pytest.raises(ValueError, match="have the class -1, and the classes of the model are 0 to 2"):
        run_fit(tmp_path / "refused", model, data, loss=loss, class_weight="balanced")


def test_balanced_weights_are_settings_of_the_run(tmp_path: Path) -> None:
    options = {"loss": "sparse_categorical_crossentropy", "class_weight": "balanced"}
    run_fit(tmp_path, build_model(3, "softmax"), make_dataset(X, LABELS), **options)
    options["class_weight"] = {0: 1.0}
    with pytest.raises(zoo.errors.TrainingError, match=r"fit\.class_weight\.1: was .*, is now 'not set'"):
        run_fit(tmp_path, build_model(3, "softmax"), make_dataset(X, LABELS), **options)


@pytest.mark.parametrize(
    ("class_weight", "loss", "message"),
    [
        (
            {3: 1.0},
            "sparse_categorical_crossentropy",
            "has the class 3, but the classes of the model are 0 to 2",
        ),
        ({"neg": 1.0}, "sparse_categorical_crossentropy", "has the class 'neg'"),
        ({0: -1.0}, "sparse_categorical_crossentropy", "must be a number of at least 0, but it is -1.0"),
        ("balance", "sparse_categorical_crossentropy", 'must be "balanced" or a dict'),
        ("balanced", "binary_crossentropy", "needs one class for each element"),
    ],
)
def test_invalid_class_weights_raise(class_weight: Any, loss: str, message: str, tmp_path: Path) -> None:
    targets = np.eye(3)[LABELS] if loss.startswith("binary") else LABELS
    with pytest.raises(ValueError, match=message):
        run_fit(
            tmp_path,
            build_model(3, "softmax"),
            make_dataset(X, targets),
            loss=loss,
            class_weight=class_weight,
        )


def test_other_loss_is_another_setting(tmp_path: Path) -> None:
    for number, smoothing in enumerate((0.0, 0.1)):
        loss = keras.losses.CategoricalCrossentropy(label_smoothing=smoothing)
        arguments = tmp_path, build_model(3, "softmax"), make_dataset(X, np.eye(3)[LABELS])
        if number == 0:
            run_fit(*arguments, loss=loss)
        else:
            with pytest.raises(
                zoo.errors.TrainingError, match=r"fit\.loss\.label_smoothing: was 0\.0, is now 0\.1"
            ):
                run_fit(*arguments, loss=loss)


@pytest.mark.parametrize("epochs", [2, 4])
@pytest.mark.parametrize("as_function", [False, True])
def test_a_run_with_other_batches_is_refused(as_function: bool, epochs: int, tmp_path: Path) -> None:
    def fit(values: np.ndarray, epochs: int) -> dict[str, list[float]]:
        data = make_dataset(values, LABELS)
        loss = "sparse_categorical_crossentropy"
        train = (lambda epoch: data) if as_function else data
        return run_fit(tmp_path, build_model(3, "softmax"), train, loss=loss, epochs=epochs)

    history = fit(X, 2)
    with pytest.raises(zoo.errors.TrainingError, match="began with another batch"):
        fit(X + 1, epochs)
    assert fit(X, epochs)["loss"][:2] == history["loss"]


def test_validation_may_have_other_weights_and_types_than_training(tmp_path: Path) -> None:
    train = make_dataset(X, LABELS, np.ones(60))
    validation = make_dataset(X[:30], LABELS[:30].astype("int32"))
    loss = "sparse_categorical_crossentropy"
    history = run_fit(tmp_path, build_model(3, "softmax"), train, validation=validation, loss=loss)
    assert len(history["val_loss"]) == 3
