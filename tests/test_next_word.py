"""The recipe of next words: its data, its six models, and its export, run by a process with TensorFlow alone."""

import io
import re
from collections import Counter
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path

import numpy as np
import pytest
from exports import (
    Outputs,
    assert_batchable,
    assert_same_outputs,
    make_part_requests,
    read_metrics,
    run_client,
    save_time,
)
from references import randomize_weights

import zoo
from zoo.datasets import ClozeSet, DataInfo, DataSplits, load_cloze
from zoo.datasets.builders import fluent
from zoo.datasets.builders.fluent import DISTANCES, LANGUAGES
from zoo.recipes import next_word
from zoo.tasks.language_model import TASK, WordModule, WordPreprocessor
from zoo.training import Run

PAIRS = {"train": 150, "validation": 12, "test": 24}
RNG = np.random.default_rng(2)


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Directory of a smaller `fluent`."""
    directory = tmp_path_factory.mktemp("fluent")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fluent, "PAIRS", PAIRS)
        load_cloze(data_dir=directory)
    return directory


@pytest.fixture(scope="module")
def splits(data_dir: Path) -> DataSplits[ClozeSet]:
    return load_cloze(data_dir=data_dir)


def test_a_name_is_no_directory_of_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(TypeError, match="takes 0 positional arguments but 1 was given"):
        load_cloze("fluent")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("split", PAIRS)
def test_pairs_have_the_same_words_and_different_next_words(splits: DataSplits[ClozeSet], split: str) -> None:
    """So a bag of words is right for one text of a pair at most."""
    texts, next_words, distances = getattr(splits, split)
    assert len(texts) == len(next_words) == len(distances) == 2 * PAIRS[split]
    for row in range(0, len(texts), 2):
        assert Counter(texts[row].split()) == Counter(texts[row + 1].split())
        assert texts[row] != texts[row + 1]
        assert next_words[row] != next_words[row + 1]
        assert distances[row] == distances[row + 1]


def test_the_next_word_is_the_language_of_the_country_of_birth(splits: DataSplits[ClozeSet]) -> None:
    orders = set()
    for text, next_word_, distance in zip(*splits.train, strict=True):
        words = text.split()
        home = words[words.index("grew") + 3]
        assert LANGUAGES[home] == next_word_
        distances = [len(words) - index for index, word in enumerate(words) if word in LANGUAGES]
        assert len(distances) == 2
        assert min(distances) == distance
        assert max(distances) - distance in (4, 5)
        assert not set(words) & set(LANGUAGES.values())
        orders.add(words.index("grew") < words.index("live"))
    assert orders == {True, False}
    assert splits.train.distances.max() > 60
    assert Counter(splits.test.distances.tolist()) == dict.fromkeys(DISTANCES, 4)


def test_no_text_is_in_two_splits(splits: DataSplits[ClozeSet]) -> None:
    long = [{text for text in getattr(splits, split).texts if len(text.split()) > 30} for split in PAIRS]
    assert all(long)
    assert not long[0] & long[1] | long[0] & long[2] | long[1] & long[2]


@pytest.mark.parametrize("kind", next_word.MODELS)
def test_each_model_depends_on_the_words_within_its_reach_alone(kind: str) -> None:
    """A window's logits depend on its words, the others' on all words before, and none's on words after."""
    model = next_word.build_model(kind, 6, 20)
    ids = RNG.integers(2, 20, (1, 45))
    randomize_weights(model)
    changed = np.repeat(ids, 46, axis=0)  # row t differs in word t, the last row in none
    np.fill_diagonal(changed, 2 + (ids - 1) % 18)
    logits = model(changed).numpy()
    assert logits.shape == (46, 45, 20)
    depends = np.abs(logits[:-1, 40] - logits[-1, 40]).max(axis=1) > 1e-6
    assert not depends[41:].any()
    width = next_word.WINDOWS.get(kind)
    if width:
        assert not depends[: 41 - width].any()
        assert depends[41 - width : 41].sum() > width - 3
    else:
        assert depends[30:41].sum() > 8


def test_a_bag_of_words_ignores_their_order() -> None:
    model = next_word.build_model("bag_of_words", 6, 20)
    ids = RNG.integers(2, 20, (3, 12))
    permuted = np.concatenate([RNG.permuted(ids[:, :-1], axis=1), ids[:, -1:]], 1)
    np.testing.assert_allclose(model(ids)[:, -1], model(permuted)[:, -1], atol=1e-5)


@pytest.mark.parametrize("kind", next_word.MODELS)
def test_models_have_about_the_same_number_of_parameters(kind: str) -> None:
    units = next_word.find_units(kind, 20_000, 50)
    fits, exceeds = (next_word.build_model(kind, width, 50).count_params() for width in (units, units + 1))
    assert 18_000 < fits <= 20_000 < exceeds


def test_only_the_word_at_the_gap_has_a_weight(splits: DataSplits[ClozeSet], tmp_path: Path) -> None:
    gaps = ClozeSet(*(column[:6] for column in splits.train))
    preprocessor = WordPreprocessor.adapt([*gaps.texts, *gaps.next_words], 1_000, 300, tmp_path)
    words = ["", "", *preprocessor.tokenizer.get_vocabulary()]
    pairs = []
    for ids, targets, weights in preprocessor.bucket_gaps(gaps, 4)(0).as_numpy_iterator():
        for row in range(len(ids)):
            (index,) = np.flatnonzero(weights[row])
            assert index == (ids[row] > 0).sum() - 1
            text = " ".join(words[i] for i in ids[row, : index + 1])
            pairs.append((text, words[targets[row, index]]))
    assert sorted(pairs) == sorted(zip(gaps.texts, gaps.next_words, strict=True))


def test_predictions_of_gaps_do_not_depend_on_the_batch(splits: DataSplits[ClozeSet], tmp_path: Path) -> None:
    preprocessor = WordPreprocessor.adapt(splits.train.texts, 1_000, 300, tmp_path)
    model = next_word.build_model("gru", 6, preprocessor.tokenizer.vocabulary_size)
    randomize_weights(model)
    texts = splits.train.texts[:260]  # of different lengths, in two batches
    ids = preprocessor.predict_gaps(model, texts)
    assert ids.shape == (260,)
    for row in (0, 255, 256, 259):
        logits = model(preprocessor.encode([texts[row]]).to_tensor())[0, -1]
        assert ids[row] == np.argmax(logits)


@pytest.fixture(scope="module")
def trained(data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A directory with run and export of the recipe, with smaller models, and what it printed.

    The export is checked in this process; tests run it in a fresh one.
    """
    directory = tmp_path_factory.mktemp("next_word")
    settings = next_word.Settings(
        data_dir=data_dir,
        run_dir=directory / "run",
        export_dir=directory / "1",
        parameters=6_000,
        epochs=1,
        top_k=3,
        learning_rates=(0.01,),
    )
    with save_time(), redirect_stdout(io.StringIO()) as printed:
        next_word.train(settings)
    return directory, printed.getvalue()


def test_the_recipe_prints_a_table_and_plots_a_figure(trained: tuple[Path, str]) -> None:
    directory, printed = trained
    names = list(next_word.MODELS.values())
    rows = [line for line in printed.splitlines() if re.match(rf"({'|'.join(names)})  ", line)]
    *others, last = names
    assert last == "LSTM"
    assert [row[:20].strip() for row in rows] == names
    assert all(len(row[20:].split()) == len(DISTANCES) for row in rows)
    metrics = read_metrics(directory / "1")
    for suffix in ("", *(f", {kind}" for kind in others)):
        assert 3_000 < metrics[f"parameters{suffix}"] <= 6_000
        assert metrics[f"learning rate{suffix}"] == 0.01
    for kind in names:  # the table names the exported model, too; its card need not
        assert f"\nparameters, {kind}  " in printed
    assert metrics["test accuracy, bag of words"] <= 50
    assert (directory / "run" / "reach.png").stat().st_size > 10_000
    assert "<svg" in (directory / "run" / "reach.svg").read_text()


def test_print_examples_predicts_and_names_the_next_command(trained: tuple[Path, str]) -> None:
    directory, printed = trained
    exported, first, second, blank, command = printed.splitlines()[-5:]
    assert exported == f"exported to {directory / '1'}"
    for line, text in zip((first, second), next_word.EXAMPLES, strict=True):
        assert re.fullmatch(rf"{text} \.\.\.(  \S+ [01]\.\d{{3}}){{3}}", line)
    assert not blank
    assert command == f"next: zoo predict {directory / '1'} '{next_word.EXAMPLES[1]}'"


TEXTS = ["I grew up in Italy and", "", "qwxz qwxz", "I GREW UP IN ITALY AND", "live " * 300]


@pytest.fixture(scope="module")
def outputs(trained: tuple[Path, str]) -> list[Outputs]:
    batches = [TEXTS, [], *([text] for text in TEXTS)]
    return run_client(trained[0] / "1", *(("serving_default", batch) for batch in batches))


def test_the_export_predicts_next_words(outputs: list[Outputs]) -> None:
    batch, empty, *single = outputs
    assert batch["words"].shape == batch["probabilities"].shape == (5, 3)
    assert empty["words"].shape == (0, 3)
    status = [text.decode() for text in batch["status"]]
    assert status[:4] == ["", "no words in the text", "none of the words is known", ""]
    assert status[4].startswith("cut: of 300 words")
    assert batch["words"][1].tolist() == [b""] * 3
    assert not batch["probabilities"][1].any()
    assert (np.diff(batch["probabilities"], axis=1) <= 0).all()
    assert (batch["probabilities"].sum(1) < 1 + 1e-5).all()
    for row, alone in enumerate(single):
        np.testing.assert_allclose(alone["probabilities"][0], batch["probabilities"][row], atol=1e-5)
    np.testing.assert_allclose(batch["probabilities"][0], batch["probabilities"][3], atol=1e-6)


def test_requests_are_batched(trained: tuple[Path, str]) -> None:
    model, requests = trained[0] / "1", [{"text": [text]} for text in TEXTS]
    assert_batchable(model, {"serving_default": requests, **make_part_requests(model, requests)})


def test_load_returns_typed_predictions(trained: tuple[Path, str], outputs: list[Outputs]) -> None:
    first, empty, *_ = zoo.load(trained[0] / "1").predict(TEXTS)
    assert list(first.words) == [word.decode() for word in outputs[0]["words"][0]]
    np.testing.assert_allclose(first.probabilities, outputs[0]["probabilities"][0], atol=1e-6)
    assert (empty.words, empty.probabilities, empty.status) == ((), (), "no words in the text")


def test_a_rebuilt_model_predicts_what_the_export_predicts(
    trained: tuple[Path, str], outputs: list[Outputs]
) -> None:
    preprocessor, model = TASK.from_export(trained[0] / "1")
    signature = WordModule(preprocessor, model, top_k=3).signatures["serving_default"]
    for texts, expected in zip([TEXTS, []], outputs[:2], strict=True):
        assert_same_outputs(signature(np.array(texts, dtype="S")), expected)


@pytest.mark.parametrize("kind", ["bag_of_words", "window_10"])
def test_models_without_recurrence_can_be_exported_and_rebuilt(
    kind: str, tmp_path: Path, predict_in_process: Callable[..., Outputs]
) -> None:
    texts = ["the train is late", "late is the", ""]
    preprocessor = WordPreprocessor.adapt(texts, 1_000, 9, tmp_path)
    model = next_word.build_model(kind, 5, preprocessor.tokenizer.vocabulary_size)
    randomize_weights(model)
    run = Run(tmp_path, {})
    module = WordModule(preprocessor, model)
    TASK.export(run, module, DataInfo("texts"), tmp_path / "1", {"text": texts})
    preprocessor, rebuilt = TASK.from_export(tmp_path / "1")
    ids = RNG.integers(1, 6, (2, 40))
    np.testing.assert_allclose(rebuilt(ids), model(ids), atol=1e-6)
    signature = WordModule(preprocessor, rebuilt).signatures["serving_default"]
    assert_same_outputs(signature(np.array(texts)), predict_in_process(tmp_path / "1", {"text": texts}))


def test_models_top_k_and_learning_rates_may_change_in_a_run_directory(
    trained: tuple[Path, str],
    data_dir: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Each of the models is read from its own directory, so that nothing is trained again."""
    directory, _ = trained
    settings = next_word.Settings(
        data_dir=data_dir,
        run_dir=directory / "run",
        export_dir=tmp_path / "1",
        parameters=6_000,
        epochs=1,
        top_k=2,
        only=("lstm", "gru"),
        learning_rates=(0.01,),
    )
    with save_time():
        next_word.train(settings)
    printed = capsys.readouterr().out
    assert "epoch 1/1" not in printed
    assert "variable lengths" not in printed  # that needs all models
    assert set(re.findall(r"^(\S.*?)  +\d", printed, re.MULTILINE)) >= {"LSTM", "GRU"}
    assert "vanilla RNN" not in printed
    before, after = read_metrics(directory / "1"), read_metrics(tmp_path / "1")
    assert after["test accuracy"] == before["test accuracy, GRU"]
    assert after["test accuracy, LSTM"] == before["test accuracy"]
    [prediction] = zoo.load(tmp_path / "1").predict(["I live in"])
    assert len(prediction.words) == 2
