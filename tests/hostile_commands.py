"""Hostile inputs of the command `zoo`, made from random numbers: cards, paths, lines, and damaged exports.

python tests/hostile_commands.py                          # 100 of each class
python tests/hostile_commands.py --count 500 --seed 1 --classes cards lines

It prints how many were tried and how many failed: with a traceback, another exit code than 0,
1 or 2, no message that names what was wrong, no end, an input without its own answer or error, or damage that is not
found.
"""

import argparse
import contextlib
import copy
import csv
import io
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

ROOT = Path(__file__).resolve().parents[1]
SHIPPED = ROOT / "saved_models"
MAX_SECONDS = 60
"""Time after which an input that has not ended has failed."""

DOG, FILM = ROOT / "docs/drawings/dog.jpg", ROOT / "docs/drawings/film.mp4"


class Result(NamedTuple):
    """What a command printed, its exit code, and the traceback if it ended with one."""

    out: str
    err: str
    code: int
    trace: str


def run(arguments: Sequence[str], stdin: bytes = b"") -> Result:
    """Run the command in this process."""
    from zoo.cli import main as cli
    from zoo.errors import UsageError

    out, err, code, trace = io.StringIO(), io.StringIO(), 0, ""
    with (
        mock.patch.object(sys, "argv", ["zoo", *arguments]),
        mock.patch.object(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin))),
        mock.patch("zoo.serving.page.PageServer", side_effect=UsageError("The page is not started.")),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        try:
            cli.main()
        except SystemExit as exit_:
            code = exit_.code if isinstance(exit_.code, int) else 0 if exit_.code is None else 1
        except BaseException:
            trace = traceback.format_exc()
    return Result(out.getvalue(), err.getvalue(), code, trace)


def find_fault(result: Result) -> str:
    """Return what no command may do, whatever its arguments are."""
    if result.trace or "Traceback" in result.err:
        return (result.trace or result.err).strip().splitlines()[-1]
    if result.code not in (0, 1, 2):
        return f"the exit code is {result.code}"
    if result.code and not (result.err or result.out):
        return "no message"
    return ""


@contextlib.contextmanager
def cached_models() -> Iterator[None]:
    """Load each of the shipped models once."""
    from zoo.serving import loading

    with mock.patch.object(loading, "load", cache(loading.load)):
        yield


# --- Cards ------------------------------------------------------------------------------------------

JSON_VALUES: list[Any] = [
    *(
        None,
        True,
        0,
        -1,
        1.5,
        10**400,
        float("nan"),
        "",
        "x",
        "../../etc/passwd",
        "\ud800",
        "\0",
        "a" * 10_000,
    ),
    *([], [1], ["x"], [[]], {}, {"x": 1}, {"files": ["../x"]}, {"array": "/dev/zero"}),
]
CONTENTS = [
    b"",
    b"{",
    b"[]",
    b"null",
    b"3",
    b'"x"',
    b"{}",
    b"[" * 100_000,
    b"\xff\xfe",
    b'{"a":' + b"9" * 5000 + b"}",
]


def list_places(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the keys that lead to each value within JSON."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield (*place, key)
        yield from list_places(inner, (*place, key))


def mutate_json(content: Any, rng: random.Random) -> Any:
    """Return JSON with up to three values that are replaced, removed or added."""
    content = copy.deepcopy(content)
    for _ in range(rng.randint(1, 3)):
        places = list(list_places(content))
        # A place near the root is as likely as one of many deep in the configuration of the model.
        depth = rng.choice(sorted({len(place) for place in places}))
        *parents, key = rng.choice([place for place in places if len(place) == depth])
        parent = content
        for each in parents:
            parent = parent[each]
        kind = rng.randrange(4)
        if kind == 0:
            del parent[key]
        elif kind == 1 and isinstance(parent, dict):
            parent[rng.choice(["x", "card_version"])] = rng.choice(JSON_VALUES)
        else:
            parent[key] = rng.choice(JSON_VALUES)
    return content


def write_hostile_card(directory: Path, rng: random.Random) -> None:
    """Replace the card of an export by one of another shape."""
    path = directory / "card.json"
    if rng.random() < 0.2:
        path.write_bytes(rng.choice(CONTENTS))
    else:
        content = mutate_json(json.loads(path.read_text(encoding="utf-8")), rng)
        path.write_text(json.dumps(content), encoding="utf-8")


def copy_export(directory: Path, has_manifest: bool = False) -> Path:
    """Return a copy of the shipped sentiment model, by default as those of earlier versions, without a manifest."""
    from earlier_exports import move_hashes_to_card

    export = Path(shutil.copytree(SHIPPED / "sentiment/1", directory / "models/sentiment/1"))
    if not has_manifest:
        move_hashes_to_card(export)
    return export


def try_card(rng: random.Random, directory: Path) -> str:
    """Commands that read a card: `list`, `show`, `predict` and `verify`."""
    export = copy_export(directory)
    write_hostile_card(export, rng)
    models = ["--models", str(directory / "models")]
    arguments = rng.choice(
        [["list", *models], ["show", str(export)], ["predict", str(export), "Good."], ["verify", *models]]
    )
    result = run(arguments)
    is_named = "card.json" in result.err + result.out or str(export) in result.err + result.out
    if result.code == 2 and not is_named:
        return f"the message does not name the card: {result.err}"
    return find_fault(result)


def try_ancestor(rng: random.Random, directory: Path) -> str:
    """`--init-from`: preprocessor and Keras model from a card."""
    from zoo.errors import ZooError
    from zoo.tasks import get_task, read_ancestor

    export = copy_export(directory)
    write_hostile_card(export, rng)
    try:
        ancestor = read_ancestor(get_task("text_classification"), export)
        _ = ancestor.record, ancestor.model_settings
        ancestor.load_preprocessor(directory / "run")
        _ = ancestor.model
    except ZooError as error:
        return "" if str(export) in str(error) else f"the message does not name the card: {error}"
    except BaseException:
        return traceback.format_exc().strip().splitlines()[-1]
    return ""


# --- Paths and other arguments -----------------------------------------------------------------------

PATHS = [
    *(
        "a" * 300,
        "x" * 252 + ".csv",
        "x" * 252 + ".png",
        "a/" * 2100 + "x.csv",
        "~nosuchuser",
        "~nosuchuser/x.csv",
    ),
    *("/dev/null", "/dev/null/x.png", "/dev/zero", "", " ", ".", "..", "folder", "folder.png", "folder.csv"),
    *(
        "missing/deep/x.png",
        "missing/deep/x.csv",
        "file.txt",
        "file.txt/x.csv",
        "file.csv",
        "loop",
        "loop/x.png",
    ),
    *(
        "\udcff.png",
        "a\nb.csv",
        "-",
        "--",
        "*",
        "nosuchmodel",
        "x.m3u8",
        "http://localhost/x.png",
        "\0",
        "x\0.png",
    ),
]
VALUES = [*PATHS, "0", "-1", "1e999", "nan", "utf-99", "hex", "text", "9" * 400]


def make_arguments(rng: random.Random) -> list[str]:
    """Return a command line, one or two of whose arguments are hostile."""
    path, other, value = rng.choice(PATHS), rng.choice(PATHS), rng.choice(VALUES)
    commands = [
        *(
            ["show", path],
            ["verify", path],
            ["verify", "sentiment", "--digest", value],
            ["list", "--models", path],
        ),
        *(["demo", "--models", path], ["train", path], [path], ["predict", path, "Good."]),
        *(
            ["predict", "sentiment", "Good.", "--plot", path],
            ["predict", "sentiment", "Good.", "--output", path],
        ),
        *(
            ["predict", "sentiment", "--file", path],
            ["predict", "sentiment", "--file", "file.txt", "--output", path],
        ),
        *(
            ["predict", "sentiment", "--file", "file.csv", "--column", value],
            ["predict", "captioning", path, other],
        ),
        *(["predict", "captioning", str(DOG), path, "--plot", "x.png"], ["predict", "tagging", path]),
        *(
            ["predict", "tagging", path, "--output-dir", other],
            ["predict", "tagging", str(FILM), "--output", path],
        ),
        *(
            ["predict", "tagging", str(FILM), "--output-dir", path],
            ["predict", "sentiment", "x", "--top-k", value],
        ),
        ["predict", "sentiment", "--file", "file.txt", "--encoding", value],
        ["predict", "tagging", path, "--split", "--frame-rate", value],
        ["evaluate", "sentiment", path],
        ["evaluate", "sentiment", "file.csv", "--target-column", value],
        ["evaluate", "sentiment", "file.csv", "--target-column", "x", "--encoding", value],
    ]
    return rng.choice(commands)


def make_recipe_arguments(rng: random.Random) -> list[str]:
    """Return the command line of a recipe that ends before it trains: it freezes weights that are random."""
    option = rng.choice(["--init-from", "--run-dir", "--export-dir", "--examples"])
    return ["train", "sentiment", "--freeze", "embedding", option, rng.choice(PATHS)]


def prepare_directory(directory: Path) -> None:
    """Make what the paths lead to."""
    for name in ("folder", "folder.png", "folder.csv"):
        (directory / name).mkdir()
        (directory / name / "x").touch()
    (directory / "file.txt").write_bytes(b"Good.\n")
    (directory / "file.csv").write_bytes(b"text,x\nGood.,1\n")
    (directory / "x.m3u8").write_bytes(b"#EXTM3U\n#EXTINF:1,\nfile.txt\n")
    (directory / "loop").symlink_to("loop")


def try_arguments(rng: random.Random, directory: Path) -> str:
    """Any command with hostile paths and values."""
    return _try_arguments(make_arguments(rng), directory)


def try_recipe(rng: random.Random, directory: Path) -> str:
    """`zoo train` with hostile paths."""
    return _try_arguments(make_recipe_arguments(rng), directory)


def _try_arguments(arguments: list[str], directory: Path) -> str:
    prepare_directory(directory)
    with contextlib.chdir(directory), mock.patch.dict(os.environ, {"ZOO_MODELS": str(SHIPPED)}):
        result = run(arguments)
    fault = find_fault(result)
    if not fault and result.code == 2 and result.out and arguments[0] == "predict":
        fault = f"refused after {len(result.out)} characters of answers: {result.err}"
    return fault and f"{[argument[:60] for argument in arguments]}: {fault}"


# --- Inputs, one a line ------------------------------------------------------------------------------

GOOD_TEXTS, BAD_TEXTS = (
    [b"Good.", "Schön, good.".encode()],
    [b"", b" ", b"\xff", b"good \xc3", b"\xed\xa0\x80", b"\0", b"good\0"],
)
BAD_IMAGES = [
    *(b"", b"folder", b"file.txt", b"x.m3u8", b"loop", b"missing.jpg", b"~nosuchuser/x.png", b"/dev/null"),
    *(b"x" * 300, b"a\0b.jpg", b"\xff.jpg", b"drawing.svg", bytes(FILM), b"empty.png", b"cut.png"),
]


def choose_inputs(rng: random.Random) -> tuple[str, str, list[bytes], list[bool]]:
    """Return a model, the name of its answers, inputs, and whether each has no answer."""
    name, good, bad, answer = rng.choice(
        [
            ("sentiment", GOOD_TEXTS, BAD_TEXTS, "label"),
            ("translation", GOOD_TEXTS, BAD_TEXTS, "translation"),
            ("captioning", [bytes(DOG)], BAD_IMAGES, "caption"),
        ]
    )
    inputs = [rng.choice(rng.choice([good, bad])) for _ in range(rng.randint(1, 5))]
    return name, answer, inputs, [each in bad for each in inputs]


def prepare_images(directory: Path) -> None:
    """Make the files that `BAD_IMAGES` names."""
    prepare_directory(directory)
    (directory / "drawing.svg").write_bytes(
        b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"/>'
    )
    (directory / "empty.png").touch()
    (directory / "cut.png").write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR")


def try_lines(rng: random.Random, directory: Path) -> str:
    """Lines on standard input: each has its own answer or its own error, whatever the others are."""
    prepare_images(directory)
    name, answer, lines, is_bad = choose_inputs(rng)
    with contextlib.chdir(directory), mock.patch.dict(os.environ, {"ZOO_MODELS": str(SHIPPED)}):
        result = run(["predict", name, "--json"], b"".join(line + b"\n" for line in lines))
    if fault := find_fault(result):
        return f"{name} {lines}: {fault}"
    rows = [json.loads(line) for line in result.out.splitlines()]
    if len(rows) != len(lines):
        return f"{name} {lines}: {len(rows)} answers: {result.err}"
    for number, (row, wrong) in enumerate(zip(rows, is_bad, strict=True), 1):
        if bool(row.get(answer) or row.get(f"{answer}s")) == wrong or (wrong and not row["status"]):
            return f"{name} {lines}: line {number} has the answer {row}"
        if wrong and f"standard input, line {number}: " not in result.err:
            return f"{name} {lines}: no message names line {number}: {result.err}"
    if result.code != any(is_bad):
        return f"{name} {lines}: the exit code is {result.code}"
    return ""


def try_tables(rng: random.Random, directory: Path) -> str:
    """Rows of a table: each has its own answer or its own status in the table that is written."""
    prepare_images(directory)
    name, answer, inputs, is_bad = choose_inputs(rng)
    cells = [each.decode(errors="replace").replace("\0", "").replace("\ufffd", "") for each in inputs]
    kind = "image" if name == "captioning" else "text"
    if kind == "text":  # some become good without the bytes that a table cannot hold
        is_bad = [not cell.strip() for cell in cells]
    source, output = rng.choice([("inputs.csv", "outputs.csv"), ("INPUTS.CSV", "OUTPUTS.CSV")])
    with (directory / source).open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([["number", kind], *enumerate(cells)])
    with contextlib.chdir(directory), mock.patch.dict(os.environ, {"ZOO_MODELS": str(SHIPPED)}):
        result = run(["predict", name, "--file", source, "--output", output])
    if fault := find_fault(result):
        return f"{name} {cells}: {fault}"
    if not (directory / output).exists():
        return f"{name} {cells}: no output: {result.err}"
    with (directory / output).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    if [row[kind] for row in rows] != cells:
        return f"{name} {cells}: the rows are {rows}"
    for row, wrong in zip(rows, is_bad, strict=True):
        if bool(row.get(f"predicted_{answer}")) == wrong or (wrong and not row["prediction_status"]):
            return f"{name} {cells}: the answer is {row}"
    if result.code != any(is_bad):
        return f"{name} {cells}: the exit code is {result.code}"
    return ""


# --- Damaged exports ---------------------------------------------------------------------------------


def flip_bit(path: Path, rng: random.Random) -> None:
    content = bytearray(path.read_bytes())
    content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
    path.write_bytes(content)


def link_outside(path: Path, rng: random.Random) -> None:
    outside = path.parents[3] / f"outside{rng.random()}"
    path.rename(outside)
    path.symlink_to(outside)


DAMAGES: dict[str, Callable[[Path, random.Random], object]] = {
    "flipped": flip_bit,
    "truncated": lambda path, rng: os.truncate(path, rng.randrange(path.stat().st_size)),
    "longer": lambda path, rng: path.write_bytes(path.read_bytes() + b"\n"),
    "line ends": lambda path, rng: path.write_bytes(
        path.read_bytes().replace(b"\n", b"\r\n") if b"\n" in path.read_bytes() else b"\r\n"
    ),
    "removed": lambda path, rng: path.unlink(),
    "another file": lambda path, rng: path.with_name("another").touch(),
    "a link out of the directory": link_outside,
    "a directory": lambda path, rng: (path.unlink(), path.mkdir()),
    "an empty directory": lambda path, rng: path.with_name("another").mkdir(),
    "a pipe": lambda path, rng: (path.unlink(), os.mkfifo(path)),
    "a device": lambda path, rng: (path.unlink(), path.symlink_to("/dev/zero")),
}


def change_figure(export: Path, rng: random.Random) -> None:
    """Change a figure on the card."""
    path = export / "card.json"
    card = json.loads(path.read_text(encoding="utf-8"))
    card["metrics"][rng.choice(sorted(card["metrics"]))] = round(rng.uniform(90, 100), 2)
    path.write_text(json.dumps(card, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def try_damage(rng: random.Random, directory: Path) -> str:
    """`zoo verify` of exports with a manifest."""
    export = copy_export(directory, has_manifest=True)
    if rng.random() < 0.1:
        kind, name = "a figure", "card.json"
        change_figure(export, rng)
    else:
        kind = rng.choice(sorted(DAMAGES))
        name = rng.choice(
            sorted(str(path.relative_to(export)) for path in export.rglob("*") if path.is_file())
        )
        if (kind, name) == ("removed", "SHA256SUMS"):
            return ""  # it is an export of an earlier version then, as `zoo verify` says
        DAMAGES[kind](export / name, rng)
    result = run(["verify", str(export)])
    if fault := find_fault(result):
        return f"{name} {kind}: {fault}"
    if not result.code:
        return f"{name} {kind}: not found: {result.out}"
    return ""


CLASSES: dict[str, Callable[[random.Random, Path], str]] = {
    "cards": try_card,
    "cards of --init-from": try_ancestor,
    "paths and values": try_arguments,
    "paths of recipes": try_recipe,
    "lines": try_lines,
    "tables": try_tables,
    "damaged exports": try_damage,
}


CACHED = ("paths and values", "lines", "tables")
"""Classes that do not change the models, which are then loaded once."""


def try_class(name: str, number: int, seed: int = 0) -> list[str]:
    """Return what failed of a number of inputs of a class."""
    faults = []
    signal.signal(signal.SIGALRM, _end)
    with cached_models() if name in CACHED else contextlib.nullcontext():
        for index in range(number):
            with tempfile.TemporaryDirectory() as directory:
                signal.alarm(MAX_SECONDS)
                try:
                    faults.append(CLASSES[name](random.Random(f"{seed} {name} {index}"), Path(directory)))
                finally:
                    signal.alarm(0)
    return list(filter(None, faults))


def _end(*_: object) -> None:
    raise TimeoutError(f"no end after {MAX_SECONDS} seconds")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--count", type=int, default=100, help="number of each class")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--classes", nargs="+", choices=CLASSES, default=list(CLASSES), metavar="CLASS")
    options = parser.parse_args()
    total = 0
    for class_name in options.classes:
        failed = try_class(class_name, options.count, options.seed)
        total += len(failed)
        print(f"{class_name}: {options.count} tried, {len(failed)} failed", flush=True)
        for fault_text in dict.fromkeys(text[:300] for text in failed):
            print(f"    {fault_text}", flush=True)
    sys.exit(bool(total))
