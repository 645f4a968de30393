"""Frames and clips of any size to one size, inside the graph, with core TensorFlow operations."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Self

import numpy as np
import tensorflow as tf

from zoo.preprocessing.config import make_config, read_config
from zoo.preprocessing.video.decoding import FrameSize

CLIP_FRAME_SIZE: FrameSize = (112, 112)
"""Height and width to which users' videos are scaled before a `ClipReader` scales them to its own size."""


class FrameReader:
    """Frames of any size to frames of one size, one frame at a time.

    Frames of that size are unchanged; others are scaled by area averaging, as `Video.decode` does it. Frames
    without pixels become black.

    Args:
        frame_size: height and width of the result in pixels.

    >>> reader = FrameReader((27, 48))
    >>> reader(np.zeros([1, 10, 180, 320, 3], np.uint8)).shape
    TensorShape([1, 10, 27, 48, 3])
    """

    def __init__(self, frame_size: FrameSize) -> None:
        height, width = frame_size
        self.frame_size = (height, width)

    def get_config(self) -> dict[str, Any]:
        """Return what `from_config` needs, as JSON."""
        return make_config(frame_size=list(self.frame_size))

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Rebuild a reader from what `get_config` returned.

        Raises:
            UsageError: the configuration was made by a later version of the preprocessing.
        """
        return cls(**read_config(config))

    @tf.function(input_signature=[tf.TensorSpec([None, None, None, None, 3], tf.uint8)], autograph=False)
    def __call__(self, frames: tf.Tensor) -> tf.Tensor:
        """Scale frames.

        Args:
            frames: uint8 [n, time, h, w, 3].

        Returns:
            uint8 [n, time, height, width, 3].
        """
        shape, frame_shape = tf.shape(frames), (*self.frame_size, 3)
        count = shape[0] * shape[1]
        flat = tf.reshape(frames, tf.concat([[count], shape[2:]], 0))

        def scale() -> tf.Tensor:
            return tf.map_fn(self._scale, flat, fn_output_signature=tf.TensorSpec(frame_shape, tf.uint8))

        def make_black() -> tf.Tensor:
            return tf.zeros([count, *frame_shape], tf.uint8)

        flat = tf.cond(
            tf.reduce_all(shape[2:4] == self.frame_size),
            lambda: flat,
            lambda: tf.cond(tf.reduce_all(shape[2:4] > 0), scale, make_black),
        )
        return tf.reshape(flat, tf.concat([shape[:2], frame_shape], 0))

    def _scale(self, frame: tf.Tensor) -> tf.Tensor:
        scaled = tf.image.resize(frame, self.frame_size, tf.image.ResizeMethod.AREA)
        return tf.cast(tf.round(scaled), tf.uint8)


class SampledClips(NamedTuple):
    """The frames of n clips.

    Attributes:
        frames: uint8 [n, num_frames, image_size, image_size, 3]. Black where `status` is not empty.
        status: string [n]: empty if the clip was read, otherwise what is wrong with it.

    Example:
        >>> import numpy as np, zoo
        >>> reader = zoo.preprocessing.video.ClipReader(num_frames=4, image_size=32)
        >>> clips = reader(np.zeros([2, 9, 18, 32, 3], "uint8"), [9, 0])
        >>> clips.frames.shape, clips.status.numpy().tolist()
        (TensorShape([2, 4, 32, 32, 3]), [b'', b'no frames'])
    """

    frames: tf.Tensor
    status: tf.Tensor


class ClipReader:
    """Clips of any size and length to a fixed number of square frames.

    A clip is divided into `num_frames` parts of equal length, and the middle frame of each part is taken
    (`sample_positions`). A clip with fewer frames repeats some. The whole frame is scaled to a square.

    `status` of a clip is as `check_lengths` returns it.

    Args:
        num_frames: number of frames of the result.
        image_size: height and width of the result in pixels.

    Attributes:
        input_signature: what it is called with: frames, uint8 [n, time, height, width, 3], and the number of
            frames of each clip, int32 [n].
        shape: shape of the pixels of one clip: `(num_frames, image_size, image_size, 3)`.

    >>> reader = ClipReader(num_frames=8, image_size=64)
    >>> clips = [np.zeros([time, 90, 120, 3], np.uint8) for time in (30, 5)]
    >>> frames, status = reader(**reader.pack_inputs(clips))
    >>> frames.shape
    TensorShape([2, 8, 64, 64, 3])
    """

    input_signature = (
        tf.TensorSpec([None, None, None, None, 3], tf.uint8, "frames"),
        tf.TensorSpec([None], tf.int32, "lengths"),
    )

    def __init__(self, num_frames: int, image_size: int) -> None:
        self.num_frames, self.image_size = num_frames, image_size
        self.shape = (num_frames, image_size, image_size, 3)
        self._scale = FrameReader((image_size, image_size))

    def get_config(self) -> dict[str, Any]:
        """Return what `from_config` needs, as JSON."""
        return make_config(num_frames=self.num_frames, image_size=self.image_size)

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Rebuild a reader from what `get_config` returned.

        Raises:
            UsageError: the configuration was made by a later version of the preprocessing.
        """
        return cls(**read_config(config))

    @staticmethod
    def convert_examples(clips: Sequence[np.ndarray]) -> tuple[Sequence[np.ndarray], list[str]]:
        """Return clips as they are, and that nothing is wrong with them."""
        return clips, [""] * len(clips)

    @staticmethod
    def pack_inputs(clips: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
        """Pad clips to a batch of inputs, by the names in `input_signature`.

        Args:
            clips: one clip or more, each uint8 [time, height, width, 3], of one height and width.

        Returns:
            "frames", uint8 [n, time, height, width, 3], and "lengths", int32 [n].
        """
        lengths = np.array([len(clip) for clip in clips], np.int32)
        frames = np.zeros((len(clips), max(lengths), *clips[0].shape[1:]), np.uint8)
        for row, clip in enumerate(clips):
            frames[row, : len(clip)] = clip
        return {"frames": frames, "lengths": lengths}

    @tf.function(input_signature=input_signature, autograph=False)
    def __call__(self, frames: tf.Tensor, lengths: tf.Tensor) -> SampledClips:
        """Sample and scale clips.

        Args:
            frames: uint8 [n, time, h, w, 3].
            lengths: int32 [n]: the number of frames of each clip, the first of its row.

        Returns:
            A `SampledClips` of n rows.

        Raises:
            InvalidArgumentError: there is not one length for each clip.
        """
        lengths, status = check_lengths(lengths, frames, "frames")
        positions = sample_positions(lengths[:, None], self.num_frames)
        # One frame at least, so that there is something to gather.
        padding = [[0, 0], [0, tf.maximum(1 - tf.shape(frames)[1], 0)], [0, 0], [0, 0], [0, 0]]
        sampled = self._scale(tf.gather(tf.pad(frames, padding), positions, batch_dims=1))
        is_valid = (status == "")[:, None, None, None, None]
        return SampledClips(tf.where(is_valid, sampled, 0), status)


def check_lengths(lengths: tf.Tensor, sequences: tf.Tensor, steps: str) -> tuple[tf.Tensor, tf.Tensor]:
    """Check how many steps padded sequences have, in the graph.

    Args:
        lengths: int32 [n].
        sequences: features [n, time, features], or frames [n, time, height, width, channels].
        steps: what steps are called in a status, such as "frames".

    Returns:
        A tuple of the lengths, 0 where a sequence is not valid, and of statuses, string [n]: empty; or "no
        frames"; "lengths is 12, and there are 10 frames"; or "the frames have no pixels".

    Raises:
        InvalidArgumentError: there is not one length for each sequence.

    >>> lengths, status = check_lengths(tf.constant([2, 9]), tf.zeros([2, 5, 3]), "steps")
    >>> lengths.numpy().tolist(), status.numpy().tolist()
    ([2, 0], [b'', b'lengths is 9, and there are 5 steps'])
    """
    shape = tf.shape(sequences)
    counts = [tf.strings.as_string(count) for count in (tf.size(lengths), shape[0])]
    message = [
        "lengths has ",
        counts[0],
        " numbers, and there are ",
        counts[1],
        " sequences: expected one each",
    ]
    check = tf.debugging.Assert(tf.size(lengths) == shape[0], [tf.strings.join(message)])
    with tf.control_dependencies([check]):
        lengths = tf.identity(lengths)
    numbers = [tf.strings.as_string(number) for number in (lengths, tf.fill(shape[:1], shape[1]))]
    wrong_length = tf.strings.join(["lengths is ", numbers[0], ", and there are ", numbers[1], f" {steps}"])
    no_pixels = tf.where(tf.reduce_all(shape[2:] > 0), "", "the frames have no pixels")
    status = tf.where(lengths == 0, f"no {steps}", no_pixels)
    status = tf.where((lengths < 0) | (lengths > shape[1]), wrong_length, status)
    return tf.where(status == "", lengths, 0), status


def sample_positions(length: Any, count: int) -> Any:
    """Return the positions of evenly spaced frames: the middle of each of `count` equal parts.

    Args:
        length: number of frames of a clip, int; or of n clips, int32 [n, 1], a NumPy array or a tensor.
        count: number of positions.

    Returns:
        int64 [count] or [n, count], a tensor if `length` is one, otherwise a NumPy array.

    >>> sample_positions(30, 4).tolist()
    [3, 11, 18, 26]
    """
    length = tf.cast(length, tf.int64) if tf.is_tensor(length) else np.asarray(length, np.int64)
    return (2 * np.arange(count, dtype=np.int64) + 1) * length // (2 * count)
