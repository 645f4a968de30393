"""Rotated videos: phones store pictures as the sensor lies, with a matrix that turns them upright."""

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    import av

_TOLERANCE = 0.02  # of a right angle's sine: about one degree


class Rotation(NamedTuple):
    """A turn by right angles and a reflection, in any combination.

    Attributes:
        swaps_axes: whether rows become columns, before the rest.
        flips_rows: whether the order of the rows is reversed.
        flips_columns: whether the order of the columns is reversed.
    """

    swaps_axes: bool = False
    flips_rows: bool = False
    flips_columns: bool = False

    def compute_size(self, size: tuple[int, int]) -> tuple[int, int]:
        """Return height and width after the turn, or before it: they are swapped or not."""
        return size[::-1] if self.swaps_axes else size

    def apply(self, image: np.ndarray) -> np.ndarray:
        """Turn an image [height, width, channels].

        >>> Rotation(swaps_axes=True, flips_rows=True).apply(np.array([[[1], [2]], [[3], [4]]]))[..., 0].tolist()
        [[2, 4], [1, 3]]
        """
        if self.swaps_axes:
            image = image.swapaxes(0, 1)
        return image[:: -1 if self.flips_rows else 1, :: -1 if self.flips_columns else 1]


def find_rotation(frame: "av.VideoFrame") -> Rotation:
    """Return what turns a frame upright, as the display matrix of its MP4, MOV, Matroska or WebM file states.

    A matrix that turns by other angles than right ones is ignored.
    """
    matrix = read_display_matrix(frame)
    if matrix is None:
        return Rotation()
    # A pixel at (x, y) is shown at (a x + c y, b x + d y).
    a, b, _, c, d, *_ = matrix
    straight, crossed = abs(a) + abs(d), abs(b) + abs(c)
    if crossed <= _TOLERANCE * straight:
        return Rotation(False, d < 0, a < 0)
    if straight <= _TOLERANCE * crossed:
        return Rotation(True, b < 0, c < 0)
    return Rotation()


def read_display_matrix(frame: "av.VideoFrame") -> list[int] | None:
    """Return the nine numbers of the display matrix of a frame; None if it has none."""
    from av.sidedata.sidedata import Type

    side_data: Any = frame.side_data  # PyAV states the type of a packet's
    if Type.DISPLAYMATRIX not in side_data:
        return None
    numbers: list[int] = np.frombuffer(bytes(side_data[Type.DISPLAYMATRIX]), np.int32).tolist()
    return numbers
