"""Fonts of figures: characters that matplotlib's own font lacks."""

import logging
import re
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from matplotlib import font_manager
from PIL import Image

from zoo.inspection import plot_attention, plot_contact_sheet
from zoo.inspection.fonts import find_fonts

FONTS = Path(matplotlib.get_data_path(), "fonts", "ttf")
OWN, OTHER = FONTS / "DejaVuSans.ttf", FONTS / "STIXGeneral.ttf"
LETTER = "\u1d81"  # a letter of the other font alone


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Paths of the installed fonts."""
    names = (
        "STIXGeneral.ttf",
        "STIXGeneralBol.ttf",
        "STIXNonUni.ttf",
        "LastResortHE-Regular.ttf",
        "missing.ttf",
    )
    paths = [str(FONTS / name) for name in names]
    monkeypatch.setattr(font_manager, "findSystemFonts", lambda: paths)
    return paths


def test_fonts_are_added_for_missing_characters_only(
    installed: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    assert find_fonts(["Größe", "дата", "\u202f", ""]) == [OWN]
    assert find_fonts(["a", f"{LETTER}b"]) == [OWN, OTHER]
    assert not caplog.messages


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2018年", "1 character that no installed font has: 年. .* Noto Sans CJK .* package fonts-noto-cjk"),
        ("नमस्ते", "6 characters that no installed font has: .* Noto Sans .* package fonts-noto-core"),
        (
            "\U0001f973",
            "1 character that no installed font has: .* Noto Sans Symbols 2 .* package fonts-noto-core",
        ),
    ],
)
def test_characters_without_a_font_are_reported(
    text: str, expected: str, installed: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "zoo"):
        assert find_fonts([text]) == [OWN]
    (message,) = caplog.messages
    assert re.search(expected, message)


def test_figures_show_characters_of_installed_fonts(
    installed: list[str], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def draw(name: str) -> np.ndarray:
        plot_attention(np.eye(2), ["a", LETTER], ["b", "c"], tmp_path / name)
        return np.asarray(Image.open(tmp_path / name))

    with_font = draw("with.png")
    assert not caplog.messages
    installed.clear()
    without_font = draw("without.png")
    assert len(caplog.messages) == 1
    assert with_font.shape != without_font.shape or (with_font != without_font).any()


def test_contact_sheets_show_characters_of_installed_fonts(installed: list[str], tmp_path: Path) -> None:
    sheets = []
    for name in ("with.png", "without.png"):
        plot_contact_sheet([np.zeros((8, 8, 3), np.uint8)], [LETTER], tmp_path / name)
        sheets.append(np.asarray(Image.open(tmp_path / name)))
        installed.clear()
    assert sheets[0].shape != sheets[1].shape or (sheets[0] != sheets[1]).any()
