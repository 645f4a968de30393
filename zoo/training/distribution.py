"""One machine or several: the strategy that the environment asks for, and an end when a worker is lost.

Several machines run the same command, each with a variable TF_CONFIG that lists all of them and names its own
task, as the TFJob of Kubernetes sets it. They wait for each other, at most ZOO_START_SECONDS (50 if unset),
and keep a connection to every other one while they work: it closes when the process at its other end ends.
"""

import contextlib
import functools
import hashlib
import json
import os
import re
import selectors
import signal
import socket
import sys
import threading
import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from faulthandler import cancel_dump_traceback_later, dump_traceback_later
from types import FrameType

import tensorflow as tf

from zoo.errors import TrainingError

_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_STOP_SECONDS = 20.0  # after a signal, for the main thread to leave
_LOST_SECONDS = 15.0  # likewise after a worker was lost: TensorFlow takes up to 11 to raise its own error
_ERROR_SECONDS = 8.0  # after TensorFlow's error, to learn of a lost worker


class WorkerError(TrainingError):
    """The workers do not work together; the message says why, and what to do."""


@contextlib.contextmanager
def distribution_scope() -> Iterator[tf.distribute.Strategy]:
    """Run what is inside under the strategy that TF_CONFIG and the devices ask for.

    On several machines it is `MultiWorkerMirroredStrategy`, and TensorFlow must not have been used before. A
    worker leaves together with all others. When one is lost, or some seconds after SIGINT or SIGTERM, it ends
    even if TensorFlow does not return. With several GPUs on one machine it is `MirroredStrategy`. Otherwise,
    and in the scope of another strategy, nothing changes.

    Yields:
        The strategy, its scope entered.

    Raises:
        WorkerError: TF_CONFIG is wrong, workers did not come, or one was lost.
    """
    cluster = _cluster()
    if tf.distribute.has_strategy():
        yield tf.distribute.get_strategy()
    elif cluster is None:
        several = len(tf.config.list_logical_devices("GPU")) > 1
        strategy = tf.distribute.MirroredStrategy() if several else tf.distribute.get_strategy()
        with strategy.scope():
            yield strategy
    else:
        strategy, others = _joined(cluster)
        with others.watched(), strategy.scope():
            yield strategy


def is_chief() -> bool:
    """Whether this process writes the files: on one machine, and of several as the chief, else worker 0."""
    cluster = _cluster()
    return cluster is None or cluster.own == 0


# --- TF_CONFIG --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Cluster:
    """All workers, the chief first.

    Attributes:
        addresses: each as "host:port".
        tasks: each as "worker 0".
        own: which of them this process is.
    """

    addresses: tuple[str, ...]
    tasks: tuple[str, ...]
    own: int

    @property
    def others(self) -> set[int]:
        return set(range(len(self.tasks))) - {self.own}

    def place(self, index: int) -> tuple[str, int]:
        host, _, port = self.addresses[index].rpartition(":")
        return host.strip("[]"), int(port)

    def names(self, indices: Collection[int]) -> str:
        return ", ".join(f"{self.addresses[index]} ({self.tasks[index]})" for index in sorted(indices))


def _cluster() -> _Cluster | None:
    """What TF_CONFIG says; None for a single machine."""
    try:
        config = json.loads(os.environ.get("TF_CONFIG", "").strip() or "{}")
    except json.JSONDecodeError as error:
        raise _wrong(f"is not JSON: {error}") from None
    jobs = config.get("cluster", {}) if isinstance(config, dict) else None
    if not isinstance(jobs, dict):
        raise _wrong('is not an object with a "cluster" of jobs and a "task"')
    if not jobs:
        return None
    if unknown := set(jobs) - {"chief", "worker"}:
        raise _wrong(f'has the job "{min(unknown)}", and only "chief" and "worker" are supported')
    for job, listed in jobs.items():  # TensorFlow crashes on an empty list
        if not (
            isinstance(listed, list) and listed and all(re.search(r".:\d+$", str(one)) for one in listed)
        ):
            raise _wrong(f'has {json.dumps(listed)} for "{job}", which is not a list of host:port')
    order = [(job, index) for job in ("chief", "worker") for index in range(len(jobs.get(job, ())))]
    addresses = [jobs[job][index] for job, index in order]
    if len(set(addresses)) < len(addresses) or ("chief", 1) in order:
        raise _wrong(f"has an address twice or two chiefs among {', '.join(addresses)}")
    tasks = [f"{job} {index}" for job, index in order]
    task = config.get("task")
    own = f"{task.get('type')} {task.get('index')}" if isinstance(task, dict) else "none"
    if own not in tasks:
        raise _wrong(f'has the "task" {own}; its cluster has {", ".join(tasks)}, and all of them evaluate')
    return _Cluster(tuple(addresses), tuple(tasks), tasks.index(own)) if len(tasks) > 1 else None


def _wrong(problem: str) -> WorkerError:
    example = '{"cluster": {"worker": ["a:2222", "b:2222"]}, "task": {"type": "worker", "index": 0}}'
    return WorkerError(
        f"The environment variable TF_CONFIG {problem}. For workers on the machines a and b it is, on a, "
        f"{example}. On a single machine, unset it."
    )


# --- The start --------------------------------------------------------------------------------------


@functools.cache  # TensorFlow allows one such strategy in a process
def _joined(cluster: _Cluster) -> tuple[tf.distribute.Strategy, "_Others"]:
    """The strategy, and the connections to the other workers, once all are there."""
    text = os.environ.get("ZOO_START_SECONDS", "50")
    if not re.fullmatch(r"\d+(\.\d+)?", text):
        raise WorkerError(f"ZOO_START_SECONDS is {text!r}, and not a number of seconds such as 50.")
    with _ended_by_signals():
        others = _Others(cluster, _meet(cluster, float(text)))
        # All are there, so this takes a second. If one is lost in that second, TensorFlow waits for it with
        # Python's lock held, so that neither threads nor handlers run: only a timer in C ends it.
        dump_traceback_later(max(float(text), 1), exit=True, file=sys.__stderr__)
        try:
            return tf.distribute.MultiWorkerMirroredStrategy(), others
        except (RuntimeError, tf.errors.OpError) as error:
            raise WorkerError(
                f"The workers met, but did not join: {error}. Enter `distribution_scope()` before any other "
                "use of TensorFlow. If it was, a worker was lost: run the same command on all workers again."
            ) from error
        finally:
            cancel_dump_traceback_later()


@contextlib.contextmanager
def _ended_by_signals() -> Iterator[None]:
    def end(number: int, frame: FrameType | None) -> None:
        print(f"{signal.Signals(number).name} while waiting for the other workers: ended.", file=sys.stderr)
        raise SystemExit(128 + number)

    in_main = threading.current_thread() is threading.main_thread()
    before = {number: signal.signal(number, end) for number in _STOP_SIGNALS} if in_main else {}
    try:
        yield
    finally:  # TensorFlow has put a handler of its own in the place of that of SIGTERM
        for number, handler in before.items():
            signal.signal(number, handler or signal.SIG_DFL)


def _meet(cluster: _Cluster, seconds: float) -> dict[int, socket.socket]:
    """Connect with every other worker, by the port that TensorFlow will use afterwards.

    Of two workers the latter connects to the former. TensorFlow could wait for them itself, but would be deaf
    to signals then, and not say for whom it waits.
    """
    print(f"Waiting for {cluster.names(cluster.others)}", file=sys.stderr, flush=True)
    end = time.monotonic() + seconds
    met: dict[int, socket.socket] = {}
    with _listener(cluster) as listener:
        while missing := cluster.others - set(met):
            if time.monotonic() > end:
                raise WorkerError(
                    f"Not there after {seconds:g} seconds: {cluster.names(missing)}. All workers must run "
                    'the same command, have the same "cluster" in TF_CONFIG, and reach the others at these '
                    "addresses. If they take longer to start, set ZOO_START_SECONDS."
                )
            for index in missing & set(range(cluster.own)):
                with contextlib.suppress(OSError):
                    _greet(socket.create_connection(cluster.place(index), 1), cluster, met)
            with contextlib.suppress(TimeoutError):
                _greet(listener.accept()[0], cluster, met)
            for index in [index for index, connection in met.items() if _closed(connection)]:
                met.pop(index).close()  # it was started again, or did not wait for the answer
    return met


def _listener(cluster: _Cluster) -> socket.socket:
    both = socket.has_dualstack_ipv6()
    family = socket.AF_INET6 if both else socket.AF_INET
    try:
        listener = socket.create_server(
            ("", cluster.place(cluster.own)[1]), family=family, dualstack_ipv6=both
        )
    except OSError as error:
        raise WorkerError(
            f"Cannot listen at {cluster.names([cluster.own])}, this worker's address: {error.strerror}. End "
            "the process that does, or write another port into TF_CONFIG on all workers."
        ) from None
    listener.settimeout(0.2)
    return listener


def _greet(connection: socket.socket, cluster: _Cluster, met: dict[int, socket.socket]) -> None:
    """Put the connection into `met` if a worker of the same cluster is at its other end."""
    digest = hashlib.sha256(" ".join(cluster.addresses).encode()).hexdigest()
    greetings = [f"zoo {digest} {index:6d}".encode() for index in range(len(cluster.addresses))]
    try:
        connection.settimeout(2)
        connection.sendall(greetings[cluster.own])
        index = greetings.index(connection.recv(len(greetings[0])))
        connection.setblocking(False)
        if index in met:
            met[index].close()
        met[index] = connection
    except (OSError, ValueError):
        connection.close()


def _closed(connection: socket.socket) -> bool:
    try:
        return not connection.recv(1, socket.MSG_PEEK)
    except BlockingIOError:
        return False
    except OSError:
        return True


# --- The work ---------------------------------------------------------------------------------------


class _Others:
    """The other workers. Over its connection each sends a byte when it is done; a close says it is gone."""

    def __init__(self, cluster: _Cluster, connections: dict[int, socket.socket]) -> None:
        self.cluster, self.connections = cluster, connections
        self.context = 0  # which is entered, from 1
        self.done = dict.fromkeys(connections, 0)  # with how many contexts each is
        self.lost: list[int] = []
        self.changed = threading.Condition()
        # A machine that fails closes nothing: 15 seconds without an answer do.
        for name, value in {"KEEPIDLE": 3, "KEEPINTVL": 3, "KEEPCNT": 4, "USER_TIMEOUT": 15_000}.items():
            if option := getattr(socket, f"TCP_{name}", None):  # not on every system
                for connection in connections.values():
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
                    connection.setsockopt(socket.IPPROTO_TCP, option, value)

    @contextlib.contextmanager
    def watched(self) -> Iterator[None]:
        """Leave together with the others, or with an error that says which one is lost."""
        if any(connection.fileno() < 0 for connection in self.connections.values()):
            raise WorkerError("This worker has left the others. Run the same command on all workers again.")
        self.context += 1
        wake, woken = socket.socketpair()
        wake.setblocking(False)
        in_main = threading.current_thread() is threading.main_thread()
        # Python's handler in C writes to it at once; those in Python wait for the main thread.
        before = signal.set_wakeup_fd(wake.fileno(), warn_on_full_buffer=False) if in_main else -1
        thread = threading.Thread(target=self._watch, args=[woken], daemon=True)
        thread.start()
        closing = [*self.connections.values()]  # tells the others, even if this process should linger
        try:
            yield
            self._wait()
            closing = []
        except tf.errors.OpError as error:
            with self.changed:
                self.changed.wait_for(lambda: self.lost, _ERROR_SECONDS)
            if not self.lost:
                raise
            raise WorkerError(self._loss()) from error
        finally:
            if in_main:
                signal.set_wakeup_fd(before)
            wake.send(b"\0")
            thread.join()
            for connection in (wake, woken, *closing):
                connection.close()

    def _wait(self) -> None:
        """Until all others are done, too."""
        for connection in self.connections.values():
            with contextlib.suppress(OSError):  # the thread hears of it
                connection.send(b".")
        with self.changed:
            self.changed.wait_for(lambda: self.lost or min(self.done.values()) >= self.context)
        if self.lost:
            raise WorkerError(self._loss())

    def _loss(self) -> str:
        return (
            f"Lost {self.cluster.names(self.lost)}: it ended, or its machine or the network failed; its last "
            "output may say why. Run the same command on all workers: it goes on from the last checkpoint."
        )

    def _watch(self, woken: socket.socket) -> None:
        """Hear of signals and of the others, and end the process if the main thread does not leave then."""
        ends: list[tuple[float, int, str]] = []  # when, with which code and message; the first counts
        with selectors.DefaultSelector() as selector:
            selector.register(woken, selectors.EVENT_READ)
            for index, connection in self.connections.items():
                selector.register(connection, selectors.EVENT_READ, index)
            while not ends or time.monotonic() < ends[0][0]:
                for key, _ in selector.select(ends[0][0] - time.monotonic() if ends else None):
                    if key.data is None:
                        numbers = woken.recv(64)
                        if 0 in numbers:
                            return
                        ends += [self._stop(number) for number in numbers if number in _STOP_SIGNALS]
                    elif not self._hear(key.data):
                        selector.unregister(key.fileobj)
                        if self.lost:
                            ends.append((time.monotonic() + _LOST_SECONDS, 1, self._loss()))
        _, code, message = ends[0]
        os.write(2, f"{message}\n".encode())  # `print` could have to wait for the main thread
        os._exit(code)

    def _stop(self, number: int) -> tuple[float, int, str]:
        name = signal.Signals(number).name
        message = f"{name}: ended, because TensorFlow did not return within {_STOP_SECONDS:g} seconds."
        return time.monotonic() + _STOP_SECONDS, 128 + number, message

    def _hear(self, index: int) -> bytes:
        try:
            heard = self.connections[index].recv(64)
        except OSError:
            heard = b""
        with self.changed:
            self.done[index] += len(heard)
            if not heard and self.done[index] < self.context:
                self.lost.append(index)
            self.changed.notify_all()
        return heard
