"""Configurations of tokenizers and readers, which a model card stores to rebuild them from an export."""

from collections.abc import Mapping
from typing import Any

from zoo.errors import UsageError

VERSION = 2
"""Version of the preprocessing. It increases whenever the outputs for the same raw inputs change.

Since version 2 texts are normalized (NFC) and split into grapheme clusters, and pictures are turned upright.
"""


def make_config(**arguments: Any) -> dict[str, Any]:
    """Return constructor arguments as a configuration, with the version of the preprocessing.

    Args:
        **arguments: values that JSON can hold.

    Returns:
        The arguments and `"version"`.

    >>> make_config(max_tokens=100)
    {'version': 2, 'max_tokens': 100}
    """
    return {"version": VERSION, **arguments}


def read_config(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the constructor arguments in a configuration made by `make_config`.

    Args:
        config: the configuration, as it was or after a round trip through JSON.

    Returns:
        The arguments, without the version.

    Raises:
        UsageError: the configuration was made by a later version of the preprocessing.

    >>> read_config({"version": 2, "max_tokens": 100})
    {'max_tokens': 100}
    """
    arguments = dict(config)
    version = arguments.pop("version", None)
    if version not in range(1, VERSION + 1):
        raise UsageError(
            f"The configuration has version {version} of the preprocessing, expected at most {VERSION}. Install the "
            "version of rnn-zoo that exported the model."
        )
    return arguments
