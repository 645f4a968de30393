"""Videos: times, sizes, damage, what cannot be read, contact sheets, and frames to one size in the graph."""

import sys
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from zoo.errors import VideoError
from zoo.preprocessing.video import (
    ClipReader,
    FrameReader,
    contact_sheet,
    open_video,
    pieces,
    short_clip,
    timecode,
)


def smooth(count: int, height: int = 64, width: int = 96, seed: int = 0) -> np.ndarray:
    """Frames uint8 [count, height, width, 3] that change slowly from place to place, and from each other."""
    random = np.random.default_rng(seed)
    coarse = random.integers(30, 225, (5, 7, 3)).astype(np.uint8)
    picture = np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC))
    return np.stack([np.roll(picture, 5 * i, axis=1) for i in range(count)])


def encode(
    file: Path, frames: np.ndarray, times: Sequence[float] | None = None, options: dict | None = None
) -> Path:
    """H.264, at 25 frames per second, or at times of one's own, in seconds."""
    with av.open(str(file), "w", options=options or {}) as container:
        stream = container.add_stream("libx264", rate=25, options={"crf": "12", "g": "8"})
        stream.height, stream.width, stream.pix_fmt = *frames.shape[1:3], "yuv420p"
        stream.codec_context.time_base = Fraction(1, 1000)
        for number, picture in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.time_base = Fraction(1, 1000)
            frame.pts = round(1000 * times[number]) if times is not None else 40 * number
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return file


def read(path: Path, size: tuple[int, int] | None = None) -> tuple[np.ndarray, np.ndarray]:
    times, frames = zip(*open_video(path).frames(size), strict=True)
    return np.array(times), np.stack(frames)


def difference(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.abs(one.astype(float) - other.astype(float)).mean())


@pytest.mark.parametrize("ending", ["mp4", "mkv", "ts", "mov"])
def test_frames_and_times_of_a_file(tmp_path: Path, ending: str) -> None:
    frames = smooth(30)
    video = open_video(encode(tmp_path / f"a:b.{ending}", frames))
    times, found = zip(*video.frames(), strict=True)
    np.testing.assert_allclose(times, 0.04 * np.arange(30), atol=1e-3)
    assert np.shape(found) == frames.shape
    assert difference(np.stack(found), frames) < 4
    assert difference(np.stack(found), frames[::-1]) > 8
    assert abs(video.count - 30) <= 1
    assert video.problem == ""
    assert [time for time, _ in video.frames()] == list(times)


def test_variable_frame_rate_keeps_its_times(tmp_path: Path) -> None:
    times = np.cumsum(np.random.default_rng(1).choice([0.02, 0.05, 0.4, 1.3], 25))
    found, _ = read(encode(tmp_path / "a.mp4", smooth(25), times))
    np.testing.assert_allclose(found, times - times[0], atol=2e-3)


def test_a_size_is_made_by_averaging_over_areas(tmp_path: Path) -> None:
    frames = smooth(3, 64, 96)
    _, found = read(encode(tmp_path / "a.mp4", frames), (8, 12))
    assert found.shape == (3, 8, 12, 3)
    assert difference(found, frames.reshape(3, 8, 8, 12, 8, 3).mean((2, 4))) < 2


def test_a_folder_in_natural_order(tmp_path: Path) -> None:
    frames = smooth(12, 20, 30)
    for number, frame in enumerate(frames):
        Image.fromarray(frame).save(tmp_path / f"frame_{number}.{'bmp' if number % 2 else 'png'}")
    (tmp_path / "notes.txt").write_text("x")
    (tmp_path / "._frame_1.png").write_text("x")
    video = open_video(tmp_path, rate=4)
    times, found = zip(*video.frames(), strict=True)
    assert video.count == 12
    assert times == tuple(number / 4 for number in range(12))
    np.testing.assert_array_equal(found, frames)
    small = np.stack([frame for _, frame in video.frames((5, 6))])
    assert np.abs(small - frames.reshape(12, 5, 4, 6, 5, 3).mean((2, 4))).max() <= 1


def test_pictures_of_every_kind_become_rgb_of_the_first_ones_size(tmp_path: Path) -> None:
    grey = np.arange(0, 240, 2, dtype=np.uint8).reshape(10, 12)
    Image.fromarray(grey).save(tmp_path / "1.png")
    Image.fromarray(grey.astype(np.uint16) * 256 + 77).save(tmp_path / "2.png")
    Image.fromarray(np.repeat(np.repeat(grey, 3, 0), 3, 1)).convert("RGBA").save(tmp_path / "3.PNG")
    Image.fromarray(grey).convert("P").save(tmp_path / "4.gif")
    _, found = read(tmp_path)
    np.testing.assert_array_equal(found, np.repeat(np.stack([grey] * 4)[..., None], 3, -1))


def test_a_broken_picture_is_left_out_and_told(tmp_path: Path) -> None:
    for number, frame in enumerate(smooth(5, 8, 8)):
        Image.fromarray(frame).save(tmp_path / f"{number}.png")
    (tmp_path / "3.png").write_bytes((tmp_path / "3.png").read_bytes()[:60])
    video = open_video(tmp_path)
    assert [time for time, _ in video.frames()] == [0, 1 / 25, 2 / 25, 4 / 25]
    assert "3.png cannot be read" in video.problem
    assert "4 frames were read" in video.problem


def test_a_damaged_file_gives_what_can_be_read(tmp_path: Path) -> None:
    frames = smooth(60)
    content = bytearray(encode(tmp_path / "a.mkv", frames).read_bytes())
    middle = len(content) // 2
    content[middle : middle + 1500] = np.random.default_rng(0).bytes(1500)
    (tmp_path / "b.mkv").write_bytes(content)
    video = open_video(tmp_path / "b.mkv")
    times, found = zip(*video.frames(), strict=True)
    assert 20 < len(times) < 60
    places = np.round(np.array(times) / 0.04).astype(int)
    assert difference(np.stack(found[:15]), frames[places[:15]]) < 4
    assert f"{len(times)} frames were read" in video.problem
    assert "damaged" in video.problem


def test_a_file_that_is_cut_short_is_told(tmp_path: Path) -> None:
    whole = encode(tmp_path / "a.mp4", smooth(60), options={"movflags": "+faststart"}).read_bytes()
    (tmp_path / "b.mp4").write_bytes(whole[: len(whole) // 2])
    video = open_video(tmp_path / "b.mp4")
    count = len(list(video.frames()))
    assert 10 < count < 50
    assert f"tells of 60 frames; {count} frames were read" in video.problem


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("no.mp4", None, "There is no"),
        ("junk.mp4", bytes(range(256)) * 9, "cannot be read as a video: Invalid data"),
        ("empty.mp4", b"", "cannot be read as a video"),
        ("text.txt", b"hello\n" * 99, "holds no video"),
    ],
)
def test_what_is_no_video_is_told(tmp_path: Path, name: str, content: bytes | None, said: str) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(VideoError, match=said):
        open_video(tmp_path / name)


def test_folders_that_are_no_video_are_told(tmp_path: Path) -> None:
    with pytest.raises(VideoError, match=r"holds no pictures\. Expected numbered frames"):
        open_video(tmp_path)
    (tmp_path / "1.png").write_bytes(b"no picture")
    with pytest.raises(VideoError, match="above 0, in frames per second, got 0"):
        open_video(tmp_path, rate=0)
    with pytest.raises(VideoError, match=r"1\.png cannot be read.*0 frames were read"):
        list(open_video(tmp_path).frames())


def test_without_pyav_files_tell_how_to_install_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = encode(tmp_path / "a.mp4", smooth(3))
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(VideoError, match="pip install av"):
        open_video(file)


def test_pieces_are_the_frames_a_few_at_a_time() -> None:
    frames = smooth(11, 4, 6)
    drawn = []

    def source() -> object:
        for number, frame in enumerate(frames):
            drawn.append(number)
            yield number / 3, frame

    found = []
    for times, piece in pieces(source(), 4):
        found.append((times, piece))
        assert len(drawn) == sum(len(own) for own, _ in found)  # nothing is read ahead
    assert [len(times) for times, _ in found] == [4, 4, 3]
    assert found[0][0].dtype == np.float64
    np.testing.assert_array_equal(np.concatenate([times for times, _ in found]), np.arange(11) / 3)
    np.testing.assert_array_equal(np.concatenate([piece for _, piece in found]), frames)
    assert list(pieces(iter(()), 4)) == []


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "0:00:00.000"), (59.9996, "0:01:00.000"), (3599.5, "0:59:59.500"), (45296.789, "12:34:56.789")],
)
def test_timecode(seconds: float, said: str) -> None:
    assert timecode(seconds) == said


@pytest.mark.parametrize(
    ("count", "shape", "columns"), [(1, (36, 64), 1), (7, (64, 36), 3), (200, (9, 16), 5)]
)
def test_contact_sheet(tmp_path: Path, count: int, shape: tuple[int, int], columns: int) -> None:
    """Each picture is in its cell, in the order of reading, and something is written under it."""
    colors = np.random.default_rng(2).integers(60, 256, (count, 3))
    pictures = [np.full((*shape, 3), color, np.uint8) for color in colors]
    captions = [f"{number}  {timecode(number)} – {timecode(number + 1)}" for number in range(count)]
    contact_sheet(pictures, captions, tmp_path / "sheet.png")
    with Image.open(tmp_path / "sheet.png") as opened:
        sheet = np.asarray(opened).astype(int)
    rows = -(-count // columns)
    height, width = (sheet.shape[0] - 12) / rows, (sheet.shape[1] - 12) / columns
    scale = 320 / max(shape)
    for number in range(count):
        top, left = (number // columns) * height + 12, (number % columns) * width + 12
        middle = sheet[int(top + shape[0] * scale / 2), int(left + shape[1] * scale / 2)]
        np.testing.assert_array_equal(middle, colors[number])
        under = int(top + shape[0] * scale) + 1
        caption = sheet[under : int(top + height) - 1, int(left) : int(left + width) - 12]
        assert (caption.min(-1) > 200).sum() > 100
    if count == 1:
        assert sheet.shape[1] < 500


def test_a_contact_sheet_stays_within_what_a_jpeg_can_hold(tmp_path: Path) -> None:
    pictures = [np.full((8, 4, 3), 200, np.uint8)] * 1200
    contact_sheet(pictures, [""] * 1200, tmp_path / "sheet.jpg")
    with Image.open(tmp_path / "sheet.jpg") as opened:
        assert opened.height <= 65_500


def test_every_mistake_with_a_contact_sheet_is_told(tmp_path: Path) -> None:
    picture = [np.zeros((3, 4, 3), np.uint8)]
    with pytest.raises(VideoError, match=r"ends with \.png, \.jpg or \.jpeg"):
        contact_sheet(picture, [""], tmp_path / "a.pdf")
    with pytest.raises(VideoError, match="no pictures"):
        contact_sheet([], [], tmp_path / "a.png")
    with pytest.raises(VideoError, match="cannot be written: No such file"):
        contact_sheet(picture, [""], tmp_path / "no" / "a.png")


# In the graph.


def test_frames_of_the_right_size_pass_untouched() -> None:
    frames = np.random.default_rng(3).integers(0, 256, (3, 4, 27, 48, 3)).astype(np.uint8)
    np.testing.assert_array_equal(FrameReader((27, 48))(frames), frames)


def test_frames_are_averaged_over_areas() -> None:
    frames = np.random.default_rng(4).integers(0, 256, (3, 4, 24, 40, 3)).astype(np.uint8)
    found = FrameReader((6, 8))(frames).numpy()
    assert found.dtype == np.uint8
    wanted = frames.reshape(3, 4, 6, 4, 8, 5, 3).mean((3, 5))
    assert np.abs(found - wanted).max() <= 0.5 + 1e-3


@pytest.mark.parametrize("shape", [(0, 3, 9, 9, 3), (3, 0, 9, 9, 3), (0, 0, 0, 0, 3), (3, 0, 5, 7, 3)])
def test_no_frames_give_none(shape: tuple[int, ...]) -> None:
    found = FrameReader((5, 7))(np.zeros(shape, np.uint8))
    assert found.shape == (*shape[:2], 5, 7, 3)


@pytest.mark.parametrize("shape", [(180, 320), (134, 242), (320, 180)])
def test_the_graph_scales_as_files_are_scaled(tmp_path: Path, shape: tuple[int, int]) -> None:
    file, folder = tmp_path / "a.mkv", tmp_path / "a"
    _, large = read(encode(file, smooth(3, *shape)))
    found = FrameReader((27, 48))(large[None])[0].numpy()
    assert difference(found, read(file, (27, 48))[1]) < 0.3
    folder.mkdir()
    for number, frame in enumerate(large):
        Image.fromarray(frame).save(folder / f"{number}.png")
    assert difference(found, read(folder, (27, 48))[1]) < 1


def test_the_graph_is_of_core_operations(tmp_path: Path) -> None:
    reader = FrameReader((6, 8))
    module = tf.Module()
    module.read = reader.__call__
    tf.saved_model.save(module, str(tmp_path), signatures=reader.__call__.get_concrete_function())
    loaded = tf.saved_model.load(str(tmp_path))
    frames = smooth(3, 20, 30)[None]
    (found,) = loaded.signatures["serving_default"](tf.constant(frames)).values()
    np.testing.assert_array_equal(found, reader(frames))


@pytest.mark.parametrize("count", [1, 5, 30])
def test_clips_are_read_as_one_by_one(count: int) -> None:
    rng = np.random.default_rng(count)
    lengths = np.array([3, 11, 0, 7, 12, -1], np.int32)
    given = rng.integers(0, 256, (6, 11, 6, 6, 3), np.uint8)
    frames, status = (part.numpy() for part in ClipReader(count, 6)(given, lengths))
    wrong = [f"lengths says {length}, and there are 11 frames" for length in (12, -1)]
    assert [said.decode() for said in status] == ["", "", "no frames", "", *wrong]
    for row, length in enumerate(lengths):
        if status[row]:
            assert not frames[row].any()
        else:
            places = [int((step + 0.5) * length / count) for step in range(count)]
            np.testing.assert_array_equal(frames[row], given[row, places])


@pytest.mark.parametrize(("most", "kept"), [(20, range(20)), (19, range(0, 20, 2)), (4, range(0, 20, 8))])
def test_a_short_clip_of_a_long_video(tmp_path: Path, most: int, kept: range) -> None:
    for number in range(20):
        Image.new("RGB", (8, 6), (10 * number, 0, 0)).save(tmp_path / f"{number}.png")
    clip = short_clip(tmp_path, (6, 8), most)
    assert clip.shape == (len(kept), 6, 8, 3)
    assert clip[:, 0, 0, 0].tolist() == [10 * number for number in kept]
