"""`zoo evaluate` and `evaluate` of predictors: scores of a model on labeled examples of the user."""

import json
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from sacrebleu.metrics import BLEU, CHRF

import zoo
from zoo.cli import main as cli
from zoo.cli.evaluate import EvaluateOptions, run_evaluate
from zoo.errors import DataError, InputError, UsageError
from zoo.tasks import Evaluation
from zoo.tasks.captioning import CaptioningPredictor, CaptionPrediction
from zoo.tasks.text_classification import LabelPrediction, TextClassificationPredictor
from zoo.tasks.translation import TranslationPrediction, TranslationPredictor

ROOT = Path(__file__).parents[1]
PLUGINS = Path(__file__).parent / "plugins"
DOG = ROOT / "docs/drawings/dog.jpg"


def make_predictor(predictor_class: Callable[..., Any], **card: Any) -> Any:
    """A predictor without a model, whose predictions a test makes itself."""
    return predictor_class(Path("runs/model"), card, SimpleNamespace(signatures={}))


def make_classifier(*labels: str) -> TextClassificationPredictor:
    return make_predictor(TextClassificationPredictor, input_kind="text", labels=list(labels))


# Scores, compared with other computations.


def compute_label_scores(probabilities: np.ndarray, references: np.ndarray) -> dict[str, float]:
    """Accuracy, macro-F1 and calibration error by their definitions, one example at a time."""
    predicted = [int(row.argmax()) if row.any() else None for row in probabilities]
    pairs = list(zip(predicted, references.tolist(), strict=True))
    f1 = []
    for label in range(probabilities.shape[1]):
        right = sum(p == r == label for p, r in pairs)
        either = sum(p == label for p, _ in pairs) + sum(r == label for _, r in pairs)
        if either:
            f1.append(2 * right / either)
    bins: dict[int, list[float]] = {}
    for (p, r), row in zip(pairs, probabilities, strict=True):
        if p is not None or not probabilities.any():
            bins.setdefault(max(0, int(np.ceil(row.max() * 15)) - 1), []).append((p == r) - row.max())
    num_labeled = sum(map(len, bins.values()))
    return {
        "accuracy": 100 * sum(p == r for p, r in pairs) / len(pairs),
        "macro-F1": 100 * sum(f1) / len(f1),
        "ECE": 100 * sum(abs(sum(gaps)) for gaps in bins.values()) / num_labeled,
    }


@pytest.mark.parametrize("seed", range(20))
def test_scores_of_labels_are_those_of_their_definitions(seed: int) -> None:
    rng = np.random.default_rng(seed)
    labels, n = "abcde"[: rng.integers(2, 6)], int(rng.integers(1, 60))
    references = rng.integers(0, len(labels), n)
    probabilities = rng.dirichlet([0.5] * len(labels), n)
    probabilities[rng.random(n) < 0.2] = 0  # texts without a known word
    predictions = [
        LabelPrediction("", labels[row.argmax()], dict(zip(labels, row.tolist(), strict=True)))
        if row.any()
        else LabelPrediction("no known words in the text", "", {})
        for row in probabilities
    ]
    classifier = make_classifier(*labels)
    evaluation = classifier.evaluate_predictions([""] * n, predictions, [labels[i] for i in references])
    assert evaluation.metrics == pytest.approx(compute_label_scores(probabilities, references))
    values = evaluation.as_json()
    assert values["num_examples"] == n
    assert values["num_without_answer"] == values["report"]["unlabeled"] == np.sum(~probabilities.any(1))
    for label, scores in enumerate(values["report"]["classes"]):
        is_label = references == label
        has_label = probabilities.any(1) & (probabilities.argmax(1) == label)
        assert scores["examples"] == is_label.sum()
        if is_label.any():
            assert scores["recall"] == pytest.approx(100 * has_label[is_label].mean())
        if has_label.any():
            assert scores["precision"] == pytest.approx(100 * is_label[has_label].mean())
    assert "<td>" in evaluation._repr_html_()


def translate(texts: Sequence[str]) -> list[TranslationPrediction]:
    empty = np.zeros((0, 0))
    return [
        TranslationPrediction("", (text,) if text else (), (0.0,) if text else (), (), (), empty)
        for text in texts
    ]


@pytest.mark.parametrize(
    ("target", "setting", "tokenizer"), [("de", None, "13a"), ("zh_CN", None, "zh"), ("de", "char", "char")]
)
def test_scores_of_translations_are_those_of_sacrebleu(
    target: str, setting: str | None, tokenizer: str
) -> None:
    generator = random.Random(tokenizer)
    words = ["der", "Hund,", "die", "Katze", ".", "\u597d", "\u7535\u5f71", "sitzt", "auf", "dem", "Dach"]
    texts, references = (
        [" ".join(generator.choices(words, k=generator.randrange(3, 9))) for _ in range(40)] for _ in range(2)
    )
    texts[:10] = references[:10]
    texts[39] = ""
    settings = {"bleu_tokenizer": setting}
    predictor = make_predictor(
        TranslationPredictor, input_kind="text", preprocessor={"languages": ["en", target]}, settings=settings
    )
    evaluation = predictor.evaluate_predictions([b"x"] * 40, translate(texts), references)
    bleu, chrf = BLEU(tokenize=tokenizer), CHRF()
    assert evaluation.metrics == {
        "BLEU": bleu.corpus_score(texts, [references]).score,
        "chrF": chrf.corpus_score(texts, [references]).score,
        "exact match": 25.0,
    }
    signatures = {"BLEU": str(bleu.get_signature()), "chrF": str(chrf.get_signature())}
    assert evaluation.as_json()["report"] == {"signatures": signatures}
    assert f"tok:{tokenizer}" in signatures["BLEU"]


def test_scores_of_captions_are_those_against_all_references() -> None:
    captions = ["a dog runs in the grass", "two cats sit on a roof", "a man rides a red bike", ""]
    references = [
        ["A dog runs in the grass.", "The brown dog runs."],
        ["Two cats on a roof!", "Two cats sit on the roof", "cats"],
        ["A man rides a red bike up a hill"],
        "A boat.",
    ]
    empty = np.zeros((0, 0))
    predictions = [
        CaptionPrediction("", (text,) if text else (), (0.0,) if text else (), (), empty) for text in captions
    ]
    predictor = make_predictor(CaptioningPredictor, input_kind="image")
    evaluation = predictor.evaluate_predictions(["x.jpg"] * 4, predictions, references)
    streams = [
        ["a dog runs in the grass", "two cats on a roof", "a man rides a red bike up a hill", "a boat"],
        ["the brown dog runs", "two cats sit on the roof", None, None],
        [None, "cats", None, None],
    ]
    bleu = BLEU(tokenize="none", smooth_method="none").corpus_score(captions, streams).score
    assert evaluation.metrics["BLEU-4"] == pytest.approx(bleu)
    assert evaluation.metrics["exact match"] == 25
    assert set(evaluation.metrics) == {*(f"BLEU-{n}" for n in range(1, 5)), "ROUGE-L", "CIDEr", "exact match"}
    with pytest.raises(UsageError, match=r"targets\[1\]: found no caption\. Expected one or several"):
        predictor.evaluate(["x.jpg", "y.jpg"], ["A dog.", []])


def test_perplexity_is_that_of_the_signatures() -> None:
    """The probability of each piece is that which the export computes from the pieces before it."""
    model, texts = zoo.load("language_model"), ["It was the best film.", "I do not know"]
    log_probabilities, is_right, num_words = [], [], 0
    end = model.signatures["encode"](text=np.array([""]))["ids"].numpy()[0, 0]
    for text in texts:
        ids = np.append(model.signatures["encode"](text=np.array([text]))["ids"].numpy()[0], end)
        prefixes = np.tril(np.broadcast_to(ids[:-1], (len(ids) - 1, len(ids) - 1)))
        scores = model.signatures["score"](ids=prefixes.astype(np.int32))["probabilities"].numpy()
        log_probabilities += np.log(scores[np.arange(len(scores)), ids[1:]]).tolist()
        is_right += (scores.argmax(1) == ids[1:]).tolist()
        num_words += len(text.replace(".", " .").split()) + 1  # the end of the paragraph
    evaluation = model.evaluate(texts)
    expected = {
        "perplexity per word": np.exp(-sum(log_probabilities) / num_words),
        "perplexity per piece": np.exp(-np.mean(log_probabilities)),
        "accuracy": 100 * np.mean(is_right),
    }
    assert evaluation.metrics == pytest.approx(expected, rel=1e-3)
    assert evaluation.as_json()["num_examples"] == 2
    with pytest.raises(UsageError, match=r"at least one text, and no targets"):
        model.evaluate(texts, texts)


def test_models_of_words_have_no_perplexity() -> None:
    predictor = make_predictor(
        zoo.tasks.get_task("language_model").predictor, input_kind="text", preprocessor={"tokenizer": {}}
    )
    with pytest.raises(UsageError, match=r"has learned the last words of sentences alone"):
        predictor.evaluate(["I speak fluent Italian"])


# Python.


@pytest.mark.parametrize(
    ("inputs", "targets", "message"),
    [
        ([], [], r"at least one, got 0 inputs and 0 targets"),
        (["Good."], ["pos", "neg"], r"Expected a label for each input, and at least one, got 1 inputs and 2"),
        (
            ["Good.", "Bad."],
            ["pos", "bad"],
            r"targets\[1\]: found the label 'bad'\. Expected .*: neg, pos\. Corr",
        ),
        (
            ["Good."],
            ["Positive"],
            r"found the label 'Positive'\. .* neg, pos\. Did you mean pos\? Correct the",
        ),
        (["Good."], ["NEG"], r"Did you mean neg\?"),
        (["Good."], [1], r"targets\[0\]: found the label 1\."),
    ],
)
def test_targets_are_checked_before_anything_is_predicted(
    inputs: list[str], targets: list[Any], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        make_classifier("neg", "pos").evaluate(inputs, targets)


def make_translator() -> TranslationPredictor:
    preprocessor = {"languages": ["en", "de"]}
    return make_predictor(TranslationPredictor, input_kind="text", preprocessor=preprocessor, settings={})


@pytest.mark.parametrize("target", [["Danke."], None, b"Danke.", 3])
def test_translations_are_texts(target: Any) -> None:
    with pytest.raises(
        UsageError, match=r"targets\[1\]: found .*\. Expected a translation as a text\. Pass a"
    ):
        make_translator().evaluate(["Thanks.", "Thanks."], ["Danke.", target])


@pytest.mark.parametrize("target", [3, None, b"A dog.", [None], [["A dog."]], [b"A dog."], {"A dog."}])
def test_captions_are_texts_or_lists_of_texts(target: Any) -> None:
    predictor = make_predictor(CaptioningPredictor, input_kind="image")
    with pytest.raises(
        UsageError, match=r"targets\[1\]: found .*\. Expected a caption, or a list of captions\."
    ):
        predictor.evaluate(["x.jpg", "y.jpg"], ["A dog.", target])


@pytest.mark.parametrize(
    ("inputs", "targets", "message"),
    [
        ("Good.", ["pos"], r"Expected a list of texts, got 'Good\.'\. Put it into a list, also a single one"),
        (3, ["pos"], "Expected a list of texts, got 3"),
        (["Good."], "pos", "Expected a list of labels, got 'pos'"),
        (["Good."], None, "Expected a list of labels, got None"),
    ],
)
def test_inputs_and_targets_are_lists(inputs: Any, targets: Any, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        make_classifier("neg", "pos").evaluate(inputs, targets)


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        (["It was.", 3], r"Expected a text, got 3\. Convert it, or leave it out"),
        ([None], "Expected a text, got None"),
        ("It was.", r"Expected a list of texts, got 'It was\.'"),
        ([], "Expected at least one text"),
    ],
)
def test_perplexity_is_that_of_texts(inputs: Any, message: str) -> None:
    task, preprocessor = zoo.tasks.get_task("language_model"), {"tokens": "word pieces"}
    predictor = make_predictor(task.predictor, input_kind="text", preprocessor=preprocessor)
    with pytest.raises(UsageError, match=message):
        predictor.evaluate(inputs)


# The command.

HEADER = "id;review;stars\n"


def test_command_prints_what_python_returns(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    predictor = zoo.load("sentiment")
    monkeypatch.setattr("zoo.serving.loading.load", lambda directory: predictor)
    texts = [
        "I was moved, and quite delighted.",
        "Dull; much too long.",
        "A fine film.",
        "xqzt",
        "dull " * 1_100,
    ]
    labels, path = ["pos", "neg", "neg", "pos", "neg"], tmp_path / "reviews.csv"
    rows = [
        f'{number};"{text}"; {label} \n'
        for number, (text, label) in enumerate(zip(texts, labels, strict=True))
    ]
    path.write_text(HEADER + "".join([*rows[:2], ";;\n", *rows[2:]]))

    def run(*options: str) -> tuple[str, str]:
        columns = ["--column", "Review", "--target-column", "stars"]
        monkeypatch.setattr("sys.argv", ["zoo", "evaluate", "sentiment", str(path), *columns, *options])
        with pytest.raises(SystemExit) as exit_:
            cli.main()
        assert exit_.value.code == 1
        return capsys.readouterr()

    evaluation = predictor.evaluate(texts, labels)
    assert isinstance(evaluation, Evaluation)
    out, err = run("--json")
    assert json.loads(out) == evaluation.as_json()
    assert (evaluation.as_json()["num_without_answer"], evaluation.as_json()["num_read_in_part"]) == (1, 1)
    assert f"error: {path}, line 6: none of the words is known" in err
    assert f"error: {path}, line 7: cut: " in err
    assert "error: 2 of 5 inputs have no answer or were read in part; see above.\n" in err
    assert "rows, separated by semicolons, in UTF-8" in caplog.text
    lines = run()[0].splitlines()
    assert lines[0] == "5 texts"
    assert lines[2].split(maxsplit=2)[:2] == ["accuracy", f"{evaluation.metrics['accuracy']:.1f}"]
    assert lines[2].endswith(" at 95 % confidence, 5 examples)")
    assert len(json.loads(out)["report"]["accuracy_interval"]) == 2
    assert ["pos", "50.0", "50.0", "50.0", "2"] in [line.split() for line in lines]
    assert lines[-1].startswith("warning: The test scores are those of 5 examples")


@pytest.mark.parametrize(
    ("content", "options", "error", "message"),
    [
        (
            f"{HEADER}1;Good.;pos\n2;Bad.;5\n",
            {},
            DataError,
            r"a\.csv, line 3: found the label '5'\. Expected .* neg, pos",
        ),
        (f"{HEADER}1;Good.; \n", {}, DataError, r"a\.csv, line 2: found no label\. Expected one in each row"),
        (f"{HEADER}1; ;pos\n", {}, DataError, r"a\.csv, line 2: found no text\. Expected one in each row"),
        (HEADER, {}, DataError, r"a\.csv contains no examples"),
        (f"{HEADER};;\n", {}, DataError, r"a\.csv contains no examples"),
        (f"{HEADER}1;Good.\n", {}, DataError, r"a\.csv, line 2: found 2 cells"),
        (
            f"{HEADER}1;Good.;pos\n",
            {"column": "reviews"},
            UsageError,
            r"found the columns id, review, stars, .* reviews\. Did you mean review\? .* of the texts with --column",
        ),
        (
            f"{HEADER}1;Good.;pos\n",
            {"target_column": "star"},
            UsageError,
            r"the column star\. Did you mean stars\? Name the column of the labels with --target-column",
        ),
        (
            f"{HEADER}1;Good.;pos\n",
            {"target_column": None},
            UsageError,
            r"Expected a header with the column label\.",
        ),
    ],
)
def test_what_is_wrong_with_a_table_is_an_error(
    tmp_path: Path, content: str, options: dict[str, Any], error: type, message: str
) -> None:
    (tmp_path / "a.csv").write_text(content)
    options = {"column": "review", "target_column": "stars", **options}
    with pytest.raises(error, match=message):
        run_evaluate(make_classifier("neg", "pos"), EvaluateOptions(tmp_path / "a.csv", **options))


def test_options_are_checked_before_a_model_is_loaded(tmp_path: Path) -> None:
    path = tmp_path / "reviews.csv"
    with pytest.raises(UsageError, match=r"There is no file .*reviews\.csv"):
        EvaluateOptions(path).check("text")
    path.write_text("text,label\n")
    EvaluateOptions(path).check("text")
    with pytest.raises(UsageError, match=r"reads arrays of features"):
        EvaluateOptions(path).check("array")
    with pytest.raises(UsageError, match=r"no encoding 'utf-9'"):
        EvaluateOptions(path, encoding="utf-9").check("text")
    with pytest.raises(UsageError, match=r"dog\.jpg is no table\. Expected \.csv or \.tsv"):
        EvaluateOptions(DOG).check("text")


def test_rows_with_the_same_image_are_one_example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.jpg").write_bytes(DOG.read_bytes())
    (tmp_path / "a.csv").write_text(f'image,caption\na.jpg,A dog.\n{DOG},"One dog, alone"\na.jpg,The dog\n')
    predictor, calls = make_predictor(CaptioningPredictor, input_kind="image"), []

    def evaluate(inputs: Sequence[Path], targets: Sequence[Any], progress: bool) -> Evaluation:
        calls.append((inputs, targets))
        return Evaluation({"BLEU-4": 1.0}, len(inputs))

    monkeypatch.setattr(predictor, "evaluate", evaluate)
    run_evaluate(predictor, EvaluateOptions(tmp_path / "a.csv"))
    assert calls == [([tmp_path / "a.jpg", DOG], [["A dog.", "The dog"], ["One dog, alone"]])]
    (tmp_path / "a.csv").write_text("image,caption\na.jpg,A dog.\nb.jpg,A cat.\n")
    with pytest.raises(
        DataError, match=r"a\.csv, line 3: there is no file .*b\.jpg\. Expected the path of the image"
    ):
        run_evaluate(predictor, EvaluateOptions(tmp_path / "a.csv"))


def test_labels_of_a_table_are_renamed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "zoo")
    predictor, calls = make_classifier("neg", "pos"), []

    def evaluate(inputs: Sequence[str], targets: Sequence[str], progress: bool) -> Evaluation:
        calls.append((inputs, targets))
        return Evaluation({"accuracy": 50.0}, len(inputs))

    monkeypatch.setattr(predictor, "evaluate", evaluate)
    path = tmp_path / "a.csv"
    path.write_text(f"{HEADER}1;Bad.;1\n2;So so.;3\n;;\n3;Good.; 5\n4;Fine.;pos\n")
    options = {"column": "review", "target_column": "stars"}
    renames = {"1": "neg", "3": "", "5": "pos"}
    run_evaluate(predictor, EvaluateOptions(path, rename_labels=renames, **options))
    assert calls == [([b"Bad.", b"Good.", b"Fine."], ["neg", "pos", "pos"])]
    assert caplog.messages[-1] == "Left out, by --rename-labels: 1 row with the label 3."
    for wrong, error, message in (
        (
            {"1": "negg"},
            UsageError,
            r"the model has no label 'negg'\. Expected .* neg, pos\. Did you mean neg\?",
        ),
        (
            dict.fromkeys(["1", "3", "5", "pos"], ""),
            DataError,
            r"a\.csv: --rename-labels leaves out all 4 rows\. Give",
        ),
        ({"4": "pos"}, DataError, r"a\.csv: --rename-labels names 4, .* some of 1, 3, 5, pos\."),
    ):
        with pytest.raises(error, match=message):
            run_evaluate(predictor, EvaluateOptions(path, rename_labels=wrong, **options))
    translator = make_predictor(TranslationPredictor, input_kind="text", labels=[])
    with pytest.raises(UsageError, match=r"--rename-labels: the model has no labels"):
        run_evaluate(translator, EvaluateOptions(path, rename_labels=renames, column="review"))


def test_language_models_take_texts_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    predictor = make_predictor(
        zoo.tasks.get_task("language_model").predictor,
        input_kind="text",
        preprocessor={"tokens": "word pieces"},
    )
    calls = []
    monkeypatch.setattr(
        predictor, "evaluate", lambda *args, **_: calls.append(args) or Evaluation({"a": 1.0}, 1)
    )
    (tmp_path / "a.csv").write_text("text,label\nIt was.,x\n")
    run_evaluate(predictor, EvaluateOptions(tmp_path / "a.csv"))
    assert calls == [([b"It was."], [])]
    with pytest.raises(UsageError, match=r"--target-column: the model is scored on texts alone"):
        run_evaluate(predictor, EvaluateOptions(tmp_path / "a.csv", target_column="label"))


def test_taggers_are_refused() -> None:
    predictor = make_predictor(
        zoo.tasks.get_task("frame_tagging").predictor, input_kind="video", labels=["shot", "cut"]
    )
    with pytest.raises(UsageError, match=r"tags each step of a sequence, .*`zoo\.metrics\.score_frames`"):
        run_evaluate(predictor, EvaluateOptions(Path("videos.csv")))


def test_a_plugin_is_evaluated_if_its_task_has_the_method(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.syspath_prepend(PLUGINS)
    from zoo_rating import RatingPrediction, RatingPredictor

    (tmp_path / "a.csv").write_text("text,target\ngood good,2\nbad,-1.5\n")
    options = EvaluateOptions(tmp_path / "a.csv", json=True)
    plain = make_predictor(RatingPredictor, input_kind="text", task="rating")
    with pytest.raises(
        UsageError, match=r"of the task 'rating' cannot be evaluated: .*`evaluate_predictions`"
    ):
        run_evaluate(plain, options)

    class EvaluatedPredictor(RatingPredictor):
        def predict_batch(self, inputs: Sequence[bytes], progress: bool) -> list[RatingPrediction]:
            return [RatingPrediction("", float(len(text))) for text in inputs]

        def evaluate_predictions(
            self, inputs: Sequence[bytes], predictions: Sequence[RatingPrediction], targets: Sequence[str]
        ) -> Evaluation:
            errors = [p.rating - float(target) for p, target in zip(predictions, targets, strict=True)]
            return Evaluation({"error": float(np.mean(np.abs(errors)))}, len(inputs), predictions)

    predictor = make_predictor(EvaluatedPredictor, input_kind="text", task="rating")
    run_evaluate(predictor, options)
    assert json.loads(capsys.readouterr().out) == {
        "num_examples": 2,
        "num_without_answer": 0,
        "num_read_in_part": 0,
        "metrics": {"error": (7 + 4.5) / 2},
        "report": None,
    }
    monkeypatch.setattr(EvaluatedPredictor, "predict_batch", fail)
    with pytest.raises(InputError, match=r"a\.csv: the model fails: no memory"):
        run_evaluate(predictor, options)


def fail(*_: object) -> None:
    import tensorflow as tf

    raise tf.errors.ResourceExhaustedError(None, None, "no memory")
