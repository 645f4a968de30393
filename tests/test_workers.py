"""Several workers: processes on this machine that meet, leave together, and are stopped or killed."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import tensorflow as tf

from zoo.training.distribution import (
    WorkerError,
    _Cluster,
    _greet,
    _listener,
    _meet,
    distribution_scope,
    is_chief,
)

# What a worker does, by the first argument.
SCRIPT = """
import signal, sys, time
import tensorflow as tf
from zoo.training import distribution

role = sys.argv[1]
signal.signal(signal.SIGTERM, lambda *_: print("handled", flush=True))
if role == "idle":
    distribution._LOST_SECONDS = 2
if role in ("idle", "blocked"):
    distribution._STOP_SECONDS = 4

with distribution.distribution_scope() as strategy:
    @tf.function
    def add():
        one = lambda: tf.distribute.get_replica_context().all_reduce("sum", tf.constant(1))
        return strategy.experimental_local_results(strategy.run(one))[0]

    print("sum", int(add()), flush=True)
    if role == "idle":
        time.sleep(100)
    if role == "blocked":
        add()
    if role == "lingers":
        time.sleep(4)
print("left", time.time(), flush=True)
"""


class Worker:
    def __init__(self, output: Path, role: str, addresses: list[str], index: int) -> None:
        config = {"cluster": {"worker": addresses}, "task": {"type": "worker", "index": index}}
        more = {"TF_CONFIG": json.dumps(config), "TF_CPP_MIN_LOG_LEVEL": "3", "ZOO_START_SECONDS": "60"}
        self.output, self.address = output, addresses[index]
        with output.open("w") as file:
            self.process = subprocess.Popen(
                [sys.executable, "-c", SCRIPT, role], env=os.environ | more, stdout=file, stderr=file
            )

    def said(self) -> str:
        return self.output.read_text(encoding="utf-8")

    def until(self, text: str) -> None:
        end = time.monotonic() + 60
        while text not in self.said():
            assert self.process.poll() is None, self.said()
            assert time.monotonic() < end, self.said()
            time.sleep(0.05)

    def code(self, seconds: float) -> int:
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            pytest.fail(f"still there after {seconds} s: {self.said()}")


def free_addresses(size: int) -> list[str]:
    with contextlib.ExitStack() as stack:
        listeners = [stack.enter_context(socket.create_server(("", 0))) for _ in range(size)]
        return [f"127.0.0.1:{listener.getsockname()[1]}" for listener in listeners]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., list[Worker]]]:
    """Starts a worker for each role, of a cluster that may have more."""
    started = []

    def start(*roles: str, size: int) -> list[Worker]:
        addresses = free_addresses(size)
        new = [
            Worker(tmp_path / str(len(started) + index), role, addresses, index)
            for index, role in enumerate(roles)
        ]
        started.extend(new)
        return new

    try:
        yield start
    finally:
        for worker in started:
            worker.process.kill()
            worker.process.wait()


def test_workers_add_up_and_leave_together(start: Callable[..., list[Worker]]) -> None:
    both = start("lingers", "leaves", size=2)
    ends = []
    for worker in both:
        assert worker.code(90) == 0, worker.said()
        assert "sum 2\n" in worker.said()
        assert "Lost" not in worker.said()
        assert "Traceback" not in worker.said()
        ends.append(float(worker.said().split("left ")[1]))
    assert abs(ends[0] - ends[1]) < 2  # and not the four seconds that one lingers


def test_when_a_worker_is_killed_the_others_end(start: Callable[..., list[Worker]]) -> None:
    """In the middle of adding up, where TensorFlow fails, and outside, where nothing would."""
    killed, idle, blocked = start("idle", "idle", "blocked", size=3)
    for worker in (killed, idle, blocked):
        worker.until("sum 3")
    time.sleep(0.5)
    killed.process.kill()
    lost = f"Lost {killed.address} (worker 0)"
    assert idle.code(20) == 1
    assert lost in idle.said()
    assert "Traceback" not in idle.said()  # its main thread slept on
    assert blocked.code(30) == 1
    assert f"WorkerError: {lost}" in blocked.said()
    assert "goes on from the last checkpoint" in blocked.said()


def test_sigterm_to_all_ends_them_even_if_tensorflow_hangs(start: Callable[..., list[Worker]]) -> None:
    idle, blocked = start("idle", "blocked", size=2)
    for worker in (idle, blocked):
        worker.until("sum 2")
    time.sleep(0.5)
    for worker in (idle, blocked):
        worker.process.send_signal(signal.SIGTERM)
    assert [worker.code(20) for worker in (idle, blocked)] == [128 + signal.SIGTERM] * 2
    assert "handled" in idle.said()  # TensorFlow's handler was replaced
    assert "handled" not in blocked.said()


def test_a_worker_waits_no_longer_than_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    addresses = free_addresses(2)
    monkeypatch.setenv("TF_CONFIG", config({"type": "worker", "index": 1}, worker=addresses))
    monkeypatch.setenv("ZOO_START_SECONDS", "1.5")
    handler, began = signal.getsignal(signal.SIGTERM), time.monotonic()
    with pytest.raises(WorkerError) as caught, distribution_scope():
        pass
    assert 1.5 < time.monotonic() - began < 5
    assert f"Not there after 1.5 seconds: {addresses[0]} (worker 0)." in str(caught.value)
    assert signal.getsignal(signal.SIGTERM) == handler


def test_a_worker_that_waits_ends_on_sigterm(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TF_CONFIG", config({"type": "worker", "index": 0}, worker=free_addresses(2)))
    monkeypatch.setenv("ZOO_START_SECONDS", "15")
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)  # that a mistake may not end the tests
    stop = threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGTERM))
    stop.start()
    try:
        with pytest.raises(SystemExit) as end, distribution_scope():
            pass
        assert signal.getsignal(signal.SIGTERM) == signal.SIG_IGN
    finally:
        stop.join()
        signal.signal(signal.SIGTERM, before)
    assert end.value.code == 128 + signal.SIGTERM
    assert "SIGTERM while waiting" in capsys.readouterr().err


def test_workers_meet_though_one_is_started_again_and_strangers_come() -> None:
    tasks = ("worker 0", "worker 1", "worker 2")
    addresses = tuple(free_addresses(3))
    clusters = [_Cluster(addresses, tasks, own) for own in range(3)]
    met: dict[int, dict[int, socket.socket]] = {}

    def meet(own: int) -> threading.Thread:
        thread = threading.Thread(target=lambda: met.update({own: _meet(clusters[own], 20)}))
        thread.start()
        return thread

    first = meet(1)
    before: dict[int, socket.socket] = {}
    with _listener(clusters[0]) as listener:
        listener.settimeout(20)
        _greet(listener.accept()[0], clusters[0], before)
    before[1].close()  # worker 0 was killed
    socket.create_connection(clusters[0].place(1), 1).close()  # a stranger
    second, third = meet(2), meet(0)
    for thread in (first, second, third):
        thread.join(30)
    assert {own: set(others) for own, others in met.items()} == {0: {1, 2}, 1: {0, 2}, 2: {0, 1}}
    for own, others in met.items():
        for other, connection in others.items():
            connection.send(bytes([10 * own + other]))
    for own, others in met.items():
        for other, connection in others.items():
            assert connection.recv(8) == bytes([10 * other + own])
            connection.close()


def config(task: object, **cluster: object) -> str:
    return json.dumps({"cluster": cluster, "task": task})


A, B = "a:2222", "b:2222"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{'cluster'", "is not JSON"),
        ("[]", "is not an object"),
        ('{"cluster": ["a:2222"]}', "is not an object"),
        (config({"type": "worker", "index": 0}, worker=[A, B], ps=["c:1"]), 'has the job "ps"'),
        (config({"type": "worker", "index": 0}, worker=A), 'has "a:2222" for "worker"'),
        (config({"type": "worker", "index": 0}, worker=["a", B]), 'has ["a", "b:2222"] for "worker"'),
        (config({"type": "worker", "index": 0}, worker=[A, B], chief=[]), 'has [] for "chief"'),
        (config({"type": "worker", "index": 0}, worker=[A, A]), "an address twice"),
        (config({"type": "worker", "index": 0}, worker=[A], chief=[B, "c:1"]), "two chiefs"),
        (
            config({"type": "worker", "index": 2}, worker=[A, B]),
            'has the "task" worker 2; its cluster has worker 0',
        ),
        (config({"type": "evaluator", "index": 0}, worker=[A, B]), "all of them evaluate"),
        (config({"type": "chief", "index": 0}, worker=[A, B]), 'has the "task" chief 0'),
        (config({"type": "worker", "index": 1}, worker=[A]), 'has the "task" worker 1'),
        (config(None, worker=[A, B]), 'has the "task" none'),
    ],
)
def test_wrong_tf_config_says_what_is_wrong(monkeypatch: pytest.MonkeyPatch, text: str, problem: str) -> None:
    monkeypatch.setenv("TF_CONFIG", text)
    with pytest.raises(WorkerError) as caught, distribution_scope():
        pass
    assert problem in str(caught.value)
    assert "unset it" in str(caught.value)


def test_wrong_start_limit_says_what_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TF_CONFIG", config({"type": "worker", "index": 0}, worker=[A, B]))
    monkeypatch.setenv("ZOO_START_SECONDS", "soon")
    with pytest.raises(WorkerError, match="ZOO_START_SECONDS is 'soon'"), distribution_scope():
        pass


def test_port_in_use_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("", 0)) as taken:
        own = f"127.0.0.1:{taken.getsockname()[1]}"
        monkeypatch.setenv("TF_CONFIG", config({"type": "worker", "index": 0}, worker=[own, B]))
        with pytest.raises(WorkerError, match=f"Cannot listen at {own}"), distribution_scope():
            pass


@pytest.mark.parametrize(
    ("text", "chief"),
    [
        ("", True),
        ("{}", True),
        (config({"type": "worker", "index": 0}, worker=[A]), True),
        (config({"type": "worker", "index": 0}, worker=[A, B]), True),
        (config({"type": "worker", "index": 1}, worker=[A, B]), False),
        (config({"type": "chief", "index": 0}, worker=[A], chief=[B]), True),
        (config({"type": "worker", "index": 0}, worker=[A], chief=[B]), False),
    ],
)
def test_one_worker_is_the_chief(monkeypatch: pytest.MonkeyPatch, text: str, chief: bool) -> None:
    monkeypatch.setenv("TF_CONFIG", text)
    assert is_chief() is chief


@pytest.mark.parametrize("text", ["", "{}", config({"type": "worker", "index": 0}, worker=[A])])
def test_a_single_machine_is_left_as_it_is(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("TF_CONFIG", text)
    default = tf.distribute.get_strategy()
    threads = threading.enumerate()
    handlers = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with distribution_scope() as strategy:
        assert strategy is default
        assert threading.enumerate() == threads
        assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == handlers
        descriptor = signal.set_wakeup_fd(-1)
        signal.set_wakeup_fd(descriptor)
        assert descriptor == -1


def test_a_strategy_that_is_in_use_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TF_CONFIG", config({"type": "worker", "index": 0}, worker=[A, B]))
    monkeypatch.setenv("ZOO_START_SECONDS", "1")
    mine = tf.distribute.OneDeviceStrategy("CPU:0")
    with mine.scope(), distribution_scope() as strategy:
        assert strategy is mine
