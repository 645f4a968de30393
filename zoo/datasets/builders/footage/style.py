"""Tags, sizes and degrees of difficulty of edited footage."""

from typing import NamedTuple

TAGS = ("shot", "cut", "dissolve", "fade", "wipe")
SHOT, CUT, DISSOLVE, FADE, WIPE = range(len(TAGS))

SIZE = (27, 48)  # height and width of the frames: enough to show an edit, and fast
CLIP_LENGTH = 100  # frames


class Style(NamedTuple):
    """Difficulty of clips.

    Attributes:
        speed: Factor on all movements of camera and objects.
        min_transition: Minimum number of frames of a transition.
        max_transition: Maximum number of frames of a transition.
        unsteadiness: Factor on how often the pace of transitions and the light within a shot change.
        max_edge: Maximum width of the soft edge of a wipe, as a fraction of its way.
    """

    speed: float
    min_transition: int
    max_transition: int
    unsteadiness: float
    max_edge: float


WILD = Style(speed=1.0, min_transition=4, max_transition=50, unsteadiness=1.0, max_edge=0.4)
"""For clips of users' own footage."""

GENTLE = Style(speed=0.2, min_transition=10, max_transition=24, unsteadiness=0.0, max_edge=0.05)
"""For the embedded data set."""
