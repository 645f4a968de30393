"""Tags, sizes and degrees of difficulty of edited footage."""

import math
from typing import NamedTuple

TAGS = ("shot", "cut", "dissolve", "fade", "wipe")
"""Names of the tags, in the order of their ids."""

SHOT = 0
"""Id of the tag of a frame inside a shot."""

CUT = 1
"""Id of the tag of the first frame after a cut."""

DISSOLVE = 2
"""Id of the tag of a frame in which one shot dissolves into the next."""

FADE = 3
"""Id of the tag of a frame in which a shot fades to or from black or white."""

WIPE = 4
"""Id of the tag of a frame in which the next shot pushes or covers the one before."""

SIZE = (27, 48)
"""Height and width of the frames in pixels: enough to show an edit, and fast."""

CLIP_LENGTH = 100
"""Frames of a clip."""


class Style(NamedTuple):
    """Difficulty of clips.

    Attributes:
        speed: factor on all movements of camera and objects.
        shot_length: median length of a shot in frames.
        min_transition: minimum number of frames of a transition.
        max_transition: maximum number of frames of a transition.
        unsteadiness: factor on how often the pace of transitions and the light within a shot change.
        max_edge: maximum width of the soft edge of a wipe, as a fraction of its way.
        max_replaced: maximum fraction of a shot that the transition at its beginning replaces.
        has_handles: whether shots have additional frames for the transitions at both ends, so that these may be long.
        similarity: factor on how often a shot resembles the one before it.
        hard_negatives: factor on how often something happens that resembles a transition and is none.
        shares: probabilities of cuts, dissolves, fades and wipes.

    Example:
        >>> import numpy as np
        >>> from zoo.datasets.builders import footage
        >>> cuts_only = footage.GENTLE._replace(shares=(1.0, 0.0, 0.0, 0.0))
        >>> _, tags = footage.edit_clip(np.random.default_rng(0), footage.paint_background, style=cuts_only)
        >>> [footage.TAGS[tag] for tag in np.unique(tags)]
        ['shot', 'cut']
    """

    speed: float
    shot_length: float
    min_transition: int
    max_transition: int
    unsteadiness: float
    max_edge: float
    max_replaced: float = 0.5
    has_handles: bool = False
    similarity: float = 0.0
    hard_negatives: float = 0.0
    shares: tuple[float, ...] = (0.4, 0.24, 0.16, 0.2)


WILD = Style(
    speed=1.0,
    shot_length=25.0,
    min_transition=4,
    max_transition=60,
    unsteadiness=1.0,
    max_edge=0.4,
    max_replaced=0.9,
    has_handles=True,
    similarity=1.0,
    hard_negatives=1.0,
    shares=(0.45, 0.21, 0.1, 0.24),
)
"""For clips of users' own footage."""

GENTLE = Style(
    speed=0.2,
    shot_length=math.exp(3.6),
    min_transition=10,
    max_transition=24,
    unsteadiness=0.0,
    max_edge=0.05,
)
"""For the embedded data set."""
