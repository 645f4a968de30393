"""The examples on the page of a model: texts, or files of images and videos."""

import io
import re
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

MAX_EXAMPLES = 4

_MIN_SIDE = 320  # of an example video; the frames that a model reads are too small to look at
_FRAME_RATE = 25


def list_example_texts(card: Mapping[str, Any]) -> list[str]:
    """Return the first texts of the examples on a card."""
    texts = card["example"]["inputs"].get("text")
    return [str(text) for text in texts[:MAX_EXAMPLES]] if isinstance(texts, list) else []


def list_example_files(card: Mapping[str, Any], directory: Path) -> list[tuple[str, Path]]:
    """Return the images or videos of the first examples on a card, or the array of frames of its only example.

    Each has the name that it had before it was copied into the export, if the card states it.
    """
    inputs = card["example"]["inputs"]
    files = [(answer["input"], answer["file"]) for answer in card.get("answers", ()) if "file" in answer]
    # Examples without a file of their own, and cards of earlier versions.
    for name in ("image", "frames"):
        if not files and isinstance(value := inputs.get(name), dict):
            names = map(str, value.get("files", [value.get("array")]))
            files = [(re.sub(r"\.npy$", ".mp4", name), name) for name in names]
    return [(name, directory / file) for name, file in files[:MAX_EXAMPLES]]


def read_first_example(card: Mapping[str, Any], directory: Path) -> bytes:
    """Return the first example on a card; of a card without examples, a small input of its kind."""
    if card["input_kind"] == "text":
        return next(iter(list_example_texts(card)), "Hello.").encode()
    if files := list_example_files(card, directory):
        return read_example(files[0][1])
    if card["input_kind"] == "image":
        from PIL import Image  # the process of the page does not need it

        file = io.BytesIO()
        Image.new("RGB", (_MIN_SIDE, _MIN_SIDE)).save(file, "PNG")
        return file.getvalue()
    return encode_video(np.zeros((1, _FRAME_RATE, _MIN_SIDE, _MIN_SIDE, 3), np.uint8))


def read_example(path: Path) -> bytes:
    """Return the content of an example file; an array of frames as a video."""
    return encode_video(np.load(path)) if path.suffix == ".npy" else path.read_bytes()


def encode_video(frames: np.ndarray) -> bytes:
    """Return the frames of the first clip of a batch as an MP4 file, enlarged so that people can look at them.

    Args:
        frames: uint8 [clips, time, height, width, 3].
    """
    import av  # an extra; without it videos cannot be read either

    scale = 2 * -(-_MIN_SIDE // (2 * max(frames.shape[2:4])))  # H.264 has even sides
    enlarged = frames[0].repeat(scale, 1).repeat(scale, 2)
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as container:
        stream: Any = container.add_stream("libx264", rate=_FRAME_RATE, options={"crf": "12"})
        stream.height, stream.width = enlarged.shape[1:3]
        stream.pix_fmt = "yuv420p"
        for number, image in enumerate(enlarged):
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            frame.time_base, frame.pts = Fraction(1, _FRAME_RATE), number
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return file.getvalue()
