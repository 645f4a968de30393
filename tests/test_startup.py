"""The command `zoo` answers without TensorFlow where it needs none, and starts quietly where it does."""

import importlib.util
import os
import shlex
import signal
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType
from typing import Any

import keras
import numpy as np
import pytest
from matplotlib.figure import Figure
from test_saving import LAYERS, UNITS

from zoo.cli.predict import PLOT_FORMATS

ROOT = Path(__file__).parents[1]


def load_benchmark() -> ModuleType:
    spec = importlib.util.spec_from_file_location("startup", ROOT / "benchmarks" / "startup.py")
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


STARTUP = load_benchmark()


def run(program: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a program in a fresh process, at the root, without the variables that tests set."""
    variables = {name: value for name, value in os.environ.items() if name != "TF_CPP_MIN_LOG_LEVEL"}
    return subprocess.run(
        [sys.executable, "-c", program, *arguments],
        cwd=ROOT,
        env=variables | environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )


# Commands that need no TensorFlow.

WITHOUT = ("keras", "matplotlib", "tensorflow", "tensorflow_datasets")
"""Packages that take long to import. Importing them fails in these tests."""


@pytest.mark.parametrize(
    "command", [c for c in STARTUP.COMMANDS if not c.needs_tensorflow], ids=lambda command: command.line
)
def test_a_command_answers_without_tensorflow(command: Any) -> None:
    program = f"import sys; sys.modules |= dict.fromkeys({WITHOUT}); import zoo_command; zoo_command.main()"
    completed = run(program, *shlex.split(command.line)[1:])
    assert completed.returncode == command.exit_code, completed.stderr
    assert command.output in completed.stdout + completed.stderr
    assert "Traceback" not in completed.stderr


def test_plot_formats_are_those_of_matplotlib() -> None:
    """Without `pgf`, which needs LaTeX."""
    assert list(PLOT_FORMATS) == sorted(Figure().canvas.get_supported_filetypes().keys() - {"pgf"})


def test_the_console_script_is_this_command() -> None:
    (script,) = entry_points(group="console_scripts", name="zoo")
    assert script.value == "zoo_command:main"


@pytest.mark.slow
def test_benchmark_sees_whether_tensorflow_is_imported() -> None:
    commands = [
        command for command in STARTUP.COMMANDS if command.line == "zoo list" or command.needs_tensorflow
    ]
    assert [STARTUP.imports_tensorflow(command) for command in commands] == [False, True]


# Registration with Keras, whichever is imported first.


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with a model that has every layer, as `.keras` and `.h5`, and its outputs."""
    directory = tmp_path_factory.mktemp("saved")
    model = keras.Sequential([keras.Input((None, UNITS))])
    for make in LAYERS.values():
        model.add(make(UNITS, return_sequences=True))
    model.save(directory / "model.keras")
    model.save(directory / "model.h5")
    np.save(directory / "outputs.npy", model(np.ones((1, 4, UNITS), "float32")))
    return directory


LOADING = """
import pathlib, sys
import numpy as np
directory = pathlib.Path(sys.argv[1])
outputs = np.load(directory / "outputs.npy")
for name in ("model.keras", "model.h5"):
    model = keras.models.load_model(directory / name, compile=False)
    inputs = np.ones((1, 4, outputs.shape[-1]), "float32")
    np.testing.assert_allclose(model(inputs), outputs, atol=1e-6, err_msg=name)
"""

REGISTERING = """
import importlib, pkgutil
registered = set(keras.saving.get_custom_objects())
assert {"zoo>LSTMCell", "zoo>ManyToOne", "zoo>AdditiveAttention"} <= registered
for module in pkgutil.walk_packages(zoo.__path__, "zoo."):
    importlib.import_module(module.name)
later = set(keras.saving.get_custom_objects()) - registered
assert not later, later
"""

DEFERRING = """
import sys, zoo_command
zoo_command.defer("zoo")
import zoo, zoo.errors
from zoo import errors
assert zoo.errors is errors and zoo.__path__ and "tensorflow" not in sys.modules
assert not hasattr(zoo, "__wrapped__") and "tensorflow" not in sys.modules
from zoo import LSTM, cells
assert LSTM is zoo.layers.LSTM and cells is zoo.cells and zoo.errors is errors
assert all(hasattr(zoo, name) for name in zoo.__all__) and not hasattr(zoo, "nothing")
import keras
"""


@pytest.mark.parametrize("imports", ["import zoo, keras", "import keras, zoo"])
def test_a_fresh_process_loads_files_of_every_layer(imports: str, saved: Path) -> None:
    completed = run(f"{imports}\n{LOADING}", str(saved))
    assert completed.returncode == 0, completed.stderr


@pytest.mark.slow
def test_importing_the_package_registers_every_class() -> None:
    completed = run(f"import zoo, keras\n{REGISTERING}")
    assert completed.returncode == 0, completed.stderr


def test_the_deferred_package_is_executed_when_a_name_of_it_is_used(saved: Path) -> None:
    """And TensorFlow starts quietly."""
    completed = run(DEFERRING + LOADING, str(saved))
    assert completed.returncode == 0, completed.stderr
    assert completed.stderr == ""


def test_a_package_that_is_imported_is_not_deferred() -> None:
    program = "import zoo_command, sys, json; zoo_command.defer('json'); assert sys.modules['json'] is json"
    completed = run(f"{program}; assert json.loads")
    assert completed.returncode == 0, completed.stderr


# What is printed while TensorFlow starts.


@pytest.fixture
def fake_tensorflow(tmp_path: Path) -> Path:
    """A directory with a module of this name, which logs as C++ code does, warns and prints."""
    lines = [
        "import contextlib, os, warnings",
        "with contextlib.suppress(OSError):",
        "    os.write(2, b'WARNING: All log messages before absl::InitializeLog() is called are ...\\n')",
        "    os.write(2, b'I0000 00:00:1795884258.456141   28310 port.cc:153] a line of C++\\n')",
        "warnings.warn('a warning of Python')",
        "print('imported')",
    ]
    (tmp_path / "tensorflow.py").write_text("\n".join(lines))
    return tmp_path


def test_warnings_and_errors_are_shown(fake_tensorflow: Path) -> None:
    with (fake_tensorflow / "tensorflow.py").open("a") as file:
        file.write("\nraise ImportError('a broken installation')")
    completed = run("import zoo_quiet, tensorflow", PYTHONPATH=str(fake_tensorflow))
    assert "UserWarning: a warning of Python" in completed.stderr
    assert completed.stderr.splitlines()[-1] == "ImportError: a broken installation"
    assert "C++" not in completed.stderr
    assert "WARNING: All log" not in completed.stderr


@pytest.mark.skipif(os.name != "posix", reason="other systems have no signals")
def test_the_reason_is_shown_when_tensorflow_aborts(fake_tensorflow: Path) -> None:
    """As on a processor without AVX."""
    with (fake_tensorflow / "tensorflow.py").open("a") as file:
        file.write(
            "\nos.write(2, b'F0000 00:00:00.000000 1 cpu_feature_guard.cc] compiled to use AVX')\nos.abort()\n"
        )
    completed = run("import zoo_quiet, tensorflow", PYTHONPATH=str(fake_tensorflow))
    assert completed.returncode == -signal.SIGABRT
    assert completed.stderr.endswith("compiled to use AVX")
    assert "C++" not in completed.stderr


def test_the_log_level_of_the_user_stands(fake_tensorflow: Path) -> None:
    program = "import os, zoo_quiet, tensorflow; print(os.environ['TF_CPP_MIN_LOG_LEVEL'])"
    completed = run(program, PYTHONPATH=str(fake_tensorflow), TF_CPP_MIN_LOG_LEVEL="0")
    assert "a line of C++" in completed.stderr
    assert completed.stdout.split() == ["imported", "0"]
    assert run(program, PYTHONPATH=str(fake_tensorflow)).stdout.split() == ["imported", "3"]


@pytest.mark.skipif(os.name != "posix", reason="closes a file descriptor as a POSIX shell does")
def test_standard_error_may_be_closed(fake_tensorflow: Path) -> None:
    command = f"{shlex.quote(sys.executable)} -c 'import zoo_quiet, tensorflow' 2>&-"
    environment = {**os.environ, "PYTHONPATH": str(fake_tensorflow)}
    environment.pop("TF_CPP_MIN_LOG_LEVEL", None)
    completed = subprocess.run(
        ["sh", "-c", command], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert (completed.returncode, completed.stdout) == (0, "imported\n")
