"""Files that are made once and kept."""

from pathlib import Path

import numpy as np
import pytest

from zoo.datasets.tagging import frames as frames_module
from zoo.files import keep, kept, whole
from zoo.preprocessing.images import ImageFeatures, ImageReader
from zoo.training import extract_features


def test_a_file_is_whole_or_not_there(tmp_path: Path) -> None:
    file = tmp_path / "new" / "a.npy"

    def interrupted() -> None:
        with whole(file) as new:
            new.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert list(file.parent.iterdir()) == []
    with whole(file) as first, whole(file) as second:
        first.write_text("one")
        second.write_text("two")
    assert file.read_text() == "one"
    assert list(file.parent.iterdir()) == [file]


@pytest.mark.parametrize("damage", ["{", "[]", "{}", '{"sha256": "?"}', b"\xff"])
def test_damaged_facts_are_told(damage: str | bytes, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    file = tmp_path / "a.npy"
    assert kept(file) is None
    file.write_text("content")
    assert kept(file) is None
    keep(file, {"times": [1, 2.5]})
    assert kept(file)["times"] == [1, 2.5]
    assert capsys.readouterr().out == ""
    damage = damage if isinstance(damage, bytes) else damage.encode()
    file.with_suffix(".json").write_bytes(damage)
    assert kept(file) is None
    assert "a.npy is damaged, and made anew" in capsys.readouterr().out


def test_two_make_the_same_features_at_once(tmp_path: Path) -> None:
    """While one is at work another, such as a worker on another machine, begins and ends."""
    pictures = [np.random.default_rng(n).bytes(50) for n in range(3)]
    extract, calls, others = ImageFeatures(ImageReader(8)), [], []

    def examples() -> list[bytes]:
        calls.append(len(calls))
        if len(calls) == 2:
            others.append(extract_features(extract, lambda: pictures, tmp_path))
        return pictures

    values, status = extract_features(extract, examples, tmp_path)
    np.testing.assert_array_equal(values, others[0][0])
    assert status == others[0][1]
    assert sorted(file.suffix for file in tmp_path.iterdir()) == [".json", ".npy"]


def test_two_read_the_same_video_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    video, write, others = Path(__file__).parents[1] / "docs/drawings/film.mp4", frames_module._write, []

    def late(*given: object) -> list[float]:
        if not others:
            others.append(None)
            others[0] = frames_module.read_frames(video, (8, 12), 25.0, tmp_path)
        return write(*given)

    monkeypatch.setattr(frames_module, "_write", late)
    found = frames_module.read_frames(video, (8, 12), 25.0, tmp_path)
    np.testing.assert_array_equal(found.pixels, others[0].pixels)
    np.testing.assert_array_equal(found.times, others[0].times)
    assert sorted(file.suffix for file in tmp_path.iterdir()) == [".json", ".npy"]
