"""The benchmarks: that they run, and that their figures are what they say."""

import importlib.util
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf

import zoo
from recipes import translation
from recipes.command_line import UsageError, recorded

SCRIPT = Path(__file__).parents[1] / "benchmarks" / "recurrence.py"


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"benchmark_of_{name}", SCRIPT.with_stem(name))
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


SHAPE = (2, 3, 2, 4)


@pytest.fixture(scope="module")
def benchmark() -> ModuleType:
    return load("recurrence")


def test_a_tiny_run_has_a_row_for_each_contender(tmp_path: Path) -> None:
    saved = tmp_path / "times.json"
    options = ["--rounds", "2", "--families", "LSTM", "--shapes", "2,3,2,4", "--no-memory", "--json", saved]
    done = subprocess.run([sys.executable, SCRIPT, *options], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    times, means, to_ours = (re.findall(r"^\| (.*) \|$", block, re.M) for block in tables(done.stdout))
    ours = ["zoo, subclass", "zoo, layer norm"]
    contenders = ["keras", "keras, jit", "keras RNN(cell)", "zoo", *ours, "products"]
    names = [line.split("|")[0].strip() for line in times]
    assert [name for name in names if name != "torch"][2:] == contenders
    assert [line.split("|")[0].strip() for line in means] == names
    assert [line.split("|")[0].strip() for line in to_ours][2:] == ours
    for row in json.loads(saved.read_text(encoding="utf-8"))["times"]:
        assert [len(row["seconds"][task]) for task in ("forward", "training")] == [2, 2]
        line = times[names.index(row["contender"])].split("|")
        assert float(line[3]) == pytest.approx(1000 * np.mean(row["seconds"]["training"]), abs=0.01)


def test_contenders_of_training_learn_the_same_with_as_many_weights(tmp_path: Path) -> None:
    training = load("training")
    settings, cache = training.Settings(examples=40, units=4, embedding=4, batch_size=16), tmp_path / "texts"
    training.prepare(settings, cache)

    def texts(batches: tf.data.Dataset) -> list[list[int]]:
        return sorted([n for n in row if n] for ids, _ in batches for row in ids.numpy().tolist())

    same, usual = training.stored(settings, cache).epoch(0), training.usual(settings, cache)
    assert len(texts(same)) == 40
    assert texts(same) == texts(usual)
    assert [len(labels) for _, labels in usual] == [16, 16, 8]
    ours = zoo.ManyToOne(10_000, 4, zoo.Encoder(zoo.LSTMCell(4), bidirectional=True), 2)
    ours.build((None, None))
    assert ours.count_params() == training.keras_model(settings).count_params()
    assert list(training.CONTENDERS) == ["zoo", "keras, same batches", "keras, usual"]


def tables(text: str) -> list[str]:
    return [block for block in text.split("\n\n") if block.startswith("|")]


def test_a_shape_that_cannot_be_is_refused(benchmark: ModuleType) -> None:
    assert benchmark.read_shape("1") == (32, 200, 64, 64)
    assert benchmark.read_shape("1,2,3,4") == (1, 2, 3, 4)
    for text in ("6", "-1", "1,2,3", "1,2,3,0", "a"):
        with pytest.raises(benchmark.UsageError, match="--shapes"):
            benchmark.read_shape(text)


def test_ratios_are_of_medians_to_the_better_of_keras(benchmark: ModuleType) -> None:
    times = {"keras": ([4, 9, 5], [20]), "keras, jit": ([8], [10]), "zoo": ([1, 2, 60], [5]), "x": ([4], [1])}
    rows = rows_of(benchmark, SHAPE, times)
    assert [benchmark.ratio(rows[2], rows, task) for task in ("forward", "training")] == [2 / 5, 1 / 2]
    assert benchmark.ratio(rows[3], rows, "forward", ["zoo"]) == 2


def test_means_are_geometric_and_over_the_main_shapes(benchmark: ModuleType) -> None:
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


def test_memory_kept_is_the_difference_of_the_medians(benchmark: ModuleType) -> None:
    assert benchmark.kept({"forward": [100, 900, 110], "training": [400, 300, 310]}) == 200


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")
def test_peak_memory_is_of_the_process_itself_and_outlasts_what_was_freed(benchmark: ModuleType) -> None:
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    peak, now = (int(re.search(rf"{name}:\s*(\d+)", status)[1]) / 1024 for name in ("VmHWM", "VmRSS"))
    held = np.ones(int((peak - now + 200) * 2**20), "int8")
    assert benchmark.peak_memory(os.getpid()) == pytest.approx(peak + 200, abs=30)
    del held
    assert benchmark.peak_memory(os.getpid()) == pytest.approx(peak + 200, abs=30)
    program = "held = bytearray(b'x') * (50 * 2**20); del held; print(flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        child.stdout.readline()
        assert 50 < benchmark.peak_memory(child.pid) < 100  # it takes nothing over from this process
        child.communicate(b"\n")


@pytest.fixture(scope="module")
def decoding() -> ModuleType:
    return load("decoding")


@pytest.fixture(scope="module")
def translator(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The export of a translator with random weights, which emits ends, and unknown pieces."""
    folder = tmp_path_factory.mktemp("translator")
    settings = translation.Settings(units=3, embedding=4, beams=2, max_pieces=9)
    sides = {"source": "abcde", "target": "xyz"}
    pieces = [
        zoo.PieceEncoder(
            zoo.write_vocabulary(
                ["[PAD]", "[UNK]", "[START]", "[END]", *(f"▁{x}" for x in letters), *letters],
                folder / f"{side}.txt",
            ),
            settings.max_pieces,
        )
        for side, letters in sides.items()
    ]
    model = translation.delayed_many_to_many(settings, *(side.size for side in pieces), settings.attention)
    model.build(((None, None), (None, None)))
    random = np.random.default_rng(1)
    model.set_weights([random.normal(size=weight.shape) for weight in model.weights])
    program = translation.Program(*pieces, model, settings.beams, settings.length_penalty)
    about = zoo.Card("title", "summary", "data", "licence", "command", recorded(settings), {}, ())
    signatures = {"serving_default": program.serve, "greedy": program.greedy}
    return zoo.export_program(signatures, [*pieces, model], {"text": ["a b"]}, folder / "1", about)


def test_export_and_loops_translate_alike(
    decoding: ModuleType, translator: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "sentences.txt"
    file.write_text("a c\n\nq b\n", encoding="utf-8")
    same = decoding.run(decoding.Settings(translator, file, sentences=2, batch_size=3, rounds=1))
    out = capsys.readouterr().out
    assert same, out
    assert "greedy answers that differ: 0" in out
    one, many = (re.findall(r"^\| (e.*|p.*|c.* loop.*) \|$", block, re.M) for block in tables(out))
    for lines in (one, many):
        rows = [line.split(" | ") for line in lines]
        assert [row[0] for row in rows] == [
            "export, greedy",
            "export, 2 beams",
            "predict loop",
            "compiled loop",
        ]
        assert all(float(figure) > 0 for row in rows for figure in row[1:])
        assert float(rows[2][2]) == 1


def test_answers_end_are_cut_copy_and_show_other_weights(decoding: ModuleType, translator: Path) -> None:
    export = tf.saved_model.load(str(translator))
    program = decoding.rebuilt(translator, export)
    texts = [b"a c", b"q b q", b"e", b"dab aq", b"ce q", b"b b b"]
    translate = decoding.contenders(export, program, len(texts))
    del translate["export, 2 beams"]
    answers = {name: of(texts) for name, of in translate.items()}
    assert decoding.different(answers, texts) == []
    found = answers["compiled loop"]
    lengths = [len(answer.replace(b" ", b"")) for answer in found]
    assert len(set(found)) > 3, found
    assert len(set(lengths)) > 2, found
    assert any(b"q" in answer for answer in found), found
    program.model.set_weights([-weight for weight in program.model.get_weights()])
    answers["compiled loop"] = translate["compiled loop"](texts)
    assert len(decoding.different(answers, texts)) > 3


def test_what_is_no_such_export_is_refused(decoding: ModuleType, translator: Path, tmp_path: Path) -> None:
    facts = json.loads((translator / "card.json").read_text(encoding="utf-8"))
    (tmp_path / "assets").symlink_to(translator / "assets")
    export = SimpleNamespace(resources=[None, None, [tf.Variable([0.0])]])
    for changes, message in (
        ({}, "weight list of length 1"),
        ({"depth": "1"}, "depth"),
        ({"cell": "x"}, "x"),
    ):
        facts["settings"] |= changes
        (tmp_path / "card.json").write_text(json.dumps(facts), encoding="utf-8")
        with pytest.raises(UsageError, match=f"{tmp_path} is not what .*{message}"):
            decoding.rebuilt(tmp_path, export)
    with pytest.raises(UsageError, match="holds no SavedModel"):
        decoding.run(decoding.Settings(tmp_path))


def test_rates_are_of_medians_over_rounds(decoding: ModuleType) -> None:
    rows = decoding.table({"x": [[1, 1], [3, 2], [9, 1]], "predict loop": [[8, 2], [9, 1], [1, 1]]}, 20)
    assert [line.split(" | ")[1:] for line in rows.splitlines()[2:]] == [
        ["4", "2", "1000.0 |"],
        ["2", "1", "1500.0 |"],
    ]
