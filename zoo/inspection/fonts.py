"""Fonts for the labels of figures: that of matplotlib, and installed ones for the scripts that it lacks."""

import logging
import unicodedata
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path

import matplotlib
from matplotlib import font_manager
from matplotlib.artist import Artist
from matplotlib.text import Text

from zoo.datasets.messages import abbreviate, count_noun

logger = logging.getLogger(__name__)

_DEFAULT = Path(matplotlib.get_data_path(), "fonts", "ttf", "DejaVuSans.ttf")


def set_fonts(artist: Artist) -> None:
    """Set fonts that have the characters of all texts of a figure, or of one of its axes.

    Characters that no installed font has are drawn as boxes; a log message then says which font to install.
    """
    texts = artist.findobj(Text)
    paths = find_fonts(text.get_text() for text in texts)
    if len(paths) > 1:
        for path in paths:
            font_manager.fontManager.addfont(path)
        names = [font_manager.FontProperties(fname=path).get_name() for path in paths]
        for text in texts:
            text.set_fontfamily(names)


def find_fonts(texts: Iterable[str]) -> list[Path]:
    """Return the files of the fonts with which texts can be drawn.

    The first is matplotlib's own. If it lacks characters, the installed font that has most of them follows, and
    so on. If no font has a character, a warning is logged.

    Args:
        texts: what is to be drawn.
    """
    missing = frozenset(filter(_is_visible, "".join(texts))) - _read_characters(_DEFAULT)
    paths = [_DEFAULT]
    if missing:
        installed = sorted(map(Path, font_manager.findSystemFonts()), key=lambda path: (path.name, path))
        characters = {path: missing & _read_characters(path) for path in installed}
        while missing and (
            best := max(characters, key=lambda path: len(characters[path] & missing), default=None)
        ):
            if not characters[best] & missing:
                break
            paths.append(best)
            missing -= characters[best]
    if missing:
        _warn(sorted(missing))
    return paths


def _is_visible(character: str) -> bool:
    return unicodedata.category(character)[0] not in "CZ"


@cache
def _read_characters(path: Path) -> frozenset[str]:
    """Return the characters of an upright font; none of a font that matplotlib cannot draw."""
    try:
        font = font_manager.get_font(path)
    except (OSError, RuntimeError):
        return frozenset()
    is_upright = "Bold" not in font.style_name and "Italic" not in font.style_name
    if not font.scalable or not is_upright or "LastResort" in path.name:
        return frozenset()
    return frozenset(map(chr, font.get_charmap()))


def _warn(missing: Sequence[str]) -> None:
    letters = [character for character in missing if unicodedata.category(character)[0] in "LMN"]
    if not letters:
        name, package = "Noto Sans Symbols 2", "fonts-noto-core"
    elif any(unicodedata.east_asian_width(character) in "WF" for character in letters):
        name, package = "Noto Sans CJK", "fonts-noto-cjk"
    else:
        name, package = "Noto Sans", "fonts-noto-core"
    logger.warning(
        "The figure has boxes for %s that no installed font has: %s. Install a font of their script, such as %s (on "
        "Debian and Ubuntu the package %s), and plot again.",
        *(count_noun(len(missing), "character"), abbreviate(missing), name, package),
    )
