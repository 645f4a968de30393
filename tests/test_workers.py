"""Several workers: processes on this machine that connect, leave together, differ, fail or are killed."""

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

from zoo.training import distribution
from zoo.training.distribution import (
    WorkerError,
    _Cluster,
    compare_workers,
    digest_batch,
    distribution_scope,
    is_chief,
)

LIMIT = 600
"""Seconds after which a worker hangs, on a machine that is busy with other things, too."""

# The script of a worker; its arguments are the role, the index and a path at which an idle worker waits for a file.
SCRIPT = """
import pathlib, signal, sys, time
import tensorflow as tf
from zoo.layers.chunks import should_compile
from zoo.training.distribution import compare_workers, digest_batch, distribution_scope

role = sys.argv[1]
signal.signal(signal.SIGTERM, lambda *_: print("handled", flush=True))
print("started", flush=True)
with distribution_scope() as strategy:
    @tf.function
    def add():
        one = lambda: tf.distribute.get_replica_context().all_reduce("sum", tf.constant(1))
        return strategy.experimental_local_results(strategy.run(one))[0]

    print("sum", int(add()), "compiles" if should_compile(8, training=True) else "", flush=True)
    while role == "idle" and not pathlib.Path(sys.argv[3]).exists():
        time.sleep(0.1)
    if role in ("idle", "blocked"):
        add()
    if role == "fails":
        raise OSError("The disk is full.")
    if role == "lingers":
        signal.raise_signal(signal.SIGTERM)
        time.sleep(4)
        print("lingered", time.time(), flush=True)
    if role == "differs":
        compare_workers({"seed": 1})
        compare_workers({"batches": digest_batch((tf.constant(["a"]), tf.constant([2])))})
        print("same", flush=True)
        compare_workers({"fit": {"rate": 0.1, "seed": sys.argv[2]}})
print("left", time.time(), flush=True)
"""


class Worker:
    def __init__(self, output: Path, role: str, addresses: list[str], index: int) -> None:
        config = {"cluster": {"worker": addresses}, "task": {"type": "worker", "index": index}}
        seconds = "3" if role == "alone" else str(2 * LIMIT)
        more = {"TF_CONFIG": json.dumps(config), "TF_CPP_MIN_LOG_LEVEL": "3", "ZOO_START_SECONDS": seconds}
        self.output, self.address = output, addresses[index]
        self.file = output.with_name("file")  # at which an idle worker waits
        with output.open("w") as file:
            self.process = subprocess.Popen(
                [sys.executable, "-c", SCRIPT, role, str(index), str(self.file)],
                env=os.environ | more,
                stdout=file,
                stderr=file,
            )

    def read_output(self) -> str:
        return self.output.read_text(encoding="utf-8")

    def wait_for(self, text: str) -> None:
        end = time.monotonic() + LIMIT
        while text not in self.read_output():
            assert self.process.poll() is None, self.read_output()
            assert time.monotonic() < end, self.read_output()
            time.sleep(0.05)

    def wait_for_exit(self) -> int:
        try:
            return self.process.wait(LIMIT)
        except subprocess.TimeoutExpired:
            pytest.fail(f"still running after {LIMIT} s: {self.read_output()}")


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


def read_time(worker: Worker, event: str) -> float:
    """Return when a worker printed an event."""
    return float(worker.read_output().split(f"{event} ")[1].split()[0])


@pytest.mark.slow
def test_workers_reduce_and_leave_together(start: Callable[..., list[Worker]]) -> None:
    lingers, leaves = start("lingers", "leaves", size=2)
    for worker in (lingers, leaves):
        assert worker.wait_for_exit() == 0, worker.read_output()
        assert "sum 2 compiles\n" in worker.read_output()
        assert "Lost" not in worker.read_output()
        assert "Traceback" not in worker.read_output()
    assert "handled" in lingers.read_output()  # the handler that TensorFlow replaces is restored
    assert read_time(leaves, "left") >= read_time(lingers, "lingered")


@pytest.mark.slow
@pytest.mark.parametrize("killed", [0, 1], ids=["chief", "other"])
def test_other_workers_end_when_one_is_killed(start: Callable[..., list[Worker]], killed: int) -> None:
    """Both in an all-reduce and outside of one, where a worker notices at the next."""
    roles = ["blocked", "blocked", "idle"]
    roles[killed] = "idle"
    workers = start(*roles, size=3)
    for worker in workers:
        worker.wait_for("sum 3")
    time.sleep(0.5)
    workers[killed].process.kill()
    lost = f"WorkerError: Lost {workers[killed].address} (worker {killed}): the process ended"
    for index in (1 - killed, 2):
        worker = workers[index]
        if roles[index] == "idle":
            worker.file.touch()
        assert worker.wait_for_exit() == 1
        assert lost in worker.read_output()
        assert "resume from the last checkpoint" in worker.read_output()


@pytest.mark.slow
def test_error_of_one_worker_ends_the_others(start: Callable[..., list[Worker]]) -> None:
    fails, blocked = start("fails", "blocked", size=2)
    assert fails.wait_for_exit() == 1
    assert "OSError: The disk is full." in fails.read_output()
    assert blocked.wait_for_exit() == 1
    assert (
        f"WorkerError: {fails.address} (worker 0) ended with OSError: The disk is full. Run the same command"
        in blocked.read_output()
    )


@pytest.mark.slow
def test_workers_that_differ_end_with_the_same_message(start: Callable[..., list[Worker]]) -> None:
    both = start("differs", "differs", size=2)
    for worker in both:
        assert worker.wait_for_exit() == 1
        assert "same\n" in worker.read_output()
        assert (
            "WorkerError: The workers differ:\n"
            f'  fit.seed: "0" on {both[0].address} (worker 0); "1" on {both[1].address} (worker 1)\n'
            "Run the same command with the same data and versions on all workers.\n"
        ) in worker.read_output()


@pytest.mark.slow
def test_missing_workers_are_named(start: Callable[..., list[Worker]]) -> None:
    """Also by those in whose process TensorFlow's coordination service does not run."""
    (first,) = start("alone", size=2)
    (interrupted,) = start("waits", size=2)
    addresses = find_free_addresses(2)
    second = Worker(first.output.with_name("second"), "alone", addresses, 1)
    interrupted.wait_for("started")
    time.sleep(5)
    interrupted.process.send_signal(signal.SIGINT)
    try:
        for worker, missing in ((first, "(worker 1)"), (second, f"{addresses[0]} (worker 0)")):
            assert worker.wait_for_exit() == 1
            assert "WorkerError: Not started within 3 seconds: 127.0.0.1:" in worker.read_output()
            assert f"{missing}. All workers must run the same command" in worker.read_output()
        assert interrupted.wait_for_exit() == -signal.SIGINT
    finally:
        second.process.kill()
        second.process.wait()


@pytest.mark.slow
def test_port_in_use_raises(start: Callable[..., list[Worker]], tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        addresses = [f"127.0.0.1:{listener.getsockname()[1]}", *find_free_addresses(1)]
        worker = Worker(tmp_path / "worker", "alone", addresses, 0)
        try:
            assert worker.wait_for_exit() == 1
        finally:
            worker.process.kill()
    assert f"WorkerError: TensorFlow could not connect {addresses[0]} (worker 0)" in worker.read_output()
    assert "must be free" in worker.read_output()


CLUSTER = _Cluster(("a:1", "b:1", "c:1"), ("chief 0", "worker 0", "worker 1"), index=1)


def test_find_peers_in_messages_of_tensorflow() -> None:
    text = "Error reported from /job:worker/task:1: unhealthy:\n/job:worker/replica:0/task:1, not /job:worker/task:0"
    assert CLUSTER.find_peers(text) == [2]
    assert CLUSTER.find_peers("remote target /job:chief/replica:0/task:0 while calling") == [0]
    assert CLUSTER.find_peers("/job:worker/replica:0/task:0/device:CPU:0") == []


@pytest.fixture
def gathered(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A list to which a test appends what other workers compare."""
    others: list[str] = []
    monkeypatch.setattr(distribution, "_read_cluster", lambda: CLUSTER)
    monkeypatch.setattr(distribution, "_has_several_workers", lambda: True)
    monkeypatch.setattr(distribution, "_gather", lambda text: [*others, text])
    return others


def test_compare_workers_names_what_differs_and_where(
    gathered: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(distribution, "get_versions", dict)
    monkeypatch.setattr(distribution, "get_commit", lambda: "abc")
    program = {"TF_CONFIG": '"a:1 b:1 c:1"', "commit": '"abc"'}
    gathered += [
        json.dumps([2, {**program, "fit.rate": "0.2", "seed": "1"}]),
        json.dumps([0, {**program, "fit.rate": "0.1", "versions.keras": '"3.0"'}]),
    ]
    with pytest.raises(WorkerError) as caught:
        compare_workers({"fit": {"rate": 0.2}, "seed": 1}, "Use the same.")
    assert str(caught.value) == (
        "The workers differ:\n"
        "  fit.rate: 0.1 on a:1 (chief 0); 0.2 on b:1 (worker 0), c:1 (worker 1)\n"
        "  seed: not set on a:1 (chief 0); 1 on b:1 (worker 0), c:1 (worker 1)\n"
        '  versions.keras: "3.0" on a:1 (chief 0); not set on b:1 (worker 0), c:1 (worker 1)\n'
        "Use the same."
    )


def test_digest_depends_on_all_batches_in_order(gathered: list[str]) -> None:
    x, y = tf.constant([[1, 2]]), tf.constant(["yes"])
    first = digest_batch((x, y))
    assert first == digest_batch((tf.identity(x), tf.identity(y)))
    others = [(x, tf.constant(["no"])), (x + 1, y), (tf.cast(x, tf.int64), y), (tf.transpose(x), y)]
    assert len({first, *map(digest_batch, others)}) == 5
    assert digest_batch((x, y), digest_batch(others[0])) != digest_batch(others[0], first)


def test_single_worker_computes_no_digest() -> None:
    assert digest_batch(tf.constant([1])) == 0


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
