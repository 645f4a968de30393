"""Draw the four formulations.

python docs/drawings/formulations.py    # writes docs/formulations.svg
"""

from pathlib import Path

INPUT, STATE, OUTPUT, INK, FAINT = "#E69F00", "#0072B2", "#009E73", "#1d2430", "#5c6675"
BOX, GAP, ROW = 34, 20, 62  # pixels: side of a box, gap between boxes, distance of rows
STEP = BOX + GAP

# Name, task, and the input and output of each step, "" where there is none.
PANELS = [
    ("one-to-many", "captioning: image → sentence", ["image", "", "", ""], ["a", "dog", "runs", "."]),
    ("many-to-one", "sentiment: text → label", ["it", "moved", "me", "deeply"], ["", "", "", "positive"]),
    ("direct many-to-many", "tagging: frames → tags", ["frame"] * 4, ["shot", "cut", "shot", "shot"]),
    (
        "delayed many-to-many",
        "translation: sentence → sentence",
        ["I", "read", ".", "", "", ""],
        ["", "", "", "Ich", "lese", "."],
    ),
]


def draw_panel(
    name: str, task: str, inputs: list[str], outputs: list[str], left: int
) -> tuple[list[str], int]:
    """Return the SVG elements of one formulation, and its width in pixels."""
    width = len(inputs) * STEP - GAP
    parts = [
        f'<text x="{left + width / 2}" y="22" class="name">{name}</text>',
        f'<text x="{left + width / 2}" y="40" class="task">{task}</text>',
    ]
    top, middle, bottom = 66, 66 + ROW, 66 + 2 * ROW

    def add_box(x: float, y: int, color: str, text: str) -> None:
        parts.append(f'<rect x="{x}" y="{y}" width="{BOX}" height="{BOX}" rx="6" fill="{color}"/>')
        label = y - 6 if y == top else y + BOX + 14
        parts.append(f'<text x="{x + BOX / 2}" y="{label}" class="label">{text}</text>')

    def add_arrow(x1: float, y1: float, x2: float, y2: float, kind: str = "") -> None:
        parts.append(f'<path d="M{x1} {y1} L{x2} {y2}" class="arrow {kind}"/>')

    for step, (input_label, output_label) in enumerate(zip(inputs, outputs, strict=True)):
        x = left + step * STEP
        parts.append(f'<rect x="{x}" y="{middle}" width="{BOX}" height="{BOX}" rx="6" fill="{STATE}"/>')
        parts.append(f'<text x="{x + BOX / 2}" y="{middle + BOX / 2 + 4}" class="state">h</text>')
        if step:
            add_arrow(x - GAP, middle + BOX / 2, x - 3, middle + BOX / 2)
        if input_label:
            add_box(x, bottom, INPUT, input_label)
            add_arrow(x + BOX / 2, bottom, x + BOX / 2, middle + BOX + 3)
        if output_label:
            add_box(x, top, OUTPUT, output_label)
            add_arrow(x + BOX / 2, middle, x + BOX / 2, top + BOX + 3)
        if (
            output_label and step + 1 < len(outputs) and not inputs[step + 1]
        ):  # the next step reads the output
            add_arrow(x + BOX, top + BOX / 2 + 6, x + STEP + 4, middle - 3, "back")
    return parts, width


def draw() -> str:
    """Return the SVG text of all four, side by side."""
    parts, left = [], 30
    for name, task, inputs, outputs in PANELS:
        panel, width = draw_panel(name, task, inputs, outputs, left)
        parts += panel
        left += width + 62
    right, height = left - 32, 66 + 2 * ROW + BOX + 26
    style = f"""
  text {{ font-family: DejaVu Sans, Verdana, sans-serif; text-anchor: middle; fill: {INK}; }}
  .name {{ font-size: 15px; font-weight: bold; }} .task {{ font-size: 12px; fill: {FAINT}; }}
  .label {{ font-size: 11px; }} .state {{ font-size: 13px; fill: white; font-style: italic; }}
  .arrow {{ stroke: {INK}; stroke-width: 1.6; fill: none; marker-end: url(#head); }}
  .back {{ stroke: {FAINT}; stroke-dasharray: 4 3; }}"""
    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {right} {height}"
  width="{right}" height="{height}" role="img"
  aria-label="The four formulations: at which steps a recurrent network reads inputs and produces outputs">
<style>{style}
</style>
<defs><marker id="head" markerWidth="7" markerHeight="7" refX="5" refY="3.5" orient="auto">
<path d="M0 0 L7 3.5 L0 7 z" fill="{INK}"/></marker></defs>
<rect width="{right}" height="{height}" fill="white"/>
{chr(10).join(parts)}
</svg>
"""


if __name__ == "__main__":
    Path(__file__).parents[1].joinpath("formulations.svg").write_text(draw(), encoding="utf-8")
