"""Hides the lines that TensorFlow prints while it starts. Import this module before TensorFlow or Keras.

TensorFlow's C++ code logs drivers and processor features to standard error, in part before it reads the
environment variable TF_CPP_MIN_LOG_LEVEL. Where the user has set that variable to another level than 3, this
module changes nothing.
Python's warnings and tracebacks are shown in any case. So is the message with which C++ code aborts the process, as it
does on a processor that lacks the instructions TensorFlow needs.
"""

import contextlib
import ctypes
import os
import re
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import ModuleType

_START_LINE = re.compile(
    rb"WARNING: All log messages before absl::InitializeLog\(\)|[IWE]\d{4} \d\d:\d\d:|To enable the following"
)


@contextlib.contextmanager
def _call_on_abort(function: Callable[[], None]) -> Iterator[None]:
    """Call a function if C++ code aborts the process within this context, where Python runs no handler of its own."""
    if os.name != "posix":
        yield
        return
    set_handler = ctypes.CDLL(None).signal
    set_handler.argtypes, set_handler.restype = [ctypes.c_int, ctypes.c_void_p], ctypes.c_void_p
    handler = ctypes.CFUNCTYPE(None, ctypes.c_int)(lambda number: function())
    previous = set_handler(signal.SIGABRT, ctypes.cast(handler, ctypes.c_void_p))
    try:
        yield
    finally:
        set_handler(signal.SIGABRT, previous)


class _QuietLoader(SourceFileLoader):
    def exec_module(self, module: ModuleType) -> None:
        if sys.stderr is None:  # closed by the caller, as in `zoo list 2>&-`
            return super().exec_module(module)
        stderr = os.dup(2)
        with tempfile.TemporaryFile() as captured:

            def show() -> None:
                os.dup2(stderr, 2)
                os.close(stderr)
                captured.seek(0)
                os.write(2, b"".join(line for line in captured if not _START_LINE.match(line)))

            sys.stderr.flush()
            os.dup2(captured.fileno(), 2)
            try:
                with _call_on_abort(show):
                    super().exec_module(module)
            finally:
                sys.stderr.flush()
                show()
        return None


class _QuietFinder(MetaPathFinder):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != "tensorflow":
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and isinstance(spec.loader, SourceFileLoader):
            spec.loader = _QuietLoader(fullname, spec.loader.path)
        return spec


if "tensorflow" not in sys.modules and os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3") == "3":
    sys.meta_path.insert(0, _QuietFinder())
