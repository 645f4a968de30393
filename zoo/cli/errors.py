"""How a command ends: with one message after a user's mistake, with what was saved after an interruption."""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from zoo.errors import InputError, Interrupted, ZooError

EXIT_CODES = """Exit codes: 0, the command did what it was asked for; 1, some inputs have no answer or were read in
part, or some models are not as they were exported; 2, the command could not be run: an option, a file or the data
cannot be used; 129, 130 and 143, it was interrupted by SIGHUP, Ctrl-C or SIGTERM; 141, the reader of its output has
ended."""


@contextmanager
def end_by_signals(message: str = "interrupted") -> Iterator[None]:
    """Let SIGTERM and SIGHUP end the block as Ctrl-C does, so that it removes its partial files.

    Args:
        message: what the command prints at its end.
    """

    def end(number: int, _: object) -> None:
        raise Interrupted(message, number)

    numbers = [signal.SIGTERM, signal.SIGHUP]
    changed = [number for number in numbers if signal.getsignal(number) == signal.SIG_DFL]  # not by `nohup`
    for number in changed:
        signal.signal(number, end)
    try:
        yield
    finally:
        for number in changed:
            signal.signal(number, signal.SIG_DFL)


@contextmanager
def exit_on_user_error() -> Iterator[None]:
    """Exit with a message and the code in `EXIT_CODES` after a user's mistake or an interruption."""
    try:
        yield
        if sys.stdout is not None:
            sys.stdout.flush()
    except ZooError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(1 if isinstance(error, InputError) else 2)
    except Interrupted as interrupted:
        print(f"\n{interrupted}", file=sys.stderr)
        sys.exit(128 + interrupted.signal)
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
        sys.exit(130)
    except BrokenPipeError:  # the reader of the output has ended, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)
    except OSError as error:  # of a file that no other message names, such as the output on a full disk
        if error.filename is None and sys.stdout is not None:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        name = os.fsdecode(error.filename) if error.filename else "the output"
        print(
            f"error: {name} cannot be read or written: {error.strerror or error}. Correct that.",
            file=sys.stderr,
        )
        sys.exit(2)
