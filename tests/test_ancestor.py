"""`--init-from` and `--freeze`: training that starts from an exported model."""

import dataclasses
import json
import logging
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from earlier_exports import move_hashes_to_card
from exports import edit_card, run_with_mistake

import zoo
from zoo.card import read_card
from zoo.components import freeze_parts
from zoo.datasets import DataInfo
from zoo.errors import TrainingError, UsageError, ZooError
from zoo.files import sha256
from zoo.model_store import EXPORT_RECORD
from zoo.recipes import captioning, sentiment, tagging, translation
from zoo.tasks import Ancestor, get_task, read_ancestor
from zoo.tasks.ancestor import load_ancestor
from zoo.tasks.captioning import FeatureSplit
from zoo.training import Run

SHIPPED = Path(__file__).parents[1] / "saved_models"
TASKS = {
    "captioning": "captioning",
    "sentiment": "text_classification",
    "tagging": "frame_tagging",
    "translation": "translation",
}


def read_shipped(name: str) -> Ancestor:
    return read_ancestor(get_task(TASKS[name]), SHIPPED / name / "1")


@pytest.fixture(scope="module")
def shipped_sentiment() -> Ancestor:
    return read_shipped("sentiment")


# Weights.


def build_like_recipe(name: str, ancestor: Ancestor, run_dir: Path) -> keras.Model:
    """The model that a recipe builds with the settings of an ancestor, with random weights."""
    preprocessor, model = ancestor.load_preprocessor(run_dir), ancestor.model_settings
    if name == "sentiment":
        settings = dataclasses.replace(sentiment.Settings(), **model)
        vocabulary_size = preprocessor.tokenizer.vocabulary_size
        return sentiment.build_model(settings, vocabulary_size, 2, ancestor, is_recurrent=True)
    if name == "translation":
        settings = dataclasses.replace(translation.Settings(), **model)
        return translation.build_model(settings, preprocessor, settings.attention)
    if name == "captioning":
        settings = dataclasses.replace(captioning.Settings(), **model)
        features = np.zeros((1, *preprocessor.extractor.shape), np.float16)
        split = FeatureSplit(features, np.arange(1), [["a dog runs"]])
        return captioning.build_model(settings, preprocessor, split)
    settings = dataclasses.replace(tagging.Settings(), **model)
    clip = np.zeros((100, 27, 48, 3), np.uint8)
    split = zoo.datasets.TaggingSplit(["clip"], [clip], [np.zeros(100, np.int32)], [np.arange(100.0)])
    info = DataInfo("clips", labels=tuple(ancestor.card["labels"]), is_video=True)
    return tagging.build_model(settings, zoo.datasets.DataSplits(split, split, split, info), True, ancestor)


@pytest.mark.parametrize("name", TASKS)
def test_the_model_of_a_recipe_takes_all_weights_of_a_shipped_one(name: str, tmp_path: Path) -> None:
    ancestor = read_shipped(name)
    keras.utils.set_random_seed(1)
    model = build_like_recipe(name, ancestor, tmp_path)
    labels = ancestor.card["labels"]
    assert ancestor.initialize(model, labels)
    expected, actual = (
        keras.saving.serialize_keras_object(each)["config"] for each in (ancestor.model, model)
    )
    assert strip(actual) == strip(expected)
    for old, new in zip(ancestor.model.weights, model.weights, strict=True):
        assert old.numpy().tobytes() == new.numpy().tobytes(), new.path
    copies = {path.name: sha256(path) for path in tmp_path.iterdir()}
    assert copies == {path.name: sha256(path) for path in (ancestor.directory / "assets").glob("*")}


def strip(config: Any) -> Any:
    """A configuration without what training may change, and without names, which Keras numbers."""
    if isinstance(config, dict):
        ignored = (
            *("name", "dropout", "word_dropout", "word_dropout_min_length", "adversarial_radius"),
            *("seed", "doubly_stochastic", "build_config"),
            *("activity_regularizer", "autocast"),  # which Keras adds to the configuration of a loaded layer
        )
        return {key: strip(value) for key, value in config.items() if key not in ignored}
    if isinstance(config, str):
        return re.sub(r"keras_tensor(_\d+)?(CLONE)?", "keras_tensor", config)
    return [strip(item) for item in config] if isinstance(config, list | tuple) else config


def build_small(classes: int, cell: zoo.Cell | None = None) -> zoo.ManyToOne:
    encoder = zoo.Encoder(cell or zoo.GRUCell(4, dropout=0.3), bidirectional=True)
    model = zoo.ManyToOne(20, 3, encoder, classes)
    model.build((None, None))
    return model


@pytest.fixture
def small() -> Ancestor:
    """An ancestor with three labels, of a model that is not exported."""
    keras.utils.set_random_seed(3)
    model = build_small(3)
    model.scores.bias.assign([1.0, 2.0, 3.0])
    card = {
        "task": "text_classification",
        "title": "A model",
        "labels": ["bad", "fair", "good"],
        "license": "CC0.",
        "data": "Its data.",
        "sha256": {},
        "model": {"config": keras.saving.serialize_keras_object(model)},
    }
    ancestor = Ancestor(get_task("text_classification"), Path("small/7"), card)
    ancestor.__dict__["model"] = model
    return ancestor


@pytest.fixture
def language_model() -> Ancestor:
    """An ancestor of another task, a language model that is not exported."""
    keras.utils.set_random_seed(3)
    model = zoo.LanguageModel(20, 3, zoo.Encoder(zoo.GRUCell(3), depth=2, residual=True), tie_weights=True)
    model.build((None, None))
    card = {
        "task": "language_model",
        "title": "Another model",
        "license": "CC0.",
        "data": "Its data.",
        "sha256": {},
        "model": {"config": keras.saving.serialize_keras_object(model)},
    }
    ancestor = Ancestor(get_task("text_classification"), Path("small/8"), card)
    ancestor.__dict__["model"] = model
    return ancestor


def build_from(ancestor: Ancestor, classes: int) -> zoo.ManyToOne:
    """A model whose encoder has the form of the ancestor's, started from its weights."""
    model = zoo.ManyToOne(20, 3, ancestor.make_encoder(dropout=0.3), classes)
    model.build((None, None))
    assert not ancestor.initialize(model, [f"label{i}" for i in range(classes)])
    return model


def test_parts_of_a_language_model_keep_their_outputs(language_model: Ancestor) -> None:
    expected_settings = {"vocabulary_size": 20, "embedding_dim": 3, "cell": "gru", "units": 3, "depth": 2}
    assert language_model.model_settings == expected_settings
    model, source = build_from(language_model, 2), language_model.model
    ids = np.array([[3, 7, 9], [4, 8, 0]])
    np.testing.assert_array_equal(model.embedding(ids), source.embedding(ids))
    outputs, expected = (each.encoder(each.embedding(ids), mask=ids > 0)[0] for each in (model, source))
    np.testing.assert_array_equal(outputs, expected)
    assert model.encoder.cell.dropout == 0.3
    assert (model(ids, training=True).numpy() != model(ids).numpy()).any()
    wide = zoo.ManyToOne(20, 4, language_model.make_encoder(0.0), 2)
    with pytest.raises(
        UsageError, match=r"small/8 has .*embeddings of shape \[20, 3\], and the model to train"
    ):
        language_model.initialize(wide, ["a", "b"])


def test_the_same_labels_in_another_order_keep_their_scores(small: Ancestor) -> None:
    keras.utils.set_random_seed(4)
    model = build_small(3)
    ids = np.array([[3, 7, 9], [4, 8, 0]])
    assert small.initialize(model, ["good", "bad", "fair"])
    expected = small.model(ids).numpy()
    np.testing.assert_array_equal(model(ids), expected[:, [2, 0, 1]])


def test_new_labels_get_new_scores(small: Ancestor, caplog: pytest.LogCaptureFixture) -> None:
    keras.utils.set_random_seed(4)
    model = build_small(2)
    random = [weight.numpy() for weight in model.scores.weights]
    with caplog.at_level(logging.INFO):
        assert not small.initialize(model, ["bad", "good"])
    for before, weight in zip(random, model.scores.weights, strict=True):
        np.testing.assert_array_equal(weight, before)
    np.testing.assert_array_equal(model.embedding.embeddings, small.model.embedding.embeddings)
    assert "new scores: the labels are bad, good, and those of small/7 are bad, fair, good" in caplog.text


def test_a_model_is_built_if_needed(small: Ancestor) -> None:
    model = zoo.ManyToOne(20, 3, zoo.Encoder(zoo.GRUCell(4), bidirectional=True), 3)
    assert small.initialize(model, small.card["labels"])
    np.testing.assert_array_equal(model.scores.bias, [1, 2, 3])


@pytest.mark.parametrize(
    ("cell", "found"), [(zoo.GRUCell(5), "kernel of shape"), (zoo.LSTMCell(3), "of shape")]
)
def test_a_model_of_another_form_is_refused(small: Ancestor, cell: zoo.Cell, found: str) -> None:
    with pytest.raises(
        UsageError, match=rf"--init-from: small/7 has .*{found}.*Expected a model of the same form"
    ):
        small.initialize(build_small(3, cell), small.card["labels"])


def test_features_of_another_width_are_refused() -> None:
    tagger = read_shipped("tagging")
    assert tagger.get_frame_network((27, 48, 3)) is tagger.model.vectors.encoder
    with pytest.raises(
        UsageError, match=r"has steps of shape \[27, 48, 3\], and .* has steps of shape \[8\]"
    ):
        tagger.get_frame_network((8,))


# Frozen parts.


def fit(model: keras.Model, run: Run, name: str = "model", **arguments: Any) -> None:
    data = tf.data.Dataset.from_tensor_slices(
        (np.arange(60).reshape(12, 5) % 19 + 1, np.arange(12) % 3)
    ).batch(4)
    run.fit(
        model,
        data,
        name=name,
        optimizer=zoo.optimizers.FusedAdam(0.1),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        **{"epochs": 2, **arguments},
    )


@pytest.mark.parametrize("parts", [["embedding"], ["encoder"]])
def test_frozen_parts_stay_as_they_are_and_the_rest_is_trained(parts: list[str], tmp_path: Path) -> None:
    model = build_small(3)
    freeze_parts(model, parts)
    before = {weight.path: weight.numpy() for weight in model.weights}
    frozen = {weight.path for part in parts for weight in getattr(model, part).weights}
    fit(model, Run(tmp_path, {}))
    for weight in model.weights:
        is_same = weight.numpy().tobytes() == before[weight.path].tobytes()
        assert is_same == (weight.path in frozen), weight.path
    trained = [weight for weight in model.weights if weight.path not in frozen]
    moments = [variable for variable in model.optimizer.variables if variable.shape.rank]
    assert len(moments) == 2 * len(trained)


def test_dropout_of_a_frozen_encoder_stays_active() -> None:
    model, ids = build_small(3), np.arange(1, 19).reshape(2, 9)
    freeze_parts(model, ["encoder"])
    assert (model(ids, training=True).numpy() != model(ids).numpy()).any()
    np.testing.assert_array_equal(model(ids), model(ids))


def test_batch_normalization_of_a_frozen_network_keeps_its_averages() -> None:
    images = keras.Input((8, 8, 3))
    x = keras.layers.BatchNormalization()(keras.layers.Conv2D(4, 3)(images))
    model = zoo.OneToMany(zoo.Decoder(9, 4, zoo.GRUCell(4)), keras.Model(images, x))
    model.build(((None, 8, 8, 3), (None, None)))
    freeze_parts(model, ["encoder"])
    before = [weight.numpy() for weight in model.encoder.weights]
    batch = np.random.default_rng(1).normal(5, 3, (4, 8, 8, 3)).astype("float32")
    trained = model((batch, np.ones((4, 2), int)), training=True)
    np.testing.assert_array_equal(trained, model((batch, np.ones((4, 2), int))))
    for old, weight in zip(before, model.encoder.weights, strict=True):
        np.testing.assert_array_equal(old, weight)
    assert list(model.trainable_variables) == list(model.decoder.trainable_variables)


def test_frozen_parts_of_translation_and_tagging() -> None:
    cell = zoo.GRUCell(4)
    translator = zoo.DelayedManyToMany(zoo.ScaledEmbedding(9, 4), zoo.Encoder(cell), zoo.Decoder(9, 4, cell))
    translator.build(((None, None), (None, None)))
    freeze_parts(translator, ["embedding"])
    embeddings = translator.embedding.embeddings, translator.decoder.embedding.embeddings
    frozen = [weight for weight in translator.weights if not weight.trainable]
    assert {id(weight) for weight in frozen} == set(map(id, embeddings))
    vectors = zoo.FrameVectors(keras.Sequential([keras.Input((6,)), keras.layers.Dense(4)]))
    tagger = zoo.ManyToMany(zoo.Encoder(cell), 2, vectors)
    tagger.build(((None, None, 6), (None,)))
    freeze_parts(tagger, ["vectors"])
    assert len(tagger.weights) - len(tagger.trainable_variables) == 2
    freeze_parts(tagger, ["encoder"])
    assert list(tagger.trainable_variables) == list(tagger.scores.trainable_variables)
    with pytest.raises(UsageError, match="--freeze embedding: the model has no embedding that is trained"):
        freeze_parts(tagger, ["embedding"])


# Runs.


def test_a_run_records_its_ancestor_and_is_not_resumed_with_another(small: Ancestor, tmp_path: Path) -> None:
    run = Run(tmp_path, {"init_from": "small/7"}, ancestor=small)
    model = build_small(3)
    small.initialize(model, small.card["labels"])
    fit(model, run)
    saved = json.loads((tmp_path / "model/run.json").read_text(encoding="utf-8"))["settings"]
    assert saved["ancestor"] == small.record
    assert saved["ancestor"]["license"] == "CC0."
    assert "init_from" not in saved
    fit(
        build_small(3), Run(tmp_path, {"init_from": "moved/small/7"}, ancestor=small)
    )  # complete, and resumed
    small.card["labels"].reverse()
    with pytest.raises(TrainingError, match=r"ancestor\.digest: was '\w+', is now '\w+'"):
        fit(model, Run(tmp_path, {}, ancestor=small))


def test_the_record_is_the_same_after_the_model_is_loaded() -> None:
    """Also that of a tagger, whose frame network is a functional model."""
    ancestor = read_shipped("tagging")
    before = ancestor.record
    assert ancestor.model.built
    assert ancestor.record == before


class Stop(keras.callbacks.Callback):
    """Ends the process, so to say, in the middle of an epoch."""

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        if self.model.optimizer.iterations == 5:
            raise MemoryError


@pytest.mark.parametrize("name", ["small", "language_model"])
def test_an_interrupted_run_ends_with_the_same_weights(
    name: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Also of random scores, with a frozen part and dropout."""
    ancestor: Ancestor = request.getfixturevalue(name)

    def train(directory: Path, seed: int, **arguments: Any) -> list[bytes]:
        keras.utils.set_random_seed(seed)
        model = build_from(ancestor, 4)
        freeze_parts(model, ["embedding"])
        fit(model, Run(directory, {}, ancestor=ancestor), checkpoint_seconds=0, epochs=3, **arguments)
        return [weight.numpy().tobytes() for weight in model.weights]

    expected = train(tmp_path / "whole", seed=1)
    with pytest.raises(MemoryError):
        train(tmp_path / "stopped", seed=1, callbacks=[Stop()])
    assert Run(tmp_path / "stopped", {}, ancestor=ancestor).count_epochs("model") == 3
    assert train(tmp_path / "stopped", seed=2) == expected


def test_the_digest_depends_on_weights_vocabulary_and_labels_alone(
    shipped_sentiment: Ancestor, tmp_path: Path
) -> None:
    """That of an export without a manifest, whose hashes are on its card."""
    directory = Path(shutil.copytree(SHIPPED / "sentiment/1", tmp_path / "1"))
    move_hashes_to_card(directory)
    card = read_card(directory)

    def digest(**changes: Any) -> str:
        return dataclasses.replace(shipped_sentiment, directory=directory, card={**card, **changes}).record[
            "digest"
        ]

    assert digest() == shipped_sentiment.record["digest"]

    assert digest(metrics={}, commit="", command="") == digest()
    for name in ("variables/variables.index", "assets/vocabulary.txt"):
        assert digest(sha256={**card["sha256"], name: "0"}) != digest()
    assert digest(labels=["pos", "neg"]) != digest()


# Mistakes. Each has a message that names the cause.


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the shipped sentiment model."""
    return Path(shutil.copytree(SHIPPED / "sentiment/1", tmp_path / "copy/1"))


def damage(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


def write_run(copy: Path) -> Path:
    """The directory of a run whose export is the copy."""
    run_dir = copy.parents[1] / "run"
    (run_dir / "lstm").mkdir(parents=True)
    (run_dir / "lstm/run.json").write_text("{}")
    record = {"directory": "../copy/1", "card": sha256(copy / "card.json")}
    (run_dir / EXPORT_RECORD).write_text(json.dumps(record))
    return run_dir


def test_a_name_stands_for_a_model(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ZOO_MODELS", str(SHIPPED))
    assert (
        read_ancestor(get_task("text_classification"), Path("sentiment")).directory == SHIPPED / "sentiment/1"
    )


def test_a_run_stands_for_its_export(copy: Path) -> None:
    ancestor = read_ancestor(get_task("text_classification"), write_run(copy))
    assert ancestor.directory.resolve() == copy
    assert ancestor.record == read_shipped("sentiment").record


MISTAKES: dict[str, tuple[Callable[[Path], Path], str]] = {
    "nothing": (lambda copy: copy / "nowhere", "It does not exist"),
    "parent": (lambda copy: copy.parent, r"Did you mean .*copy/1\?"),
    "neither": (lambda copy: copy / "assets", "It is neither"),
    "task": (lambda copy: SHIPPED / "tagging/1", "task 'frame_tagging', expected 'text_classification'"),
    "no card": (lambda copy: ((copy / "card.json").unlink(), copy)[1], r"has no card\.json"),
    "no model": (lambda copy: (edit_card(copy, model=None), copy)[1], "does not describe its Keras model"),
    "damaged": (
        lambda copy: (damage(copy / "variables/variables.data-00000-of-00001"), copy)[1],
        r"variables/variables.data-00000-of-00001 has changed\. Restore",
    ),
    "missing": (
        lambda copy: ((copy / "assets/vocabulary.txt").unlink(), copy)[1],
        "vocabulary.txt is missing",
    ),
    "one model": (lambda copy: write_run(copy) / "lstm", "It is one model of a run: name the run, .*run"),
    "not exported": (
        lambda copy: ((write_run(copy) / EXPORT_RECORD).unlink(), copy.parents[1] / "run")[1],
        "a run without an export. Repeat its command",
    ),
    "replaced": (
        lambda copy: (write_run(copy), edit_card(copy, title="Another"))[0],
        "has been replaced since",
    ),
    "deleted": (lambda copy: (write_run(copy), shutil.rmtree(copy))[0], "is missing"),
    "broken record": (
        lambda copy: ((write_run(copy) / EXPORT_RECORD).write_text("{"), copy.parents[1] / "run")[1],
        "export.json cannot be read",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_an_ancestor_that_cannot_be_used_is_refused(mistake: str, copy: Path) -> None:
    prepare, message = MISTAKES[mistake]
    with pytest.raises(ZooError, match=message):
        read_ancestor(get_task("text_classification"), prepare(copy))


def test_settings_that_contradict_the_ancestor_are_refused(tmp_path: Path) -> None:
    settings = dataclasses.replace(
        sentiment.Settings(run_dir=tmp_path, export_dir=tmp_path / "1"),
        init_from=SHIPPED / "sentiment/1",
        vocabulary_size=20_000,
    )
    info = DataInfo("texts")
    ancestor = load_ancestor(sentiment.TASK, settings, info)
    assert ancestor is not None
    changes: list[tuple[dict[str, Any], str]] = [
        ({"units": 64}, "--units is 64, but the model of .* was trained with 128"),
        ({"pooling": "last"}, "--pooling is last, but .* was trained with max"),
        (
            {"export_dir": SHIPPED / "sentiment/1"},
            "--export-dir .* is the model that --init-from starts from",
        ),
        ({"run_dir": SHIPPED / "sentiment/1"}, "--run-dir .* is the model that --init-from starts from"),
        ({"vectors": Path("glove.txt")}, "--vectors and --init-from exclude each other"),
        (
            {"init_from": None, "freeze": ("encoder",)},
            "--freeze encoder keeps weights as they are, and these are",
        ),
    ]
    for change, message in changes:
        with pytest.raises(UsageError, match=message):
            load_ancestor(sentiment.TASK, dataclasses.replace(settings, **change), info)


def test_published_weights_of_an_image_encoder_may_be_frozen() -> None:
    settings = captioning.Settings(encoder="efficientnet_lite0", num_tuned=2, freeze=("encoder",))
    assert load_ancestor(captioning.TASK, settings, DataInfo("photos")) is None
    for other, info in (
        (dataclasses.replace(settings, encoder="small"), DataInfo("photos")),
        (settings, DataInfo("clips", is_video=True)),
        (dataclasses.replace(settings, freeze=("encoder", "embedding")), DataInfo("photos")),
    ):
        with pytest.raises(UsageError, match="keeps weights as they are, and these are random"):
            load_ancestor(captioning.TASK, other, info)


@pytest.mark.parametrize(
    ("name", "info", "message"),
    [
        ("captioning", DataInfo("clips", is_video=True), "reads images, and the data are videos"),
        ("tagging", DataInfo("features"), "reads videos, and the data are not"),
        ("tagging", DataInfo("videos", is_video=True, multi_label=True), "has one label for each step"),
        (
            "translation",
            DataInfo("pairs", languages=("en", "fr")),
            "from en to de, and the data are en to fr",
        ),
    ],
)
def test_data_of_another_kind_are_refused(name: str, info: DataInfo, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        read_shipped(name).check_data(info)


def test_an_export_of_another_recipe_is_refused(shipped_sentiment: Ancestor) -> None:
    settings = {"learning_rate": 0.001}
    other = dataclasses.replace(shipped_sentiment, card={**shipped_sentiment.card, "settings": settings})
    with pytest.raises(UsageError, match="its card has no setting vocabulary_size, embedding_dim, "):
        _ = other.model_settings


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("--init-from nowhere", "--init-from: nowhere is neither the name of a model nor a directory"),
        # 30,000 is the default, and the model has 20,000.
        ("--init-from saved_models/sentiment/1 --vocabulary-size 30000", "--vocabulary-size is 30000, but"),
        ("--freeze decoder", "embedding"),
    ],
)
def test_the_command_line_names_the_mistake(
    arguments: str,
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    paths = ["--run-dir", str(tmp_path), "--data-dir", str(tmp_path)]
    assert message in run_with_mistake("sentiment", [*arguments.split(), *paths], monkeypatch, capsys)


def test_words_that_an_ancestor_does_not_know_are_reported(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    preprocessor = read_shipped("sentiment").load_preprocessor(tmp_path)
    caplog.set_level("INFO")
    preprocessor.check_vocabulary(tf.data.Dataset.from_tensor_slices((["A good film .", "good"], [1, 1])))
    assert caplog.messages == ["The vocabulary has 100.0 % of the words in the training texts."]
    preprocessor.check_vocabulary(tf.data.Dataset.from_tensor_slices((["good Sonnenblumenkern"], [1])))
    assert "has 50.0 % of the words" in caplog.text
    assert "does not know the other 50.0 %" in caplog.text
