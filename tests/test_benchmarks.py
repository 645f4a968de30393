"""The benchmarks run, and their tables agree with what they measure."""

import importlib.util
import json
import os
import re
import runpy
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import tensorflow as tf

import zoo
from zoo.datasets import DataInfo, load_text, load_text_classification
from zoo.errors import UsageError
from zoo.preprocessing.text import WordPieceTokenizer, write_vocabulary
from zoo.recipes import translation
from zoo.tasks.translation import TASK, TranslationModule, TranslationPreprocessor
from zoo.training import Run

pytestmark = pytest.mark.slow

SCRIPT = Path(__file__).parents[1] / "benchmarks" / "recurrence.py"
sys.path.append(str(SCRIPT.parent))  # as for a script: some import another one


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"benchmark_of_{name}", SCRIPT.with_stem(name))
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


SHAPE = (2, 3, 2, 4)


@pytest.fixture(scope="module")
def benchmark() -> ModuleType:
    return load("recurrence")


def test_recurrence_prints_a_row_for_each_contender(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    json_path = tmp_path / "times.json"
    options = ["--rounds", "2", "--families", "LSTM", "--shapes", "2,3,2,4", "--no-memory", "--json"]
    monkeypatch.setattr(sys, "argv", [str(SCRIPT), *options, str(json_path)])
    runpy.run_path(str(SCRIPT), run_name="__main__")
    blocks = tables(capsys.readouterr().out)
    times, means, to_ours = (re.findall(r"^\| (.*) \|$", block, re.M) for block in blocks)
    ours = ["zoo, jit", "zoo, subclass", "zoo, layer norm"]
    contenders = ["keras", "keras, jit", "keras RNN(cell)", "zoo", *ours, "products"]
    names = [line.split("|")[0].strip() for line in times]
    assert [name for name in names if name != "torch"][2:] == contenders
    assert [line.split("|")[0].strip() for line in means] == names
    assert [line.split("|")[0].strip() for line in to_ours][2:] == ours
    for row in json.loads(json_path.read_text(encoding="utf-8"))["times"]:
        assert [len(row["seconds"][task]) for task in ("forward", "training")] == [2, 2]
        line = times[names.index(row["contender"])].split("|")
        assert float(line[3]) == pytest.approx(1000 * np.mean(row["seconds"]["training"]), abs=0.01)


def test_recurrence_names_the_gpu(benchmark: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    assert benchmark.describe_machine()["gpu"] == "none"
    monkeypatch.setattr(benchmark, "GPUS", ["GPU:0"])
    monkeypatch.setattr(
        tf.config.experimental, "get_device_details", lambda gpu: {"device_name": f"card {gpu}"}
    )
    build = {"cuda_version": "13.0", "cudnn_version": "9"}
    monkeypatch.setattr(tf.sysconfig, "get_build_info", lambda: build)
    assert benchmark.describe_machine()["gpu"] == "card GPU:0, CUDA 13.0, cuDNN 9"
    assert benchmark.make_timed_call(lambda x: x @ x, tf.ones((2, 2)))() > 0


@pytest.fixture(scope="module")
def cells() -> Iterator[ModuleType]:
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.syspath_prepend(SCRIPT.parent)  # it imports recurrence.py
        yield load("cells")


def test_cells_measures_every_cell(cells: ModuleType) -> None:
    classes = {getattr(zoo.cells, name) for name in zoo.cells.__all__ if name.endswith("Cell")}
    bases = {zoo.Cell, zoo.GatedCell, zoo.LinearCell, zoo.cells.TimeInputCell}
    assert {layer.cell_class for layer in cells.find_layers().values()} == classes - bases
    shape = (2, 3, 4, 8)
    for name in cells.list_cells():
        layer = cells.make_layer(name, shape)
        inputs = cells.make_inputs(layer.cell, shape)
        outputs = layer(inputs)
        assert outputs.shape == (2, 3, layer.cell.output_size)
        keras_rnn = cells.make_keras_rnn(layer)
        assert keras_rnn.cell is not layer.cell
        assert keras_rnn.cell.get_config() == layer.cell.get_config()


def test_cells_prints_a_row_for_each_cell_and_scan(
    cells: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    json_path = tmp_path / "times.json"
    cells.run(cells.Settings(("RGLRU", "GRU"), 2, ("2,3,4,8",), (5, 3), json_path))
    table, scans = (re.findall(r"^\| (.*) \|$", block, re.M)[2:] for block in tables(capsys.readouterr().out))
    table, scans = (
        [[cell.strip() for cell in line.split("|")] for line in lines] for lines in (table, scans)
    )
    assert [row[0] for row in table] == ["keras.layers.LSTM", "GRU", "RGLRU"]
    assert all(float(cell) > 0 for row in table[1:] for cell in row[1:])
    assert [row[0] for row in scans] == ["RGLRU, forward", "RGLRU, training"]
    seconds = json.loads(json_path.read_text(encoding="utf-8"))["cells"][1]["seconds"]
    ratios = np.divide(seconds["cell"]["training"], seconds["keras"]["training"])
    assert float(table[1][6]) == pytest.approx(np.median(ratios), abs=0.01)


def test_cells_reports_a_layer_that_fails(cells: ModuleType) -> None:
    def fail() -> None:
        raise ValueError("this\nfails")

    calls = {task: lambda: 1.0 for task in cells.TASKS}
    row = cells.measure("x", SHAPE, {"zoo.LSTM": lambda: calls, "cell": lambda: calls, "keras": fail}, 1)
    assert row.failures == {"keras": "ValueError: this fails"}
    cells_of_row = cells.format_cells([row]).splitlines()[2].replace("|", "").split()
    assert cells_of_row == ["x", "1000.00", "1.00", "–", "1000.00", "1.00", "–"]


def test_cells_finds_the_length_from_which_a_scan_is_faster(cells: ModuleType) -> None:
    assert cells.find_crossover([10, 30, 100], [1.2, 0.9, 0.5]) == 30
    assert cells.find_crossover([10, 30, 100], [0.9, 1.0, 0.5]) == 100
    assert cells.find_crossover([10, 30], [0.5, 1.1]) is None
    with pytest.raises(UsageError, match="--cells: LSTN: expected some of"):
        cells.select_cells(("LSTN",))


def test_compilation_compares_starts_of_a_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    compilation = load("compilation")
    settings = compilation.Settings(rounds=2, lengths=(3, 5), batches=1, vocabulary_size=9)
    seconds, processor_seconds = compilation.train(settings)
    assert seconds > 0
    assert processor_seconds > 0
    results = iter([[4, 8], [5, 9], [2, 2], [4, 8], [5, 9], [1, 2]])
    switches = []

    def run_in_child(ZOO_XLA_CACHE: str, XDG_CACHE_HOME: str) -> list[float]:
        switches.append((ZOO_XLA_CACHE, XDG_CACHE_HOME))
        return next(results)

    monkeypatch.setattr(compilation, "run_in_child", run_in_child)
    compilation.measure(settings)
    assert [switch for switch, _ in switches] == ["0", "1", "1"] * 2
    assert len({directory for _, directory in switches}) == 2  # each round starts with an empty cache
    assert capsys.readouterr().out.splitlines()[-1] == "| second start | 1.50 | 0.38 | 2.00 | 0.25 |"


def test_training_contenders_have_the_same_data_and_number_of_weights(tmp_path: Path) -> None:
    training = load("training")
    settings = training.Settings(examples=40, units=4, embedding_dim=4, batch_size=16)
    cache_path = tmp_path / "texts"
    training.prepare(settings, cache_path)

    def texts(batches: tf.data.Dataset) -> list[list[int]]:
        return sorted([n for n in row if n] for ids, _ in batches for row in ids.numpy().tolist())

    buckets = training.load_buckets(settings, cache_path)(0)
    padded = training.load_padded_batches(settings, cache_path)
    assert len(texts(buckets)) == 40
    assert texts(buckets) == texts(padded)
    assert [len(labels) for _, labels in padded] == [16, 16, 8]
    ours = zoo.ManyToOne(10_000, 4, zoo.Encoder(zoo.LSTMCell(4), bidirectional=True), 2)
    ours.build((None, None))
    assert ours.count_params() == training.build_keras_model(settings).count_params()
    assert list(training.CONTENDERS) == ["zoo", "keras, same batches", "keras, padded batches"]


def tables(text: str) -> list[str]:
    return [block for block in text.split("\n\n") if block.startswith("|")]


def test_invalid_shapes_raise(benchmark: ModuleType) -> None:
    assert benchmark.read_shape("1") == (32, 200, 64, 64)
    assert benchmark.read_shape("1,2,3,4") == (1, 2, 3, 4)
    for text in ("6", "-1", "1,2,3", "1,2,3,0", "a"):
        with pytest.raises(benchmark.UsageError, match="--shapes"):
            benchmark.read_shape(text)


def test_ratios_compare_medians_with_the_faster_keras(benchmark: ModuleType) -> None:
    times = {"keras": ([4, 9, 5], [20]), "keras, jit": ([8], [10]), "zoo": ([1, 2, 60], [5]), "x": ([4], [1])}
    rows = rows_of(benchmark, SHAPE, times)
    assert [benchmark.ratio(rows[2], rows, task) for task in ("forward", "training")] == [2 / 5, 1 / 2]
    assert benchmark.ratio(rows[3], rows, "forward", ["zoo"]) == 2


def test_mean_ratios_are_geometric_means_over_the_main_shapes(benchmark: ModuleType) -> None:
    keras = {"keras": ([1], [1]), "keras, jit": ([2], [2])}
    odd = rows_of(benchmark, SHAPE, keras | {"zoo": ([7], [1])})
    assert benchmark.mean_ratios(odd, "LSTM", "zoo") == pytest.approx([7, 1])
    first, second = benchmark.MAIN[:2]
    rows = odd + rows_of(benchmark, first, keras | {"zoo": ([1], [2])})
    rows += rows_of(benchmark, second, keras | {"zoo": ([4], [8])})
    assert benchmark.mean_ratios(rows, "LSTM", "zoo") == pytest.approx([2, 4])
    assert benchmark.mean_ratios(rows, "GRU", "zoo") == []


def rows_of(benchmark: ModuleType, shape: tuple[int, ...], times: dict[str, tuple[list, list]]) -> list:
    return [
        benchmark.Row("LSTM", shape, name, {}, dict(zip(("forward", "training"), both, strict=True)))
        for name, both in times.items()
    ]


def test_memory_is_the_difference_of_medians(benchmark: ModuleType) -> None:
    assert benchmark.stored_memory({"forward": [100, 900, 110], "training": [400, 300, 310]}) == 200


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc of Linux")
def test_peak_memory_is_that_of_the_process_and_includes_freed_memory(benchmark: ModuleType) -> None:
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    peak, now = (int(re.search(rf"{name}:\s*(\d+)", status)[1]) / 1024 for name in ("VmHWM", "VmRSS"))
    held = np.ones(int((peak - now + 200) * 2**20), "int8")
    assert benchmark.read_peak_memory(os.getpid()) == pytest.approx(peak + 200, abs=30)
    del held
    assert benchmark.read_peak_memory(os.getpid()) == pytest.approx(peak + 200, abs=30)
    program = "held = bytearray(b'x') * (50 * 2**20); del held; print(flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        child.stdout.readline()
        assert 50 < benchmark.read_peak_memory(child.pid) < 100  # not that of this process
        child.communicate(b"\n")


@pytest.fixture(scope="module")
def decoding() -> ModuleType:
    return load("decoding")


SMALL = translation.Settings(
    cell="simple_rnn", units=3, embedding_dim=4, decoder_depth=1, num_beams=2, max_tokens=9
)


def export_translator(directory: Path) -> Path:
    """Export a translator with random weights, biased towards [END] and [UNK]."""
    special = ["[PAD]", "[UNK]", "[START]", "[END]"]
    tokenizers = []
    for side, letters in (("source", "abcde"), ("target", "xyz")):
        vocabulary = [*special, *(f"▁{letter}" for letter in letters), *letters]
        path = write_vocabulary(vocabulary, directory / f"{side}.txt")
        tokenizers.append(WordPieceTokenizer(path, SMALL.max_tokens))
    preprocessor = TranslationPreprocessor(*tokenizers, languages=("en", "de"))
    model = translation.build_model(SMALL, preprocessor, SMALL.attention)
    model.build(((None, None), (None, None)))
    random = np.random.default_rng(2)
    model.set_weights([random.normal(size=weight.shape) for weight in model.weights])
    model.decoder.bias.assign([-9, 1, -9, 1, *[0] * 6])
    module = TranslationModule(preprocessor, model, SMALL.num_beams, SMALL.length_penalty)
    run = Run(directory / "run", SMALL)
    return TASK.export(run, module, DataInfo("letters"), directory / "1", {"text": ["a b"]})


@pytest.mark.usefixtures("predict_in_process")
def test_export_and_loops_give_the_same_translations(
    decoding: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    contenders, build_contenders = {}, decoding.build_contenders
    monkeypatch.setattr(
        decoding, "build_contenders", lambda *args: contenders.update(build_contenders(*args)) or contenders
    )
    model, file = export_translator(tmp_path), tmp_path / "sentences.txt"
    file.write_text("q c\n\nq b q\ne\n", encoding="utf-8")
    same = decoding.run(decoding.Settings(model, file, sentences=2, batch_size=3, rounds=1))
    out = capsys.readouterr().out
    assert same, out
    assert "greedy translations that differ: 0" in out
    assert len(tables(out)) == 2
    for block in tables(out):
        rows = [line.strip("| ").split(" | ") for line in block.splitlines()[2:]]
        assert [row[0] for row in rows] == list(contenders)
        assert list(contenders) == ["export, greedy", "export, 2 beams", "predict loop", "compiled loop"]
        assert all(float(cell) > 0 for row in rows for cell in row[1:])
        assert float(rows[2][2]) == 1
    # Two translations end, one of them at once; one reaches the limit; two contain copied words.
    assert contenders["compiled loop"]([b"q c", b"q b q", b"e"]) == [b"q q", b"", b"x" + 11 * b" e"]


def test_different_translations_are_reported(decoding: ModuleType) -> None:
    same, other = [b"x", b"y"], [b"x", b"z"]
    translations = {
        "export, greedy": same,
        "export, 2 beams": other,
        "predict loop": same,
        "compiled loop": same,
    }
    assert decoding.find_differences(translations, [b"a", b"b"]) == []
    for loop in ("predict loop", "compiled loop"):
        (line,) = decoding.find_differences(translations | {loop: other}, [b"a", b"b"])
        assert line.startswith("'b': ")
        assert "'z'" in line


SHIPPED = SCRIPT.parents[1] / "saved_models"


def test_exports_of_other_tasks_raise(decoding: ModuleType) -> None:
    captioning, tagging, sentiment = map(load, ("captioning", "tagging", "sentiment"))
    with pytest.raises(UsageError, match="expected 'translation'"):
        decoding.run(decoding.Settings(SHIPPED / "sentiment" / "1"))
    with pytest.raises(UsageError, match="has no output captions"):
        captioning.run(captioning.Settings(SHIPPED / "sentiment" / "1"))
    with pytest.raises(UsageError, match="has no signature step"):
        tagging.run(tagging.Settings(SHIPPED / "sentiment" / "1"))
    with pytest.raises(UsageError, match="expected 'text_classification'"):
        sentiment.measure(sentiment.Measure(model=SHIPPED / "translation" / "1"))


def test_rates_are_computed_from_medians_over_rounds(decoding: ModuleType) -> None:
    seconds = {"x": [[1, 1], [3, 2], [9, 1]], "predict loop": [[8, 2], [9, 1], [7, 1]]}
    rows = decoding.format_table(seconds, 20).splitlines()[2:]
    assert rows == ["| x | 4 | 2 | 1500.0 |", "| predict loop | 2 | 1 | 4500.0 |"]


def test_captioning_prints_a_row_for_each_search_and_batch_size(capsys: pytest.CaptureFixture[str]) -> None:
    captioning = load("captioning")
    captioning.run(captioning.Settings(size=80, batch_sizes=(1, 2), rounds=1))
    (table,) = tables(capsys.readouterr().out)
    rows = [line.strip("| ").split(" | ") for line in table.splitlines()[2:]]
    beams = "3 beams, 3 best"
    assert [row[:2] for row in rows] == [[name, size] for size in "12" for name in ("greedy", beams)]
    assert all(float(row[2]) > 0 for row in rows)


def test_tagging_compares_the_steps_of_an_export(capsys: pytest.CaptureFixture[str]) -> None:
    tagging = load("tagging")
    tagging.run(tagging.Settings(clips=1))
    (table,) = tables(capsys.readouterr().out)
    rows = [line.strip("| ").split(" | ") for line in table.splitlines()[2:]]
    assert [row[0] for row in rows] == ["TensorFlow", "step.tflite", "step_int8.tflite"]
    agreements = [float(row[2].removesuffix(" %")) for row in rows]
    assert agreements[:2] == [100, 100]
    assert agreements[2] > 90


def test_decoder_compares_training_steps(capsys: pytest.CaptureFixture[str]) -> None:
    decoder = load("decoder")
    decoder.main(decoder.Settings(batch_size=2, steps=3, vocabulary_size=9, units=4, depth=1, rounds=1))
    rows = [line.strip("| ").split(" | ") for line in capsys.readouterr().out.splitlines()[2:]]
    assert [row[0] for row in rows] == list(decoder.CONTENDERS)
    assert float(rows[0][2]) == 1


def test_language_model_compares_training_steps(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.syspath_prepend(SCRIPT.parent)  # it imports translation.py
    benchmark = load("language_model")
    sizes = {"vocabulary_size": 30, "units": 4, "depth": 1, "batch_size": 3, "steps": 4, "rounds": 2}
    benchmark.main(benchmark.Settings(num_sampled=(2, 5), **sizes))
    out = capsys.readouterr().out
    assert 3 < int(re.search(r"(\d+) different targets", out)[1]) <= 12
    (table,) = tables(out)
    rows = [line.strip("| ").split(" | ") for line in table.splitlines()[2:]]
    assert [row[0] for row in rows] == ["all tokens", "2 sampled", "5 sampled"]
    assert float(rows[0][3]) == 1


def test_translation_compares_training_steps_and_batches(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    benchmark = load("translation")
    for name, size in {"VOCABULARY_SIZE": 20, "EMBEDDING_DIM": 6, "UNITS": 4, "PAIRS": 30}.items():
        monkeypatch.setattr(benchmark, name, size)
    sizes = {"source_tokens": 3, "target_tokens": 4, "batch_size": 5, "rounds": 1}
    names = []
    for tokens in (None, 60):
        benchmark.main(benchmark.Settings(**sizes, tokens=tokens))
        (table,) = tables(capsys.readouterr().out)
        rows = [line.strip("| ").split(" | ") for line in table.splitlines()[2:]]
        assert all(float(row[1]) >= 0 for row in rows)
        assert float(rows[0][3]) == 1
        names.append([row[0] for row in rows])
    assert names[0] == ["usual", "loss", "optimizer", "accuracy", "recipe", "vocabulary products"]
    assert names[1] == ["5 pairs", "up to 60 tokens"]
    with pytest.raises(UsageError, match="at least 8"):
        benchmark.main(benchmark.Settings(tokens=4))


def test_contenders_of_translation_compute_the_same() -> None:
    benchmark = load("translation")
    labels, logits = np.array([[1, 2]]), np.random.default_rng(1).normal(size=(1, 2, 5)).astype("float32")
    losses = [
        float(kind(0.1)(labels, logits))
        for kind in (benchmark.DifferentiatedLoss, benchmark.LabelSmoothedCrossentropy)
    ]
    assert losses[0] == pytest.approx(losses[1], rel=1e-6)
    accuracies = [
        build("accuracy") for build in (benchmark.build_usual_accuracy, benchmark.build_fast_accuracy)
    ]
    for accuracy in accuracies:
        accuracy.update_state(np.array([logits[0, 0].argmax(), logits[0, 1].argmin()]), logits[0])
    assert [float(accuracy.result()) for accuracy in accuracies] == [0.5, 0.5]


def write_tsv(path: Path, rows: list[tuple[str, str]]) -> None:
    path.parent.mkdir(exist_ok=True)
    lines = ["label\ttext", *("\t".join(row) for row in rows)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def test_sentiment_prepare_mixes_reviews_and_sentences(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sentiment = load("sentiment")

    def write_splits(name: str, texts: list[str]) -> Path:
        for split, part in (("train", texts[:-6]), ("test", texts[-6:])):
            rows = [("negative" if i % 2 else "positive", text) for i, text in enumerate(part)]
            write_tsv(tmp_path / name / f"{split}.tsv", rows)
        return tmp_path / name

    last_sentences = [f"The end of {i} is{' very' * (i // 3)} long!" for i in range(90)]
    reviews = [f"Seen in {i}.<br />It has  a plot. {last}" for i, last in enumerate(last_sentences)]
    sentences = ["Best tacos ever!", *(f"A film of {i} is n't it 's mine ." for i in range(46))]
    directories = write_splits("reviews", reviews), write_splits("sentences", sentences)
    sentiment.prepare(sentiment.Prepare(*map(str, directories), tmp_path / "mixed"))
    assert "next: zoo train sentiment --dataset" in capsys.readouterr().out
    mixed = load_text_classification(str(tmp_path / "mixed"))
    assert (mixed.info.labels, mixed.info.notes) == (("neg", "pos"), ())
    train, validation, test = (
        sentiment.read_rows(split) for split in (mixed.train, mixed.validation, mixed.test)
    )
    assert [text for _, text in test] == [" ".join(text.split()) for text in reviews[-6:]]
    assert not {text for _, text in train} & {text for _, text in validation}
    labels = {text: label for label, text in train}
    in_train = [i for i in range(84) if labels.get(" ".join(reviews[i].split())) == ("pos", "neg")[i % 2]]
    assert 60 < len(in_train) < 84
    extracted = [text for _, text in train if re.match(r"The end of \d", text)]
    assert extracted == [last_sentences[i] for i in in_train if len(last_sentences[i].split()) <= 25]
    split, joined = (
        {text for _, text in train if re.match(r"A film of \d", text) and word in text}
        for word in ("is n't", "isn't")
    )
    assert {text.replace(" n't", "n't").replace(" 's", "'s") for text in split} == joined
    assert 20 < len(joined) == sum(bool(re.match(r"A film of \d", text)) for _, text in train) / 2
    assert not {text for _, text in train} & {"Best tacos ever!", "Five stars!"}  # of short_sentences.tsv
    for name, splits in (("negation", ("train",)), ("opinions", ("train", "validation", "test"))):
        for each in splits:
            texts = {text for _, text in sentiment.read_rows(getattr(sentiment.load_binary(name), each))}
            assert len(texts - {text for _, text in train}) < 100


def test_language_text_mixes_reviews_and_sentences(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    reviews = [f"Seen in {i}.<br /><br />It has  a plot." for i in range(30)]
    for split, texts in (("train", [*reviews, "HELLO"]), ("test", ["A test review."])):
        write_tsv(
            tmp_path / "reviews" / f"{split}.tsv",
            [("neg" if i % 2 else "pos", text) for i, text in enumerate(texts)],
        )
    pairs = [(f"I am {i}.", f"Ich bin {i}.") for i in range(200)] + [
        ("Hello!", "Hallo!"),
        ("Hello!", "Guten Tag!"),
    ]
    (tmp_path / "en-de.tsv").write_text("\n".join("\t".join(pair) for pair in pairs), encoding="utf-8")
    output = tmp_path / "new" / "text.txt"
    settings = load("language_text").Settings(str(tmp_path / "reviews"), str(tmp_path / "en-de.tsv"), output)
    contents = []
    for _ in range(2):
        load("language_text").run(settings)
        contents.append(output.read_text(encoding="utf-8"))
    assert contents[0] == contents[1]
    paragraphs = contents[0].split("\n\n")
    assert paragraphs.pop() == ""
    expected = (
        [f"Seen in {i}. It has a plot." for i in range(30)] + ["HELLO"] + [f"I am {i}." for i in range(200)]
    )
    assert sorted(paragraphs) == sorted(expected)
    assert paragraphs != expected
    assert "31 reviews and 202 sentences, of which 231 differ: 811 words" in capsys.readouterr().out
    splits = load_text(output)
    assert sum(passage.endswith("\n") for passage in splits.train) == len(splits.train) > 190


def test_sentiment_measure_computes_the_accuracy(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sentiment = load("sentiment")
    train = [("neg", "Dull."), ("pos", "Fine.")]
    write_tsv(tmp_path / "train.tsv", train * 9)
    write_tsv(tmp_path / "validation.tsv", [("neg", "Dull.")])
    dreadful = ("neg", "A dreadful waste of time.")
    wrong = ("pos", "Boring, awful, terrible.")
    write_tsv(tmp_path / "test.tsv", [dreadful, ("pos", "A wonderful film."), wrong, dreadful])
    model = SHIPPED / "sentiment" / "1"
    settings = sentiment.Measure(
        sentences=str(tmp_path), half="evaluation", train=tmp_path / "train.tsv", model=model
    )
    accuracies = sentiment.measure(settings)
    assert accuracies["sentences"] == 75
    # Of the words of the test sentences, naive Bayes knows none: all are called negative, two of them are.
    assert re.search(
        r"^\| sentences \| 4 \| 75\.0 % \| \d+\.\d % \| 50\.0 % \|$", capsys.readouterr().out, re.M
    )
    short = load("short_sentences")
    sentences = short.read_sentences("evaluation")
    labels = short.classify(model, [sentence.text for sentence in sentences])
    expected = np.mean([label == sentence.label for label, sentence in zip(labels, sentences, strict=True)])
    assert accuracies["short sentences, evaluation"] == pytest.approx(100 * expected)
    write_tsv(tmp_path / "train.tsv", [*train, ("soso", "Well.")] * 9)
    with pytest.raises(UsageError, match="expected two, negative first"):
        sentiment.measure(settings)


def test_exports_times_layers(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    exports = load("exports")
    monkeypatch.setattr(exports, "SHAPES", ((3, 4, 5),))
    exports.run(exports.Settings(layers=("LSTM", "GRU"), batch_sizes=(1, 2), rounds=2))
    exports.run(exports.Settings(layers=("LSTM",), batch_sizes=(2,), rounds=2, masked=True))
    printed = capsys.readouterr().out
    titles = re.findall(r"^(?:LSTM|GRU), batch \d, 3 steps, 4 features, 5 units$", printed, re.M)
    assert len(titles) == len(set(titles)) + 1 == 5
    names = re.findall(r"^\| (chunks|export|strings|onnx) \|", printed, re.M)
    assert Counter(names) == {"chunks": 5, "export": 5, "strings": 5, "onnx": 4}
    with pytest.raises(UsageError, match="--layers: expected some of LSTM"):
        exports.run(exports.Settings(layers=("RNN",)))


def test_exports_compares_the_outputs_of_models(capsys: pytest.CaptureFixture[str]) -> None:
    exports = load("exports")
    model = SHIPPED / "sentiment" / "1"
    exports.run(exports.Settings(models=(model, model), batch_sizes=(3,), rounds=1))
    assert "3 at once; outputs are the same" in capsys.readouterr().out
    outputs = {"label": np.array(["pos"]), "scores": np.array([0.25])}
    assert exports.are_same({**outputs, "scores": np.array([0.250001])}, outputs)
    assert not exports.are_same({**outputs, "scores": np.array([0.26])}, outputs)
    assert not exports.are_same({**outputs, "label": np.array(["neg"])}, outputs)
    with pytest.raises(UsageError, match="takes frames, lengths"):
        exports.run(exports.Settings(models=(SHIPPED / "tagging" / "1",)))


# The page.


def test_page_answers_every_well_behaved_client_under_load() -> None:
    module = load("page_load")
    results = module.measure(module.Settings(clients=12, slow_clients=12, broken_clients=4, seconds=8))
    assert not results.lost
    assert len(results.seconds) > 24
    assert results.num_slow
    assert results.num_broken > 20
    before, highest, _ = results.megabytes
    assert 100 < before < highest + 1
    assert highest - before < 100
    table = module.format_results(results)
    assert f"| answered | {len(results.seconds):,} |" in table
    assert "| lost | 0 |" in table


def test_settings_measures_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("zoo.training.amount._MAX_EPOCHS", 2)  # the defaults are 40 for so few texts
    settings = load("settings")
    random = np.random.default_rng(0)
    for split, count in (("train", 60), ("validation", 30), ("test", 3)):
        labels = ["bad", "good"] * count
        rows = [(label, f"{label} {' '.join(random.choice(list('abcdef'), 6))}") for label in labels]
        write_tsv(tmp_path / "texts" / f"{split}.tsv", rows)
    options = settings.Settings(
        dataset=str(tmp_path / "texts"),
        sizes=(50,),
        variants=("units=2,embedding_dim=3,batch_size=8,epochs=1",),
        seeds=2,
        held_out=20,
        results=tmp_path / "results" / "settings.jsonl",
    )
    with zoo.disable_jit():
        settings.run(options)
    first = capsys.readouterr().out
    lines = [json.loads(line) for line in options.results.read_text(encoding="utf-8").splitlines()]
    variants = ["defaults", *options.variants]
    changes = [settings.read_variant(text) if text != "defaults" else [] for text in variants]
    common = ["--dataset", options.dataset]
    assert [line["key"]["options"] for line in lines] == [
        [*common, *each, "--seed", seed] for seed in ("1", "2") for each in changes
    ]
    _, rows = tables(first)[0].split("| --- | --: | --: | --: | --: |\n")
    assert [row.split("|")[1].strip() for row in rows.splitlines()] == [
        text.replace(",", ", ") for text in variants
    ]
    accuracies = [line["metrics"]["test accuracy"] for line in lines[:: len(variants)]]
    assert f"| defaults | {np.mean(accuracies):.1f} ± {np.std(accuracies, ddof=1):.1f} |" in rows
    settings.run(options)  # without a new measurement
    assert capsys.readouterr().out == first
    assert len(options.results.read_text(encoding="utf-8").splitlines()) == len(lines)


def test_settings_prints_a_variant_without_a_baseline(capsys: pytest.CaptureFixture[str]) -> None:
    scores = {"test BLEU": 20.0, "CPU minutes": 1.0}
    table = {"defaults": [scores | {"test BLEU, without attention": 5.0}], "baseline=false": [scores]}
    load("settings").print_table("pairs", table, translation)
    assert capsys.readouterr().out.splitlines()[-2:] == [
        "| defaults | 20.0 |  | 5.0 | 1.0 |",
        "| baseline=false | 20.0 | +0.0 | – | 1.0 |",
    ]


def test_settings_samples_leave_the_test_split_alone() -> None:
    settings = load("settings")
    splits = {
        split: tf.data.Dataset.from_tensor_slices(([f"{split} {i}" for i in range(40)], [0, 1] * 20))
        for split in ("train", "validation", "test")
    }
    data = zoo.datasets.DataSplits(**splits, info=DataInfo("texts.tsv", labels=("no", "yes")))
    sampler = settings.Sampler(lambda: data, held_out=15)
    first, again, other = (sampler.sample(30, seed) for seed in (1, 1, 2))
    texts = [
        {text.decode() for text, _ in split.as_numpy_iterator()}
        for each in (first, again, other)
        for split in (each.train, each.validation, each.test)
    ]
    assert [len(split) for split in texts[:3]] == [24, 3, 15]
    assert not texts[0] & texts[1]
    assert all(text.startswith("train") for text in texts[0] | texts[1])
    assert all(text.startswith("validation") for text in texts[2])
    assert texts[:3] == texts[3:6]
    assert texts[0] != texts[6]
    assert texts[2] == texts[8]
    with pytest.raises(UsageError, match="--sizes: found 41, expected at most 40"):
        sampler.sample(41, 1)


def test_settings_names_a_mistake(tmp_path: Path) -> None:
    settings = load("settings")
    with pytest.raises(UsageError, match="--variants: found 'epochs', expected NAME=VALUE"):
        settings.run(settings.Settings(variants=("epochs",), results=tmp_path / "settings.jsonl"))
