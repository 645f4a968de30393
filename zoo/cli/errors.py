"""How a command ends: after a mistake with one message, after an interruption with what was saved."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from zoo.errors import (
    DataError,
    ExportError,
    Interrupted,
    TrainingError,
    UsageError,
    VideoError,
    WeightsError,
)


@contextmanager
def exit_on_user_error() -> Iterator[None]:
    """End a user's mistake with one message and exit code 2, Ctrl-C with 130, SIGTERM with 143."""
    try:
        yield
    except (DataError, ExportError, TrainingError, UsageError, VideoError, WeightsError) as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
    except Interrupted as stopped:
        print(f"\n{stopped}", file=sys.stderr)
        sys.exit(128 + stopped.signal)
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
        sys.exit(130)
    except BrokenPipeError:  # who reads has had enough, as `head` has
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)
