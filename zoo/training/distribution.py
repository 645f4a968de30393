"""The distribution strategy for one machine or several, and clean failure when a worker is lost.

On several machines, run the same command on each, with an environment variable TF_CONFIG that lists all
workers and names the task of this one, as the TFJob of Kubernetes sets it. Workers wait for each other at
most ZOO_START_SECONDS (50 by default). While they work, each keeps a connection to every other worker, which
closes when the process at its other end ends.
"""

import contextlib
import functools
import hashlib
import json
import logging
import os
import re
import selectors
import signal
import socket
import threading
import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from faulthandler import cancel_dump_traceback_later, dump_traceback_later
from types import FrameType

import tensorflow as tf

from zoo.errors import TrainingError

logger = logging.getLogger(__name__)

_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_STOP_SECONDS = 20.0  # from a signal until the main thread must have left
_LOST_SECONDS = 15.0  # the same from the loss of a worker: TensorFlow takes up to 11 s to raise its own error
_ERROR_SECONDS = 8.0  # from TensorFlow's error until a lost worker must be noticed


class WorkerError(TrainingError):
    """The workers cannot start or continue. The message says why and what to do."""


@contextlib.contextmanager
def distribution_scope() -> Iterator[tf.distribute.Strategy]:
    """Enter the scope of the strategy that fits TF_CONFIG and the devices.

    - Several machines: `tf.distribute.MultiWorkerMirroredStrategy`. Enter the scope before any other use of
      TensorFlow. A worker leaves the scope together with all others. If a worker is lost, the others end with
      an error that names it; they also end a while after SIGINT or SIGTERM. Both work even if TensorFlow does
      not return.
    - Several GPUs on one machine: `tf.distribute.MirroredStrategy`.
    - Otherwise, and within the scope of another strategy: the current strategy.

    Yields:
        The strategy.

    Raises:
        WorkerError: TF_CONFIG is invalid, a worker did not start in time, or a worker was lost.

    >>> with distribution_scope() as strategy:
    ...     strategy.num_replicas_in_sync
    1
    """
    cluster = _read_cluster()
    if tf.distribute.has_strategy():
        yield tf.distribute.get_strategy()
    elif cluster is None:
        has_gpus = len(tf.config.list_logical_devices("GPU")) > 1
        strategy = tf.distribute.MirroredStrategy() if has_gpus else tf.distribute.get_strategy()
        with strategy.scope():
            yield strategy
    else:
        strategy, peers = _join(cluster)
        with peers.watch(), strategy.scope():
            yield strategy


def is_chief() -> bool:
    """Return whether this process writes files: always on one machine; of several, the chief or worker 0."""
    cluster = _read_cluster()
    return cluster is None or cluster.index == 0


# --- TF_CONFIG --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Cluster:
    """All workers, the chief first.

    Attributes:
        addresses: of each worker, as "host:port".
        tasks: of each worker, as "worker 0".
        index: position of this process.
    """

    addresses: tuple[str, ...]
    tasks: tuple[str, ...]
    index: int

    @property
    def peers(self) -> set[int]:
        """Positions of the other workers."""
        return set(range(len(self.tasks))) - {self.index}

    def host_and_port(self, index: int) -> tuple[str, int]:
        host, _, port = self.addresses[index].rpartition(":")
        return host.strip("[]"), int(port)

    def describe(self, indices: Collection[int]) -> str:
        return ", ".join(f"{self.addresses[index]} ({self.tasks[index]})" for index in sorted(indices))


def _read_cluster() -> _Cluster | None:
    """Read TF_CONFIG. Returns None for a single machine."""
    try:
        config = json.loads(os.environ.get("TF_CONFIG", "").strip() or "{}")
    except json.JSONDecodeError as error:
        raise _invalid_tf_config(f"is not JSON: {error}") from None
    jobs = config.get("cluster", {}) if isinstance(config, dict) else None
    if not isinstance(jobs, dict):
        raise _invalid_tf_config('is not an object with a "cluster" of jobs and a "task"')
    if not jobs:
        return None
    if unknown := set(jobs) - {"chief", "worker"}:
        raise _invalid_tf_config(f'has the job "{min(unknown)}", but only "chief" and "worker" are supported')
    for job, addresses in jobs.items():  # TensorFlow crashes on an empty list
        if not (
            isinstance(addresses, list)
            and addresses
            and all(re.search(r".:\d+$", str(address)) for address in addresses)
        ):
            raise _invalid_tf_config(
                f'has {json.dumps(addresses)} for "{job}", which is not a list of host:port'
            )
    order = [(job, index) for job in ("chief", "worker") for index in range(len(jobs.get(job, ())))]
    addresses = [jobs[job][index] for job, index in order]
    if len(set(addresses)) < len(addresses) or ("chief", 1) in order:
        raise _invalid_tf_config(f"has an address twice or two chiefs among {', '.join(addresses)}")
    tasks = [f"{job} {index}" for job, index in order]
    task = config.get("task")
    current = f"{task.get('type')} {task.get('index')}" if isinstance(task, dict) else "none"
    if current not in tasks:
        raise _invalid_tf_config(
            f'has the "task" {current}, but its cluster has {", ".join(tasks)}, and all of them evaluate'
        )
    return _Cluster(tuple(addresses), tuple(tasks), tasks.index(current)) if len(tasks) > 1 else None


def _invalid_tf_config(problem: str) -> WorkerError:
    example = '{"cluster": {"worker": ["a:2222", "b:2222"]}, "task": {"type": "worker", "index": 0}}'
    return WorkerError(
        f"The environment variable TF_CONFIG {problem}. For workers on the machines a and b, set it on a to "
        f"{example}. On a single machine, unset it."
    )


# --- Start ------------------------------------------------------------------------------------------


@functools.cache  # TensorFlow allows one such strategy per process
def _join(cluster: _Cluster) -> tuple[tf.distribute.Strategy, "_Peers"]:
    """Wait for all workers, and create the strategy."""
    text = os.environ.get("ZOO_START_SECONDS", "50")
    if not re.fullmatch(r"\d+(\.\d+)?", text):
        raise WorkerError(f"ZOO_START_SECONDS is {text!r}. Set it to a number of seconds, such as 50.")
    with _exit_on_signals():
        peers = _Peers(cluster, _connect(cluster, float(text)))
        # All workers are there, so this takes a second. If one is lost within it, TensorFlow waits for it and
        # holds Python's lock, so that neither threads nor signal handlers run: only a timer in C ends it.
        dump_traceback_later(max(float(text), 1), exit=True, file=2)
        try:
            return tf.distribute.MultiWorkerMirroredStrategy(), peers
        except (RuntimeError, tf.errors.OpError) as error:
            raise WorkerError(
                f"The workers connected, but TensorFlow did not start: {error}. Enter `distribution_scope()` "
                "before any other use of TensorFlow. If you did, a worker was lost: run the same command on "
                "all workers again."
            ) from error
        finally:
            cancel_dump_traceback_later()


@contextlib.contextmanager
def _exit_on_signals() -> Iterator[None]:
    """Exit on SIGINT and SIGTERM while waiting, and restore the handlers, which TensorFlow replaces."""

    def exit_process(number: int, frame: FrameType | None) -> None:
        logger.warning("%s while waiting for the other workers", signal.Signals(number).name)
        raise SystemExit(128 + number)

    is_main = threading.current_thread() is threading.main_thread()
    handlers = {number: signal.signal(number, exit_process) for number in _STOP_SIGNALS} if is_main else {}
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler or signal.SIG_DFL)


def _connect(cluster: _Cluster, seconds: float) -> dict[int, socket.socket]:
    """Connect to every other worker, on the port that TensorFlow will use afterwards.

    Of two workers, the one with the higher index connects to the other. TensorFlow could wait by itself, but
    it would ignore signals meanwhile and would not name the missing workers.
    """
    logger.info("Waiting for %s", cluster.describe(cluster.peers))
    deadline = time.monotonic() + seconds
    connections: dict[int, socket.socket] = {}
    with _listen(cluster) as listener:
        while missing := cluster.peers - set(connections):
            if time.monotonic() > deadline:
                raise WorkerError(
                    f"Not started within {seconds:g} seconds: {cluster.describe(missing)}. All workers must "
                    'run the same command, have the same "cluster" in TF_CONFIG, and reach each other at '
                    "these addresses. If they take longer to start, set ZOO_START_SECONDS."
                )
            for index in missing & set(range(cluster.index)):
                with contextlib.suppress(OSError):
                    connection = socket.create_connection(cluster.host_and_port(index), 1)
                    _exchange_greetings(connection, cluster, connections)
            with contextlib.suppress(TimeoutError):
                _exchange_greetings(listener.accept()[0], cluster, connections)
            for index in [index for index, connection in connections.items() if _is_closed(connection)]:
                connections.pop(index).close()  # that worker was restarted, or gave up too early
    return connections


def _listen(cluster: _Cluster) -> socket.socket:
    is_dual = socket.has_dualstack_ipv6()
    family = socket.AF_INET6 if is_dual else socket.AF_INET
    try:
        port = cluster.host_and_port(cluster.index)[1]
        listener = socket.create_server(("", port), family=family, dualstack_ipv6=is_dual)
    except OSError as error:
        raise WorkerError(
            f"Cannot listen at {cluster.describe([cluster.index])}, the address of this worker: "
            f"{error.strerror}. End the process that uses the port, or change it in TF_CONFIG on all workers."
        ) from None
    listener.settimeout(0.2)
    return listener


def _exchange_greetings(
    connection: socket.socket, cluster: _Cluster, connections: dict[int, socket.socket]
) -> None:
    """Add the connection to `connections` if a worker of the same cluster is at its other end."""
    digest = hashlib.sha256(" ".join(cluster.addresses).encode()).hexdigest()
    greetings = [f"zoo {digest} {index:6d}".encode() for index in range(len(cluster.addresses))]
    try:
        connection.settimeout(2)
        connection.sendall(greetings[cluster.index])
        index = greetings.index(connection.recv(len(greetings[0])))
        connection.setblocking(False)
        if index in connections:
            connections[index].close()
        connections[index] = connection
    except (OSError, ValueError):
        connection.close()


def _is_closed(connection: socket.socket) -> bool:
    try:
        return not connection.recv(1, socket.MSG_PEEK)
    except BlockingIOError:
        return False
    except OSError:
        return True


# --- Work -------------------------------------------------------------------------------------------


class _Peers:
    """The other workers. Each sends a byte when it leaves the scope; a closed connection is a lost worker."""

    def __init__(self, cluster: _Cluster, connections: dict[int, socket.socket]) -> None:
        self.cluster, self.connections = cluster, connections
        self.num_entered = 0  # scopes that this worker has entered
        self.num_left = dict.fromkeys(connections, 0)  # scopes that each peer has left
        self.lost: list[int] = []
        self.changed = threading.Condition()
        # A machine that fails closes no connection; 15 seconds without a reply count as closed.
        for name, value in {"KEEPIDLE": 3, "KEEPINTVL": 3, "KEEPCNT": 4, "USER_TIMEOUT": 15_000}.items():
            if option := getattr(socket, f"TCP_{name}", None):  # not on every system
                for connection in connections.values():
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
                    connection.setsockopt(socket.IPPROTO_TCP, option, value)

    @contextlib.contextmanager
    def watch(self) -> Iterator[None]:
        """Leave this context together with all peers, or with an error that names the lost one."""
        if any(connection.fileno() < 0 for connection in self.connections.values()):
            raise WorkerError("This worker has left the others. Run the same command on all workers again.")
        self.num_entered += 1
        wakeup, wakeup_receiver = socket.socketpair()
        wakeup.setblocking(False)
        is_main = threading.current_thread() is threading.main_thread()
        # Python's C handler writes here at once; handlers in Python wait for the main thread.
        previous_fd = signal.set_wakeup_fd(wakeup.fileno(), warn_on_full_buffer=False) if is_main else -1
        thread = threading.Thread(target=self._watch, args=[wakeup_receiver], daemon=True)
        thread.start()
        to_close = [*self.connections.values()]  # so that peers notice, even if this process lingers
        try:
            yield
            self._wait_for_all()
            to_close = []
        except tf.errors.OpError as error:
            with self.changed:
                self.changed.wait_for(lambda: self.lost, _ERROR_SECONDS)
            if not self.lost:
                raise
            raise WorkerError(self._describe_loss()) from error
        finally:
            if is_main:
                signal.set_wakeup_fd(previous_fd)
            wakeup.send(b"\0")
            thread.join()
            for connection in (wakeup, wakeup_receiver, *to_close):
                connection.close()

    def _wait_for_all(self) -> None:
        """Wait until all peers have left the scope, too."""
        for connection in self.connections.values():
            with contextlib.suppress(OSError):  # the watching thread notices
                connection.send(b".")
        with self.changed:
            self.changed.wait_for(lambda: self.lost or min(self.num_left.values()) >= self.num_entered)
        if self.lost:
            raise WorkerError(self._describe_loss())

    def _describe_loss(self) -> str:
        return (
            f"Lost {self.cluster.describe(self.lost)}: the process ended, or its machine or the network "
            "failed. Its last output may show the cause. Run the same command on all workers to resume from "
            "the last checkpoint."
        )

    def _watch(self, wakeup_receiver: socket.socket) -> None:
        """Receive signals and bytes of peers. End the process if the main thread does not leave in time."""
        deadlines: list[tuple[float, int, str]] = []  # time, exit code and message; the first one counts
        with selectors.DefaultSelector() as selector:
            selector.register(wakeup_receiver, selectors.EVENT_READ)
            for index, connection in self.connections.items():
                selector.register(connection, selectors.EVENT_READ, index)
            while not deadlines or time.monotonic() < deadlines[0][0]:
                for key, _ in selector.select(deadlines[0][0] - time.monotonic() if deadlines else None):
                    if key.data is None:
                        numbers = wakeup_receiver.recv(64)
                        if 0 in numbers:
                            return
                        deadlines += [
                            self._stop_deadline(number) for number in numbers if number in _STOP_SIGNALS
                        ]
                    elif not self._receive(key.data):
                        selector.unregister(key.fileobj)
                        if self.lost:
                            deadlines.append((time.monotonic() + _LOST_SECONDS, 1, self._describe_loss()))
        _, code, message = deadlines[0]
        os.write(2, f"{message}\n".encode())  # `logging` and `print` may wait for the blocked main thread
        os._exit(code)

    def _stop_deadline(self, number: int) -> tuple[float, int, str]:
        name = signal.Signals(number).name
        message = f"{name}: exiting, because TensorFlow did not return within {_STOP_SECONDS:g} seconds."
        return time.monotonic() + _STOP_SECONDS, 128 + number, message

    def _receive(self, index: int) -> bytes:
        """Read from a peer, and note whether it is lost."""
        try:
            data = self.connections[index].recv(64)
        except OSError:
            data = b""
        with self.changed:
            self.num_left[index] += len(data)
            if not data and self.num_left[index] < self.num_entered:
                self.lost.append(index)
            self.changed.notify_all()
        return data
