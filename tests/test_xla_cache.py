"""The cache of compiled programs: what is stored, what is refused, and that a run is the same without it."""

import errno
import json
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
import tensorflow as tf

from zoo.cli import xla_cache as module
from zoo.cli.xla_cache import ProgramStore, get_cache_directory, make_key, xla_cache
from zoo.errors import UsageError

ROOT = Path(__file__).parents[1]

Start = Callable[[], ProgramStore]


@pytest.fixture
def start(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Start:
    """A function that returns a store as a new process would have it, with an empty memory."""

    def start() -> ProgramStore:
        monkeypatch.setattr(module, "_MEMORY", f"ram://tests/{uuid.uuid4()}")
        store = ProgramStore()
        store.load()
        return store

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return start


def write_to_memory(name: str, content: bytes) -> None:
    with tf.io.gfile.GFile(f"{module._MEMORY}/{name}", "wb") as file:
        file.write(content)


def read_memory() -> dict[str, bytes]:
    names = tf.io.gfile.listdir(module._MEMORY)
    return {name: tf.io.gfile.GFile(f"{module._MEMORY}/{name}", "rb").read() for name in names}


def save_programs(start: Start, programs: dict[str, bytes]) -> Path:
    """Save programs as a process does, and return the directory."""
    store = start()
    for name, content in programs.items():
        write_to_memory(name, content)
    store.save()
    return store.directory


PROGRAMS = {f"{name}.pb": name.encode() * 9_000 for name in "abc"}

on_linux = pytest.mark.skipif(sys.platform != "linux", reason="sets XDG_CACHE_HOME")
pytestmark = on_linux


def test_the_next_process_has_the_programs_of_the_one_before(start: Start, tmp_path: Path) -> None:
    directory = save_programs(start, {**PROGRAMS, "d.pb.tmp": b"incomplete"})
    assert directory == tmp_path / "rnn-zoo" / "xla" / make_key()
    for path in (directory, *directory.parents[:2]):
        assert path.stat().st_mode & 0o777 == 0o700
    start()
    assert read_memory() == PROGRAMS


def damage(content: bytes, how: str) -> bytes:
    middle = len(content) // 2
    flipped = content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]
    return {"flipped": flipped, "cut": content[:middle], "empty": b"", "longer": content + b"x"}[how]


@pytest.mark.parametrize("how", ["flipped", "cut", "empty", "longer"])
def test_damaged_programs_are_deleted_and_not_used(
    how: str, start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    path = save_programs(start, PROGRAMS) / "b.pb"
    path.write_bytes(damage(path.read_bytes(), how))
    store = start()
    assert sorted(read_memory()) == ["a.pb", "c.pb"]
    assert not path.exists()
    assert f"{path} is damaged; deleting it" in caplog.text
    write_to_memory("b.pb", PROGRAMS["b.pb"])  # compiled again
    store.save()
    start()
    assert read_memory() == PROGRAMS


def test_the_oldest_programs_of_all_kinds_of_processor_are_deleted(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = save_programs(start, PROGRAMS)
    other = save_programs(lambda: (monkeypatch.setenv("XLA_FLAGS", "--x"), start())[1], PROGRAMS)
    assert other != directory
    paths = [other / "b.pb", directory / "c.pb", directory / "a.pb", other / "c.pb"]
    for age, path in enumerate(reversed(paths)):
        os.utime(path, (9_000 + age, 9_000 + age))
    monkeypatch.setattr(module, "MAX_BYTES", 4 * 9_100)
    assert save_programs(start, {"d.pb": b"d" * 9_000}) == other
    left = {path.relative_to(directory.parent) for path in directory.parent.rglob("*.pb")}
    assert left == {Path(other.name, name) for name in ("a.pb", "b.pb", "d.pb")} | {
        Path(directory.name, "b.pb")
    }


# The disk may fail.


def assert_goes_on_without(start: Start, reason: str, caplog: pytest.LogCaptureFixture) -> None:
    """Nothing is loaded or saved, and one warning says why."""
    store = start()
    write_to_memory("a.pb", b"a")
    store.save()
    (record,) = caplog.records
    assert reason in record.getMessage()
    assert "ZOO_XLA_CACHE=0" in record.getMessage()
    assert store.directory is None


@pytest.mark.parametrize("mode", [0o777, 0o770, 0o702])
@pytest.mark.parametrize("level", [0, 1, 2])
def test_a_directory_that_others_can_write_is_refused(
    mode: int, level: int, start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    directory = save_programs(start, PROGRAMS)
    path = [directory, *directory.parents][level]
    path.chmod(mode)
    assert_goes_on_without(start, f"{path} can be written by other users, expected mode 700", caplog)
    assert read_memory() == {"a.pb": b"a"}


def test_a_link_is_refused(start: Start, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "target").mkdir(mode=0o700)
    (tmp_path / "rnn-zoo").symlink_to(tmp_path / "target")
    assert_goes_on_without(start, "rnn-zoo is a link", caplog)


def test_a_directory_of_another_user_is_refused(
    start: Start, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    save_programs(start, PROGRAMS)
    user = os.getuid()
    monkeypatch.setattr(os, "getuid", lambda: user + 1)
    assert_goes_on_without(start, "rnn-zoo belongs to another user", caplog)


def test_a_directory_that_cannot_be_created_is_reported(
    start: Start, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "rnn-zoo").write_text("a file")
    assert_goes_on_without(start, "File exists", caplog)


def test_a_missing_home_directory_is_reported(
    start: Start, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def raise_error() -> Path:
        raise RuntimeError("no home")

    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setattr(Path, "home", raise_error)
    assert_goes_on_without(start, "no home", caplog)


def test_a_full_disk_is_reported(
    start: Start, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    @contextmanager
    def fail(path: Path) -> Iterator[Path]:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        yield path

    monkeypatch.setattr(module, "atomic_write", fail)
    assert_goes_on_without(start, "No space left on device", caplog)


# Where, and for what.


def test_the_directory_is_that_of_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "home", lambda: Path("/home/me"))
    for value, expected in (("/x", "/x"), ("", "/home/me/.cache"), ("relative", "/home/me/.cache")):
        monkeypatch.setenv("XDG_CACHE_HOME", value)
        assert get_cache_directory() == Path(expected)


def test_the_key_depends_on_everything_that_a_program_depends_on(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = {make_key()}
    assert make_key() in keys
    assert any("flags" in line and " sse2 " in f"{line} " for line in module.describe_processor()) or (
        os.uname().machine != "x86_64"
    )
    monkeypatch.setattr(tf.version, "GIT_VERSION", "another")
    keys.add(make_key())
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: range(999))
    keys.add(make_key())
    monkeypatch.setenv("XLA_FLAGS", "--xla_cpu_enable_fast_math=true")
    keys.add(make_key())
    monkeypatch.setattr(module, "describe_processor", lambda: ["another"])
    keys.add(make_key())
    assert len(keys) == 5


@pytest.mark.parametrize("value", ["off", "2", "no"])
def test_another_value_of_the_variable_raises(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZOO_XLA_CACHE", value)
    with pytest.raises(UsageError, match=f"ZOO_XLA_CACHE is '{value}'. Set it to 0"), xla_cache():
        pass


def test_the_variable_switches_the_cache_off(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ZOO_XLA_CACHE", "0")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    before = os.environ.get("TF_XLA_FLAGS")
    with xla_cache():
        assert os.environ.get("TF_XLA_FLAGS") == before
    assert not list(tmp_path.iterdir())


def test_programs_are_saved_while_the_run_goes_on_and_when_it_fails(
    start: Start, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def run_and_fail() -> None:
        with xla_cache():
            write_to_memory("a.pb", b"a")
            for _ in range(1000):
                if list(tmp_path.rglob("a.pb")):
                    break
                time.sleep(0.01)
            else:
                pytest.fail("not saved")
            write_to_memory("b.pb", b"b")
            raise ValueError("the recipe fails")

    start()
    monkeypatch.setenv("ZOO_XLA_CACHE", "1")
    monkeypatch.setenv("TF_XLA_FLAGS", "")
    monkeypatch.setattr(module, "SAVE_SECONDS", 0.01)
    with pytest.raises(ValueError, match="the recipe fails"):
        run_and_fail()
    start()
    assert read_memory() == {"a.pb": b"a", "b.pb": b"b"}


# With XLA, in fresh processes.

PROGRAM = """
import hashlib, importlib, json, pkgutil, sys
import tensorflow as tf
import zoo, zoo.recipes
from zoo.cli.xla_cache import xla_cache
for recipe in pkgutil.iter_modules(zoo.recipes.__path__):
    importlib.import_module(f"zoo.recipes.{recipe.name}")  # must not use TensorFlow before the cache is set up
with xla_cache():
    layer = zoo.LSTM(7, kernel_initializer=tf.keras.initializers.RandomNormal(seed=1),
                     recurrent_initializer=tf.keras.initializers.RandomNormal(seed=2))
    layer.build((4, None, 3))
    @tf.function(autograph=False)
    def compute(x):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(layer(x, training=True) ** 2)
        return tape.gradient(loss, [weight.value for weight in layer.trainable_weights])
    digest = hashlib.sha256()
    for time in (5, 9, 6):
        x = tf.reshape(tf.sin(tf.range(4.0 * time * 3)), (4, time, 3))
        for gradient in compute(x):
            digest.update(gradient.numpy().tobytes())
print(json.dumps([digest.hexdigest(), len(tf.io.gfile.glob("ram://zoo/xla/*.pb"))]))
"""


def compute(**environment: str) -> list:
    """Return a checksum of gradients that a fresh process computes, and how many programs it has in memory."""
    completed = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", **environment},
        capture_output=True,
        text=True,
    )
    assert completed.returncode == 0, completed.stderr
    return json.loads(completed.stdout)


@pytest.mark.slow
def test_results_are_bit_identical_without_with_a_new_and_with_a_filled_cache(tmp_path: Path) -> None:
    """Two processes at the same time fill it. Each recipe can be imported before it."""
    digest, count = compute(ZOO_XLA_CACHE="0")
    assert count == 0
    cached = {"ZOO_XLA_CACHE": "1", "XDG_CACHE_HOME": str(tmp_path)}
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(lambda _: compute(**cached), range(2))
    assert first == second
    assert first[0] == digest
    assert first[1] >= 6  # forward and backward at three lengths
    paths = list(tmp_path.rglob("*.pb"))
    assert len(paths) == first[1]
    times = [path.stat().st_mtime_ns for path in paths]
    assert compute(**cached) == first
    assert [path.stat().st_mtime_ns for path in paths] == times  # nothing was compiled again
    for path in paths[::2]:
        path.write_bytes(path.read_bytes()[:-1])
    assert compute(**cached) == first
    assert len(list(tmp_path.rglob("*.pb"))) == len(paths)


@pytest.mark.slow
def test_tensorflow_itself_fails_with_a_damaged_program(tmp_path: Path) -> None:
    """The reason why it reads and writes in memory."""
    flags = {"TF_XLA_FLAGS": f"--tf_xla_persistent_cache_directory={tmp_path}", "ZOO_XLA_CACHE": "1"}
    compute(**flags)
    paths = list(tmp_path.glob("*.pb"))
    assert len(paths) >= 6
    for path in paths:
        path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(AssertionError, match="Read less bytes than requested"):
        compute(**flags)
