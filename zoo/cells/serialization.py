"""Registration with Keras, and checks of `get_config`: what is saved can be loaded, and is complete."""

import functools
import inspect
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar, cast

import keras


class Serializable:
    """Registers every subclass with Keras, under its top-level package and its name.

    Models that hold instances of such classes are saved, loaded, and cloned by `keras.layers.Bidirectional`
    without `custom_objects`. A class that a script defines has the name of the script as its package, `train` for
    `train.py`: after `from train import MyCell` its models can be loaded elsewhere. The package of a notebook is
    `__main__`. For two classes of the same name in one package, decorate one of them with
    `keras.saving.register_keras_serializable` and another package name.

    `get_config` of every subclass must return the arguments of its constructor: all that the constructor names,
    because an argument left out would have its default value after loading, and none that it does not accept,
    because loading would fail. Otherwise `get_config` raises a ValueError. A function in the result is restored
    when a file is loaded, if it is one of Keras, registered with Keras or in `custom_objects`. Layers and other
    objects must be serialized by `get_config` and deserialized by `from_config`.

    Attributes:
        arguments_without_effect: names of arguments that need not be saved, because they change nothing.

    Example:
        >>> import keras, zoo
        >>> class Scale(zoo.cells.Serializable, keras.layers.Layer):
        ...     def call(self, inputs):
        ...         return 2 * inputs
        >>> keras.saving.get_registered_name(Scale)  # doctest: +ELLIPSIS
        '...>Scale'
    """

    arguments_without_effect: ClassVar[frozenset[str]] = frozenset({"implementation", "use_cudnn"})

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for package in _find_packages(cls.__module__):
            keras.saving.register_keras_serializable(package)(cls)
        serializable = cast(Any, cls)  # another base defines `get_config`
        if serializable.get_config not in _checked:
            serializable.get_config = _check_config(serializable.get_config)
            _checked.add(serializable.get_config)

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """Create an instance from the result of `get_config`."""
        return cast(Any, super()).from_config(deserialize_functions(config))


def _find_packages(module: str) -> list[str]:
    """Return the packages under which the classes of a module are registered; files name the last one."""
    package = module.partition(".")[0]
    if package not in ("__main__", "__mp_main__"):  # `multiprocessing` renames the script
        return [package]
    main = sys.modules[module]
    if spec := getattr(main, "__spec__", None):  # python -m package.module
        return ["__main__", spec.name.partition(".")[0]]
    script = getattr(main, "__file__", None)  # a notebook has none
    return ["__main__", *([Path(script).stem] if script else [])]


def deserialize_functions(config: dict[str, Any]) -> dict[str, Any]:
    """Return a configuration in which functions take the place of their serialized form, as files have it."""

    def deserialize(value: Any) -> Any:
        is_function = isinstance(value, dict) and value.get("class_name") in ("function", "__lambda__")
        return keras.saving.deserialize_keras_object(value) if is_function else value

    return {name: deserialize(value) for name, value in config.items()}


_checked: set[Callable[..., Any]] = set()
"""The methods `get_config` that check their result."""


def _check_config(get_config: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """Wrap a `get_config`, so that it raises a ValueError if the constructor could not be called with its result."""

    @functools.wraps(get_config)
    def check(self: Any) -> dict[str, Any]:
        config = get_config(self)
        if type(self).get_config is check:  # not by `super().get_config()`, which need not be complete
            _check_missing(self, config)
            _check_unknown(self, config)
            _check_layers(self, config)
        return config

    return check


def _check_missing(instance: Any, config: dict[str, Any]) -> None:
    """Raise a ValueError if a configuration lacks an argument of the constructor."""
    kinds = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    missing = [
        name
        for name, parameter in inspect.signature(type(instance)).parameters.items()
        if parameter.kind in kinds
        and name not in config
        and name not in instance.arguments_without_effect
        # Keras leaves out an `activity_regularizer` that is None.
        and not (parameter.default is None and getattr(instance, name, 0) is None)
    ]
    if missing:
        class_name = type(instance).__name__
        lines = ", ".join(f'"{name}": self.{name}' for name in missing)
        raise ValueError(
            f"{class_name}.get_config() leaves out {', '.join(f'`{n}`' for n in missing)} of "
            f"`__init__`, so that a saved or copied {class_name} would differ. Define `get_config` "
            f"to return {{**super().get_config(), {lines}}}."
        )


def _check_unknown(instance: Any, config: dict[str, Any]) -> None:
    """Raise a ValueError if a configuration has an entry that no constructor accepts.

    A class with a `from_config` of its own may change the entries, and is not checked.
    """
    cls = type(instance)
    owner = next(c for c in cls.__mro__ if "from_config" in vars(c))
    if owner.__module__.partition(".")[0] not in ("keras", "zoo"):
        return
    accepted: set[str] = set()
    advice = ""
    for base in cls.__mro__:
        if "__init__" in vars(base):
            parameters = inspect.signature(vars(base)["__init__"]).parameters
            accepted |= parameters.keys()
            passes_on = any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values())
            if issubclass(base, Serializable) and not passes_on:
                advice = (
                    f"Give `__init__` of {base.__name__} the argument `**kwargs`, and pass it on: "
                    "`super().__init__(..., **kwargs)`."
                )
                break
    if unaccepted := [name for name in config if name not in accepted]:
        names = ", ".join(f"`{name}`" for name in unaccepted[:3])
        more = f" and {len(unaccepted) - 3} more" if len(unaccepted) > 3 else ""
        raise ValueError(
            f"{cls.__name__}.get_config() returns {names}{more}, which `__init__` does not accept, so that a saved "
            f"{cls.__name__} could not be loaded. {advice or 'Leave it out, or add an argument of this name.'}"
        )


def _check_layers(instance: Any, config: dict[str, Any]) -> None:
    """Raise a ValueError if a configuration has a layer as it is, not serialized."""
    class_name = type(instance).__name__
    for name, value in config.items():
        if isinstance(value, keras.layers.Layer):
            raise ValueError(
                f"{class_name}.get_config() returns the layer `{name}` itself. Copies would share it, and a file "
                f'would restore a dict in its place. Return `"{name}": keras.saving.serialize_keras_object(self.'
                f'{name})`, and call `keras.saving.deserialize_keras_object(config["{name}"])` in a class method '
                "`from_config`."
            )
