"""Makes small video files of every kind for tests."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from PIL import Image

CODECS = {".avi": "mpeg4", ".gif": "gif", ".mpg": "mpeg2video", ".webm": "libvpx", ".wmv": "wmv2"}
PIXEL_FORMATS = {"gif": "rgb8", "ffv1": "bgr0"}


def make_frames(count: int, height: int = 64, width: int = 96, seed: int = 0) -> np.ndarray:
    """Make frames uint8 [count, height, width, 3] that change slowly over space and time."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(30, 225, (5, 7, 3)).astype(np.uint8)
    image = np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC))
    return np.stack([np.roll(image, 5 * i, axis=1) for i in range(count)])


def make_numbered_frames(count: int) -> np.ndarray:
    """Make frames uint8 [count, 16, 192, 3] that show their number as 12 black or white bits."""
    bits = np.arange(count)[:, None] >> np.arange(12) & 1
    frames = np.broadcast_to(bits[:, None, :, None] * 255, (count, 16, 12, 3)).astype(np.uint8)
    return frames.repeat(16, 2)


def read_number(frame: np.ndarray) -> int:
    """Return the number that a frame [height, width, 3] shows."""
    height, width, _ = frame.shape
    bits = frame.reshape(height, 12, width // 12, 3).mean((0, 2, 3)) > 127
    return int(bits @ (1 << np.arange(12)))


def write_video(
    path: Path,
    frames: np.ndarray,
    rate: Fraction = Fraction(25),
    *,
    times: Sequence[float] | None = None,
    codec: str | None = None,
    codec_options: Mapping[str, str] | None = None,
    options: Mapping[str, str] | None = None,
    audio: str | None = None,
    audio_seconds: float | None = None,
    delay: int = 0,
    rotation: tuple[float, bool, bool] | None = None,
    metadata: Mapping[str, str] | None = None,
) -> Path:
    """Write a video whose container and codec follow from the suffix.

    Args:
        path: the file.
        frames: uint8 [time, height, width, 3].
        rate: frames per second.
        times: time of each frame in seconds, instead of the rate.
        codec: encoder; the default is H.264, or that of the suffix.
        codec_options: options of the encoder.
        options: options of the container.
        audio: encoder of a second stream, a quiet tone.
        audio_seconds: length of the sound; default is that of the video.
        delay: number of frames by which the video begins later.
        rotation: angle and flips of the display matrix, as `set_display_rotation` takes them.
        metadata: of the video stream.
    """
    codec = codec or CODECS.get(path.suffix, "libx264")
    h264 = {"crf": "10", "g": "8"} if codec == "libx264" else {"g": "8"} if codec == "mpeg4" else {}
    with av.open(str(path), "w", options=dict(options or {})) as container:
        stream: Any = container.add_stream(codec, rate=rate, options={**h264, **(codec_options or {})})
        stream.height, stream.width = frames.shape[1:3]
        stream.pix_fmt = PIXEL_FORMATS.get(codec, "yuv420p")
        stream.metadata.update(metadata or {})
        if times is not None:
            stream.codec_context.time_base = Fraction(1, 1000)
        if rotation:
            stream.set_display_rotation(*rotation)
        sound: Any = container.add_stream(audio, rate=48000) if audio else None
        if sound:
            sound.layout = "mono"
        for number, image in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            frame.time_base = 1 / rate if times is None else Fraction(1, 1000)
            frame.pts = number + delay if times is None else round(1000 * times[number])
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
        if sound:
            seconds = float(len(frames) / rate) if audio_seconds is None else audio_seconds
            for start in range(0, round(seconds * 48000), 960):
                wave = 3000 * np.sin(np.arange(start, start + 960) / 20)
                samples = av.AudioFrame.from_ndarray(wave.astype(np.int16)[None], "s16", "mono")
                samples.sample_rate, samples.pts, samples.time_base = 48000, start, Fraction(1, 48000)
                container.mux(sound.encode(samples))
            container.mux(sound.encode())
    return path
