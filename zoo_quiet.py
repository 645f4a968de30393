"""Hides the lines that TensorFlow prints while it starts. Import this module before TensorFlow or Keras.

TensorFlow's C++ code logs drivers and processor features to standard error, in part before it reads the
environment variable TF_CPP_MIN_LOG_LEVEL. Where the user has set that variable to another level than 3, this
module changes nothing.
Python's warnings and tracebacks are shown in any case.
"""

import os
import re
import sys
import tempfile
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import ModuleType

_START_LINE = re.compile(
    rb"WARNING: All log messages before absl::InitializeLog\(\)|[IWE]\d{4} \d\d:\d\d:|To enable the following"
)


class _QuietLoader(SourceFileLoader):
    def exec_module(self, module: ModuleType) -> None:
        if sys.stderr is None:  # closed by the caller, as in `zoo list 2>&-`
            return super().exec_module(module)
        stderr = os.dup(2)
        with tempfile.TemporaryFile() as captured:
            sys.stderr.flush()
            os.dup2(captured.fileno(), 2)
            try:
                super().exec_module(module)
            finally:
                sys.stderr.flush()
                os.dup2(stderr, 2)
                os.close(stderr)
                captured.seek(0)
                os.write(2, b"".join(line for line in captured if not _START_LINE.match(line)))
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
