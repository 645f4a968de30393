"""The language-model recipe, and its export, run by a process with TensorFlow alone; and a classifier from it."""

import json
import re
from contextlib import redirect_stdout
from dataclasses import replace
from io import StringIO
from itertools import chain
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from exports import (
    Outputs,
    assert_batchable,
    assert_portable,
    assert_same_outputs,
    make_part_requests,
    predict_in_process,
    read_metrics,
    run_client,
    run_parts,
    save_time,
)
from references import randomize_weights

import zoo
from zoo.card import read_card
from zoo.errors import ExportError, UsageError
from zoo.preprocessing.text import END_ID
from zoo.recipes import language_model, sentiment
from zoo.serving.verification import verify
from zoo.tasks import get_task, read_ancestor, text_classification
from zoo.tasks.ancestor import load_ancestor
from zoo.tasks.language_model import TASK, WordPieceModule, WordPiecePreprocessor, sample_texts
from zoo.tasks.text_classification import TextClassificationModule

FOOD = {
    "cat": "milk",
    "dog": "meat",
    "bird": "seed",
    "cow": "grass",
    "kitten": "milk",
    "wolf": "meat",
    "hen": "seed",
    "goat": "grass",
}
TEXTS = ["the cow eats", "", "the qwxz", "the cat " * 300]


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> language_model.Settings:
    """Settings for a text of sentences in which three words determine the fourth."""
    directory = tmp_path_factory.mktemp("language_model")
    pets = np.random.default_rng(1).choice(list(FOOD), 600)
    sentences = [f"the {pet} eats {FOOD[pet]} ." for pet in pets]
    (directory / "book.txt").write_text("\n".join(sentences), encoding="utf-8")
    return language_model.Settings(
        dataset=directory / "book.txt",
        run_dir=directory / "run",
        export_dir=directory / "1",
        language="en-GB",
        cell="gru",
        units=24,
        dropout=0.0,
        batch_size=4,
        steps=10,
        epochs=6,
        learning_rate=0.02,
    )


@pytest.fixture(scope="module")
def report(settings: language_model.Settings) -> str:
    """Output of the recipe, whose export is checked in this process; tests run it in a fresh one."""
    with save_time(), redirect_stdout(StringIO()) as printed:
        language_model.train(settings)
    return printed.getvalue()


@pytest.fixture(scope="module")
def model(settings: language_model.Settings, report: str) -> Path:
    return settings.export_dir


@pytest.fixture(scope="module")
def outputs(model: Path) -> list[Outputs]:
    batches = [TEXTS, [], *([text] for text in TEXTS)]
    return run_client(model, *(("serving_default", batch) for batch in batches))


def test_the_perplexity_is_close_to_the_best_possible(model: Path) -> None:
    """Of five words and an end all but the animal are certain: 8 ** (1 / 6) = 1.41 at best."""
    metrics = read_metrics(model)
    assert 1.35 < metrics["test perplexity per word"] < 1.6
    assert metrics["test perplexity per piece"] == metrics["test perplexity per word"]  # each word is a piece
    assert metrics["test accuracy"] > 78
    assert metrics["test pieces in the vocabulary (%)"] == 100


def test_samples_follow_the_text(report: str) -> None:
    samples = report.split("samples:\n")[1].splitlines()[:3]
    sentence = rf"  the ({'|'.join(f'{pet} eats {food}' for pet, food in FOOD.items())}) \."
    assert all(re.fullmatch(sentence, line) for line in samples)


def test_samples_depend_on_the_seed_alone(model: Path) -> None:
    preprocessor, rebuilt = TASK.from_export(model)
    first, again, other = (sample_texts(rebuilt, preprocessor, seed, max_length=3) for seed in (1, 1, 5))
    assert first == again != other
    assert all(len(text.split()) == 3 for text in first)


def test_the_export_predicts_next_words(outputs: list[Outputs]) -> None:
    batch, empty, *single = outputs
    assert batch["words"][0, 0] == b"grass"
    assert batch["probabilities"][0, 0] > 0.9
    assert (batch["words"].shape, empty["words"].shape) == ((4, 5), (0, 5))
    status = [text.decode() for text in batch["status"]]
    assert status[:3] == ["", "no text", "unknown: qwxz"]
    assert status[3].startswith("cut: the last 300 pieces of 600 words")
    for row, alone in enumerate(single):
        np.testing.assert_allclose(alone["probabilities"][0], batch["probabilities"][row], atol=1e-5)


def test_requests_are_batched(model: Path) -> None:
    requests = [{"text": [text]} for text in TEXTS]
    assert_batchable(model, {"serving_default": requests, **make_part_requests(model, requests)})


def test_parts_compute_the_whole(model: Path, outputs: list[Outputs]) -> None:
    """Where each word is one piece, the most probable piece is the most probable word."""
    parts = run_parts(model, {"text": TEXTS})
    encoded, scored, decoded = (parts[name][1] for name in ("encode", "score", "decode"))
    assert (encoded["ids"][:, 0] == END_ID).all()
    np.testing.assert_allclose(scored["probabilities"].sum(1), 1, atol=1e-5)
    pieces = [row[0].decode() for row in decoded["pieces"]]
    assert pieces[:2] == ["▁grass", "▁the"]
    assert pieces[0] == "▁" + outputs[0]["words"][0, 0].decode()


def test_the_export_uses_operations_of_older_versions_alone(model: Path) -> None:
    assert_portable(model)


def test_print_examples_predicts_and_names_the_next_command(model: Path, report: str) -> None:
    exported, example, blank, command = report.splitlines()[-4:]
    assert exported == f"exported to {model}"
    text = example.split(" ...  ")[0]
    assert len(text.split()) == 3
    assert re.fullmatch(rf"{re.escape(text)} \.\.\.  (\S+ [01]\.\d{{3}}  ){{4}}\S+ [01]\.\d{{3}}", example)
    assert not blank
    assert command == f"next: zoo predict {model} '{text}'"


def test_the_card_has_the_language(model: Path) -> None:
    assert read_card(model)["languages"] == ["en"]


def test_the_card_shows_nothing_of_the_text_of_the_user(model: Path, report: str) -> None:
    assert "The card will show no examples" in report
    assert read_card(model)["example"] == {"inputs": {}, "outputs": {}}
    assert not read_card(model)["answers"]
    assert '"serving_default"](text=...)' in (model / "README.md").read_text(encoding="utf-8")
    assert zoo.load(model).read_examples() == []
    problems, summary = verify(model)
    assert not problems
    assert "files as exported, and no example on the card to compare outputs with" in summary


def test_a_rebuilt_model_predicts_what_the_export_predicts(model: Path, outputs: list[Outputs]) -> None:
    """It carries no states from call to call."""
    preprocessor, rebuilt = TASK.from_export(model)
    signature = WordPieceModule(preprocessor, rebuilt).signatures["serving_default"]
    for texts, expected in zip([TEXTS, [], TEXTS[:1]], outputs[:3], strict=True):
        assert_same_outputs(signature(np.array(texts, dtype="S")), expected)


def test_carried_states_give_the_loss_of_the_whole_text(settings: language_model.Settings) -> None:
    """Each window starts from the states in which the one before it ended."""
    ids = np.random.default_rng(2).integers(2, 20, 4 * 21 + 1)
    stateful, stateless = (language_model.build_model(settings, 20, stateful=s) for s in (True, False))
    windows = zoo.training.bptt_windows(ids, 4, 7)
    stateful(next(iter(windows))[0])
    randomize_weights(stateful)
    stateless.build((None, None))
    stateless.set_weights(stateful.get_weights())
    x, y = ids[:-1].reshape(4, 21), ids[1:].reshape(4, 21)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    expected = float(loss(y, stateless(x)))
    assert zoo.evaluate(stateful, windows, loss)["loss"] == pytest.approx(expected, rel=1e-5)
    states = stateless.get_initial_state(4)
    for t in range(21):
        logits, states = stateless.step(tf.constant(x[:, t]), states)
    np.testing.assert_allclose(logits, stateless(x)[:, -1], atol=1e-5)


def test_ids_of_a_text_are_those_of_its_passages_without_a_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    preprocessor = WordPiecePreprocessor.adapt(["ab ab, c\n"] * 9, 100, 2, tmp_path)
    tokens = preprocessor.tokenizer.get_vocabulary()
    ids = preprocessor.encode(["ab ab, c", "", "d ab\n", "\n"])
    expected = [["▁ab", "▁ab", ",", "▁c"], [], ["[UNK]", "▁ab", "[END]"], ["[END]"]]
    assert [[tokens[i] for i in row] for row in ids.to_list()] == expected
    monkeypatch.setattr("zoo.tasks.language_model._PASSAGES", 3)
    passages = ["ab ab, c", "", "d ab\n", "\n", "c"]
    assert [tokens[i] for i in preprocessor.encode_passages(passages)] == [*chain(*expected), "▁c"]
    assert preprocessor.encode_passages([]).shape == (0,)


def test_a_finished_run_is_exported_again_with_another_top_k(
    settings: language_model.Settings,
    model: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    settings = replace(settings, export_dir=tmp_path / "1", top_k=2)
    with save_time():
        language_model.train(settings)
    assert "epoch 6/6" not in capsys.readouterr().out
    assert (
        read_metrics(tmp_path / "1")["test perplexity per word"]
        == read_metrics(model)["test perplexity per word"]
    )
    assert predict_in_process(tmp_path / "1", {"text": TEXTS})["words"].shape == (4, 2)


def test_training_starts_from_the_export(
    settings: language_model.Settings, model: Path, tmp_path: Path
) -> None:
    """With the same text and no learning, the perplexities are those of the export, of all pieces."""
    settings = replace(settings, init_from=model, run_dir=tmp_path, export_dir=tmp_path / "1")
    settings = replace(settings, epochs=1, learning_rate=1e-9, num_sampled=2)
    with save_time():
        language_model.train(settings)
    metrics, before = read_metrics(tmp_path / "1"), read_metrics(model)
    for name in ("test perplexity per word", "test perplexity per piece", "test accuracy"):
        assert metrics[name] == metrics[f"{name}, starting model"] == before[name]
    assert (
        f"The test accuracy was the same before this training as after it ({before['test accuracy']:.2f})."
        in (read_card(tmp_path / "1")["warnings"])
    )


# A classifier that starts from the language model. Its labels say what an animal eats.

LABELED = ["cat", "dog", "bird", "cow"]  # the other animals are in the text of the language model alone


@pytest.fixture(scope="module")
def classifier_settings(model: Path, tmp_path_factory: pytest.TempPathFactory) -> sentiment.Settings:
    """Settings of a classifier whose embedding and encoder are those of the language model, to the bit."""
    directory = tmp_path_factory.mktemp("classifier")
    animals = {
        "train": LABELED * 4,
        "validation": LABELED,
        "test": [pet for pet in FOOD if pet not in LABELED] * 8,
    }
    for split, names in animals.items():
        rows = ["label\ttext", *(f"{FOOD[pet]}\tthe {pet} eats" for pet in names)]
        (directory / f"{split}.tsv").write_text("\n".join(rows), encoding="utf-8")
    return sentiment.Settings(
        dataset=str(directory),
        init_from=model,
        freeze=("embedding", "encoder"),
        run_dir=directory / "run",
        export_dir=directory / "1",
        pooling="last",
        dropout=0.0,
        word_dropout=0.0,
        input_dropout=0.0,
        batch_size=4,
        epochs=10,
        learning_rate=0.1,
        max_words=20,
        train_words=10,
        **text_classification.TASK.ancestors["language_model"](read_card(model)["model"]["config"]["config"]),
    )


@pytest.fixture(scope="module")
def classifier(classifier_settings: sentiment.Settings) -> Path:
    with save_time():
        sentiment.train(classifier_settings)
    return classifier_settings.export_dir


def test_a_classifier_from_a_language_model_understands_words_that_had_no_label(classifier: Path) -> None:
    metrics = read_metrics(classifier)
    assert metrics["test accuracy"] > 90
    assert metrics["test accuracy, bag of words"] < 60
    assert "test accuracy, starting model" not in metrics
    assert read_card(classifier)["ancestor"]["name"].startswith("Next words (")


def test_its_encoder_has_the_outputs_of_the_language_model(classifier: Path, model: Path) -> None:
    preprocessor, rebuilt = get_task("text_classification").from_export(classifier)
    pieces, language = TASK.from_export(model)
    texts = tf.constant(["The goat  eats", "the hen eats seed", "", "qwxz cow"])
    ids = WordPieceModule(pieces, language).encode(texts)["ids"]
    np.testing.assert_array_equal(preprocessor.tokenize(texts).ids, ids)
    vectors = language.embedding(ids)
    np.testing.assert_allclose(rebuilt.embedding(ids), vectors, rtol=1e-6)
    for old, new in zip(language.encoder.weights, rebuilt.encoder.weights, strict=True):
        np.testing.assert_array_equal(old, new)
    mask = ids != 0
    outputs, states = rebuilt.encoder(rebuilt.embedding(ids), mask=mask)
    expected, _ = language.encoder(vectors, mask=mask)
    np.testing.assert_allclose(outputs, expected, atol=1e-6)
    scores = rebuilt.scores(rebuilt.encoder.summarize(states))
    np.testing.assert_allclose(rebuilt(ids), scores, atol=1e-6)


def test_its_export_takes_raw_texts(classifier: Path) -> None:
    start, end = "the goat eats seed . " * 2, "the wolf . the cat eats"
    texts = [
        *("the goat<BR /> eats", b"the\0goat \xff eats", "the goat eats"),
        *("", " ", "\U0001f600", "\u4f60\u597d", "qwxz eats"),
        *(start + "meat " * 90 + end, start + "meat " * 4 + end),
    ]
    outputs = predict_in_process(classifier, {"text": texts})
    preprocessor, rebuilt = get_task("text_classification").from_export(classifier)
    module = TextClassificationModule(preprocessor, rebuilt, read_card(classifier)["labels"])
    assert_same_outputs(module.classify(tf.constant(texts)), outputs)
    assert predict_in_process(classifier, {"text": np.zeros(0, "S")})["scores"].shape == (0, 4)
    for row, twin in ((0, 2), (1, 2), (8, 9)):
        np.testing.assert_allclose(outputs["scores"][row], outputs["scores"][twin], atol=1e-6)
    assert outputs["label"].tolist()[:3] == [b"grass"] * 3
    status = [text.decode() for text in outputs["status"]]
    unknown = ["unknown: \U0001f600", "unknown: \u4f60, \u597d"]
    assert status[:8] == ["", "", "", "no text", "no text", *unknown, "unknown: qwxz"]
    assert outputs["label"].tolist()[3:7] == [b""] * 4
    assert not outputs["scores"][3:7].any()
    assert outputs["label"][7]
    assert status[8:] == ["cut: the first 10 and the last 10 pieces of 106 words and marks were read", ""]
    gates = module.compute_gates(tf.constant(["the goat eats"]))
    assert [word.decode() for word in gates["words"].numpy()] == ["", "\u2581the", "\u2581goat", "\u2581eats"]
    assert gates["layer1_hidden"].shape == (4, 24)
    assert_portable(classifier)


def test_a_classifier_starts_from_it_in_turn(
    classifier: Path,
    classifier_settings: sentiment.Settings,
    tmp_path: Path,
) -> None:
    """Another classifier with the same labels starts from it, and keeps its scores."""
    settings = replace(
        classifier_settings,
        init_from=classifier_settings.run_dir,
        epochs=1,
        learning_rate=1e-9,
        freeze=(),
        run_dir=tmp_path,
        export_dir=tmp_path / "1",
    )
    with save_time():
        sentiment.train(settings)
    metrics, before = read_metrics(tmp_path / "1"), read_metrics(classifier)
    assert metrics["test accuracy, starting model"] == metrics["test accuracy"] == before["test accuracy"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"units": 23}, "--units is 23, but the model of .* was trained with 24"),
        ({"depth": 2}, "--depth is 2, but"),
        ({"embedding_dim": 128}, "--embedding-dim is 128, but"),
        ({"names": False}, "--no-names and --init-from exclude each other"),
    ],
)
def test_settings_that_contradict_the_language_model_are_refused(
    changes: dict[str, object], message: str, classifier_settings: sentiment.Settings
) -> None:
    settings = replace(classifier_settings, **changes)
    with pytest.raises(UsageError, match=message):
        load_ancestor(text_classification.TASK, settings, zoo.datasets.DataInfo("texts"))


def test_language_models_of_another_form_are_refused(model: Path, tmp_path: Path) -> None:
    ancestor = read_ancestor(text_classification.TASK, model)
    card = json.loads(json.dumps(ancestor.card))
    card["model"]["config"]["config"]["encoder"]["config"]["cell"]["class_name"] = "NewCell"
    card["preprocessor"]["tokens"] = "characters"
    other = replace(ancestor, card=card)
    with pytest.raises(UsageError, match=r"cannot build the parts of .* a LanguageModel: .* 'NewCell'"):
        _ = other.model_settings
    with pytest.raises(ExportError, match="its tokens are 'characters', expected words or word pieces"):
        other.load_preprocessor(tmp_path)
    with pytest.raises(UsageError, match="task 'text_classification', expected 'language_model'"):
        read_ancestor(TASK, Path(__file__).parents[1] / "saved_models/sentiment/1")
