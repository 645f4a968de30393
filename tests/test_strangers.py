"""The inputs for the model cards in `benchmarks/strangers`: ten for each model, listed, and readable."""

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from zoo.cli.recipes import choose_examples
from zoo.datasets import DataInfo
from zoo.preprocessing.video import open_video

ROOT = Path(__file__).parents[1]
DIRECTORY = ROOT / "benchmarks" / "strangers"
PICTURES = [ROOT / "docs" / "drawings" / "dog.jpg", *(DIRECTORY / "pictures").iterdir()]
VIDEOS = [ROOT / "docs" / "drawings" / "film.mp4", *(DIRECTORY / "videos").iterdir()]


def read_table(heading: str) -> dict[str, list[str]]:
    """The rows of a table in the README of the directory, by file name."""
    section = (
        (DIRECTORY / "README.md").read_text(encoding="utf-8").split(f"## {heading}\n")[1].split("\n## ")[0]
    )
    rows = [line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith("| `")]
    return {name.strip("`"): cells for name, *cells in rows}


@pytest.mark.parametrize("name", ["sentiment", "translation", "next_words"])
def test_there_are_ten_texts_for_each_card(name: str) -> None:
    examples = choose_examples(DIRECTORY / f"{name}.txt", [], DataInfo("another"))
    assert len(set(examples.texts)) == len(examples.texts) == 10
    assert examples.are_public


def test_there_are_ten_pictures() -> None:
    assert sorted(path.name for path in PICTURES) == sorted(read_table("Pictures"))
    assert len(PICTURES) == 10
    for path in PICTURES:
        with Image.open(path) as image:
            assert image.format == "JPEG"
            assert max(image.size) < 500


def test_there_are_ten_videos_with_the_transitions_that_are_listed() -> None:
    table = read_table("Videos")
    assert sorted(path.name for path in VIDEOS) == sorted(table)
    assert len(VIDEOS) == 10
    for path in VIDEOS:
        if path.name == "film.mp4":
            continue
        frames = np.stack([frame for _, frame in open_video(path).decode((18, 32))]).astype(float)
        changes = np.abs(np.diff(frames, axis=0)).mean((1, 2, 3))
        content, transitions = table[path.name]
        if transitions.startswith("cuts"):
            first, second, *_, last = map(int, re.findall(r"\d+", f"{transitions} {transitions.split()[-1]}"))
            cuts = list(range(first, last + 1, second - first))
            assert (np.flatnonzero(changes > 3) + 1).tolist() == cuts, content
        elif transitions != "none":
            _, start, end = transitions.replace(" to", "").split()
            busiest = np.flatnonzero(changes > 0.5 * changes.max()) + 1
            assert int(start) <= busiest.min() <= busiest.max() <= int(end), content
