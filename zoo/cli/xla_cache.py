"""Stores what XLA compiles in the user's cache directory, so that the next run of a recipe starts faster.

TensorFlow can store compiled programs itself, but a damaged file or a full disk then ends the computation. So
TensorFlow reads and writes them in memory. They are copied from the disk when a run starts, after a comparison
with their checksums, and to the disk while it goes on. The disk can thus fail without an effect on the run.

A program fits one version of TensorFlow, one kind of processor and one number of threads, so each of these has
a directory of its own. TensorFlow compares a program with the graph that it was compiled from before it uses it.
"""

import hashlib
import json
import logging
import os
import platform
import re
import stat
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import tensorflow as tf

from zoo._compat import cache_compiled_programs
from zoo.errors import UsageError
from zoo.files import atomic_write

logger = logging.getLogger(__name__)

VARIABLE = "ZOO_XLA_CACHE"
"""The environment variable that switches the cache off with the value 0."""

MAX_BYTES = 64 * 2**20
"""Most bytes on the disk, and most that a run reads into memory. A program has 0.1 to 0.3 MB."""

SAVE_SECONDS = 10.0
"""Time between two copies to the disk, so that a run that is killed has stored its programs, too."""

_MEMORY = "ram://zoo/xla"
_DIGEST_BYTES = hashlib.sha256().digest_size


@contextmanager
def xla_cache() -> Iterator[None]:
    """Return a context in which XLA uses programs that earlier processes have compiled.

    Enter it before TensorFlow is used. It has no effect on other systems than Linux, if the environment variable
    ZOO_XLA_CACHE is 0, or if TF_XLA_FLAGS names a cache directory. A directory that cannot be used is logged, and the
    run goes on.

    Raises:
        UsageError: ZOO_XLA_CACHE is neither 0 nor 1.
    """
    value = os.environ.get(VARIABLE) or "1"
    if value not in ("0", "1"):
        raise UsageError(
            f"{VARIABLE} is {value!r}. Set it to 0 to switch off the cache of compiled programs, or to 1."
        )
    if value == "0" or sys.platform != "linux" or not cache_compiled_programs(_MEMORY):
        yield
        return
    store = ProgramStore()
    stop = threading.Event()
    thread = threading.Thread(target=store.synchronize, args=(stop,), name="xla_cache")
    store.load()
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


class ProgramStore:
    """The compiled programs on the disk, and their copies in memory.

    A file has the name that TensorFlow gives to the program, and holds a SHA-256 checksum followed by the program.

    Attributes:
        directory: directory of the programs that fit this process; None if it cannot be used.
        names: names of the programs that are both on the disk and in memory.
    """

    def __init__(self) -> None:
        self.directory: Path | None = None
        self.names: set[str] = set()
        tf.io.gfile.makedirs(_MEMORY)

    def load(self) -> None:
        """Prepare the directory, and copy its programs to memory. Damaged files are deleted."""
        try:
            root = get_cache_directory() / "rnn-zoo"
            directory = root / "xla" / make_key()
            for path in (root, root / "xla", directory):
                make_private_directory(path)
            for path in directory.glob("*.pb"):
                try:
                    self._load_program(path)
                except FileNotFoundError:  # another process has deleted it
                    continue
            self.directory = directory
        except OSError as error:
            self._give_up(error)

    def _load_program(self, path: Path) -> None:
        content = path.read_bytes()
        digest, program = content[:_DIGEST_BYTES], content[_DIGEST_BYTES:]
        if hashlib.sha256(program).digest() != digest:
            logger.warning("%s is damaged; deleting it", path)
            path.unlink(missing_ok=True)
            return
        with tf.io.gfile.GFile(f"{_MEMORY}/{path.name}", "wb") as file:
            file.write(program)
        self.names.add(path.name)

    def save(self) -> None:
        """Copy new programs from memory to the disk, and delete the oldest ones of all if there are too many."""
        if self.directory is None:
            return
        # TensorFlow gives a program this suffix when it is complete.
        new = {name for name in tf.io.gfile.listdir(_MEMORY) if name.endswith(".pb")} - self.names
        try:
            for name in new:
                with tf.io.gfile.GFile(f"{_MEMORY}/{name}", "rb") as file:
                    program = file.read()
                with atomic_write(self.directory / name) as temporary:
                    temporary.write_bytes(hashlib.sha256(program).digest() + program)
                self.names.add(name)
            if new:
                delete_oldest_files(self.directory.parent, MAX_BYTES)
        except OSError as error:
            self._give_up(error)

    def synchronize(self, stop: threading.Event) -> None:
        """Save every few seconds until `stop` is set, and once more then."""
        while not stop.wait(SAVE_SECONDS):
            self.save()
        self.save()

    def _give_up(self, error: OSError) -> None:
        self.directory = None
        logger.warning(
            "Compiled programs are not stored for the next run: %s. Correct this, or set %s=0.",
            error,
            VARIABLE,
        )


def get_cache_directory() -> Path:
    """Return the directory in which programs cache files of this user.

    Raises:
        OSError: the home directory of the user is unknown.
    """
    configured = Path(os.environ.get("XDG_CACHE_HOME", ""))
    try:
        return configured if configured.is_absolute() else Path.home() / ".cache"
    except RuntimeError as error:
        raise OSError(str(error)) from error


def make_private_directory(path: Path) -> None:
    """Create a directory that nobody else can use, or check that nobody else can write to an existing one.

    Who writes there can make this process execute any program.

    Raises:
        OSError: the directory cannot be created, is a link, belongs to another user, or others can write to it.
    """
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    status = path.lstat()
    if not stat.S_ISDIR(status.st_mode):
        raise OSError(f"{path} is a link, expected a directory")
    if status.st_uid != os.getuid():
        raise OSError(f"{path} belongs to another user")
    if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise OSError(f"{path} can be written by other users, expected mode 700")


def make_key() -> str:
    """Return a name for what a compiled program depends on: TensorFlow, processor, threads and XLA's flags."""
    parts = {
        "tensorflow": [tf.version.VERSION, tf.version.GIT_VERSION, tf.version.COMPILER_VERSION],
        "processor": describe_processor(),
        "threads": len(os.sched_getaffinity(0)),
        "flags": {
            name: os.environ.get(name) for name in ("XLA_FLAGS", "TF_XLA_FLAGS", "TF_ENABLE_ONEDNN_OPTS")
        },
    }
    digest = hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
    return f"{tf.version.VERSION}-{digest[:16]}"


def describe_processor() -> list[str]:
    """Return model and instruction sets of the processor, as Linux describes them."""
    first, *_ = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").split("\n\n")
    fixed = r"(vendor_id|cpu family|model|model name|stepping|flags|Features|CPU \w+|isa)\s*:"
    lines = [line for line in first.splitlines() if re.match(fixed, line)]
    return [platform.machine(), platform.processor(), *lines]


def delete_oldest_files(directory: Path, max_bytes: int) -> None:
    """Delete files in a directory and in those below it, the oldest first, until at most `max_bytes` are left."""
    files = []
    for path in directory.rglob("*"):
        try:
            status = path.lstat()
        except FileNotFoundError:  # another process has deleted it
            continue
        if stat.S_ISREG(status.st_mode):
            files.append((status.st_mtime_ns, status.st_size, path))
    total = sum(size for _, size, _ in files)
    for _, size, path in sorted(files):
        if total <= max_bytes:
            break
        path.unlink(missing_ok=True)
        total -= size
