"""A process that is really killed resumes bit-identically; two processes train like one."""

import json
import os
import random
import re
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import resumable
import tensorflow as tf

from zoo.training import run_log

pytestmark = pytest.mark.slow

SCRIPT = resumable.__file__


def start(
    run_dir: Path, checkpoint_seconds: float, dropout: float, epochs: int, **environment: str
) -> subprocess.Popen:
    command = [sys.executable, SCRIPT, run_dir, str(checkpoint_seconds), str(dropout), str(epochs)]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, **environment}
    )


def finish(process: subprocess.Popen) -> str:
    """Wait for a process, and return its standard output."""
    out, err = process.communicate(timeout=180)
    assert process.returncode == 0, out + err
    return out


def read_log(run_dir: Path) -> list[dict[str, Any]]:
    lines = run_log.read_log(run_dir)
    return [{name: value for name, value in line.items() if name != "timing"} for line in lines]


def wait_for_checkpoint(run_dir: Path, number: int, process: subprocess.Popen) -> None:
    """Wait until the checkpoint with this number, or a later one, exists."""
    while process.poll() is None:
        names = {path.name for path in (run_dir / "checkpoints").glob("*")}
        if any(name.isdigit() and int(name) >= number for name in names):
            return
        time.sleep(0.002)
    raise AssertionError("ended too early:\n{}\n{}".format(*process.communicate()))


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The directory of a run in this process, without the cache, and what a process prints that ends like it."""
    run_dir = tmp_path_factory.mktemp("uninterrupted")
    return run_dir, f"digest {resumable.compute_digest(resumable.train(run_dir, 60, 0.2, 2))}"


@pytest.mark.parametrize("xla_cache", [False, True], ids=["without cache", "with cache"])
def test_killed_process_resumes_bit_identically(
    xla_cache: bool, tmp_path: Path, uninterrupted: tuple[Path, str]
) -> None:
    """With shuffling, buckets and dropout. It saves after each step, so most kills hit a write."""
    rng = random.Random(11)
    run_dir, digest = uninterrupted
    environment = {"ZOO_XLA_CACHE": "1", "XDG_CACHE_HOME": str(tmp_path / "cache")} if xla_cache else {}
    if xla_cache:  # fill it
        assert finish(start(tmp_path / "first", 60, 0.2, 2, **environment)).splitlines()[-1] == digest
        assert list((tmp_path / "cache").rglob("*.pb"))
    process = start(tmp_path / "killed", 0, 0.2, 2, **environment)
    wait_for_checkpoint(tmp_path / "killed", rng.randint(12, 32), process)
    time.sleep(rng.random() / 20)
    process.kill()
    process.communicate()
    output = finish(start(tmp_path / "killed", 60, 0.2, 2, **environment))
    assert "resuming after step" in output
    assert output.splitlines()[-1] == digest
    assert read_log(run_dir) == read_log(tmp_path / "killed")


@pytest.fixture(scope="module")
def single_process(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of a run in this process alone, without dropout."""
    run_dir = tmp_path_factory.mktemp("single")
    resumable.train(run_dir, 60, 0.0, 2)
    return run_dir


@pytest.fixture
def single_process_log(single_process: Path) -> list[dict[str, Any]]:
    return read_log(single_process)


@pytest.fixture
def single_process_weights(single_process: Path) -> list[np.ndarray]:
    return read_weights(single_process)


def read_weights(run_dir: Path) -> list[np.ndarray]:
    """Read the weights after the last step."""
    path = max((run_dir / "checkpoints").glob("*/state.index"))
    reader = tf.train.load_checkpoint(str(path.with_suffix("")))
    names = sorted(name for name in reader.get_variable_to_shape_map() if name.startswith("model/"))
    assert len(names) > 5
    return [reader.get_tensor(name) for name in names]


def assert_close(actual: list[dict[str, Any]], expected: list[dict[str, Any]]) -> None:
    """Compare two logs line by line; numbers may differ by rounding."""
    assert len(actual) == len(expected) == 2 * 19 + 2
    for line, other in zip(actual, expected, strict=True):
        assert line.pop("kind") == other["kind"]
        assert line == pytest.approx({name: other[name] for name in other if name != "kind"}, abs=1e-5)


def start_two_workers(
    run_dir: Path, checkpoint_seconds: float, epochs: int, **of_second: str
) -> list[subprocess.Popen]:
    """Start two workers on this machine, and return them, the chief first.

    Args:
        of_second: environment variables of the second one.
    """
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
    addresses = [f"127.0.0.1:{listener.getsockname()[1]}" for listener in sockets]
    for listener in sockets:
        listener.close()
    tasks = [{"type": "worker", "index": index} for index in range(2)]
    configs = [json.dumps({"cluster": {"worker": addresses}, "task": task}) for task in tasks]
    return [
        start(run_dir, checkpoint_seconds, 0.0, epochs, TF_CONFIG=config, **more)
        for config, more in zip(configs, ({}, of_second), strict=True)
    ]


def wait_for_both(processes: list[subprocess.Popen]) -> list[tuple[str, str]]:
    """Wait for processes that end with an error, and return what they print to their two outputs."""
    try:
        outputs = [process.communicate(timeout=240) for process in processes]
    finally:
        for process in processes:
            process.kill()
            process.wait()
    assert [process.returncode for process in processes] == [1, 1], outputs
    return outputs


def test_two_replicas_train_like_one(tmp_path: Path, single_process_log: list[dict[str, Any]]) -> None:
    finish(start(tmp_path, 60, 0.0, 2, MIRRORED="2"))
    assert_close(read_log(tmp_path), single_process_log)


def test_two_replicas_accumulate_gradients_like_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Over three of 19 batches, also across the end of an epoch."""
    finish(start(tmp_path / "two", 60, 0.0, 2, MIRRORED="2", ACCUMULATE="3"))
    monkeypatch.setenv("ACCUMULATE", "3")
    resumable.train(tmp_path / "one", 60, 0.0, 2)
    assert_close(read_log(tmp_path / "two"), read_log(tmp_path / "one"))


def test_two_processes_stop_together_resume_after_a_kill_and_train_like_one(
    tmp_path: Path, single_process_log: list[dict[str, Any]], single_process_weights: list[np.ndarray]
) -> None:
    both = start_two_workers(tmp_path, 0, 2)
    wait_for_checkpoint(tmp_path, 2, both[0])
    both[1].terminate()  # one signal stops both
    stops = [
        re.findall(rf"Stopped at step (\d+); saved in {tmp_path}", err) for _, err in wait_for_both(both)
    ]
    assert len(stops[0]) == 1
    assert stops[0] == stops[1]

    chief, other = start_two_workers(tmp_path, 0, 2)
    try:
        wait_for_checkpoint(tmp_path, 8, chief)
        other.kill()
        killed_at = time.monotonic()
        _, err = chief.communicate(timeout=120)
    finally:
        chief.kill()
        other.communicate()
    assert time.monotonic() - killed_at < 60
    assert chief.returncode == 1
    assert "error: Lost 127.0.0.1" in err
    assert "(worker 1)" in err
    assert "Traceback" not in err

    for process in start_two_workers(tmp_path, 60, 2):
        finish(process)
    assert_close(read_log(tmp_path), single_process_log)
    for actual, expected in zip(read_weights(tmp_path), single_process_weights, strict=True):
        np.testing.assert_allclose(actual, expected, atol=1e-4)  # Adam amplifies rounding


@pytest.mark.parametrize(
    ("variable", "difference"),
    [
        ("CLIPNORM", r"settings.fit.optimizer.global_clipnorm: 1.0 on .*; 0.01 on .*"),
        ("FLIP_LABELS", r"digest of the batches: \d+ on .* \(worker 0\); \d+ on .* \(worker 1\)"),
    ],
)
def test_processes_that_differ_stop_before_the_first_step(
    tmp_path: Path, variable: str, difference: str
) -> None:
    for _, err in wait_for_both(start_two_workers(tmp_path, 0, 2, **{variable: "0.01"})):
        assert re.search(f"error: The workers differ:\n  {difference}\n[A-Z]", err), err
    assert not (tmp_path / "log.jsonl").exists() or not read_log(tmp_path)
