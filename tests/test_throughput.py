"""`benchmarks/throughput.py`: its table, its inputs, and its errors."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from exports import ROOT
from test_benchmarks import load

from zoo.errors import UsageError

throughput = load("throughput")
SENTIMENT = ROOT / "saved_models" / "sentiment" / "1"
RATE = r"[\d,]+(?:\.\d)?"
START = rf"\| \S+ \| test accuracy \d\d\.\d \| {RATE} \({RATE}\) \|"


def test_texts_of_an_export(tmp_path: Path) -> None:
    texts = throughput.read_texts("text_classification", None)
    assert len(texts) == len(set(texts)) == 300
    assert "A warm and funny film." in texts
    assert any(text.startswith("Please sign in at ") for text in throughput.read_texts("translation", None))
    (tmp_path / "texts.txt").write_text("one\n\ntwo\none\n", encoding="utf-8")
    assert sorted(throughput.read_texts("translation", tmp_path / "texts.txt")) == ["one", "two"]
    (tmp_path / "texts.txt").write_text("\n", encoding="utf-8")
    with pytest.raises(UsageError, match="is empty"):
        throughput.read_texts("translation", tmp_path / "texts.txt")


def test_more_cores_than_there_are_raise() -> None:
    with pytest.raises(UsageError, match=r"--cores: expected at most .* got 1000000"):
        throughput.Contender(SENTIMENT, 1_000_000, throughput.Settings())


@pytest.mark.slow
def test_exports_of_a_task_are_compared_with_the_first(capsys: pytest.CaptureFixture[str]) -> None:
    throughput.run(
        throughput.Settings(models=(SENTIMENT, SENTIMENT), cores=(1,), batch_sizes=(1, 3), rounds=2, inputs=4)
    )
    task, table = capsys.readouterr().out.split("\n\n", 1)[1].split("\n\n")
    assert task == "text_classification"
    header, _, first, second = table.splitlines()
    assert header.endswith("| score | MB of memory | cores: 1, at once: 1 | cores: 1, at once: 3 |")
    assert re.fullmatch(rf"{START} {RATE} \| {RATE} \|", first)
    ratio = rf"{RATE} \(\d+\.\d\d, \d+\.\d\d to \d+\.\d\d\)"
    assert re.fullmatch(rf"{START} {ratio} \| {ratio} \|", second)


@pytest.mark.slow
def test_units_are_inputs_and_frames() -> None:
    """As many inputs as are asked for, or one batch; of videos an eighth of them, with 100 frames each."""
    for name, expected in (("sentiment", [4, 6]), ("captioning", [4, 6]), ("tagging", [100, 600])):
        worker = subprocess.run(
            [
                sys.executable,
                ROOT / "benchmarks/throughput.py",
                "--worker",
                SENTIMENT.parents[1] / name / "1",
                "",
                "4",
            ],
            input="1\n6\n",
            capture_output=True,
            text=True,
        )
        assert worker.returncode == 0, worker.stderr
        lines = [line.split() for line in worker.stdout.splitlines()]
        assert [int(units) for _, units, *_ in lines] == expected
        for seconds, _, idle, peak in lines:
            assert float(seconds) > 0
            assert 100 < float(idle) < float(peak) < 20_000
