"""The data set `footage`: edited clips of painted pictures, the default data set for tagging."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow_datasets as tfds

from zoo._compat import make_dataset_version
from zoo.datasets.builders.base import GeneratedBuilder, make_generator
from zoo.datasets.builders.footage.editing import edit_clips, find_visible_tags
from zoo.datasets.builders.footage.stock import paint_background
from zoo.datasets.builders.footage.style import GENTLE, SIZE, TAGS
from zoo.metrics import score_frames

SIZES = {"train": 1_200, "validation": 80, "test": 160}


class Footage(GeneratedBuilder):
    """Clips of drawn shots, joined as in film editing, with a tag for each frame.

    In a shot the camera rests, pans, zooms, turns or shakes over a painted picture, objects move across it,
    the light changes, and sometimes there is a flash. So a change alone is no cut, and a single frame does
    not show its tag. The tags are:

    - `shot`: inside a shot.
    - `cut`: the first frame of a shot that follows another without a transition.
    - `dissolve`: a mixture of two shots.
    - `fade`: on the way to black (or white) or back, or black between the two.
    - `wipe`: a part of one shot beside a part of the next.

    Example:
        >>> import zoo
        >>> features = zoo.datasets.builders.Footage().info.features
        >>> features["frames"].shape, features["tags"].shape, features["tags"].feature.names
        ((None, 27, 48, 3), (None,), ['shot', 'cut', 'dissolve', 'fade', 'wipe'])
    """

    VERSION = make_dataset_version("1.0.0")
    text_languages = None

    def _info(self) -> Any:
        features = {
            "frames": tfds.features.Tensor(
                shape=(None, *SIZE, 3), dtype=np.uint8, encoding=tfds.features.Encoding.ZLIB
            ),
            "tags": tfds.features.Sequence(tfds.features.ClassLabel(names=TAGS)),
        }
        return self.declare(tfds.features.FeaturesDict(features), ("frames", "tags"))

    def _generate_examples(self, split: str) -> Iterator[tuple[int, dict[str, Any]]]:
        clips = edit_clips(split, SIZES[split], paint_background, SIZE, GENTLE)
        for number, (frames, tags) in enumerate(clips):
            yield number, {"frames": frames, "tags": tags}


def compute_ceiling(split: str = "test") -> float:
    """Return the macro-F1, in percent, that hidden ends of transitions leave on a split.

    It is that of an observer who finds every transition but for the frames at its ends at which less changes
    than anyway; see `find_visible_tags`.

    Args:
        split: "train", "validation" or "test".

    Example:
        >>> from zoo.datasets.builders.footage import compute_ceiling
        >>> round(compute_ceiling("validation"), 1)  # doctest: +SKIP
        99.0
    """
    labels = np.array(TAGS)
    pairs = [
        find_visible_tags(make_generator(split, number), paint_background) for number in range(SIZES[split])
    ]
    actual, visible = ([labels[tags].tolist() for tags in side] for side in zip(*pairs, strict=True))
    return score_frames(visible, actual, TAGS)["macro-F1"]
