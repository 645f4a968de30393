"""What many tests use, and the order of the files: those that take longest come first."""

import ctypes
import gc
import logging
import os
import shutil
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

collect_ignore = ["make_unicode_tables.py"]  # needs a package that no test needs

LONG = (
    "test_translation",
    "test_continued_recipes",
    "test_readme",
    "test_runtimes",
    "test_captioning",
    "test_cells",
    "test_language_model_recipe",
    "test_loop",
    "test_sentiment",
    "test_hostile_commands",
    "test_notebooks",
    "test_xla_cache",
    "test_resume",
    "test_benchmarks",
    "test_page",
    "test_recurrence",
    "test_tagging",
    "test_overrides",
    "test_decoder",
    "test_workers",
    "test_captioning_data",
    "test_training",
    "test_next_word",
    "test_wheel",
    "test_cli",
    "test_copied_items",
    "test_from_export",
)

SHIPPED = Path(__file__).parents[1] / "saved_models"

MAX_EXPORTS = 8
"""Exports that stay loaded: the five shipped ones, and some of those that the tests of a file write."""

Content = frozenset[tuple[str, str]]
"""Names of files and their hashes."""

os.environ["ZOO_XLA_CACHE"] = "0"  # tests leave the cache of the user alone


def pytest_configure(config: pytest.Config) -> None:
    config.option.loadscopereorder = False  # otherwise xdist starts with the files that have most tests


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    order = {name: index for index, name in enumerate(LONG)}
    items.sort(key=lambda item: order.get(item.path.stem, len(LONG)))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Seed what draws without a seed of its own, before any fixture draws: a test passes or fails on every run.

    A new seed makes TensorFlow forget its kernels. They stay: otherwise each test would compile the functions of the
    loaded exports again, for seconds. Each kernel of a random operation is of one seed, so it draws for one test alone.
    """
    import keras  # the process that distributes the tests does not need it
    from tensorflow.python import pywrap_tfe

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pywrap_tfe, "TFE_ContextClearCaches", lambda context: None)
        keras.utils.set_random_seed(zlib.crc32(item.nodeid.encode()))


@pytest.fixture(autouse=True, scope="session")
def loaded_exports() -> Iterator[dict[Content, tuple[Path, Any]]]:
    """Let `tf.saved_model.load` return the same object wherever files have the same content.

    Loading an export takes seconds, and so does the first call of each signature. Signatures have no state.

    Returns:
        The exports that are loaded, those that were used last at the end: where the files are, and the object.
    """
    import tensorflow as tf  # the process that distributes the tests does not need it

    from zoo.files import sha256

    load, exports = tf.saved_model.load, {}

    def load_once(directory: str | Path) -> Any:
        paths = [Path(directory, "saved_model.pb"), *Path(directory).glob("*/*")]
        content = frozenset((path.name, sha256(path)) for path in paths if path.is_file())
        exports[content] = exports.pop(content, None) or (Path(directory).resolve(), load(directory))
        for oldest in list(exports)[:-MAX_EXPORTS]:
            del exports[oldest]
        return exports[content][1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tf.saved_model, "load", load_once)
        yield exports
    gc.unfreeze()  # other plugins look for objects at the end


@pytest.fixture(autouse=True, scope="module")
def trim_memory(loaded_exports: dict[Content, tuple[Path, Any]]) -> None:
    """Free what the tests of the file before have left, and return it to the system.

    Loaded exports are cycles of objects, which Python collects rarely in a process with as many objects as TensorFlow
    has; and glibc keeps a third of what they take. What is in use then is exempt from later collections: to go through
    its millions of objects for each file takes seconds.
    """
    for content, (directory, _) in list(loaded_exports.items()):
        if SHIPPED not in directory.parents:
            del loaded_exports[content]
    gc.collect()
    gc.freeze()
    if trim := getattr(ctypes.CDLL(None), "malloc_trim", None):
        trim(0)


@pytest.fixture(autouse=True)
def restore_logging() -> Iterator[None]:
    """Undo what a command that runs in this process sets up: level and handlers hold for the whole process."""
    root, library = logging.getLogger(), logging.getLogger("zoo")
    handlers, level = root.handlers[:], library.level
    yield
    root.handlers[:] = handlers
    library.setLevel(level)


@pytest.fixture
def no_plots(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out the plots of training runs, which take most of the time of small ones."""
    monkeypatch.setattr("zoo.training.run_directory.plot_training_curves", lambda run_dir, image_path: None)


@pytest.fixture
def predict_in_process(monkeypatch: pytest.MonkeyPatch) -> Callable[..., dict[str, np.ndarray]]:
    """Check exports in this process: the fresh one that `export_model` starts takes seconds.

    Returns:
        A function from the directory of an export and inputs by name to its outputs by name.
    """

    import exports  # imports TensorFlow, which the process that distributes the tests does not need

    monkeypatch.setattr("zoo.export.saved_model.run_in_fresh_process", exports.predict_in_process)
    return exports.predict_in_process


@pytest.fixture
def saved_model_cli(capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """A function that runs TensorFlow's command of this name with arguments, and returns what it prints."""

    def run(*arguments: str | Path) -> str:
        from absl import flags
        from tensorflow.python.tools import saved_model_cli

        for flag in flags.FLAGS.get_flags_for_module(saved_model_cli.__name__):
            flag.unparse()  # values of an earlier call in this process
        saved_model_cli.create_parser().parse_args([str(argument) for argument in arguments]).func()
        return capsys.readouterr().out

    return run


@pytest.fixture(scope="session")
def chromium() -> tuple[str, str]:
    """The paths of Chromium and its driver.

    Where they are missing, tests that use this are skipped, or fail if ZOO_REQUIRE_CHROMIUM is set.
    """
    paths = shutil.which("chromium"), shutil.which("chromedriver")
    if None in paths:
        report = pytest.fail if os.environ.get("ZOO_REQUIRE_CHROMIUM") else pytest.skip
        report("Chromium and its driver are missing: apt-get install chromium chromium-driver")
    return paths
