"""The translation recipe, and its export, run by a process with TensorFlow alone."""

import io
import json
import re
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Literal

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_datasets as tfds
from exports import (
    Outputs,
    assert_batchable,
    assert_parts_compute_the_whole,
    assert_portable,
    assert_same_outputs,
    generate_greedily,
    make_part_requests,
    predict_in_process,
    read_metrics,
    run_client,
    save_time,
)
from matplotlib.image import imread
from references import randomize_weights

import zoo
from zoo.card import read_card
from zoo.datasets import DataInfo
from zoo.datasets.builders import dates
from zoo.errors import UsageError
from zoo.metrics import bleu, chrf, exact_match
from zoo.preprocessing.text import END_ID, START_ID, UNKNOWN_ID, count_copy_tokens
from zoo.recipes import translation
from zoo.tasks.translation import TASK, TranslationModule, TranslationPreprocessor
from zoo.training import Run

DATE = "Monday, March 5, 2018"
# Odd texts, and clean ones that must have the same translations.
TWINS = {
    DATE.replace(" ", "\u00a0\u200b"): DATE,
    DATE.replace(" ", " \0\r\n\t"): DATE,
    DATE.encode().replace(b" ", b" \xff\xfe"): DATE,
    f"  {DATE} ": DATE,
    "": " ",
    b"\0\xff": "\u200b",
    DATE * 20_000: DATE * 30,  # a third of a megabyte
}
ODD, CLEAN = list(TWINS), list(TWINS.values())
SIZES = {"train": 5_000, "validation": 200, "test": 200}
ROWS = [DATE, "3 hours", "", f"{DATE}, 3:15 PM and 20 seconds", "the 4th of \u4f60\u597d", "5/6/18"]


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> translation.Settings:
    """Settings of a smaller model, trained for a shorter time, without the baseline."""
    directory = tmp_path_factory.mktemp("translation")
    (directory / "examples.txt").write_text(f"{DATE}\n1 hour\n", encoding="utf-8")
    return translation.Settings(
        data_dir=directory / "data",
        run_dir=directory / "run",
        export_dir=directory / "1",
        examples=directory / "examples.txt",
        units=64,
        embedding_dim=64,
        batch_size=32,
        learning_rate=0.01,
        epochs=2,
        baseline=False,
        num_beams=3,
        repetition_penalty=1.0,
    )


@pytest.fixture(scope="module")
def report(settings: translation.Settings) -> str:
    """Output of the recipe, whose export is checked in this process; tests run it in a fresh one."""
    with save_time(), pytest.MonkeyPatch.context() as patch, redirect_stdout(io.StringIO()) as printed:
        patch.setattr(dates, "SIZES", SIZES)
        patch.setattr("zoo.tasks.translation.CONSTRAINTS", {"no_repeat_ngram_size": (3,)})
        translation.train(settings)
    return printed.getvalue()


@pytest.fixture(scope="module")
def model(settings: translation.Settings, report: str) -> Path:
    return settings.export_dir


@pytest.fixture(scope="module")
def test_set(settings: translation.Settings, report: str) -> list[tuple[str, str]]:
    split = tfds.load("dates/de", split="test", data_dir=settings.data_dir, as_supervised=True)
    return [(source.decode(), target.decode()) for source, target in split.as_numpy_iterator()]


@pytest.fixture(scope="module")
def outputs(model: Path, test_set: list[tuple[str, str]]) -> list[Outputs]:
    texts = [source for source, _ in test_set]
    batches = [texts[:120], texts[120:], texts[:100], [], ODD, CLEAN]
    batches += [ROWS, *([row] for row in ROWS), ["Monday, \u4f60\u597d 5, 2018"]]
    signatures = ["greedy" if index == 2 else "serving_default" for index in range(len(batches))]
    return run_client(model, *zip(signatures, batches, strict=True))


@pytest.mark.parametrize(
    ("attention", "expected"), [("none", ["none"]), ("multiplicative", ["none", "multiplicative"])]
)
def test_the_baseline_is_trained_once(
    attention: Literal["none", "multiplicative"],
    expected: list[str],
    settings: translation.Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without attention the model is the baseline itself."""
    names, metrics = [], {}
    best_epoch = SimpleNamespace(metrics={"val_bleu": 1.0})

    def export(run: Run, *_: object) -> None:
        metrics.update(run.metrics)

    monkeypatch.setattr(dates, "SIZES", SIZES)
    monkeypatch.setattr(Run, "fit", lambda *_, name, **__: names.append(name))
    monkeypatch.setattr(Run, "best_epoch", best_epoch)
    monkeypatch.setattr(TranslationModule, "translate_texts", lambda _, texts, *__: list(texts))
    monkeypatch.setattr(type(TASK), "export", lambda _, *arguments: export(*arguments))
    monkeypatch.setattr(translation, "print_examples", lambda *_: None)
    paths = {"run_dir": tmp_path / "run", "export_dir": tmp_path / "1"}
    translation.train(replace(settings, attention=attention, baseline=True, **paths))
    assert names == [f"gru_attention_{name}" for name in expected]
    assert ("test BLEU, without attention" in metrics) == (len(expected) == 2)
    assert "test BLEU" in metrics


def get_best(batch: Outputs) -> list[str]:
    return [translation.decode() for translation in batch["translations"][:, 0]]


def test_the_export_has_the_scores_of_the_training_process(
    model: Path, outputs: list[Outputs], test_set: list[tuple[str, str]]
) -> None:
    translations, references = get_best(outputs[0]) + get_best(outputs[1]), [target for _, target in test_set]
    metrics = read_metrics(model)
    assert metrics["test exact match"] == pytest.approx(exact_match(translations, references), abs=0.01)
    assert metrics["test BLEU"] == pytest.approx(bleu(translations, references).score, abs=0.01)
    assert metrics["test chrF"] == pytest.approx(chrf(translations, references).score, abs=0.01)


def test_the_card_has_the_constraints_of_the_search(model: Path) -> None:
    """One was chosen on validation, the other one is a setting."""
    settings = read_card(model)["settings"]
    assert settings["no_repeat_ngram_size"] in (0, 3)
    assert settings["repetition_penalty"] == 1.0


def test_the_model_translates_combinations_that_are_not_in_its_training_data(model: Path) -> None:
    assert read_metrics(model)["test exact match"] > 80


def test_the_report_shows_metrics_signatures_examples_and_the_next_command(model: Path, report: str) -> None:
    for name, value in read_metrics(model).items():
        assert re.search(rf"^{re.escape(name)} +{value}$", report, re.MULTILINE)
    signatures = json.loads((model / "card.json").read_text(encoding="utf-8"))["report"]["signatures"]
    assert re.fullmatch(r"nrefs:1\|case:mixed\|eff:no\|tok:13a\|smooth:exp\|version:\S+", signatures["BLEU"])
    for name, signature in signatures.items():
        assert f"\n{name} of sacrebleu: {signature}\n" in report
        assert f"- {name} of sacrebleu: `{signature}`\n" in (model / "README.md").read_text(encoding="utf-8")
    exported, first, second, blank, command = report.splitlines()[-5:]
    assert exported == f"exported to {model}"
    assert re.fullmatch(r" *-\d+\.\d{3}  Montag, 5\. März 2018", first)
    assert re.fullmatch(r" *-\d+\.\d{3}  .+", second)
    assert not blank
    assert command == f"next: zoo predict {model} '1 hour'"


def test_the_run_directory_shows_the_worst_translations(settings: translation.Settings, report: str) -> None:
    header, *lines = (settings.run_dir / "report" / "worst.tsv").read_text(encoding="utf-8").splitlines()
    assert header == "chrF\tinput\tgenerated\treference"
    scores = [float(line.split("\t")[0]) for line in lines]
    assert 0 < len(scores) <= 10
    assert scores == sorted(scores)
    assert scores[-1] < 100


def test_the_card_shows_the_examples_of_the_user(model: Path) -> None:
    assert [text for text, _ in zoo.load(model).read_examples()] == [DATE, "1 hour"]


def test_shapes_and_order(outputs: list[Outputs]) -> None:
    for batch, n, num_beams in zip(outputs[:4], [120, 80, 100, 0], [3, 3, 1, 3], strict=True):
        assert batch["translations"].shape == batch["scores"].shape == (n, num_beams)
        assert batch["status"].shape == (n,)
        assert not any(batch["status"])
        target, source = batch["target_tokens"].shape[1], batch["source_tokens"].shape[1]
        assert batch["attention"].shape == (n, target, source)
        assert (np.diff(batch["scores"]) <= 0).all()


def test_attention_belongs_to_the_tokens(outputs: list[Outputs], test_set: list[tuple[str, str]]) -> None:
    """Each step's weights sum to 1 over the tokens of the source; tokens joined are the texts."""
    batch = outputs[0]
    for row, (text, _) in enumerate(test_set[:120]):
        source = [token.decode() for token in batch["source_tokens"][row] if token]
        target = [token.decode() for token in batch["target_tokens"][row] if token]
        assert "".join(source).replace("▁", " ").split() == text.split()
        assert "".join(target).replace("▁", " ").split() == batch["translations"][row, 0].decode().split()
        weights = batch["attention"][row]
        np.testing.assert_allclose(weights[: len(target)].sum(1), 1, atol=1e-5)
        assert not weights[len(target) :].any()
        assert not weights[:, len(source) :].any()


def test_a_row_of_a_batch_has_the_translations_that_it_has_alone(outputs: list[Outputs]) -> None:
    """Rows of other lengths, and of words that are unknown."""
    for row, alone in enumerate(outputs[7:-1]):
        assert outputs[6]["translations"][row].tolist() == alone["translations"][0].tolist()
        np.testing.assert_allclose(outputs[6]["scores"][row], alone["scores"][0], atol=1e-4)
        source, target = len(alone["source_tokens"][0]), len(alone["target_tokens"][0])
        attention = outputs[6]["attention"][row, :target, :source]
        np.testing.assert_allclose(attention, alone["attention"][0], atol=1e-4)


def test_greedy_search_returns_one_translation_that_seldom_differs(outputs: list[Outputs]) -> None:
    assert outputs[2]["translations"].shape == (100, 1)
    assert np.mean(outputs[2]["translations"][:, 0] == outputs[0]["translations"][:100, 0]) > 0.7


@pytest.mark.parametrize("row", range(len(ODD)))
def test_odd_texts_have_the_translations_of_their_clean_twins(outputs: list[Outputs], row: int) -> None:
    odd, clean = outputs[4], outputs[5]
    assert odd["translations"][row].tolist() == clean["translations"][row].tolist()
    if not CLEAN[row].strip(" \u200b"):
        assert odd["translations"][row].tolist() == [b""] * 3


def test_status_describes_what_is_wrong(outputs: list[Outputs]) -> None:
    status = dict(zip(ODD, outputs[4]["status"].tolist(), strict=True))
    assert status[f"  {DATE} "] == b""
    assert status[""] == status[b"\0\xff"] == b"no text"
    assert status[ODD[-1]].startswith(b"cut: the first 100 pieces of ")
    assert outputs[-1]["status"][0].decode() == "unknown: \u4f60, \u597d"


def test_texts_without_words_have_no_translation(outputs: list[Outputs]) -> None:
    is_empty = np.array([text in ("", b"\0\xff") for text in ODD])
    for name, values in outputs[4].items():
        if name not in ("status", "source_tokens"):
            assert not np.any(values[is_empty].astype(bool)), name


def test_requests_are_batched(model: Path) -> None:
    requests = [{"text": batch} for batch in (ROWS[:1], ROWS[1:3], ROWS[3:4], ROWS[4:])]
    parts = make_part_requests(model, requests)
    assert_batchable(model, {"serving_default": requests, "greedy": requests, **parts})


def test_parts_compute_the_whole(model: Path) -> None:
    assert_parts_compute_the_whole(model, {"text": [*ODD, *ROWS]})


def test_init_and_step_generate_what_greedy_search_does(model: Path) -> None:
    """Search without constraints, which hardly change the translations of dates."""
    texts = [DATE, "3 hours", f"{DATE}, 3:15 PM and 20 seconds"]
    loaded = tf.saved_model.load(str(model))
    encoded = loaded.signatures["encode"](text=tf.constant(texts))
    sequences = generate_greedily(model, encoded["ids"].numpy(), max_length=60)
    decoded = loaded.signatures["decode"](
        sequences=tf.constant(sequences),
        positions=tf.zeros_like(sequences),
        source_tokens=encoded["source_tokens"],
        items=encoded["items"],
    )
    expected = loaded.signatures["greedy"](text=tf.constant(texts))["translations"]
    assert decoded["translations"].numpy().tolist() == expected.numpy().tolist()


def test_the_export_uses_operations_of_older_versions_alone(model: Path) -> None:
    assert_portable(model)


def test_saved_model_cli_runs_the_export(model: Path, saved_model_cli: Callable[..., str]) -> None:
    which = ["--dir", model, "--tag_set", "serve", "--signature_def", "greedy"]
    printed = saved_model_cli("run", *which, "--input_exprs", f"text=[{DATE!r}]")
    assert "Result for output key translations:\n[[b'" in printed


def test_load_returns_typed_predictions_and_plots_attention(
    model: Path, outputs: list[Outputs], tmp_path: Path
) -> None:
    predictor = zoo.load(model)
    prediction, *_, empty = predictor.predict([DATE, "3 hours", ""])
    assert prediction.translations == tuple(text.decode() for text in outputs[6]["translations"][0])
    assert "".join(prediction.source_tokens) == DATE.replace(" ", "")
    assert prediction.attention.shape == (len(prediction.target_tokens), len(prediction.source_tokens))
    assert [line.split()[1] for line in prediction.format_lines(DATE, 2)] == [
        text.split()[0] for text in prediction.translations[:2]
    ]
    assert list(empty.format_lines("", 2)) == [f"{'':8}  [no text]"]
    predictor.plot(DATE, prediction, tmp_path / "attention.png")
    assert np.ptp(imread(tmp_path / "attention.png")[..., :3]) > 0.5
    with pytest.raises(UsageError, match="no attention to plot"):
        predictor.plot("", empty, tmp_path / "attention.png")


def test_a_rebuilt_model_predicts_what_the_export_predicts(model: Path, outputs: list[Outputs]) -> None:
    preprocessor, rebuilt = TASK.from_export(model)
    assert preprocessor.languages == ("en", "de")
    signatures = TranslationModule(preprocessor, rebuilt, num_beams=3).signatures
    assert_same_outputs(signatures["serving_default"](tf.constant(ROWS)), outputs[6])


def test_num_beams_may_change_in_a_run_directory(
    settings: translation.Settings, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    search = {"num_beams": 2, "length_penalty": 0.0, "no_repeat_ngram_size": 4}
    with save_time():
        translation.train(replace(settings, export_dir=tmp_path / "1", **search))
    assert "epoch 2/2" not in capsys.readouterr().out
    name = "validation BLEU (greedy)"
    assert read_metrics(tmp_path / "1")[name] == read_metrics(model)[name]
    assert predict_in_process(tmp_path / "1", {"text": [DATE]})["translations"].shape == (1, 2)


# Untrained models, which show what training hides.


@pytest.fixture
def preprocessor(tmp_path: Path) -> TranslationPreprocessor:
    """Of a source with the letters a to e, and a target with x, y and z."""
    pairs = tf.data.Dataset.from_tensors(("a b c d e", "x y z")).repeat(9)
    return TranslationPreprocessor.adapt(pairs, 100, 9, ("one", "other"), tmp_path)


def make_module(
    preprocessor: TranslationPreprocessor, attention: str, bias: float = 0.0, input_feeding: bool = False
) -> TranslationModule:
    """Make a small translator with random weights; a bias makes unknown tokens probable."""
    settings = translation.Settings(
        cell="simple_rnn", units=3, embedding_dim=4, decoder_depth=1, input_feeding=input_feeding
    )
    model = translation.build_model(settings, preprocessor, attention)
    model.build(((None, None), (None, None)))
    randomize_weights(model)
    scores = np.array(model.decoder.bias)
    scores[UNKNOWN_ID] += bias
    model.decoder.bias.assign(scores)
    return TranslationModule(preprocessor, model, num_beams=2)


def test_encode_leaves_out_pairs_with_too_many_tokens(preprocessor: TranslationPreprocessor) -> None:
    texts = [("a b", "x y"), ("a " * 9, "x"), ("a", "x " * 9), ("a " * 8, "x " * 8), ("q", "x")]
    columns = tuple(map(list, zip(*texts, strict=True)))
    encoded = list(preprocessor.encode(tf.data.Dataset.from_tensor_slices(columns)))
    assert [(len(source), len(target)) for source, target in encoded] == [(2, 4), (8, 10), (1, 3)]
    for _, target in encoded:
        assert (target[0], target[-1]) == (START_ID, END_ID)
        assert not set(target[1:-1].numpy()) & {0, UNKNOWN_ID, START_ID, END_ID}
    assert encoded[-1][0].numpy().tolist() == [UNKNOWN_ID]


@pytest.mark.parametrize("attention", ["multiplicative", "additive", "none"])
def test_unknown_tokens_are_copied_from_unknown_words_of_the_source(
    preprocessor: TranslationPreprocessor, attention: str
) -> None:
    module = make_module(preprocessor, attention, bias=99.0)
    outputs = module.signatures["greedy"](tf.constant(["a q c", "a b", "", "a qq b rr"]))
    copies = [set(text.decode().split()) for text in outputs["translations"][:, 0].numpy()]
    assert copies[0] == {"q"}
    assert copies[1]
    assert copies[1] <= {"a", "b"}  # no word is unknown
    assert copies[2] == set()
    assert copies[3]
    assert copies[3] <= {"qq", "rr"}
    tokens = [{token for token in row if token} for row in outputs["target_tokens"].numpy().tolist()]
    assert tokens[0] == {"▁q".encode()}
    status = [text.decode() for text in outputs["status"].numpy()]
    ends = [
        f"the translation has no end: it stopped at the limit of {limit} tokens" for limit in (16, 14, 18)
    ]
    assert status == [f"unknown: q; {ends[0]}", ends[1], "no text", f"unknown: qq, rr; {ends[2]}"]


@pytest.mark.parametrize(
    ("settings", "scores", "expected"),
    [
        ((None, None), {(0, 1.0): 30.0, (3, 1.0): 31.0, (4, 1.0): 30.5, (3, 1.1): 31.09}, (3, 1.0)),
        ((None, None), {(0, 1.0): 30.0, (3, 1.0): 30.0, (4, 1.0): 30.05, (0, 1.1): 30.2}, (0, 1.1)),
        ((0, None), {(0, 1.0): 30.0, (0, 1.1): 29.0}, (0, 1.0)),
        ((None, None), {(0, 1.0): 99.95}, (0, 1.0)),  # nothing can be gained
        ((2, 1.5), {}, (2, 1.5)),
    ],
)
def test_constraints_are_chosen_on_validation(
    preprocessor: TranslationPreprocessor,
    monkeypatch: pytest.MonkeyPatch,
    settings: tuple[int | None, float | None],
    scores: dict[tuple[int, float], float],
    expected: tuple[int, float],
) -> None:
    """A constraint that gains less than 0.1 is not chosen, and one that the user has set stays."""
    remaining = dict(scores)

    def score(constraints: list[float]) -> float:
        return remaining.pop(tuple(constraints))

    monkeypatch.setattr(
        TranslationModule, "translate_texts", lambda self, texts: list(self.constraints.values())
    )
    model = make_module(preprocessor, "none").model
    chosen = TranslationModule(preprocessor, model, 2, 0.5, *settings).choose_constraints(["a b"], score)
    assert tuple(chosen.constraints.values()) == expected
    assert (chosen.num_beams, chosen.length_penalty) == (2, 0.5)
    assert not remaining


def test_constraints_hold_in_both_signatures_and_spare_repetition_in_the_text(
    preprocessor: TranslationPreprocessor,
) -> None:
    model = make_module(preprocessor, "multiplicative", bias=99.0).model  # it repeats unknown tokens for ever
    module = TranslationModule(preprocessor, model, num_beams=2, no_repeat_ngram_size=2)
    for signature in module.searches.values():
        outputs = signature(tf.constant(["q", "q q q q"]))
        for tokens, allowed in zip(outputs["target_tokens"].numpy().tolist(), (1, 3), strict=True):
            assert list(pairwise(tokens)).count(("▁q".encode(),) * 2) == allowed
    with pytest.raises(UsageError, match="--repetition-penalty: expected a number of at least 1"):
        TranslationModule(preprocessor, model, repetition_penalty=0.5)


@pytest.mark.parametrize("bias", [-99.0, 3.0])
def test_each_translation_copies_by_its_own_attention(
    preprocessor: TranslationPreprocessor, bias: float
) -> None:
    """The export computes attention weights of all translations only where they are needed."""
    module = make_module(preprocessor, "multiplicative", bias)
    text = tf.constant(["a q c d", "a qq b rr", "a b"])
    source, _ = preprocessor.tokenize(text)
    memory, state = module.model.prepare_memory(source.ids)
    limits = 10 + 2 * np.count_nonzero(source.ids, axis=1).astype("int32")
    tokens, _, weights, _ = module.model.decoder.generate(
        *(module.beam_search, state, memory),
        start_id=START_ID,
        end_id=END_ID,
        max_length=tf.constant(limits),
        exact_counts=count_copy_tokens(source.ids),
    )
    assert (UNKNOWN_ID in tokens[:, 1].numpy()) == (bias > 0)
    positions = np.argmax(weights + (source.ids.numpy() == UNKNOWN_ID)[:, None, None], axis=-1)
    copies = tf.gather(source.tokens.to_tensor(""), positions, batch_dims=1)
    outputs = module.signatures["serving_default"](text)
    expected = preprocessor.target.detokenize(tokens, copies)
    np.testing.assert_array_equal(outputs["translations"], expected)
    np.testing.assert_allclose(outputs["attention"], weights[:, 0], atol=1e-6)


@pytest.mark.parametrize(
    ("attention", "input_feeding"),
    [("none", False), pytest.param("additive", True, marks=pytest.mark.slow)],
)
def test_every_kind_of_decoder_can_be_exported_and_rebuilt(
    preprocessor: TranslationPreprocessor,
    attention: str,
    input_feeding: bool,
    tmp_path: Path,
    predict_in_process: Callable[..., Outputs],
) -> None:
    texts = ["a b q", "", "e d c b a"]
    module = make_module(preprocessor, attention, input_feeding=input_feeding)
    TASK.export(Run(tmp_path, {}), module, DataInfo("pairs"), tmp_path / "1", {"text": texts})
    rebuilt = TranslationModule(*TASK.from_export(tmp_path / "1"), num_beams=2)
    signature = rebuilt.signatures["serving_default"]
    assert_same_outputs(signature(tf.constant(texts)), predict_in_process(tmp_path / "1", {"text": texts}))
    if attention == "none":
        predictor = zoo.load(tmp_path / "1")
        [prediction] = predictor.predict(["a b"])
        with pytest.raises(UsageError, match="the model has no attention"):
            predictor.plot("a b", prediction, tmp_path / "attention.png")


def test_translate_texts_keeps_their_order(preprocessor: TranslationPreprocessor) -> None:
    """Although texts of similar length are computed together."""
    module = make_module(preprocessor, "multiplicative", bias=99.0)
    texts = [" ".join(["q" * (1 + row % 7)] + ["a"] * (row % 5)) for row in range(70)]
    translations = module.translate_texts(texts, "greedy")
    assert [text.split()[0] for text in translations] == [text.split()[0] for text in texts]


@pytest.mark.parametrize("metric", [bleu, chrf, exact_match])
def test_metrics_refuse_predictions_without_references(metric: Callable) -> None:
    for predictions, references in (["a"], ["a", "b"]), ([], []):
        with pytest.raises(ValueError, match=r"expected as many of both, and at least one\. Pass references"):
            metric(predictions, references)
