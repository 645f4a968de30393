"""Draw the unrolled graph of a recurrent network and the cell of an LSTM.

python docs/drawings/lecture.py    # writes docs/unrolled.svg and docs/lstm_cell.svg
"""

from pathlib import Path

DOCS = Path(__file__).parents[1]
INPUT, STATE, OUTPUT, LOSS, INK, FAINT = "#E69F00", "#0072B2", "#009E73", "#CC79A7", "#1d2430", "#5c6675"
STYLE = f"""
  text {{ font-family: DejaVu Sans, Verdana, sans-serif; text-anchor: middle; fill: {INK}; font-size: 14px; }}
  .white {{ fill: white; font-style: italic; }} .name {{ font-style: italic; }}
  .note {{ font-size: 12px; fill: {FAINT}; }} .left {{ text-anchor: start; }}
  .line {{ stroke: {INK}; stroke-width: 1.6; fill: none; }}
  .arrow {{ stroke: {INK}; stroke-width: 1.6; fill: none; marker-end: url(#head); }}
  .back {{ stroke: {LOSS}; stroke-width: 1.6; fill: none; stroke-dasharray: 5 3; marker-end: url(#back); }}"""


class Drawing:
    """The elements of an SVG; positions are in pixels.

    Args:
        width: of the drawing.
        height: of the drawing.
        label: what it shows, for people who do not see it.
    """

    def __init__(self, width: int, height: int, label: str) -> None:
        self.width, self.height, self.label = width, height, label
        self.parts: list[str] = []

    def add_box(
        self, x: float, y: float, text: str, color: str, width: float = 36, height: float = 36
    ) -> None:
        """Add a box around a center."""
        place = f'x="{x - width / 2}" y="{y - height / 2}" width="{width}" height="{height}"'
        self.parts.append(f'<rect {place} rx="6" fill="{color}"/>')
        self.add_text(x, y + 5, text, "white")

    def add_operation(self, x: float, y: float, text: str) -> None:
        """Add a circle around a center: an operation by element."""
        self.parts.append(
            f'<circle cx="{x}" cy="{y}" r="12" fill="white" stroke="{INK}" stroke-width="1.6"/>'
        )
        self.add_text(x, y + 5, text)

    def add_text(self, x: float, y: float, text: str, kind: str = "") -> None:
        """Add a line of text, centered unless `kind` contains "left"."""
        self.parts.append(f'<text x="{x}" y="{y}" class="{kind}">{text}</text>')

    def add_path(self, points: list[tuple[float, float]], kind: str = "arrow") -> None:
        """Add straight lines through points, which end in an arrow head unless `kind` is "line"."""
        path = " L".join(f"{x} {y}" for x, y in points)
        self.parts.append(f'<path d="M{path}" class="{kind}"/>')

    def write(self, path: Path) -> None:
        """Write the SVG."""
        heads = "".join(
            f'<marker id="{name}" markerWidth="7" markerHeight="7" refX="5" refY="3.5" orient="auto">'
            f'<path d="M0 0 L7 3.5 L0 7 z" fill="{color}"/></marker>'
            for name, color in (("head", INK), ("back", LOSS))
        )
        size = f'viewBox="0 0 {self.width} {self.height}" width="{self.width}" height="{self.height}"'
        head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-label="{self.label}">'
        background = f'<rect width="{self.width}" height="{self.height}" fill="white"/>'
        lines = [
            head,
            f"<style>{STYLE}\n</style>",
            f"<defs>{heads}</defs>",
            background,
            *self.parts,
            "</svg>",
            "",
        ]
        path.write_text("\n".join(lines), encoding="utf-8")


def draw_unrolled() -> Drawing:
    """Draw the loop, and beside it the same network with one copy for each step."""
    drawing = Drawing(760, 300, "A recurrent network as a loop, and unrolled over the steps of a sequence")
    loss, output, state, inputs = 40, 100, 170, 240
    drawing.add_box(80, state, "h", STATE)
    drawing.add_box(80, output, "y", OUTPUT)
    drawing.add_box(80, inputs, "x", INPUT)
    drawing.add_path([(80, inputs - 18), (80, state + 21)])
    drawing.add_path([(80, state - 18), (80, output + 21)])
    drawing.add_path(
        [(98, state - 6), (130, state - 6), (130, state + 40), (92, state + 40), (92, state + 21)]
    )
    drawing.add_text(146, state + 22, "U", "name")
    drawing.add_text(66, inputs - 28, "W", "name")
    drawing.add_text(66, output + 40, "V", "name")
    drawing.add_text(80, inputs + 44, "a loop", "note")
    drawing.add_text(200, state + 6, "=")
    columns = [(270, "h₀", ""), (370, "h₁", "1"), (470, "h₂", "2"), (570, "h₃", "3"), (690, "h", "T")]
    subscripts = {"1": "₁", "2": "₂", "3": "₃"}
    for index, (x, name, step) in enumerate(columns):
        if not step:
            drawing.add_text(x, state + 5, name, "name")
        else:
            sub = subscripts.get(step, '<tspan dy="4" font-size="10">T</tspan>')
            drawing.add_box(x, state, f"h{sub}", STATE)
            drawing.add_box(x, output, f"y{sub}", OUTPUT)
            drawing.add_box(x, loss, f"L{sub}", LOSS)
            drawing.add_box(x, inputs, f"x{sub}", INPUT)
            drawing.add_path([(x, inputs - 18), (x, state + 21)])
            drawing.add_path([(x, state - 18), (x, output + 21)])
            drawing.add_path([(x, output - 18), (x, loss + 21)])
            drawing.add_text(x - 12, inputs - 28, "W", "name")
            drawing.add_text(x - 12, output + 40, "V", "name")
        if index + 1 < len(columns):
            after = columns[index + 1][0]
            drawing.add_path([(x + 18, state), (after - 21, state)])
            drawing.add_path([(after - 18, state + 12), (x + 21, state + 12)], "back")
            drawing.add_text((x + after) / 2, state - 8, "U" if after != 690 else "U  …", "name")
    drawing.add_text(
        480, inputs + 44, "unrolled: one copy a step, the same W, U and V; dashed: the gradients", "note"
    )
    return drawing


def draw_lstm_cell() -> Drawing:
    """Draw one step of an LSTM: the path of c on top, the gates below it."""
    drawing = Drawing(700, 330, "One step of an LSTM: forget gate, input gate, candidate and output gate")
    top, gates, bottom = 60, 190, 260
    drawing.parts.append(
        f'<rect x="90" y="24" width="510" height="262" rx="14" fill="#f3f5f8" stroke="{FAINT}"/>'
    )
    forget, write, candidate, output, last = 170, 270, 350, 450, 540
    drawing.add_path([(40, top), (forget - 15, top)])
    drawing.add_text(40, top - 12, "c<tspan dy='4' font-size='10'>t−1</tspan>", "name")
    drawing.add_operation(forget, top, "×")
    plus = (write + candidate) / 2
    drawing.add_path([(forget + 12, top), (plus - 15, top)])
    drawing.add_operation(plus, top, "+")
    drawing.add_path([(plus + 12, top), (660, top)])
    drawing.add_text(660, top - 12, "c<tspan dy='4' font-size='10'>t</tspan>", "name")
    # The inputs of all gates.
    drawing.add_path([(40, bottom), (output, bottom), (output, gates + 21)])
    drawing.add_text(46, bottom - 12, "h<tspan dy='4' font-size='10'>t−1</tspan>", "name")
    drawing.add_path([(120, 316), (120, bottom)], "line")
    drawing.add_text(140, 318, "x<tspan dy='4' font-size='10'>t</tspan>", "name")
    for x, name, color in (
        (forget, "σ", STATE),
        (write, "σ", STATE),
        (candidate, "tanh", OUTPUT),
        (output, "σ", STATE),
    ):
        drawing.add_box(x, gates, name, color, width=46)
        if x != output:
            drawing.add_path([(x, bottom), (x, gates + 21)])
    for x, name, note in (
        (forget, "f", "forget"),
        (write, "i", "input"),
        (candidate, "c̃", "candidate"),
        (output, "o", "output"),
    ):
        drawing.add_text(x + 14, gates - 26, name, "name left")
        drawing.add_text(x + 6, gates + 36, note, "note left")
    drawing.add_path([(forget, gates - 18), (forget, top + 15)])
    product = 125
    drawing.add_operation(plus, product, "×")
    drawing.add_path([(write, gates - 18), (write, product), (plus - 15, product)])
    drawing.add_path([(candidate, gates - 18), (candidate, product), (plus + 15, product)])
    drawing.add_path([(plus, product - 12), (plus, top + 15)])
    # The output.
    drawing.add_path([(last, top), (last, 77)])
    drawing.add_box(last, 98, "tanh", OUTPUT, width=46)
    drawing.add_path([(last, 116), (last, 133)])
    drawing.add_operation(last, 148, "×")
    drawing.add_path([(output, gates - 18), (output, 148), (last - 15, 148)])
    drawing.add_path([(last, 160), (last, bottom), (660, bottom)])
    drawing.add_text(660, bottom - 12, "h<tspan dy='4' font-size='10'>t</tspan>", "name")
    return drawing


if __name__ == "__main__":
    draw_unrolled().write(DOCS / "unrolled.svg")
    draw_lstm_cell().write(DOCS / "lstm_cell.svg")
