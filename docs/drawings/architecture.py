"""Draw the floors of the code, and the two ways through them.

python docs/drawings/architecture.py    # writes docs/architecture.svg
"""

from pathlib import Path

TRAIN, PREDICT, INK, FAINT, LINE = "#D55E00", "#0072B2", "#1d2430", "#5c6675", "#c9d0d9"
ROW, TOP, NAMES, STEP = (
    62,
    96,
    262,
    62,
)  # pixels: height of a floor, of the titles; width of the names, of a step

FLOORS = [
    ("recipes", "one story each, from data to export"),
    ("cli, serving", "command line, page, models by name"),
    ("components, tasks", "both ends of an export"),
    ("training, reports, inspection", "runs, scores, figures; no task"),
    ("datasets, export", "files and records; graphs and cards"),
    ("formulations, preprocessing, ...", "tensors; nothing of files or runs"),
    ("cells, layers, attention, scans", "one step, and the loop over time"),
    ("errors, files, card, _compat, ...", "no machine learning"),
]
"""Modules from top to bottom, and what they know."""

WAYS = [
    (
        "from data to an export",
        "zoo train sentiment",
        TRAIN,
        "0 settings, 4 load, 2 adapt, 5 model, 3 fit, 6 loop, 3 report, 2 module, 4 write",
    ),
    (
        "from a text or a picture to the answer",
        "zoo predict sentiment TEXT",
        PREDICT,
        "1 find, 2 parse, 5 read, 6 loop, 5 search, 2 decode, 1 print",
    ),
]
"""Title, command, color, and the steps of each way: the floor and a word."""


def draw_way(title: str, command: str, color: str, way: str, left: float) -> tuple[list[str], float]:
    """Return the SVG elements of one way, whose first step is at `left`, and its width in pixels."""
    steps = [step.split() for step in way.split(", ")]
    points = [(left + i * STEP, TOP + int(floor) * ROW + ROW / 2 - 8) for i, (floor, _) in enumerate(steps)]
    middle = (points[0][0] + points[-1][0]) / 2
    path = "M" + " L".join(f"{x} {y}" for x, y in points)
    parts = [
        f'<text x="{middle}" y="34" class="title" style="fill:{color}">{title}</text>',
        f'<text x="{middle}" y="58" class="command">{command}</text>',
        f'<path d="{path}" stroke="{color}" class="way"/>',
    ]
    for number, ((x, y), (_, word)) in enumerate(zip(points, steps, strict=True), 1):
        parts += [
            f'<circle cx="{x}" cy="{y}" r="13" fill="{color}"/>',
            f'<text x="{x}" y="{y + 5}" class="number">{number}</text>',
            f'<text x="{x}" y="{y + 31}" class="word">{word}</text>',
        ]
    return parts, len(steps) * STEP


def draw() -> str:
    """Return the SVG text."""
    left = NAMES + 58.0
    parts, ways = [], []
    for way in WAYS:
        elements, width = draw_way(*way, left=left)
        ways += elements
        left += width + 36
    width, height = left - 52, TOP + len(FLOORS) * ROW + 12
    for i, (name, knows) in enumerate(FLOORS):
        y = TOP + i * ROW
        parts += [
            f'<rect x="12" y="{y}" width="{width - 24}" height="{ROW - 6}" rx="6" class="floor"/>',
            f'<text x="26" y="{y + 25}" class="name">{name}</text>',
            f'<text x="26" y="{y + 45}" class="knows">{knows}</text>',
        ]
    style = f"""
  text {{ font-family: DejaVu Sans, Verdana, sans-serif; fill: {INK}; }}
  .floor {{ fill: #f4f6f8; stroke: {LINE}; }} .name {{ font-size: 15px; font-weight: bold; }}
  .knows {{ font-size: 12px; fill: {FAINT}; }} .title {{ font-size: 16px; font-weight: bold; text-anchor: middle; }}
  .command {{ font-size: 13px; font-family: DejaVu Sans Mono, monospace; text-anchor: middle; }}
  .number {{ font-size: 14px; fill: white; text-anchor: middle; font-weight: bold; }}
  .word {{ font-size: 13px; text-anchor: middle; paint-order: stroke; stroke: #f4f6f8; stroke-width: 5px; }}
  .way {{ stroke-width: 2.5; fill: none; stroke-linejoin: round; opacity: 0.75; }}"""
    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height}"
  width="{width:g}" height="{height}" role="img"
  aria-label="The floors of the code, and the ways of a training and of a prediction through them">
<style>{style}
</style>
<rect width="{width:g}" height="{height}" fill="white"/>
{chr(10).join(parts + ways)}
</svg>
"""


if __name__ == "__main__":
    Path(__file__).parents[1].joinpath("architecture.svg").write_text(draw(), encoding="utf-8")
