"""Videos: times, sizes, corrupt and unreadable files; frames and clips to one size inside the graph."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from videos import make_frames, write_video

from zoo.errors import VideoError
from zoo.preprocessing.video import (
    ClipReader,
    FrameReader,
    TimedFrames,
    batch_frames,
    list_images,
    open_video,
    read_clip,
    sample_positions,
)


def read_video(path: Path, frame_size: tuple[int, int] | None = None) -> tuple[np.ndarray, np.ndarray]:
    times, frames = zip(*open_video(path).decode(frame_size), strict=True)
    return np.array(times), np.stack(frames)


def mean_difference(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.abs(a.astype(float) - b.astype(float)).mean())


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "ts", "mov"])
def test_frames_and_times_of_a_file(tmp_path: Path, suffix: str) -> None:
    frames = make_frames(30)
    video = open_video(write_video(tmp_path / f"a:b.{suffix}", frames))
    times, decoded = zip(*video.decode(), strict=True)
    np.testing.assert_allclose(times, 0.04 * np.arange(30), atol=1e-3)
    assert np.shape(decoded) == frames.shape
    assert mean_difference(np.stack(decoded), frames) < 4
    assert mean_difference(np.stack(decoded), frames[::-1]) > 8
    assert abs(video.num_frames - 30) <= 1
    assert video.problem == ""
    assert [time for time, _ in video.decode()] == list(times)


def test_variable_frame_rate(tmp_path: Path) -> None:
    times = np.cumsum(np.random.default_rng(1).choice([0.02, 0.05, 0.4, 1.3], 25))
    decoded_times, _ = read_video(write_video(tmp_path / "a.mp4", make_frames(25), times=times.tolist()))
    np.testing.assert_allclose(decoded_times, times - times[0], atol=2e-3)


def test_frames_are_scaled_by_area_averaging(tmp_path: Path) -> None:
    frames = make_frames(3, 64, 96)
    _, decoded = read_video(write_video(tmp_path / "a.mp4", frames), (8, 12))
    assert decoded.shape == (3, 8, 12, 3)
    assert mean_difference(decoded, frames.reshape(3, 8, 8, 12, 8, 3).mean((2, 4))) < 2


def test_directory_is_read_in_natural_order(tmp_path: Path) -> None:
    frames = make_frames(12, 20, 30)
    for number, frame in enumerate(frames):
        Image.fromarray(frame).save(tmp_path / f"frame_{number}.{'bmp' if number % 2 else 'png'}")
    (tmp_path / "notes.txt").write_text("x")
    (tmp_path / "._frame_1.png").write_text("x")
    video = open_video(tmp_path, frame_rate=4)
    times, decoded = zip(*video.decode(), strict=True)
    assert video.num_frames == 12
    assert times == tuple(number / 4 for number in range(12))
    np.testing.assert_array_equal(decoded, frames)
    small = np.stack([frame for _, frame in video.decode((5, 6))])
    assert np.abs(small - frames.reshape(12, 5, 4, 6, 5, 3).mean((2, 4))).max() <= 1
    assert [path.name for path in list_images(tmp_path)[1:3]] == ["frame_1.bmp", "frame_2.png"]


def test_images_of_every_kind_become_rgb_of_the_size_of_the_first(tmp_path: Path) -> None:
    gray = np.arange(0, 240, 2, dtype=np.uint8).reshape(10, 12)
    Image.fromarray(gray).save(tmp_path / "1.png")
    Image.fromarray(gray.astype(np.uint16) * 256 + 77).save(tmp_path / "2.png")
    Image.fromarray(np.repeat(np.repeat(gray, 3, 0), 3, 1)).convert("RGBA").save(tmp_path / "3.PNG")
    Image.fromarray(gray).convert("P").save(tmp_path / "4.gif")
    _, decoded = read_video(tmp_path)
    np.testing.assert_array_equal(decoded, np.repeat(np.stack([gray] * 4)[..., None], 3, -1))


def test_corrupt_image_is_left_out_and_reported(tmp_path: Path) -> None:
    for number, frame in enumerate(make_frames(5, 8, 8)):
        Image.fromarray(frame).save(tmp_path / f"{number}.png")
    (tmp_path / "3.png").write_bytes((tmp_path / "3.png").read_bytes()[:60])
    video = open_video(tmp_path)
    assert [time for time, _ in video.decode()] == [0, 1 / 25, 2 / 25, 4 / 25]
    assert "3.png cannot be read" in video.problem
    assert "4 of about 5 frames were read" in video.problem


def test_corrupt_file_is_decoded_as_far_as_possible(tmp_path: Path) -> None:
    frames = make_frames(60)
    content = bytearray(write_video(tmp_path / "a.mkv", frames).read_bytes())
    middle = len(content) // 2
    content[middle : middle + 1500] = np.random.default_rng(0).bytes(1500)
    (tmp_path / "b.mkv").write_bytes(content)
    video = open_video(tmp_path / "b.mkv")
    times, decoded = zip(*video.decode(), strict=True)
    assert 20 < len(times) < 60
    numbers = np.round(np.array(times) / 0.04).astype(int)
    assert mean_difference(np.stack(decoded[:15]), frames[numbers[:15]]) < 4
    assert video.problem.startswith(f"{tmp_path / 'b.mkv'} is corrupt: ")
    assert f"{len(times)} of about 60 frames were read" in video.problem


def test_truncated_file_is_reported(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", make_frames(60), options={"movflags": "+faststart"})
    content = path.read_bytes()
    (tmp_path / "b.mp4").write_bytes(content[: len(content) // 2])
    video = open_video(tmp_path / "b.mp4")
    count = len(list(video.decode()))
    assert 10 < count < 50
    assert "the file seems truncated" in video.problem
    assert f"{count} of about 60 frames were read" in video.problem


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("no.mp4", None, "There is no"),
        ("junk.mp4", bytes(range(256)) * 9, "cannot be read as a video: Invalid data"),
        ("empty.mp4", b"", "cannot be read as a video"),
        ("text.txt", b"hello\n" * 99, "cannot be read as a video"),
    ],
)
def test_files_that_are_no_video_are_refused(
    tmp_path: Path, name: str, content: bytes | None, message: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(VideoError, match=message):
        open_video(tmp_path / name)


def test_directories_that_are_no_video_are_refused(tmp_path: Path) -> None:
    with pytest.raises(VideoError, match=r"contains no images\. Expected numbered frames"):
        open_video(tmp_path)
    (tmp_path / "1.png").write_bytes(b"no image")
    with pytest.raises(VideoError, match="above 0, in frames per second, got 0"):
        open_video(tmp_path, frame_rate=0)
    with pytest.raises(VideoError, match=r"1\.png cannot be read.*0 of about 1 frames were read"):
        list(open_video(tmp_path).decode())


def test_missing_pyav_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_video(tmp_path / "a.mp4", make_frames(3))
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(VideoError, match="Install the extra `video`"):
        open_video(path)


def test_batch_frames_does_not_read_ahead() -> None:
    frames = make_frames(11, 4, 6)
    num_read = 0

    def read_frames() -> TimedFrames:
        nonlocal num_read
        for number, frame in enumerate(frames):
            num_read += 1
            yield number / 3, frame

    batches = []
    for times, images in batch_frames(read_frames(), 4):
        batches.append((times, images))
        assert num_read == sum(len(times) for times, _ in batches)
    assert [len(times) for times, _ in batches] == [4, 4, 3]
    assert batches[0][0].dtype == np.float64
    np.testing.assert_array_equal(np.concatenate([times for times, _ in batches]), np.arange(11) / 3)
    np.testing.assert_array_equal(np.concatenate([images for _, images in batches]), frames)
    assert list(batch_frames(iter(()), 4)) == []


@pytest.mark.parametrize(
    ("max_frames", "numbers"), [(20, range(20)), (19, range(0, 20, 2)), (4, range(0, 20, 8))]
)
def test_read_clip_thins_out_long_videos(tmp_path: Path, max_frames: int, numbers: range) -> None:
    for number in range(20):
        Image.new("RGB", (8, 6), (10 * number, 0, 0)).save(tmp_path / f"{number}.png")
    clip, problem = read_clip(tmp_path, (6, 8), max_frames)
    assert problem == ""
    assert clip.shape == (len(numbers), 6, 8, 3)
    assert clip[:, 0, 0, 0].tolist() == [10 * number for number in numbers]


# Inside the graph.


def test_frames_of_the_right_size_are_unchanged() -> None:
    frames = np.random.default_rng(3).integers(0, 256, (3, 4, 27, 48, 3)).astype(np.uint8)
    np.testing.assert_array_equal(FrameReader((27, 48))(frames), frames)


def test_frame_reader_averages_over_areas() -> None:
    frames = np.random.default_rng(4).integers(0, 256, (3, 4, 24, 40, 3)).astype(np.uint8)
    scaled = FrameReader((6, 8))(frames).numpy()
    assert scaled.dtype == np.uint8
    expected = frames.reshape(3, 4, 6, 4, 8, 5, 3).mean((3, 5))
    assert np.abs(scaled - expected).max() <= 0.5 + 1e-3


@pytest.mark.parametrize(
    "shape",
    [(0, 3, 9, 9, 3), (3, 0, 9, 9, 3), (0, 0, 0, 0, 3), (3, 0, 5, 7, 3), (2, 3, 0, 0, 3), (2, 3, 4, 0, 3)],
)
def test_frame_reader_accepts_no_frames_and_no_pixels(shape: tuple[int, ...]) -> None:
    scaled = FrameReader((5, 7))(np.zeros(shape, np.uint8))
    assert scaled.shape == (*shape[:2], 5, 7, 3)


@pytest.mark.parametrize("shape", [(180, 320), (134, 242), (320, 180)])
def test_frame_reader_scales_as_video_decode(tmp_path: Path, shape: tuple[int, int]) -> None:
    path, directory = tmp_path / "a.mkv", tmp_path / "a"
    _, frames = read_video(write_video(path, make_frames(3, *shape)))
    scaled = FrameReader((27, 48))(frames[None])[0].numpy()
    assert mean_difference(scaled, read_video(path, (27, 48))[1]) < 0.3
    directory.mkdir()
    for number, frame in enumerate(frames):
        Image.fromarray(frame).save(directory / f"{number}.png")
    assert mean_difference(scaled, read_video(directory, (27, 48))[1]) < 1


def test_frame_reader_is_exported(tmp_path: Path) -> None:
    reader = FrameReader((6, 8))
    module = tf.Module()
    module.read = reader.__call__
    tf.saved_model.save(module, str(tmp_path), signatures=reader.__call__.get_concrete_function())
    loaded = tf.saved_model.load(str(tmp_path))
    frames = make_frames(3, 20, 30)[None]
    (scaled,) = loaded.signatures["serving_default"](tf.constant(frames)).values()
    np.testing.assert_array_equal(scaled, reader(frames))


@pytest.mark.parametrize("num_frames", [1, 5, 30])
def test_clip_reader_samples_the_middle_of_equal_parts(num_frames: int) -> None:
    rng = np.random.default_rng(num_frames)
    lengths = np.array([3, 11, 0, 7, 12, -1], np.int32)
    clips = rng.integers(0, 256, (6, 11, 6, 6, 3), np.uint8)
    frames, status = (part.numpy() for part in ClipReader(num_frames, 6)(clips, lengths))
    wrong_lengths = [f"lengths is {length}, and there are 11 frames" for length in (12, -1)]
    assert [text.decode() for text in status] == ["", "", "no frames", "", *wrong_lengths]
    for row, length in enumerate(lengths):
        if status[row]:
            assert not frames[row].any()
        else:
            positions = [int((part + 0.5) * length / num_frames) for part in range(num_frames)]
            np.testing.assert_array_equal(sample_positions(length, num_frames), positions)
            np.testing.assert_array_equal(frames[row], clips[row, positions])


def test_clips_without_pixels_have_a_status() -> None:
    frames, status = ClipReader(4, 5)(np.zeros((3, 3, 0, 7, 3), np.uint8), np.array([3, 0, 4], np.int32))
    assert frames.shape == (3, 4, 5, 5, 3)
    assert status.numpy().tolist() == [
        b"the frames have no pixels", b"no frames", b"lengths is 4, and there are 3 frames"
    ]  # fmt: skip


@pytest.mark.parametrize("count", [0, 1, 3])
def test_clips_and_lengths_of_different_numbers_are_refused(count: int) -> None:
    with pytest.raises(
        tf.errors.InvalidArgumentError, match=f"lengths has {count} numbers, and there are 2 sequences"
    ):
        ClipReader(4, 5)(np.zeros((2, 3, 6, 7, 3), np.uint8), np.full(count, 3, np.int32))


def test_positions_of_long_clips_do_not_wrap() -> None:
    for length in (2**31 - 1, tf.constant([[2**31 - 1]])):
        assert np.ravel(sample_positions(length, 64))[-1] == (127 * (2**31 - 1)) // 128


@pytest.mark.parametrize("shape", [(2, 0, 6, 6, 3), (2, 3, 0, 0, 3), (0, 3, 6, 6, 3)])
def test_clip_reader_accepts_empty_inputs(shape: tuple[int, ...]) -> None:
    frames, status = ClipReader(4, 5)(np.zeros(shape, np.uint8), np.zeros(shape[0], np.int32))
    assert frames.shape == (shape[0], 4, 5, 5, 3)
    assert status.numpy().tolist() == [b"no frames"] * shape[0]


def test_clip_reader_packs_clips_of_different_lengths() -> None:
    clips = [make_frames(count, 8, 10, seed=count) for count in (3, 7)]
    inputs = ClipReader.pack_inputs(clips)
    assert list(inputs) == [spec.name for spec in ClipReader.input_signature]
    assert inputs["lengths"].tolist() == [3, 7]
    assert inputs["frames"].shape == (2, 7, 8, 10, 3)
    for row, clip in enumerate(clips):
        np.testing.assert_array_equal(inputs["frames"][row, : len(clip)], clip)
    assert not inputs["frames"][0, 3:].any()


@pytest.mark.parametrize(
    ("reader", "config"),
    [
        (FrameReader((6, 8)), {"version": 2, "frame_size": [6, 8]}),
        (ClipReader(5, 6), {"version": 2, "num_frames": 5, "image_size": 6}),
    ],
)
def test_readers_are_rebuilt_from_their_configs(
    reader: FrameReader | ClipReader, config: dict[str, object]
) -> None:
    assert json.loads(json.dumps(reader.get_config())) == config
    rebuilt = type(reader).from_config(config)
    assert rebuilt.get_config() == config
    frames = make_frames(9, 20, 30)[None]
    inputs = [frames] if isinstance(reader, FrameReader) else [frames, np.array([9], np.int32)]
    for expected, result in zip(reader(*inputs), rebuilt(*inputs), strict=True):
        np.testing.assert_array_equal(result, expected)
