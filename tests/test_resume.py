"""A process that is really killed goes on to the same bits; two processes train as one does."""

import json
import os
import random
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import resumable

SCRIPT = resumable.__file__


def start(folder: Path, seconds: float, dropout: float, epochs: int, **environment: str) -> subprocess.Popen:
    command = [sys.executable, SCRIPT, folder, str(seconds), str(dropout), str(epochs)]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, **environment}
    )


def finished(process: subprocess.Popen) -> str:
    out, err = process.communicate(timeout=180)
    assert process.returncode == 0, out + err
    return out


def log(folder: Path) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    return [{name: value for name, value in line.items() if name != "timing"} for line in lines]


def wait_for_checkpoint(folder: Path, number: int, process: subprocess.Popen) -> None:
    """Until so many checkpoints have been begun."""
    while process.poll() is None:
        names = {path.name for path in (folder / "checkpoints").glob("*")}
        if any(name.isdigit() and int(name) >= number for name in names):
            return
        time.sleep(0.002)
    raise AssertionError("ended too early:\n{}\n{}".format(*process.communicate()))


def test_killed_at_random_it_ends_with_the_same_bits(tmp_path: Path) -> None:
    """With shuffling, buckets and dropout. It saves all the time, so most kills hit a checkpoint's making."""
    chance = random.Random(11)
    whole = resumable.train(tmp_path / "whole", 60, 0.2, 2)  # in this process
    process = start(tmp_path / "cut", 0, 0.2, 2)
    wait_for_checkpoint(tmp_path / "cut", chance.randint(12, 32), process)
    time.sleep(chance.random() / 20)
    process.kill()
    process.communicate()
    resumed = finished(start(tmp_path / "cut", 60, 0.2, 2))
    assert "going on after step" in resumed
    assert resumed.splitlines()[-1] == f"digest {resumable.digest(whole)}"
    assert log(tmp_path / "whole") == log(tmp_path / "cut")


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """The log of a run in this process alone, without what is random in a model."""
    folder = tmp_path_factory.mktemp("alone")
    resumable.train(folder, 60, 0.0, 2)
    return log(folder)


def assert_like(found: list[dict[str, Any]], expected: list[dict[str, Any]]) -> None:
    """The same lines, and figures that differ by rounding alone."""
    assert len(found) == len(expected) == 2 * 19 + 2
    for line, other in zip(found, expected, strict=True):
        assert line.pop("kind") == other["kind"]
        assert line == pytest.approx({name: other[name] for name in other if name != "kind"}, abs=1e-5)


def two(folder: Path, seconds: float, epochs: int) -> list[subprocess.Popen]:
    """Two workers on this machine, the chief first."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
    addresses = [f"127.0.0.1:{one.getsockname()[1]}" for one in sockets]
    for one in sockets:
        one.close()
    tasks = [{"type": "worker", "index": index} for index in range(2)]
    configs = [json.dumps({"cluster": {"worker": addresses}, "task": task}) for task in tasks]
    return [start(folder, seconds, 0.0, epochs, TF_CONFIG=config) for config in configs]


def test_two_replicas_train_as_one(tmp_path: Path, alone: list[dict[str, Any]]) -> None:
    finished(start(tmp_path, 60, 0.0, 2, MIRRORED="2"))
    assert_like(log(tmp_path), alone)


def test_two_processes_train_as_one_and_go_on_after_one_was_killed(
    tmp_path: Path, alone: list[dict[str, Any]]
) -> None:
    chief, other = two(tmp_path, 0, 2)
    try:
        wait_for_checkpoint(tmp_path, 8, chief)
        other.kill()
        killed = time.monotonic()
        _, err = chief.communicate(timeout=60)
    finally:
        chief.kill()
        other.communicate()
    assert time.monotonic() - killed < 60
    assert chief.returncode == 1
    assert "error: Lost 127.0.0.1" in err
    assert "(worker 1)" in err
    assert "Traceback" not in err
    for process in two(tmp_path, 60, 2):
        finished(process)
    assert_like(log(tmp_path), alone)
