"""Measure every cell of the library: beside `zoo.LSTM`, beside Keras's loop, and scans beside loops.

python benchmarks/cells.py                              all cells, in about an hour
python benchmarks/cells.py --cells RGLRU LRU            some of them
python benchmarks/cells.py --shapes 32,100,64,64 --lengths 10 100 --rounds 3

For each cell and shape three layers take turns: `zoo.LSTM`, the layer of the cell, and `keras.layers.RNN` with
the same cell. Ratios are medians of the ratios within a round; below 1, the cell's layer is faster. The row
"keras.layers.LSTM" has Keras's own layer, which on a GPU runs the kernel of cuDNN, in the place of the cell's.

A cell that defines `parallel` computes all time steps at once. The second table has the ratio of that to its own
loop at several lengths, and the length from which it is faster: at that length and all longer ones.

Tasks, timing and the machine's description are those of `recurrence.py`.
"""

import gc
import json
import random
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

import zoo_quiet  # noqa: F401  hides the start-up lines of TensorFlow

import keras
import recurrence
import tensorflow as tf
import tyro
from recurrence import TASKS, Calls, Shape, describe_machine, format_table, make_layer_calls, read_shape

import zoo
from zoo.cells.base import can_run_parallel
from zoo.cells.time_input import TimeInputCell
from zoo.cli.errors import exit_on_user_error
from zoo.cli.types import PositiveInt
from zoo.errors import UsageError
from zoo.layers.cell_layer import CellLayer

ARGUMENTS: dict[str, Callable[[Shape], dict[str, Any]]] = {
    "GRUD": lambda shape: {"input_mean": [0.0] * shape[2]},
    "LMU": lambda shape: {"order": shape[3], "theta": shape[1]},
    "ProjectedLSTM": lambda shape: {"projection_units": shape[3] // 2},
}
"""Arguments that a layer needs beside `units`, from the shape."""

VARIANTS: dict[str, tuple[str, dict[str, Any]]] = {
    "SRU, no peepholes": ("SRU", {"use_peepholes": False}),
}
"""Layers with other arguments that make another algorithm: the layer, and the arguments."""


@dataclass(frozen=True)
class Settings:
    """Measure the time of every cell."""

    cells: tuple[str, ...] = ()  # names of layers; without any, all
    rounds: PositiveInt = 15  # every layer runs each task once per round
    shapes: tuple[str, ...] = ("32,100,64,64", "64,100,128,256")  # batch,time,features,units
    lengths: tuple[PositiveInt, ...] = (10, 30, 100, 300, 1000, 3000)  # of the scans, at the first shape
    json: Path | None = None  # file for all measurements and the machine they are from


@dataclass(frozen=True)
class Row:
    """Measurements of two or three layers that took turns, in seconds.

    `seconds` has the calls of all rounds by layer and task, `failures` the error of a layer that does not run.
    """

    cell: str
    shape: Shape
    seconds: dict[str, dict[str, list[float]]]
    failures: dict[str, str]


# --- Layers -------------------------------------------------------------------------------------


def find_layers() -> dict[str, type[CellLayer]]:
    """Return the layers that have a cell of their own, by name."""
    values = (getattr(zoo.layers, name) for name in zoo.layers.__all__)
    return {x.__name__: x for x in values if isinstance(x, type) and issubclass(x, CellLayer)}


def list_cells() -> list[str]:
    """Return the names of everything that is measured, the layers and their variants."""
    return sorted([*find_layers(), *VARIANTS], key=str.lower)


def make_layer(name: str, shape: Shape) -> CellLayer:
    """Create the layer of this name, which may be a variant, for a shape."""
    name, more = VARIANTS.get(name, (name, {}))
    arguments = ARGUMENTS.get(name, lambda _: {})(shape) | more
    layer_class: Callable[..., CellLayer] = find_layers()[name]  # the arguments of each layer are its own
    return layer_class(shape[3], return_sequences=True, **arguments)


def make_inputs(cell: zoo.Cell, shape: Shape) -> tf.Tensor:
    """Return random inputs [batch, time, features], with the further columns that some cells need."""
    x = tf.random.normal(shape[:3])
    if isinstance(cell, zoo.cells.GRUDCell):  # values, observation masks, and times since an observation
        return tf.concat([x, tf.round(tf.random.uniform(x.shape)), tf.random.uniform(x.shape)], -1)
    if isinstance(cell, TimeInputCell):
        gaps = tf.random.uniform((*shape[:2], 1), 0, 2)
        return tf.concat([x, tf.cumsum(gaps, 1) if isinstance(cell, zoo.cells.PhasedLSTMCell) else gaps], -1)
    return x


def make_keras_rnn(layer: CellLayer) -> keras.layers.RNN:
    """Return Keras's loop with a cell of the same configuration."""
    return keras.layers.RNN(type(layer.cell).from_config(layer.cell.get_config()), return_sequences=True)


def make_contenders(name: str, shape: Shape) -> dict[str, Callable[[], Calls]]:
    """Return what takes turns for a cell: functions that build the calls of `zoo.LSTM`, cell and Keras's loop."""

    def make_lstm_calls() -> Calls:
        return make_layer_calls(zoo.LSTM(shape[3], return_sequences=True), tf.random.normal(shape[:3]))

    if name == KERAS_LSTM:
        theirs = keras.layers.LSTM(shape[3], return_sequences=True)
        return {
            "zoo.LSTM": make_lstm_calls,
            "cell": lambda: make_layer_calls(theirs, tf.random.normal(shape[:3])),
        }
    layer = make_layer(name, shape)
    inputs = make_inputs(layer.cell, shape)
    return {
        "zoo.LSTM": make_lstm_calls,
        "cell": lambda: make_layer_calls(layer, inputs),
        "keras": lambda: make_layer_calls(make_keras_rnn(layer), inputs),
    }


def make_scan_and_loop(name: str, shape: Shape) -> dict[str, Callable[[], Calls]]:
    """Return functions that build the calls of a cell's `parallel`, and of the loop over its steps."""
    scan, loop = make_layer(name, shape), make_layer(name, shape)
    scan.cell.min_parallel_steps = 0
    loop.cell.needs_steps = True
    inputs = make_inputs(scan.cell, shape)
    return {
        "scan": lambda: make_layer_calls(scan, inputs),
        "loop": lambda: make_layer_calls(loop, inputs),
    }


KERAS_LSTM = "keras.layers.LSTM"


# --- Measurement --------------------------------------------------------------------------------


def measure(name: str, shape: Shape, contenders: Mapping[str, Callable[[], Calls]], rounds: int) -> Row:
    """Let contenders take turns. One that fails in its first call is left out."""
    calls: dict[str, Calls] = {}
    failures: dict[str, str] = {}
    for contender, build in contenders.items():
        try:
            built = build()
            for call in built.values():
                call()
            calls[contender] = built
        except Exception as error:  # of any kind: the others are measured all the same
            message = " ".join(str(error).split())
            failures[contender] = f"{type(error).__name__}: {message[:300]}"
    seconds: dict[str, dict[str, list[float]]] = {c: {task: [] for task in TASKS} for c in calls}
    turns = [(contender, task) for contender in calls for task in TASKS]
    for done in range(-recurrence.WARM_UP, rounds):
        random.shuffle(turns)  # no contender always follows the same one
        for contender, task in turns:
            time.sleep(0.005)  # lets the threads of the call before stop
            taken = calls[contender][task]()
            if done >= 0:
                seconds[contender][task].append(taken)
    gc.collect()
    return Row(name, shape, seconds, failures)


def median_ratio(row: Row, task: str, contender: str, reference: str) -> float | None:
    """Return the median of the ratios within a round; None if one of the two failed."""
    if row.failures.keys() & {contender, reference} or reference not in row.seconds:
        return None
    pairs = zip(row.seconds[contender][task], row.seconds[reference][task], strict=True)
    return median(a / b for a, b in pairs)


def find_crossover(lengths: list[int], ratios: list[float]) -> int | None:
    """Return the length from which on all ratios are below 1; None if there is none."""
    crossover = None
    for length, ratio in sorted(zip(lengths, ratios, strict=True), reverse=True):
        if ratio >= 1:
            break
        crossover = length
    return crossover


# --- Output -------------------------------------------------------------------------------------


def format_number(value: float | None) -> str:
    """Format a ratio; a dash if there is none."""
    return "–" if value is None else f"{value:.2f}"


def format_cells(rows: list[Row]) -> str:
    """Format the measurements of all cells at one shape."""
    lines = [
        ["cell", *(f"{task} {name}" for task in TASKS for name in ("ms", "/ zoo.LSTM", "/ Keras's loop"))]
    ]
    for row in rows:
        line = [row.cell]
        for task in TASKS:
            times = row.seconds.get("cell", {}).get(task)
            line.append(format_number(1000 * median(times) if times else None))
            line += [format_number(median_ratio(row, task, "cell", other)) for other in ("zoo.LSTM", "keras")]
        lines.append(line)
    return format_table(*lines)


def format_scans(rows: list[Row], lengths: list[int]) -> str:
    """Format the ratios of scans to loops at all lengths."""
    lines = [["scan / loop", *map(str, lengths), "faster from"]]
    for cell in dict.fromkeys(row.cell for row in rows):
        of_cell = {row.shape[1]: row for row in rows if row.cell == cell}
        for task in TASKS:
            ratios = [median_ratio(of_cell[length], task, "scan", "loop") for length in lengths]
            known = [(n, ratio) for n, ratio in zip(lengths, ratios, strict=True) if ratio is not None]
            crossover = find_crossover(*map(list, zip(*known, strict=True))) if known else None
            lines.append([f"{cell}, {task}", *map(format_number, ratios), str(crossover or "–")])
    return format_table(*lines)


# --- Command line -------------------------------------------------------------------------------


def select_cells(names: tuple[str, ...]) -> list[str]:
    """Return the cells of these names, or all.

    Raises:
        UsageError: there is no such cell.
    """
    cells = list_cells()
    if unknown := set(names) - {*cells}:
        raise UsageError(f"--cells: {', '.join(sorted(unknown))}: expected some of {', '.join(cells)}.")
    return [cell for cell in cells if not names or cell in names]


def run(settings: Settings) -> None:
    """Measure, and print each table as soon as it is complete."""
    keras.utils.set_random_seed(1)
    tf.get_logger().setLevel("ERROR")  # it warns about the number of graphs
    cells, shapes = select_cells(settings.cells), list(map(read_shape, settings.shapes))
    lengths = sorted(set(settings.lengths))
    saved: dict[str, Any] = {"machine": describe_machine()}

    def save(**results: list[Row]) -> None:
        saved.update({name: [asdict(row) for row in rows] for name, rows in results.items()})
        if settings.json:
            settings.json.write_text(json.dumps(saved, indent=1) + "\n", encoding="utf-8")

    save()  # fails early if the file cannot be written
    print("\n".join(f"{name}: {value}" for name, value in saved["machine"].items()), flush=True)
    recurrence.start_tensorflow()
    rows: list[Row] = []
    for shape in shapes:
        for name in (KERAS_LSTM, *cells):
            print(f"{name}, {shape}", file=sys.stderr)
            rows.append(measure(name, shape, make_contenders(name, shape), settings.rounds))
            save(cells=rows)
        print("\nBatch {}, time {}, features {}, units {}\n".format(*shape))
        print(format_cells([row for row in rows if row.shape == shape]), flush=True)

    batch, _, features, units = shapes[0]
    with_scan = [name for name in cells if can_run_parallel(make_layer(name, shapes[0]).cell)]
    scans: list[Row] = []
    for name in with_scan:
        for length in lengths:
            print(f"{name}, scan, {length} steps", file=sys.stderr)
            shape = (batch, length, features, units)
            scans.append(measure(name, shape, make_scan_and_loop(name, shape), settings.rounds))
            save(scans=scans)
    if scans:
        print(f"\nScans, batch {batch}, features {features}, units {units}, by number of steps\n")
        print(format_scans(scans, lengths))
    for row in (*rows, *scans):
        for contender, failure in row.failures.items():
            print(f"\n{row.cell}, {row.shape}, {contender}: {failure}")


if __name__ == "__main__":
    with exit_on_user_error():
        run(tyro.cli(Settings))
