"""How a command ends: with one message after a user's mistake, with what was saved after an interruption."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from zoo.errors import Interrupted, ZooError


@contextmanager
def exit_on_user_error() -> Iterator[None]:
    """Exit with a message and code 2 after a user's mistake, with 130 after Ctrl-C, 143 after SIGTERM."""
    try:
        yield
    except ZooError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
    except Interrupted as interrupted:
        print(f"\n{interrupted}", file=sys.stderr)
        sys.exit(128 + interrupted.signal)
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
        sys.exit(130)
    except BrokenPipeError:  # the reader of the output has ended, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)
