"""A tagged sequence, as the readers of videos and of features return it."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from zoo.errors import DataError
from zoo.preprocessing.video import VIDEO_FILE_PATTERN


class TaggedSequence(NamedTuple):
    """A sequence with the names of its tags.

    Attributes:
        name: its name.
        values: frames uint8 `[time, height, width, 3]`, or features float32 `[time, features]`.
        tags: tags of each time step.
        times: time of each step, float64 `[time]`.
    """

    name: str
    values: np.ndarray
    tags: list[tuple[str, ...]]
    times: np.ndarray


def remove_video_suffix(name: str) -> str:
    """Return a file name without the suffix of a video."""
    return re.sub(VIDEO_FILE_PATTERN, "", name, flags=re.IGNORECASE)


def index_by_name(named_paths: Iterable[tuple[str, Path]]) -> dict[str, Path]:
    """Return paths by the names of their sequences.

    Raises:
        DataError: two sequences have the same name.
    """
    paths: dict[str, Path] = {}
    for name, path in named_paths:
        if name in paths:
            raise DataError(
                f"{paths[name]} and {path} have the same name, {name}. Expected different ones. Rename or "
                "remove one."
            )
        paths[name] = path
    return paths
