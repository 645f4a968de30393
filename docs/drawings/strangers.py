"""Make the pictures and videos in benchmarks/strangers, inputs for the model cards.

python docs/drawings/strangers.py

benchmarks/strangers/README.md lists what the files show.
"""

from pathlib import Path

import av
import film
import numpy as np
import scenes
from PIL import Image, ImageDraw, ImageFont

HERE = Path(__file__).parent
TARGET = HERE.parents[1] / "benchmarks" / "strangers"
SIZE = (320, 180)  # width and height of the videos
TEXT = (
    "Dear guests,",
    "breakfast is served from seven to ten.",
    "Please return your key at the desk.",
    "We wish you a pleasant stay.",
)

Frames = np.ndarray
"""float32 [time, height, width, 3] from 0 to 255."""


def draw_page(lines: tuple[str, ...], size: tuple[int, int]) -> Image.Image:
    """Draw lines of text on white."""
    image = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(image)
    font = ImageFont.load_default(size[0] / 22)
    for row, line in enumerate(lines):
        draw.text((0.08 * size[0], (0.15 + 0.18 * row) * size[1]), line, "black", font)
    return image


def save_pictures(directory: Path) -> None:
    """Save the pictures."""
    pictures = {
        name: Image.fromarray(film.render_shot(draw, 3)[1].astype(np.uint8))
        for name, draw in {"balloon": film.draw_meadow, "boat": film.draw_sea, "city": film.draw_city}.items()
    }
    pictures["gray"] = Image.new("RGB", (320, 240), (128, 128, 128))
    pictures["page"] = draw_page(TEXT, (400, 300))
    for name in ("beach", "bench", "bicycle", "bird"):
        pictures[name] = getattr(scenes, f"draw_{name}")()
    for name, picture in pictures.items():
        picture.save(directory / f"{name}.jpg", quality=88)


def dissolve(before: Frames, after: Frames, length: int) -> Frames:
    """Join two shots by a dissolve."""
    alpha = ((np.arange(length) + 1) / (length + 1)).astype(np.float32)[:, None, None, None]
    both = (1 - alpha) * before[-length:] + alpha * after[:length]
    return np.concatenate([before[:-length], both, after[length:]])


def fade(before: Frames, after: Frames, length: int, color: float) -> Frames:
    """Join two shots by a fade to a color and from it, of `length` frames each."""
    alpha = ((np.arange(length) + 1) / length).astype(np.float32)[:, None, None, None]
    fade_out = (1 - alpha) * before[-length:] + alpha * color
    fade_in = (1 - alpha[::-1]) * after[:length] + alpha[::-1] * color
    return np.concatenate([before[:-length], fade_out, fade_in, after[length:]])


def open_iris(before: Frames, after: Frames, length: int) -> Frames:
    """Join two shots by a circle that grows from the center."""
    y, x = np.mgrid[-1 : 1 : SIZE[1] * 1j, -1 : 1 : SIZE[0] * 1j]
    radius = np.hypot(x, y) / np.sqrt(2)
    progress = ((np.arange(length) + 1) / (length + 1))[:, None, None]
    both = np.where((radius < progress)[..., None], after[:length], before[-length:])
    return np.concatenate([before[:-length], both, after[length:]])


def pan_fast() -> Frames:
    """Pan over the picture of the dog, in 6 frames from one side to the other."""
    image = Image.open(HERE / "dog.jpg")
    positions = np.clip((np.arange(90) - 40) / 6, 0, 1)
    height = 240 * SIZE[1] / SIZE[0]
    return np.stack(
        [
            np.asarray(image.resize(SIZE, box=(left, 180, left + 240, 180 + height)), np.float32)
            for left in positions * (image.width - 240)
        ]
    )


def let_someone_pass(frames: Frames) -> Frames:
    """Let something dark cross a shot close to the camera, in 12 frames."""
    frames = frames.copy()
    for step in range(12):
        left = round(SIZE[0] * (1 - step / 6))
        frames[45 + step, :, max(0, left) : max(0, left + SIZE[0])] = (40, 32, 30)
    return frames


def take_photos(frames: Frames) -> Frames:
    """Light a shot up with three flashes."""
    frames = frames.copy()
    for first in (25, 52, 80):
        frames[first] = np.minimum(255, 2.5 * frames[first] + 90)
        frames[first + 1] = np.minimum(255, 1.5 * frames[first + 1] + 30)
    return frames


def show_slides() -> Frames:
    """Show three pages of text, 40 frames each."""
    pages = (TEXT[:2], TEXT[1:], TEXT)
    return np.concatenate([np.stack([np.asarray(draw_page(page, SIZE), np.float32)] * 40) for page in pages])


def save_videos(directory: Path) -> None:
    """Save the videos."""
    sea, city, meadow = (
        film.render_shot(draw, 120) for draw in (film.draw_sea, film.draw_city, film.draw_meadow)
    )
    dog = film.render_dog(120)
    videos = {
        "fast_pan": pan_fast(),
        "flashes": take_photos(city),
        "iris": open_iris(sea[:80], city[:90], 30),
        "one_shot": sea,
        "passer_by": let_someone_pass(meadow),
        "quick_cuts": np.concatenate(
            [shot[start : start + 8] for start in (0, 40, 80) for shot in (sea, city, dog, meadow)]
        ),
        "slides": show_slides(),
        "slow_dissolve": dissolve(meadow, dog, 75),
        "white_fade": fade(city[:60], meadow[:60], 12, 255.0),
    }
    for name, frames in videos.items():
        with av.open(str(directory / f"{name}.mp4"), "w") as container:
            stream = container.add_stream("libx264", film.FRAME_RATE, options={"crf": "26"})
            stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
            for pixels in np.clip(frames, 0, 255).round().astype(np.uint8):
                container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
            container.mux(stream.encode())
        print(f"{name}.mp4  {len(frames)} frames")


if __name__ == "__main__":
    for name, save in {"pictures": save_pictures, "videos": save_videos}.items():
        (TARGET / name).mkdir(parents=True, exist_ok=True)
        save(TARGET / name)
