"""The segments of JPEG files, inside the graph: size and EXIF orientation."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from zoo.preprocessing.images.byte_strings import read_bytes, read_number

_MAX_STEPS = 1_000  # segments, and bytes between them, that are read
MAX_SCANS = 100
"""Largest number of scans of a JPEG that is accepted, as in libtiff. Ten are usual; each takes time for all pixels."""

_PREFIX_LENGTH = 10  # bytes of a segment that tell its kind, its length, and the size if it is a frame header
_EXIF = int.from_bytes(b"Exif\0\0")

_FRAME_HEADERS = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
_SEGMENTS = {0xC4, 0xCC, 0xDB, 0xDC, 0xDD, 0xFE, *range(0xE0, 0xF0)}
_WITHOUT_LENGTH = {0x01, *range(0xD0, 0xD8)}
_FILL_BYTES = {0x00, 0xFF}
_SCAN = 0xDA

_ENTRY_LENGTH = 12  # bytes of an entry of a TIFF directory
_ORIENTATION, _SHORT, _LONG = 0x0112, 3, 4
_TYPE_SIZES = (
    0,
    1,
    1,
    2,
    4,
    8,
    1,
    1,
    2,
    4,
    8,
    4,
    8,
    4,
    0,
    0,
    8,
)  # bytes of a value, by the number of its type


class JpegHeaders(NamedTuple):
    """What the segments of n files state up to the frame header.

    Attributes:
        height: int64 [n]: 0 for other files and without a frame header.
        width: int64 [n]: 0 for other files and without a frame header.
        orientation: int64 [n]: the EXIF orientation from 1 to 8; 1 without one.
        has_many_scans: bool [n]: whether more than `MAX_SCANS` scans follow the frame header.
    """

    height: tf.Tensor
    width: tf.Tensor
    orientation: tf.Tensor
    has_many_scans: tf.Tensor


def read_jpeg_headers(images: tf.Tensor, is_jpeg: tf.Tensor) -> JpegHeaders:
    """Read the segments as libjpeg does, so that the size is that of the frame which is decoded.

    As in libjpeg, bytes between segments are skipped up to 0xFF and a byte that is neither 0 nor 0xFF; the
    markers 01 and D0 to D7 have no length; a length below 2 counts as 2. The walk ends at the frame header, and
    at markers that libjpeg does not accept before it.

    Args:
        images: string [n]: the content of files.
        is_jpeg: bool [n]: which files are JPEG.
    """
    lengths = tf.strings.length(images)

    def read_segment(
        _: tf.Tensor, offsets: tf.Tensor, exif_offsets: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        marker, length, _, identifier = _read_prefixes(images, offsets)
        step, has_length = tf.unstack(tf.gather(_STEPS, tf.maximum(marker, 0)), axis=-1)
        is_exif = (marker == 0xE1) & (identifier == _EXIF) & (exif_offsets == 0)
        exif_offsets = tf.where(is_exif, offsets, exif_offsets)
        offsets += step + has_length * tf.maximum(tf.cast(length, tf.int32), 2)
        return (step > 0) & (offsets < lengths), offsets, exif_offsets

    _, offsets, exif_offsets = tf.while_loop(
        lambda is_active, *_: tf.reduce_any(is_active),
        read_segment,
        (is_jpeg, tf.where(is_jpeg, 2, lengths), tf.zeros_like(lengths)),
        maximum_iterations=_MAX_STEPS,
    )
    marker, _, size, _ = _read_prefixes(images, offsets)
    is_frame = tf.gather(_IS_FRAME, tf.maximum(marker, 0))
    size = tf.where(is_frame, size, 0)
    has_many_scans = _find_many_scans(images, tf.where(is_frame, offsets, lengths))
    _, length, _, _ = _read_prefixes(images, exif_offsets)
    starts, ends = exif_offsets + _PREFIX_LENGTH, exif_offsets + 2 + tf.cast(length, tf.int32)
    ends = tf.where(exif_offsets > 0, tf.minimum(ends, lengths), 0)
    return JpegHeaders(size // 2**16, size % 2**16, read_orientation(images, starts, ends), has_many_scans)


def _find_many_scans(images: tf.Tensor, starts: tf.Tensor) -> tf.Tensor:
    """Whether images have more than `MAX_SCANS` scans from an offset on, bool [n]."""
    after_start = tf.strings.substr(images, starts, tf.strings.length(images) - starts)
    # Other data of a file may contain this marker by chance, such as a video behind the image.
    markers = tf.strings.split(after_start, b"\xff\xda", maxsplit=MAX_SCANS + 1)
    rows = tf.where(markers.row_lengths() - 1 > MAX_SCANS)
    has_many_scans = tf.map_fn(
        lambda row: _has_many_scans(after_start[row]),
        rows[:, 0],
        fn_output_signature=tf.TensorSpec([], tf.bool),
    )
    return tf.tensor_scatter_nd_update(tf.zeros_like(images, tf.bool), rows, has_many_scans)


def _has_many_scans(image: tf.Tensor) -> tf.Tensor:
    """Whether one JPEG that starts with its frame header has more than `MAX_SCANS` scans, bool.

    As in libjpeg, the data of a scan and bytes between segments end at the next marker that is none of 00, 01, FF
    and D0 to D7. A file with very many segments counts as one of many scans.
    """
    content = tf.io.decode_raw(tf.strings.join([image, b"\xff\xd9\0\0"]), tf.uint8)
    kinds = content[1:-2]
    is_marker = (content[:-3] == 0xFF) & (kinds > 0x01) & (kinds < 0xFF)
    markers = tf.where(is_marker & (tf.bitwise.bitwise_and(kinds, 0xF8) != 0xD0))[:, 0]

    def read_segment(
        index: tf.Tensor, num_scans: tf.Tensor, _: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        offset = markers[index]
        marker, high, low = tf.unstack(tf.cast(content[offset + 1 : offset + 4], tf.int32), 3)
        num_scans += tf.cast(marker == _SCAN, tf.int32)
        end = offset + 2 + tf.cast(tf.maximum(256 * high + low, 2), tf.int64)
        index = tf.searchsorted(markers, [end])[0]
        is_active = tf.gather(_IS_SEGMENT, marker) & (index < tf.size(markers)) & (num_scans <= MAX_SCANS)
        return index, num_scans, is_active

    _, num_scans, is_active = tf.while_loop(
        lambda *state: state[-1], read_segment, (0, 0, True), maximum_iterations=_MAX_STEPS
    )
    return is_active | (num_scans > MAX_SCANS)


def _read_prefixes(images: tf.Tensor, offsets: tf.Tensor) -> list[tf.Tensor]:
    """Return numbers, int64 [n], at offsets: marker, length, height and width, and the first six bytes.

    The marker is the byte after 0xFF, and negative where there is none.
    """
    numbers = tf.matmul(read_bytes(images, offsets, _PREFIX_LENGTH), _PREFIX_WEIGHTS)
    marker, length, size, identifier = tf.unstack(numbers, axis=-1)
    return [marker - 0xFF00, length, size, identifier]


def _make_weights(count: int, fields: Sequence[tuple[int, int]], big: bool) -> np.ndarray:
    """Return the matrix that turns `count` bytes into numbers, each at an offset and of a size in bytes."""
    weights = np.zeros((count, len(fields)), np.int64)
    for column, (offset, size) in enumerate(fields):
        powers = 256 ** np.arange(size)
        weights[offset : offset + size, column] = powers[::-1] if big else powers
    return weights


_PREFIX_WEIGHTS = _make_weights(_PREFIX_LENGTH, [(0, 2), (2, 2), (5, 4), (4, 6)], big=True)
_ENTRY_FIELDS = (
    (0, 2),
    (2, 2),
    (4, 4),
    (8, 4),
    (8, 2),
)  # tag, type, number of values, the value as LONG and SHORT
_ENTRY_WEIGHTS = np.stack([_make_weights(_ENTRY_LENGTH, _ENTRY_FIELDS, big) for big in (False, True)])
_IS_FRAME = np.isin(np.arange(256), sorted(_FRAME_HEADERS))
_IS_SEGMENT = np.isin(np.arange(256), sorted(_FRAME_HEADERS | _SEGMENTS | {_SCAN}))
# How far each marker leads, without the length of its segment, and whether it has one. No step: the walk ends.
_STEPS = np.zeros((256, 2), np.int32)
_STEPS[sorted(_FILL_BYTES)] = 1, 0
_STEPS[sorted(_WITHOUT_LENGTH)] = 2, 0
_STEPS[sorted(_SEGMENTS)] = 2, 1


def read_orientation(images: tf.Tensor, starts: tf.Tensor, ends: tf.Tensor) -> tf.Tensor:
    """Return the orientation in EXIF data, int64 [n], from 1 to 8; 1 where the data are corrupt.

    The first directory is read as a whole, at most 64 kB: there are no links to follow. The orientation must be
    its only entry with the tag 0x0112, a SHORT or LONG, and no entry before it may lie outside of the data.

    Args:
        images: string [n]: the content of files.
        starts: int32 [n]: where the EXIF data start, with a TIFF header.
        ends: int32 [n]: where they end; not after `starts` if there are none.
    """
    limits = tf.cast(ends - starts, tf.int64)
    header = read_bytes(images, starts, 8)
    is_little, is_big = (
        tf.reduce_all(header[:, :4] == list(order), axis=-1) for order in (b"II*\0", b"MM\0*")
    )
    numbers = (read_number(header, 4, 4, big) for big in (True, False))
    directory = tf.where(is_big, *numbers)
    is_valid = (is_little | is_big) & (directory + 2 <= limits)
    directory = tf.where(is_valid, directory, 0)

    offsets = starts + tf.cast(directory, tf.int32)
    count_bytes = read_bytes(images, offsets, 2)
    count = tf.where(is_big, *(read_number(count_bytes, 0, 2, big) for big in (True, False)))
    is_valid &= directory + 2 + count * _ENTRY_LENGTH <= limits
    count = tf.cast(tf.where(is_valid, count, 0), tf.int32)
    largest_count = tf.maximum(tf.reduce_max(count), 1)
    content = tf.strings.substr(
        images, tf.minimum(offsets + 2, tf.strings.length(images)), count * _ENTRY_LENGTH
    )
    content = tf.io.decode_raw(content, tf.uint8, fixed_length=largest_count * _ENTRY_LENGTH)
    entries = tf.reshape(tf.cast(content, tf.int64), [tf.shape(images)[0], largest_count, _ENTRY_LENGTH])
    fields = tf.matmul(entries, tf.gather(_ENTRY_WEIGHTS, tf.cast(is_big, tf.int32)))

    tag, kind, num_values, value_offset, _ = tf.unstack(fields, axis=-1)
    is_orientation = tag == _ORIENTATION
    type_size = tf.gather(_TYPE_SIZES, tf.where(kind < len(_TYPE_SIZES), kind, 0))
    value_length = num_values * tf.cast(type_size, tf.int64)
    is_outside = (value_length > 4) & (value_offset + value_length > limits[:, None])
    num_before = tf.argmax(is_orientation, axis=-1)
    is_before = tf.sequence_mask(num_before, largest_count)
    is_valid &= tf.math.count_nonzero(is_orientation, axis=-1) == 1
    is_valid &= ~tf.reduce_any(is_outside & is_before, axis=-1)

    entry = tf.gather(fields, num_before, batch_dims=1)
    _, kind, num_values, long, short = tf.unstack(entry, axis=-1)
    value = tf.where(kind == _SHORT, short, long)
    is_valid &= ((kind == _SHORT) | (kind == _LONG)) & (num_values == 1) & (value >= 1) & (value <= 8)
    return tf.where(is_valid, value, 1)


def apply_orientations(images: tf.Tensor, orientations: tf.Tensor) -> tf.Tensor:
    """Return square images upright.

    Args:
        images: [n, size, size, channels], as they are stored.
        orientations: int64 [n]: the EXIF orientation of each, from 1 to 8.
    """

    def is_one_of(*values: int) -> tf.Tensor:
        return tf.reduce_any(orientations[:, None] == values, axis=-1)[:, None, None, None]

    def apply() -> tf.Tensor:
        upright = tf.where(is_one_of(5, 6, 7, 8), tf.transpose(images, [0, 2, 1, 3]), images)
        upright = tf.where(is_one_of(2, 3, 6, 7), tf.reverse(upright, [2]), upright)
        return tf.where(is_one_of(3, 4, 7, 8), tf.reverse(upright, [1]), upright)

    return tf.cond(tf.reduce_all(orientations == 1), lambda: images, apply)
