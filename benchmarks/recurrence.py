"""Measure time and memory of recurrent layers: ours, Keras's, PyTorch's, and the matrix products alone.

python benchmarks/recurrence.py                           everything but PyTorch
python benchmarks/recurrence.py --torch-python PATH       PyTorch, too, from another environment
python benchmarks/recurrence.py --families LSTM --shapes 0 32,10,8,16 --no-memory

In each round every contender runs each task once, in a new random order. The tables compare medians over the
rounds. The contenders, here for LSTM:

    keras               `keras.layers.LSTM`, which on a GPU runs the kernel of cuDNN
    keras, jit          the same, compiled by XLA, without cuDNN; ratios are to the faster of the two, for each task
    keras RNN(cell)     `keras.layers.RNN(keras.layers.LSTMCell)`
    zoo                 `zoo.LSTM`, which decides itself what XLA compiles
    zoo, jit            the same in a function that XLA compiles as a whole, as `compile(jit_compile=True)` does
    zoo, subclass       a cell as a user writes it, with another output gate: `OpenLSTMCell` below
    zoo, layer norm     `zoo.cells.LayerNormLSTMCell`, whose update mixes units
    torch               `torch.nn.LSTM(batch_first=True)`, in another process with the same number of threads
    products            a lower bound: the matrix products that every layer needs, each as one large product.
                        Forward X W and H U; in training also dZ Uᵀ, Hᵀ dZ and Xᵀ dZ. X are the inputs of all
                        steps, H the states, dZ the gradient of X W + H U. Elementwise operations, and the
                        order of the steps, are left out.

The threads of PyTorch spin while they wait, which slows it down on a busy machine. The environment variable
OMP_WAIT_POLICY=passive makes them sleep; it does not affect the other contenders.

Where TensorFlow has a GPU, everything runs there, PyTorch too if it has one, and the output names it. Memory is
measured without a GPU only.

A training step is the forward pass with all outputs, the loss mean(y), and its gradients by all weights, but
not by the inputs. A measurement ends when the results can be read, or when the GPU is done. First calls, which
trace and compile, have columns of their own. "stored MB" is the memory for the backward pass: the peak of a
process that runs three training steps, minus the peak of one that runs three forward passes.
"""

import gc
import itertools
import json
import os
import platform
import random
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from statistics import geometric_mean, median
from typing import Any, Literal

from zoo.errors import UsageError

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import keras
import numpy as np
import tensorflow as tf
import tyro
from memory import read_peak_memory

import zoo
from zoo.cli.errors import exit_on_user_error
from zoo.cli.types import PositiveInt

Shape = tuple[int, int, int, int]
"""Batch, time, features, units."""

MAIN: list[Shape] = [(64, 100, 128, 256), (32, 200, 64, 64), (16, 400, 64, 128), (64, 50, 256, 512)]
SHAPES = [*MAIN, (8, 1000, 64, 128), (1, 100, 128, 256)]
BLOCKS = {"LSTM": 4, "GRU": 3, "SimpleRNN": 1}
TASKS = ("forward", "training")
KERAS = ("keras", "keras, jit")
WARM_UP = 2  # rounds that are not counted
GPUS = tf.config.list_physical_devices("GPU")
THREADS = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
MEMORY_SHAPE = (256, 400, 64, 256)
# Large blocks return to the system as soon as they are freed, so the peak counts memory in use.
MEMORY_ENVIRONMENT = {"MALLOC_MMAP_THRESHOLD_": "65536"}


@dataclass(frozen=True)
class Settings:
    """Measure the time and the memory of recurrent layers."""

    rounds: PositiveInt = 15  # every contender runs each task once per round
    shapes: tuple[str, ...] = tuple(map(str, range(len(SHAPES))))  # indices, or batch,time,features,units
    families: tuple[Literal["LSTM", "GRU", "SimpleRNN"], ...] = ("LSTM", "GRU", "SimpleRNN")
    memory: bool = sys.platform == "linux"  # of LSTM; needs /proc
    torch_python: Path | None = None  # Python of an environment with PyTorch
    json: Path | None = None  # file for all measurements and the machine they are from


# --- Contenders ---------------------------------------------------------------------------------


class OpenLSTMCell(zoo.LSTMCell):
    """A cell as a user writes it: an LSTM whose output gate is at least half open, (1 + o) / 2."""

    def gates(self, x: tf.Tensor, r: tf.Tensor, states: Sequence[tf.Tensor]) -> dict[str, tf.Tensor]:
        """Return the gates by name, each [..., units]."""
        gates = super().gates(x, r, states)
        return gates | {"output": (1 + gates["output"]) / 2}


def make_layers(family: str, units: int) -> dict[str, keras.layers.RNN]:
    """Create the layers of a family, by contender."""
    theirs, cell = getattr(keras.layers, family), getattr(keras.layers, f"{family}Cell")
    without_cudnn = {} if family == "SimpleRNN" else {"use_cudnn": False}  # which XLA cannot compile
    contenders = {
        "keras": theirs(units, return_sequences=True),
        "keras, jit": theirs(units, return_sequences=True, **without_cudnn),
    }
    contenders["keras RNN(cell)"] = keras.layers.RNN(cell(units), return_sequences=True)
    for name in ("zoo", "zoo, jit"):
        contenders[name] = getattr(zoo, family)(units, return_sequences=True)
    if family == "LSTM":
        contenders["zoo, subclass"] = zoo.RNN(OpenLSTMCell(units), return_sequences=True)
        contenders["zoo, layer norm"] = zoo.RNN(zoo.cells.LayerNormLSTMCell(units), return_sequences=True)
    return contenders


Calls = dict[str, Callable[[], float]]
"""By task, a function that runs it once and returns the seconds that it took."""


def make_layer_calls(layer: keras.layers.RNN, inputs: tf.Tensor, jit: bool = False) -> Calls:
    """Return functions that run the tasks with a layer, on inputs [batch, time, features]."""

    def training(x: tf.Tensor) -> list[tf.Tensor]:
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(layer(x, training=True))
        return [loss, *tape.gradient(loss, [v.value for v in layer.trainable_variables])]

    layer.build(inputs.shape)
    tasks = {"forward": lambda x: layer(x), "training": training}
    return {task: make_timed_call(function, inputs, jit=jit or None) for task, function in tasks.items()}


def make_product_calls(family: str, shape: Shape) -> Calls:
    """Return functions that run the matrix products of the tasks."""
    batch, steps, features, units = shape
    rows, width = batch * steps, BLOCKS[family] * units

    def forward(x: tf.Tensor, w: tf.Tensor, h: tf.Tensor, u: tf.Tensor) -> list[tf.Tensor]:
        return [x @ w, h @ u]

    def training(x: tf.Tensor, w: tf.Tensor, h: tf.Tensor, u: tf.Tensor, dz: tf.Tensor) -> list[tf.Tensor]:
        weights = [tf.matmul(left, dz, transpose_a=True) for left in (h, x)]
        return [*forward(x, w, h, u), tf.matmul(dz, u, transpose_b=True), *weights]

    sizes = [(rows, features), (features, width), (rows, units), (units, width), (rows, width)]
    *operands, dz = map(tf.random.normal, sizes)
    return {
        "forward": make_timed_call(forward, *operands),
        "training": make_timed_call(training, *operands, dz),
    }


def make_timed_call(
    function: Callable[..., Any], *inputs: tf.Tensor, jit: bool | None = None
) -> Callable[[], float]:
    """Return a function that runs `function` in a graph with these tensors and returns the seconds."""
    graph = tf.function(function, jit_compile=jit, autograph=False)

    def call() -> float:
        start = time.perf_counter()
        results = graph(*inputs)
        if GPUS:
            tf.test.experimental.sync_devices()
        else:
            for result in tf.nest.flatten(results):
                np.asarray(result)  # waits, and unlike TensorFlow's `.numpy()` copies nothing
        return time.perf_counter() - start

    return call


def start_tensorflow() -> None:
    """Start TensorFlow and XLA, which the first contender would otherwise do."""
    make_timed_call(lambda x: x @ x, tf.ones((256, 256)), jit=True)()


# --- Child processes ----------------------------------------------------------------------------


TORCH = """
import json, sys, time
import torch
torch.set_num_threads(int(sys.argv[1]))
torch.ones(256, 256) @ torch.ones(256, 256)  # starts the threads
device = "cuda" if sys.argv[2] == "gpu" and torch.cuda.is_available() else "cpu"
print(json.dumps(torch.__version__), flush=True)
current = None
for line in sys.stdin:
    task, family, shape, _ = json.loads(line)
    if current != (family, shape):
        current = family, shape
        layer = getattr(torch.nn, family.replace("Simple", ""))(*shape[2:], batch_first=True).to(device)
        x, weights = torch.randn(shape[:3], device=device), list(layer.parameters())
    start = time.perf_counter()
    with torch.set_grad_enabled(task == "training"):
        results = [layer(x)[0]]
        if task == "training":
            loss = results.pop().mean()
            results = [loss.detach(), *torch.autograd.grad(loss, weights)]
    if device == "cuda":
        torch.cuda.synchronize()
    else:
        for result in results:
            result.numpy()
    print(time.perf_counter() - start, flush=True)
    del results
"""

# Standard error is closed during the import, because some of TensorFlow's messages cannot be turned off.
TENSORFLOW = """
import os
errors = os.dup(2)
os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
import recurrence
os.dup2(errors, 2)
recurrence.serve()
"""


def serve() -> None:
    """Run one task for each line of standard input, and print the seconds that it took."""
    print(json.dumps(tf.__version__), flush=True)
    current = None
    calls: Calls = {}
    for line in sys.stdin:
        task, family, shape, name = json.loads(line)
        if current != (family, shape, name):
            current = family, shape, name
            layer, inputs = make_layers(family, shape[-1])[name], tf.random.normal(shape[:3])
            calls = make_layer_calls(layer, inputs, jit=name.endswith(", jit"))
        print(calls[task](), flush=True)


class Child:
    """A Python process that runs tasks on request. It first prints the version of its framework."""

    def __init__(self, python: str | Path, program: str, **environment: str) -> None:
        self.python = python
        self.process = subprocess.Popen(
            [python, "-c", program, str(THREADS), "gpu" if GPUS else "cpu"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).resolve().parent,
            env={**os.environ, **environment},
            start_new_session=True,  # Ctrl-C goes to the parent; the child ends with it
        )
        self.version = self._read()

    def _read(self) -> Any:
        assert self.process.stdout  # a pipe
        if not (line := self.process.stdout.readline()):
            raise UsageError(f"{self.python} exited with code {self.process.wait()}; its messages are above.")
        return json.loads(line)

    def call(self, task: str, family: str, shape: Shape, name: str) -> float:
        """Run a task there, and return the seconds that it took."""
        print(json.dumps([task, family, shape, name]), file=self.process.stdin, flush=True)
        return self._read()


# --- Measurement --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Row:
    """Measurements of a contender, in seconds: by task the first call, and the calls of all rounds."""

    family: str
    shape: Shape
    contender: str
    first: dict[str, float]
    seconds: dict[str, list[float]]


def measure(family: str, shape: Shape, rounds: int, torch: Child | None) -> list[Row]:
    """Measure all contenders at one family and shape."""
    layers, inputs = make_layers(family, shape[-1]), tf.random.normal(shape[:3])
    calls = {
        name: make_layer_calls(layer, inputs, jit=name.endswith(", jit")) for name, layer in layers.items()
    }
    if torch:
        calls["torch"] = {task: partial(torch.call, task, family, shape, "torch") for task in TASKS}
    calls["products"] = make_product_calls(family, shape)
    rows = [
        Row(family, shape, name, {task: call() for task, call in tasks.items()}, {task: [] for task in TASKS})
        for name, tasks in calls.items()
    ]
    turns = [(row, task) for row in rows for task in TASKS]
    for done in range(-WARM_UP, rounds):
        random.shuffle(turns)  # no contender always follows the same one
        for row, task in turns:
            time.sleep(0.005)  # lets the threads of the call before stop
            taken = calls[row.contender][task]()
            if done >= 0:
                row.seconds[task].append(taken)
    return rows


def measure_memory(torch_python: str | Path | None) -> dict[str, dict[str, list[float]]]:
    """Return peaks in MB by contender and task, each of three processes."""
    programs: dict[str, tuple[str | Path, str]]
    programs = dict.fromkeys([*KERAS, "zoo"], (sys.executable, TENSORFLOW))
    if torch_python:
        programs["torch"] = (torch_python, TORCH)
    peaks: dict[str, dict[str, list[float]]] = {name: {task: [] for task in TASKS} for name in programs}
    for done, name, task in itertools.product(range(3), programs, TASKS):
        print(f"memory: round {done + 1} of 3, {name}, {task}", file=sys.stderr)
        child = Child(*programs[name], **MEMORY_ENVIRONMENT)
        for _ in range(3):
            child.call(task, "LSTM", MEMORY_SHAPE, name)
        peaks[name][task].append(read_peak_memory(child.process.pid))
        child.process.communicate()
    return peaks


def stored_memory(peaks: dict[str, list[float]]) -> float:
    """Return the memory in MB that training needs in addition to the forward pass."""
    return median(peaks["training"]) - median(peaks["forward"])


def ratio(row: Row, rows: Iterable[Row], task: str, references: Sequence[str] = KERAS) -> float:
    """Return the median relative to the fastest of the references at the same family and shape."""
    same = [r for r in rows if (r.family, r.shape) == (row.family, row.shape) and r.contender in references]
    return median(row.seconds[task]) / min(median(r.seconds[task]) for r in same)


def mean_ratios(
    rows: Sequence[Row], family: str, contender: str, references: Sequence[str] = KERAS
) -> list[float]:
    """Return by task the geometric mean of the ratios over the main shapes, or over all if none is main."""
    selected = [row for row in rows if (row.family, row.contender) == (family, contender)]
    selected = [row for row in selected if row.shape in MAIN] or selected
    if not selected:
        return []
    return [geometric_mean(ratio(row, rows, task, references) for row in selected) for task in TASKS]


# --- Output -------------------------------------------------------------------------------------


def describe_machine() -> dict[str, str]:
    """Return processor, GPU, versions and command, without paths of the machine."""
    info = Path("/proc/cpuinfo")
    model = re.search(r"model name\s*:\s*(.*)", info.read_text(encoding="utf-8") if info.exists() else "")
    git = ["git", "describe", "--always", "--dirty", "--abbrev=12"]
    commit = subprocess.run(git, cwd=Path(__file__).resolve().parent, capture_output=True, text=True)
    return {
        "processor": model[1] if model else platform.processor(),
        "threads": str(THREADS),
        "gpu": describe_gpu(),
        "system": f"{platform.system()} {platform.release()}, Python {platform.python_version()}",
        "versions": f"tensorflow {tf.__version__}, keras {keras.__version__}, numpy {np.__version__}",
        "commit": commit.stdout.strip(),
        "command": shlex.join(["python", *(re.sub(r"(?<![^=])/\S*/", "", a) for a in sys.argv)]),
    }


def describe_gpu() -> str:
    """Return names of the GPUs that TensorFlow uses, and versions of their libraries; "none" without a GPU."""
    if not GPUS:
        return "none"
    details = [tf.config.experimental.get_device_details(gpu) for gpu in GPUS]
    build = tf.sysconfig.get_build_info()
    versions = [f"{name} {build.get(f'{name.lower()}_version', 'unknown')}" for name in ("CUDA", "cuDNN")]
    return ", ".join([*(detail.get("device_name", "unknown") for detail in details), *versions])


def format_table(*lines: Sequence[str]) -> str:
    """Format a Markdown table; the first line is its header."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    lines = (lines[0], ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])], *lines[1:])
    cells = ([first.ljust(widths[0]), *map(str.rjust, rest, widths[1:])] for first, *rest in lines)
    return "\n".join(f"| {' | '.join(line)} |" for line in cells)


def format_times(rows: Sequence[Row]) -> str:
    """Format the measurements at one family and shape."""
    lines = [
        ["contender", "forward ms", "ratio", "training ms", "ratio", "first forward s", "first training s"]
    ]
    for row in rows:
        times = [(f"{1000 * median(row.seconds[t]):.2f}", f"{ratio(row, rows, t):.2f}") for t in TASKS]
        lines.append([row.contender, *times[0], *times[1], *(f"{row.first[task]:.2f}" for task in TASKS)])
    return format_table(*lines)


def format_memory(peaks: dict[str, dict[str, list[float]]]) -> str:
    """Format the memory measurements."""
    lines = [["contender", "forward MB", "training MB", "stored MB", "ratio"]]
    lowest = min(stored_memory(peaks[name]) for name in KERAS)
    for name, tasks in peaks.items():
        values = [*(median(tasks[task]) for task in TASKS), stored_memory(tasks)]
        lines.append([name, *(f"{value:.0f}" for value in values), f"{stored_memory(tasks) / lowest:.2f}"])
    return format_table(*lines)


def format_means(rows: Sequence[Row], contenders: Iterable[str], references: Sequence[str] = KERAS) -> str:
    """Format geometric means of the ratios to the fastest of the references."""
    families = list(dict.fromkeys(row.family for row in rows))
    lines = [["contender", *(f"{family} {task}" for family in families for task in TASKS)]]
    for name in contenders:
        means = [mean_ratios(rows, family, name, references) for family in families]
        lines.append([name, *(f"{mean:.2f}" for pair in means for mean in pair or ())])
        lines[-1] += [""] * (len(lines[0]) - len(lines[-1]))  # LSTM comes first and has all contenders
    return format_table(*lines)


# --- Command line -------------------------------------------------------------------------------


def read_shape(text: str) -> Shape:
    """Return a shape from its index or from its four numbers."""
    if re.fullmatch(r"[1-9]\d*(,[1-9]\d*){3}", text):
        batch, steps, features, units = map(int, text.split(","))
        return batch, steps, features, units
    if text in map(str, range(len(SHAPES))):
        return SHAPES[int(text)]
    raise UsageError(
        f"--shapes: {text!r} is neither an index from 0 to {len(SHAPES) - 1} nor four positive integers "
        "`batch,time,features,units`."
    )


def run(settings: Settings) -> None:
    """Measure, and print each table as soon as it is complete."""
    keras.utils.set_random_seed(1)
    tf.get_logger().setLevel("ERROR")  # it warns about the number of graphs
    shapes = list(dict.fromkeys(map(read_shape, settings.shapes)))
    families = [family for family in BLOCKS if family in settings.families]
    torch_python = settings.torch_python or (sys.executable if find_spec("torch") else None)
    torch = Child(torch_python, TORCH) if torch_python else None
    saved: dict[str, Any] = {"machine": describe_machine()}
    if torch:
        policy = os.environ.get("OMP_WAIT_POLICY", "not set")
        saved["machine"]["torch"] = f"{torch.version}, OMP_WAIT_POLICY {policy}"

    def save(**results: Any) -> None:
        saved.update(results)
        if settings.json:
            settings.json.write_text(json.dumps(saved, indent=1) + "\n", encoding="utf-8")

    save()  # fails early if the file cannot be written
    print("\n".join(f"{name}: {value}" for name, value in saved["machine"].items()))
    if not torch:
        print("no torch: `pip install torch==2.13.0` in another environment, and pass its --torch-python")
    print("\nRatios are to the faster one of keras and keras, jit: below 1 is better.", flush=True)

    start_tensorflow()
    rows: list[Row] = []
    # Estimated cost of a shape: a step takes time even if it is small.
    costs = {(b, t, d, h): t * (10**6 + b * h * (d + h)) for b, t, d, h in shapes}
    start, spent, total = time.monotonic(), 0, len(families) * sum(costs.values())
    for shape in shapes:
        for family in families:
            measured = measure(family, shape, settings.rounds, torch)
            rows += measured
            save(times=[asdict(row) for row in rows])
            print("\n{}, batch {}, time {}, features {}, units {}\n".format(family, *shape))
            print(format_times(measured), flush=True)
            gc.collect()
            spent += costs[shape]
            left = (time.monotonic() - start) * (total / spent - 1) / 60
            print(f"times: {spent / total:.0%} done, about {left:.0f} minutes left", file=sys.stderr)
    if torch:
        torch.process.communicate()

    if settings.memory and "LSTM" in families and not GPUS:
        peaks = measure_memory(torch_python)
        save(memory=peaks)
        print("\nMemory, LSTM, batch {}, time {}, features {}, units {}\n".format(*MEMORY_SHAPE))
        print(format_memory(peaks))

    names = list(dict.fromkeys(row.contender for row in rows))
    print("\nGeometric means of the ratios", end=" ")
    print(f"over the shapes {', '.join(map(str, [s for s in shapes if s in MAIN] or shapes))}\n")
    print(format_means(rows, names))
    if "LSTM" in families:
        print("\nThe same, relative to zoo.LSTM\n")
        lstm_rows = [row for row in rows if row.family == "LSTM"]
        print(format_means(lstm_rows, [name for name in names if name.startswith("zoo, ")], ["zoo"]))


if __name__ == "__main__":
    with exit_on_user_error():
        run(tyro.cli(Settings))
