"""The command `zoo`.

`import zoo` imports TensorFlow, which takes seconds, and registers every layer with Keras. Help, the list of
models and the message about a wrong option need neither. Therefore the command starts here, outside of the
package, and defers `zoo/__init__.py`: modules such as `zoo.cli` can be imported before it has run. It runs as
soon as a name that it defines is used, such as `zoo.LSTM`.
"""

import importlib.util
import sys
from types import ModuleType
from typing import Any

import zoo_quiet  # noqa: F401  hides what TensorFlow prints while it starts


class _DeferredPackage(ModuleType):
    """A package whose `__init__.py` runs when a public name is used that no imported module defines yet."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}", name=name, obj=self)
        sys.modules[self.__name__].__class__ = ModuleType
        assert self.__spec__ is not None
        assert self.__spec__.loader is not None
        self.__spec__.loader.exec_module(self)
        return getattr(self, name)


def defer(name: str) -> None:
    """Make a package importable without running its `__init__.py`, unless it is imported already."""
    if name not in sys.modules:
        spec = importlib.util.find_spec(name)
        assert spec is not None
        sys.modules[name] = importlib.util.module_from_spec(spec)
        sys.modules[name].__class__ = _DeferredPackage


def main() -> None:
    """Run the command line."""
    defer("zoo")
    try:
        from zoo.cli.main import main as run
    except KeyboardInterrupt:  # later ones are handled by the command
        print("\ninterrupted", file=sys.stderr)
        sys.exit(130)
    run()


if __name__ == "__main__":
    main()
