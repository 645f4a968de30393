"""The distribution strategy for one machine or several, and what workers do together.

On several machines, run the same command on each, with an environment variable TF_CONFIG that lists all
workers and names the task of this one, as the TFJob of Kubernetes sets it. Workers wait for each other at
most ZOO_START_SECONDS (50 by default). TensorFlow's coordination service runs in the first worker. It
exchanges heartbeats, and when a worker is lost or ends with an error, it ends the collective operations of
all others.
"""

import contextlib
import functools
import json
import logging
import os
import re
import signal
import threading
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import keras
import tensorflow as tf

from zoo._compat import configure_coordination, report_error_to_workers
from zoo.errors import Interrupted, TrainingError
from zoo.provenance import get_commit, get_versions

logger = logging.getLogger(__name__)

_HEARTBEAT_SECONDS = 10.0
"""Seconds without a heartbeat after which a worker is lost."""


class WorkerError(TrainingError):
    """The workers cannot start or continue. The message says why and what to do."""


@contextlib.contextmanager
def distribution_scope() -> Iterator[tf.distribute.Strategy]:
    """Enter the scope of the strategy that fits TF_CONFIG and the devices.

    - Several machines: `tf.distribute.MultiWorkerMirroredStrategy`. Enter the scope before any other use of
      TensorFlow. A worker leaves the scope together with all others. If a worker is lost or ends with an
      error, the next collective operation of the others raises an error that names it, such as the next step
      of `zoo.fit`.
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
        strategy = _join(cluster)
        with strategy.scope(), _leave_together(cluster):
            yield strategy


def is_chief() -> bool:
    """Return whether this process writes files: always on one machine; of several, the chief or worker 0.

    Example:
        >>> import zoo
        >>> zoo.training.is_chief()
        True
    """
    cluster = _read_cluster()
    return cluster is None or cluster.index == 0


def compare_workers(
    values: Mapping[str, Any],
    advice: str = "Run the same command with the same data and versions on all workers.",
) -> None:
    """Raise an error on all workers if a value is not the same on all of them.

    TF_CONFIG, versions of packages and the commit are compared, too. All workers must call this, and wait for
    each other. Outside of the scope of several workers it does nothing.

    Args:
        values: JSON values by name, nested ones included; other values count as strings.
        advice: what to do if they differ, the end of the message.

    Raises:
        WorkerError: a value differs. The message has its name, and the value of each worker.

    >>> compare_workers({"seed": 1})
    """
    cluster = _read_cluster()
    if cluster is None or not _has_several_workers():
        return
    program = {"TF_CONFIG": " ".join(cluster.addresses), "versions": get_versions(), "commit": get_commit()}
    flat = {
        ".".join(map(str, path)): json.dumps(value, default=str)
        for path, value in keras.tree.flatten_with_path({**program, **values})
    }
    by_worker = dict(sorted(map(json.loads, _gather(json.dumps([cluster.index, flat])))))
    names = sorted({name for flat in by_worker.values() for name in flat})
    lines = []
    for name in names:
        workers: dict[str, list[int]] = {}
        for index, flat in by_worker.items():
            workers.setdefault(flat.get(name, "not set"), []).append(index)
        if len(workers) > 1:
            found = (f"{value} on {cluster.describe(indices)}" for value, indices in workers.items())
            lines.append(f"  {name}: {'; '.join(found)}")
    if lines:
        raise WorkerError("The workers differ:\n" + "\n".join(lines) + f"\n{advice}")


def digest_batch(batch: Any, digest: int = 0) -> int:
    """Return a digest of batches that workers can compare: that of earlier batches, continued by one more.

    With a single worker it is 0, and costs no time.
    """
    return hash_batch(batch, digest) if _has_several_workers() else digest


def hash_batch(batch: Any, start: int = 0) -> int:
    """Return a checksum of a batch, continued from that of earlier ones."""
    for tensor in tf.nest.flatten(batch, expand_composites=True):
        start = zlib.crc32(tf.io.serialize_tensor(tensor).numpy(), start)
    return start


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

    def describe(self, indices: Iterable[int]) -> str:
        return ", ".join(f"{self.addresses[index]} ({self.tasks[index]})" for index in indices)

    def find_peers(self, text: str) -> list[int]:
        """Return the positions of the other workers that a message of TensorFlow names."""
        names = {f"{job} {index}" for job, index in re.findall(r"/job:(\w+)(?:/replica:0)?/task:(\d+)", text)}
        return [index for index, task in enumerate(self.tasks) if task in names and index != self.index]


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


# --- Start, work and end ----------------------------------------------------------------------------


@functools.cache  # TensorFlow allows one such strategy per process
def _join(cluster: _Cluster) -> tf.distribute.Strategy:
    """Wait for all workers, and create the strategy."""
    text = os.environ.get("ZOO_START_SECONDS", "50")
    if not re.fullmatch(r"\d+(\.\d+)?", text):
        raise WorkerError(f"ZOO_START_SECONDS is {text!r}. Set it to a number of seconds, such as 50.")
    configure_coordination(cluster.tasks, float(text), _HEARTBEAT_SECONDS)
    peers = [index for index in range(len(cluster.tasks)) if index != cluster.index]
    logger.info("Waiting for %s", cluster.describe(peers))
    try:
        with _default_signal_handlers():
            return tf.distribute.MultiWorkerMirroredStrategy()
    except tf.errors.DeadlineExceededError as error:
        missing = cluster.find_peers(str(error).rpartition("timed out task names:")[2].partition("\n\n")[0])
        raise WorkerError(
            f"Not started within {text} seconds: {cluster.describe(missing or peers)}. All workers must run the same "
            'command, have the same "cluster" in TF_CONFIG, and reach each other at these addresses. If they '
            "take longer to start, set ZOO_START_SECONDS."
        ) from error
    except (RuntimeError, tf.errors.OpError) as error:
        raise WorkerError(
            f"TensorFlow could not connect {cluster.describe([cluster.index])} with the other workers: {error}. "
            "The port in its address must be free, and `distribution_scope()` must be entered before any "
            "other use of TensorFlow. If so, a worker was lost: run the same command on all workers again."
        ) from error


@contextlib.contextmanager
def _default_signal_handlers() -> Iterator[None]:
    """End the process on Ctrl-C in this context, and restore the handlers that TensorFlow replaces."""
    is_main = threading.current_thread() is threading.main_thread()
    handlers = {n: signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)} if is_main else {}
    try:
        if is_main:  # TensorFlow holds Python's lock while it waits, so handlers in Python do not run
            signal.signal(signal.SIGINT, signal.SIG_DFL)
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def _leave_together(cluster: _Cluster) -> Iterator[None]:
    """Leave this context together with all other workers, or with an error that names the lost one."""
    try:
        yield
        with _default_signal_handlers():
            _gather("")
    except (Interrupted, WorkerError):
        raise  # as on all other workers
    except BaseException as error:
        text = str(error)
        peers = cluster.find_peers(text) if isinstance(error, tf.errors.OpError) else []
        if report := re.search(f"{_REPORT}(.*)", text):  # another worker found the cause, or is the cause
            message = report[1]
        elif not peers:
            summary = f"{type(error).__name__}: {text.splitlines()[0] if text else ''}"
            message = f"{cluster.describe([cluster.index])} ended with {summary}"
        elif isinstance(error, tf.errors.UnavailableError):
            message = (
                f"Lost {cluster.describe(peers)}: the process ended, or its machine or the network failed. Its "
                "last output may show the cause."
            )
        else:
            cause = re.search("aborted by: (.*)", text)
            message = (
                f"The workers do not run the same program: {cause[1] if cause else text.splitlines()[0]}"
            )
        with contextlib.suppress(tf.errors.OpError):  # the connection may be lost
            report_error_to_workers(_REPORT + message)
        if not peers:
            raise
        raise WorkerError(
            f"{message.rstrip('.')}. Run the same command on all workers to resume from the last checkpoint."
        ) from error


_REPORT = "reported by a worker: "
"""Start of the message with which a worker ends the collective operations of all others."""


def _has_several_workers() -> bool:
    """Return whether the current strategy is that of several workers."""
    is_multi_worker = isinstance(tf.distribute.get_strategy(), tf.distribute.MultiWorkerMirroredStrategy)
    return is_multi_worker and _read_cluster() is not None


def _gather(text: str) -> list[str]:
    """Wait for all workers, and return the lines of text that they give."""
    codes = [*text.encode(), ord("\n")]
    return bytes(_build_gather(tf.distribute.get_strategy())(codes).numpy().tolist()).decode().splitlines()


@functools.cache
def _build_gather(strategy: tf.distribute.Strategy) -> Any:
    """Return a function from integers of each worker to those of all."""

    def run_replica(codes: tf.Tensor) -> tf.Tensor:
        # An argument of a tf.function has no device, which `all_gather` needs.
        return tf.distribute.get_replica_context().all_gather(tf.identity(codes), axis=0)

    def gather(codes: tf.Tensor) -> tf.Tensor:
        return strategy.experimental_local_results(strategy.run(run_replica, args=(codes,)))[0]

    return tf.function(gather, input_signature=[tf.TensorSpec([None], tf.int32)], autograph=False)
