"""Several workers: processes on this machine that connect, leave together, and are stopped or killed."""

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
    _connect,
    _exchange_greetings,
    _listen,
    distribution_scope,
    is_chief,
)

# The script of a worker; its first argument is the role.
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

    def read_output(self) -> str:
        return self.output.read_text(encoding="utf-8")

    def wait_for(self, text: str) -> None:
        end = time.monotonic() + 60
        while text not in self.read_output():
            assert self.process.poll() is None, self.read_output()
            assert time.monotonic() < end, self.read_output()
            time.sleep(0.05)

    def wait_for_exit(self, seconds: float) -> int:
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            pytest.fail(f"still running after {seconds} s: {self.read_output()}")


def find_free_addresses(size: int) -> list[str]:
    with contextlib.ExitStack() as stack:
        listeners = [stack.enter_context(socket.create_server(("", 0))) for _ in range(size)]
        return [f"127.0.0.1:{listener.getsockname()[1]}" for listener in listeners]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., list[Worker]]]:
    """Return a function that starts one worker per role, of a cluster that may have more."""
    started = []

    def start(*roles: str, size: int) -> list[Worker]:
        addresses = find_free_addresses(size)
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


@pytest.mark.slow
def test_workers_reduce_and_leave_together(start: Callable[..., list[Worker]]) -> None:
    both = start("lingers", "leaves", size=2)
    ends = []
    for worker in both:
        assert worker.wait_for_exit(90) == 0, worker.read_output()
        assert "sum 2\n" in worker.read_output()
        assert "Lost" not in worker.read_output()
        assert "Traceback" not in worker.read_output()
        ends.append(float(worker.read_output().split("left ")[1]))
    assert abs(ends[0] - ends[1]) < 2  # one of them lingers for 4 seconds


@pytest.mark.slow
def test_other_workers_end_when_one_is_killed(start: Callable[..., list[Worker]]) -> None:
    """Both in an all-reduce, where TensorFlow fails, and outside of it, where nothing would."""
    killed, idle, blocked = start("idle", "idle", "blocked", size=3)
    for worker in (killed, idle, blocked):
        worker.wait_for("sum 3")
    time.sleep(0.5)
    killed.process.kill()
    lost = f"Lost {killed.address} (worker 0)"
    assert idle.wait_for_exit(20) == 1
    assert lost in idle.read_output()
    assert "Traceback" not in idle.read_output()  # the main thread was asleep
    assert blocked.wait_for_exit(30) == 1
    assert f"WorkerError: {lost}" in blocked.read_output()
    assert "resume from the last checkpoint" in blocked.read_output()


@pytest.mark.slow
def test_sigterm_ends_workers_even_if_tensorflow_hangs(start: Callable[..., list[Worker]]) -> None:
    idle, blocked = start("idle", "blocked", size=2)
    for worker in (idle, blocked):
        worker.wait_for("sum 2")
    time.sleep(0.5)
    for worker in (idle, blocked):
        worker.process.send_signal(signal.SIGTERM)
    assert [worker.wait_for_exit(20) for worker in (idle, blocked)] == [128 + signal.SIGTERM] * 2
    assert "handled" in idle.read_output()  # TensorFlow's handler was replaced
    assert "handled" not in blocked.read_output()


def test_worker_waits_for_start_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    addresses = find_free_addresses(2)
    monkeypatch.setenv("TF_CONFIG", config({"type": "worker", "index": 1}, worker=addresses))
    monkeypatch.setenv("ZOO_START_SECONDS", "1.5")
    handler, began = signal.getsignal(signal.SIGTERM), time.monotonic()
    with pytest.raises(WorkerError) as caught, distribution_scope():
        pass
    assert 1.5 < time.monotonic() - began < 5
    assert f"Not started within 1.5 seconds: {addresses[0]} (worker 0)." in str(caught.value)
    assert signal.getsignal(signal.SIGTERM) == handler


def test_waiting_worker_ends_on_sigterm(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("TF_CONFIG", config({"type": "worker", "index": 0}, worker=find_free_addresses(2)))
    monkeypatch.setenv("ZOO_START_SECONDS", "15")
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)  # so that a failure does not end the tests
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
    assert "SIGTERM while waiting" in caplog.text


def test_workers_connect_despite_a_restart_and_a_stranger() -> None:
    tasks = ("worker 0", "worker 1", "worker 2")
    addresses = tuple(find_free_addresses(3))
    clusters = [_Cluster(addresses, tasks, index) for index in range(3)]
    connections: dict[int, dict[int, socket.socket]] = {}

    def connect(index: int) -> threading.Thread:
        thread = threading.Thread(target=lambda: connections.update({index: _connect(clusters[index], 20)}))
        thread.start()
        return thread

    first = connect(1)
    before: dict[int, socket.socket] = {}
    with _listen(clusters[0]) as listener:
        listener.settimeout(20)
        _exchange_greetings(listener.accept()[0], clusters[0], before)
    before[1].close()  # worker 0 was killed
    socket.create_connection(clusters[0].host_and_port(1), 1).close()  # a stranger
    second, third = connect(2), connect(0)
    for thread in (first, second, third):
        thread.join(30)
    assert {index: set(peers) for index, peers in connections.items()} == {0: {1, 2}, 1: {0, 2}, 2: {0, 1}}
    for index, peers in connections.items():
        for other, connection in peers.items():
            connection.send(bytes([10 * index + other]))
    for index, peers in connections.items():
        for other, connection in peers.items():
            assert connection.recv(8) == bytes([10 * other + index])
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
            'has the "task" worker 2, but its cluster has worker 0',
        ),
        (config({"type": "evaluator", "index": 0}, worker=[A, B]), "all of them evaluate"),
        (config({"type": "chief", "index": 0}, worker=[A, B]), 'has the "task" chief 0'),
        (config({"type": "worker", "index": 1}, worker=[A]), 'has the "task" worker 1'),
        (config(None, worker=[A, B]), 'has the "task" none'),
    ],
)
def test_invalid_tf_config_raises(monkeypatch: pytest.MonkeyPatch, text: str, problem: str) -> None:
    monkeypatch.setenv("TF_CONFIG", text)
    with pytest.raises(WorkerError) as caught, distribution_scope():
        pass
    assert problem in str(caught.value)
    assert "unset it" in str(caught.value)


def test_invalid_start_seconds_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TF_CONFIG", config({"type": "worker", "index": 0}, worker=[A, B]))
    monkeypatch.setenv("ZOO_START_SECONDS", "soon")
    with pytest.raises(WorkerError, match="ZOO_START_SECONDS is 'soon'"), distribution_scope():
        pass


def test_port_in_use_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("", 0)) as listener:
        address = f"127.0.0.1:{listener.getsockname()[1]}"
        monkeypatch.setenv("TF_CONFIG", config({"type": "worker", "index": 0}, worker=[address, B]))
        with pytest.raises(WorkerError, match=f"Cannot listen at {address}"), distribution_scope():
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
def test_one_worker_is_chief(monkeypatch: pytest.MonkeyPatch, text: str, chief: bool) -> None:
    monkeypatch.setenv("TF_CONFIG", text)
    assert is_chief() is chief


@pytest.mark.parametrize("text", ["", "{}", config({"type": "worker", "index": 0}, worker=[A])])
def test_single_machine_is_unchanged(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
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


def test_current_strategy_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TF_CONFIG", config({"type": "worker", "index": 0}, worker=[A, B]))
    monkeypatch.setenv("ZOO_START_SECONDS", "1")
    current = tf.distribute.OneDeviceStrategy("CPU:0")
    with current.scope(), distribution_scope() as strategy:
        assert strategy is current
