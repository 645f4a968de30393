"""Atomic writes, and cache files with checksums."""

from pathlib import Path

import numpy as np
import pytest

from zoo.datasets.readers import frame_cache
from zoo.files import atomic_write, read_with_checksum, sha256, write_with_checksum
from zoo.preprocessing.images import FeatureExtractor, ImageReader
from zoo.training import extract_features


def test_atomic_write_leaves_nothing_behind_on_failure(tmp_path: Path) -> None:
    path = tmp_path / "new" / "a.npy"

    def interrupt_write() -> None:
        with atomic_write(path) as temporary:
            temporary.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupt_write()
    assert list(path.parent.iterdir()) == []


def test_atomic_write_by_two_writers_keeps_the_last(tmp_path: Path) -> None:
    path = tmp_path / "a.npy"
    with atomic_write(path) as first, atomic_write(path) as second:
        first.write_text("one")
        second.write_text("two")
    assert path.read_text() == "one"
    assert list(path.parent.iterdir()) == [path]


def test_checksum_roundtrip(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "a.npy"
    assert read_with_checksum(path) is None
    path.write_text("content")
    assert read_with_checksum(path) is None
    write_with_checksum(path, {"times": [1, 2.5]})
    assert read_with_checksum(path) == {"times": [1, 2.5], "sha256": sha256(path)}
    assert not caplog.records


def test_corrupt_content_is_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "a.npy"
    path.write_text("content")
    write_with_checksum(path, {})
    path.write_text("contend")
    assert read_with_checksum(path) is None
    assert caplog.messages == [f"{path} is corrupt; rebuilding it"]


@pytest.mark.parametrize("damage", [b"{", b"[]", b"{}", b'{"sha256": "?"}', b"\xff"])
def test_corrupt_metadata_are_logged(damage: bytes, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "a.npy"
    path.write_text("content")
    write_with_checksum(path, {"times": [1, 2.5]})
    path.with_suffix(".json").write_bytes(damage)
    assert read_with_checksum(path) is None
    assert caplog.messages == [f"{path} is corrupt; rebuilding it"]


def test_two_processes_extract_the_same_features_at_once(tmp_path: Path) -> None:
    """A second process begins and ends while the first is at work."""
    images = [np.random.default_rng(n).bytes(50) for n in range(3)]
    extractor, calls, other_results = FeatureExtractor(ImageReader(8)), [], []

    def read_images() -> list[bytes]:
        calls.append(len(calls))
        if len(calls) == 2:
            other_results.append(extract_features(extractor, lambda: images, tmp_path))
        return images

    values, status = extract_features(extractor, read_images, tmp_path)
    np.testing.assert_array_equal(values, other_results[0][0])
    assert status == other_results[0][1]
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".json", ".npy"]


def test_two_processes_read_the_same_video_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    video = Path(__file__).parents[1] / "docs/drawings/film.mp4"
    write_frames, other_results = frame_cache._write_frames, []

    def read_again_and_write(*arguments: object) -> list[float]:
        if not other_results:
            other_results.append(None)
            other_results[0] = frame_cache.load_frames(video, (8, 12), 25.0, tmp_path)
        return write_frames(*arguments)

    monkeypatch.setattr(frame_cache, "_write_frames", read_again_and_write)
    frames = frame_cache.load_frames(video, (8, 12), 25.0, tmp_path)
    np.testing.assert_array_equal(frames.pixels, other_results[0].pixels)
    np.testing.assert_array_equal(frames.times, other_results[0].times)
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".json", ".npy"]
