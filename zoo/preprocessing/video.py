"""Videos and folders of pictures to frames, in bounded memory; frames to one size, inside the graph."""

import itertools
import math
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib
import numpy as np
import tensorflow as tf
from PIL import Image, ImageDraw, ImageFont, ImageOps

from zoo.errors import VideoError
from zoo.preprocessing.config import make_config

PICTURE = r"\.(jpe?g|png|bmp|gif)$"
"""How the name of a picture ends, in lower case, as a regular expression."""

VIDEO = r"\.(mp4|m4v|mkv|mov|avi|webm|mpe?g|m?ts|wmv|flv|ogv|3gp)$"
"""The same of a video."""

CLIP_SIZE = (112, 112)
"""Height and width to which frames of users' videos are squeezed: what a model of clips may need of them."""

_WRITINGS = ("ansi", "bintext", "idf", "xbin")  # FFmpeg draws any text file as a picture of its letters

_CELL, _MARGIN, _FONT = 320, 12, 15  # pixels of a contact sheet
_HIGHEST = 60_000  # pixels; a JPEG may have 65,500
_GROUND, _INK = (24, 24, 24), (235, 235, 235)

Size = tuple[int, int]
"""Height and width."""

Frames = Iterator[tuple[float, np.ndarray]]
"""Times in seconds, and frames uint8 [height, width, 3]: red, green and blue."""


class Video:
    """A video that can be read, again and again, from its beginning.

    Attributes:
        path: The file or folder.
        count: How many frames it has, as its container tells or its duration suggests; None where neither
            is known. For progress alone.
        problem: What was wrong with it when it was last read to its end; empty where all was well.
    """

    def __init__(
        self, path: Path, count: int | None, decode: Callable[[Size | None, list[str]], Frames]
    ) -> None:
        self.path, self.count, self.problem = path, count, ""
        self._decode = decode

    def frames(self, size: Size | None = None) -> Frames:
        """Reads the frames one by one, each at its time.

        What is damaged is left out, and told in `problem` after the last frame. How a camera says that the
        picture should be turned is ignored.

        Args:
            size: what each is scaled to, by averaging over areas; that of the first one if None.

        Yields:
            The time in seconds, which is never negative and increases, and the frame uint8
            [height, width, 3].

        Raises:
            VideoError: no frame can be read.
        """
        problems: list[str] = []
        self.problem, count = "", 0
        for found in self._decode(size, problems):
            count += 1
            yield found
        if problems:
            more = f", and {len(problems) - 1:,} more such" if len(problems) > 1 else ""
            self.problem = f"{self.path} is damaged: {problems[0]}{more}; {count:,} frames were read."
        if not count:
            raise VideoError(
                f"{self.problem or f'{self.path} holds no frames.'} Replace the video, or leave it out."
            )


def open_video(path: str | Path, rate: float = 25.0) -> Video:
    """Opens a video file, or a folder of numbered pictures (JPEG, PNG, BMP, GIF).

    Files need PyAV, the extra `video` of this package: `pip install av`. Times are those at
    which frames are to be presented, counted from the start of the stream, so that a variable frame rate
    does no harm. The pictures of a folder come in natural order: frame_2 before frame_10.

    Args:
        path: The file or folder.
        rate: Frames per second of a folder.

    Raises:
        VideoError: There is no such file, it is no video, the folder has no pictures, or PyAV is missing.
    """
    path = Path(path).expanduser()
    if not path.exists():
        raise VideoError(f"There is no {path}. Expected a video file, or a folder of numbered pictures.")
    return _folder(path, rate) if path.is_dir() else _file(path)


def natural(name: str) -> tuple[list[str | int], str]:
    """What to sort names by, for numbers within them to count as numbers.

    >>> sorted(["frame_10.jpg", "frame_2.jpg"], key=natural)
    ['frame_2.jpg', 'frame_10.jpg']
    """
    parts = re.split(r"(\d+)", name)
    return [int(part) if place % 2 else part for place, part in enumerate(parts)], name


def pictures_of(folder: Path) -> list[Path]:
    """The pictures that lie in a folder, in natural order; those of other systems are hidden."""
    found = [path for path in folder.iterdir() if re.search(PICTURE, path.name.lower())]
    return sorted((path for path in found if path.name[0] != "."), key=lambda path: natural(path.name))


def _folder(path: Path, rate: float) -> Video:
    pictures = pictures_of(path)
    if not pictures:
        raise VideoError(f"{path} holds no pictures. Expected numbered frames: .jpg, .png, .bmp or .gif.")
    if not 0 < rate < math.inf:
        raise VideoError(f"Expected a rate above 0, in frames per second, got {rate}.")

    def decode(size: Size | None, problems: list[str]) -> Frames:
        for number, file in enumerate(pictures):
            try:
                with Image.open(file) as picture:
                    if picture.mode.startswith("I"):  # 16 bits, which Pillow would clip
                        picture = Image.fromarray((np.asarray(picture) >> 8).astype(np.uint8))
                    frame = picture.convert("RGB")
            except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
                problems.append(f"{file.name} cannot be read: {error}")
                continue
            size = size or (frame.height, frame.width)
            yield number / rate, np.asarray(frame.resize(size[::-1], Image.Resampling.BOX))

    return Video(path, len(pictures), decode)


def _file(path: Path) -> Video:
    try:
        import av
        from av.video.reformatter import Interpolation, VideoReformatter
    except ImportError as error:
        raise VideoError(f"To read {path}, install PyAV: pip install av") from error

    def opened() -> av.container.InputContainer:
        # With its protocol, a name with a colon is no address.
        return av.open(f"file:{path}", metadata_errors="ignore")

    try:
        with opened() as container:
            stream = next(iter(container.streams.video), None)
            if stream is None or stream.codec_context is None or stream.codec_context.name in _WRITINGS:
                raise VideoError(f"{path} holds no video that can be decoded. Expected a video file.")
            rate, stated = float(stream.average_rate or 25), stream.frames
            start = float((stream.start_time or 0) * stream.time_base)
            estimated = round((container.duration or 0) / av.time_base * rate)
    except (av.FFmpegError, OSError) as error:
        raise VideoError(
            f"{path} cannot be read as a video: {error.strerror}. Correct or replace the file."
        ) from error

    # Without the others it would give two neighbors one color, and cut instead of rounding.
    by_area = Interpolation.AREA | Interpolation.FULL_CHR_H_INT | Interpolation.ACCURATE_RND

    def decode(size: Size | None, problems: list[str]) -> Frames:
        scale, time, count = VideoReformatter().reformat, -1 / rate, 0
        with opened() as container:
            for frame in _decoded(container, problems):
                count += 1
                given = -math.inf if frame.time is None else frame.time - start
                # Where frames change places AVI keeps no right times.
                time = max(0.0, given if given - time > 1e-6 else time + 1 / rate)
                if frame.is_corrupt:
                    problems.append(f"the frame at {timecode(time)} is incomplete")
                size = size or (frame.height, frame.width)
                small = scale(frame, size[1], size[0], "rgb24", interpolation=by_area, threads=1)
                yield time, small.to_ndarray()
        if count < stated and not problems:
            problems.append(f"its header tells of {stated:,} frames")

    def _decoded(container: av.container.InputContainer, problems: list[str]) -> Iterator[av.VideoFrame]:
        """All frames of which the decoder makes something; a packet that it cannot read is passed over."""
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        packets = container.demux(stream)
        while True:
            try:
                packet = next(packets, None)
                if packet is None:
                    return
                yield from packet.decode()
            except av.FFmpegError as error:
                problems.append(f"a packet cannot be decoded ({error.strerror})")

    return Video(path, stated or estimated or None, decode)


def pieces(frames: Frames, length: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Gathers frames, at most `length` at a time: times float64 [t], frames uint8 [t, height, width, 3]."""
    frames = iter(frames)
    while piece := list(itertools.islice(frames, length)):
        times, pictures = zip(*piece, strict=True)
        yield np.array(times, np.float64), np.stack(pictures)


def timecode(seconds: float) -> str:
    """A time as hours, minutes, seconds and milliseconds.

    >>> timecode(83.48)
    '0:01:23.480'
    """
    minutes, milliseconds = divmod(round(seconds * 1000), 60_000)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{milliseconds // 1000:02}.{milliseconds % 1000:03}"


def contact_sheet(pictures: Sequence[np.ndarray], captions: Sequence[str], file: str | Path) -> None:
    """Draws pictures in a grid of up to 5 columns (more where the sheet would be higher than a JPEG can be).

    Args:
        pictures: each uint8 [height, width, 3].
        captions: what is written under each.
        file: a PNG or JPEG, by its ending.

    Raises:
        VideoError: there are no pictures, the ending is another, or the file cannot be written.
    """
    file = Path(file)
    if file.suffix.lower() not in (".png", ".jpg", ".jpeg"):
        raise VideoError(f"{file}: expected a contact sheet that ends with .png, .jpg or .jpeg.")
    if not pictures:
        raise VideoError(f"{file}: there are no pictures for the contact sheet.")
    # Pillow's own font has not even a dash.
    font = ImageFont.truetype(Path(matplotlib.get_data_path(), "fonts", "ttf", "DejaVuSans.ttf"), _FONT)
    small = [ImageOps.contain(Image.fromarray(picture), (_CELL, _CELL)) for picture in pictures]
    width = math.ceil(max(*(picture.width for picture in small), *map(font.getlength, captions))) + _MARGIN
    height = max(picture.height for picture in small) + 2 * _FONT + _MARGIN
    columns = min(5, math.ceil(math.sqrt(len(small))))
    columns = max(columns, math.ceil(len(small) / (_HIGHEST // height)))
    rows = math.ceil(len(small) / columns)
    sheet = Image.new("RGB", (columns * width + _MARGIN, rows * height + _MARGIN), _GROUND)
    draw = ImageDraw.Draw(sheet)
    for place, (picture, caption) in enumerate(zip(small, captions, strict=True)):
        row, column = divmod(place, columns)
        left, top = column * width + _MARGIN, row * height + _MARGIN
        sheet.paste(picture, (left, top))
        draw.text((left, top + picture.height + _FONT // 3), caption, fill=_INK, font=font)
    try:
        sheet.save(file)
    except OSError as error:
        raise VideoError(f"{file} cannot be written: {error.strerror}.") from error


class FrameReader:
    """Frames of any size to one size, by TensorFlow's own operations, one frame at a time.

    Frames of that size pass untouched; others are scaled by averaging over areas, as `Video.frames` does it.

    Args:
        size: height and width of the result.
    """

    def __init__(self, size: Size) -> None:
        self.size = size

    @tf.function(input_signature=[tf.TensorSpec([None, None, None, None, 3], tf.uint8)], autograph=False)
    def __call__(self, frames: tf.Tensor) -> tf.Tensor:
        """Scale uint8 [n, time, h, w, 3] to uint8 [n, time, height, width, 3]."""
        shape, size = tf.shape(frames), (*self.size, 3)
        flat = tf.reshape(frames, tf.concat([[shape[0] * shape[1]], shape[2:]], 0))
        flat = tf.cond(
            tf.reduce_all(shape[2:4] == self.size),
            lambda: flat,
            lambda: tf.map_fn(self._scaled, flat, fn_output_signature=tf.TensorSpec(size, tf.uint8)),
        )
        return tf.reshape(flat, tf.concat([shape[:2], size], 0))

    def _scaled(self, frame: tf.Tensor) -> tf.Tensor:
        scaled = tf.image.resize(frame, self.size, tf.image.ResizeMethod.AREA)
        return tf.cast(tf.round(scaled), tf.uint8)


class Clips(NamedTuple):
    """What a `ClipReader` makes of n clips."""

    frames: tf.Tensor
    """uint8 [n, count, size, size, 3]; black where there is no clip."""
    status: tf.Tensor
    """string [n]: empty, or why there is no clip."""


class ClipReader:
    """Clips of any size and number of frames to as many frames of one size, by TensorFlow's own operations.

    Of each of `count` equal parts of a clip it takes the frame in the middle; where there are fewer, some
    more than once. They are squeezed into a square.

    Args:
        count: of frames.
        size: height and width of the result.

    Attributes:
        shape: of the frames of a clip.
    """

    input_signature = (
        tf.TensorSpec([None, None, None, None, 3], tf.uint8, "frames"),
        tf.TensorSpec([None], tf.int32, "lengths"),
    )
    """What it is called with: frames [n, time, height, width, 3], and how many of them are there."""

    def __init__(self, count: int, size: int) -> None:
        self.shape = (count, size, size, 3)
        self._scaled = FrameReader((size, size))

    @staticmethod
    def pack_inputs(clips: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
        """Clips [time, height, width, 3] of one height and width as `input_signature` has them, by name."""
        lengths = np.array([len(clip) for clip in clips], np.int32)
        frames = np.zeros((len(clips), max(lengths), *clips[0].shape[1:]), np.uint8)
        for row, clip in enumerate(clips):
            frames[row, : len(clip)] = clip
        return {"frames": frames, "lengths": lengths}

    def get_config(self) -> dict[str, Any]:
        """Return what `from_config` needs, as JSON."""
        return make_config(num_frames=self.shape[0], image_size=self.shape[1])

    @tf.function(input_signature=input_signature, autograph=False)
    def __call__(self, frames: tf.Tensor, lengths: tf.Tensor) -> Clips:
        """Read clips."""
        shape = tf.shape(frames)
        given = [tf.strings.as_string(number) for number in (lengths, tf.fill(shape[:1], shape[1]))]
        wrong = tf.strings.join(["lengths says ", given[0], ", and there are ", given[1], " frames"])
        status = tf.where(lengths == 0, "no frames", "")
        status = tf.where((lengths < 0) | (lengths > shape[1]), wrong, status)
        lacking = [[0, missing] for missing in tf.unstack(tf.maximum(1 - shape[1:4], 0))]
        whole = tf.where(status == "", lengths, 0)
        places = middles(whole[:, None], self.shape[0])
        some = self._scaled(tf.gather(tf.pad(frames, [[0, 0], *lacking, [0, 0]]), places, batch_dims=1))
        return Clips(tf.where((status == "")[:, None, None, None, None], some, 0), status)


def middles(length: Any, count: int) -> Any:
    """The places in the middle of `count` equal parts of that many: [count], of NumPy or of TensorFlow."""
    return (2 * np.arange(count, dtype=np.int32) + 1) * length // (2 * count)


def short_clip(path: Path, size: Size, most: int = 256) -> np.ndarray:
    """Frames of a video, uint8 [time, *size, 3]: of more than `most` every second, or fourth, and so on.

    Raises:
        VideoError: as `open_video`.
    """
    kept, every = [], 1
    for number, (_, frame) in enumerate(open_video(path).frames(size)):
        if number % every == 0:
            kept.append(frame)
        if len(kept) > most:
            kept, every = kept[::2], 2 * every
    return np.stack(kept)
