"""Ask a program from the command line: inputs from arguments, a file or standard input; answers printed."""

import itertools
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import tyro
from matplotlib.figure import Figure

from zoo.cli.types import PositiveFloat, PositiveInt
from zoo.errors import UsageError, VideoError
from zoo.tasks.frame_tagging import Tagger
from zoo.tasks.predictor import Answer, Program, grouped


@dataclass(frozen=True)
class Question:
    """What to ask, and what to make of the answers."""

    inputs: tyro.conf.Positional[tuple[str, ...]] = ()
    """Texts, or names of pictures or videos; none: the lines of --file, or of standard input."""
    file: Path | None = None  # one input a line
    json: bool = False  # print each answer as a line of JSON
    best: PositiveInt = 1  # answers to print of each input, of those that the model gives; JSON has all
    plot: Path | None = None  # a picture to write, of what lies behind the last answer
    folder: Path = Path("runs/videos")  # of tagged videos: where tables and contact sheets go
    rate: PositiveFloat = 25.0  # of folders of numbered pictures, as videos: frames per second


Asked = Annotated[Question, tyro.conf.OmitArgPrefixes]


def ask(program: Program, question: Question) -> None:
    """Print what a program says of each input; draw and write what is asked for."""
    check_picture(question.plot)
    if isinstance(program, Tagger):
        _check_folder(question.folder)
    last, taken, errors = None, set(), []
    typed = not question.inputs and not question.file and sys.stdin.isatty()  # each waits for its answer
    for some in grouped(lines(question.inputs, question.file), 1 if typed else program.at_once):
        given = [program.read(line) for line in some]
        for line, one, answer in zip(some, given, _answered(program, given, question), strict=True):
            name = line.decode(errors="replace")
            if isinstance(answer, ValueError):
                errors.append(answer)
                continue
            if question.json:
                print(json.dumps({"input": name} | answer.as_json(), ensure_ascii=False))
            else:
                print("\n".join(answer.lines(name, question.best)), flush=True)
            if isinstance(program, Tagger):
                folder = _own_folder(question.folder, one, taken)
                answer.write(folder)
                program.plot(one, answer, folder / "parts.png")
                print(f"tables and a contact sheet are in {folder}", file=sys.stderr)
            last = one, answer
    if last is None and not errors:
        raise UsageError(f"There was no input. Give a {program.kind}, or several.")
    if last and question.plot:
        program.plot(*last, question.plot)
        print(f"drawn in {question.plot}", file=sys.stderr)
    if len(errors) == 1:
        raise errors[0]
    if errors:
        raise UsageError("\n".join([f"{len(errors):,} inputs have no answer.", *map(str, errors)]))


def _answered(program: Program, given: Sequence[Any], question: Question) -> list[Answer | ValueError]:
    """The answer to each input, or why there is none."""
    try:
        if isinstance(program, Tagger):
            return program.predict(given, question.rate, progress=True)
        return program.predict(given)
    except (UsageError, VideoError) as error:
        if len(given) == 1:
            return [error]
        return [answer for one in given for answer in _answered(program, [one], question)]


def _check_folder(folder: Path) -> None:
    """Make sure that a folder can be made there, before the work for it is done."""
    there = next(path for path in (folder, *folder.parents) if path.exists())
    if not there.is_dir():
        raise UsageError(f"{folder}: {there} is no folder. Name another by --folder.")


def _own_folder(folder: Path, video: Path, taken: set[str]) -> Path:
    """Where tables of a video go: a folder of its name, that is not taken."""
    name = video.resolve().name
    names = itertools.chain([name], (f"{name}-{number}" for number in itertools.count(2)))
    free = next(name for name in names if name not in taken)
    taken.add(free)
    return folder / free


def check_picture(path: Path | None) -> None:
    """Make sure that a picture can be written there, before the work for it is done."""
    endings = sorted(Figure().canvas.get_supported_filetypes())
    if path and not path.parent.is_dir():
        raise UsageError(f"{path}: there is no folder {path.parent}. Make it, or name another.")
    if path and path.suffix.removeprefix(".") not in endings:
        raise UsageError(
            f"{path}: expected the name of a picture, which ends in one of {', '.join(endings)}."
        )


def lines(arguments: Iterable[str], file: Path | None) -> Iterator[bytes]:
    """The user's inputs: the arguments, else the lines of the file, else those of standard input."""
    given = [argument.encode(errors="surrogateescape") for argument in arguments]
    if given and file:
        raise UsageError("Give either inputs or --file, not both.")
    if given:
        yield from given
    elif file:
        try:
            with file.open("rb") as opened:
                yield from (line.rstrip(b"\r\n") for line in opened)
        except OSError as error:
            raise UsageError(f"{file} cannot be read: {error.strerror}.") from error
    else:
        if sys.stdin.isatty():
            print("One input a line; Ctrl-D ends.", file=sys.stderr)
        yield from (line.rstrip(b"\r\n") for line in sys.stdin.buffer)
