"""A Layout as SVG: text that a browser, a README and a page can show, in light and in dark.

Each box is a link to its line of a spec and has a title that says all of it; nothing is fetched from anywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from html import escape

from ..plan import Position
from .layout import COLUMNS, TITLE, TOP, WIDTH, Box, Layout, Line, has_long_gate, width_of_gate
from .nodes import Node

HEADINGS = ("What it answers", "Providers", "Where the work is done")
COLOURS = 6
RADIUS = 6

_STYLE = """\
.sg { --ink: #1d2430; --soft: #5a6473; --line: #8b95a5; --page: #ffffff; --box: #f6f8fa; --edge: #c4ccd6;
  --group: #eef2f6; --gate: #8a4b00; --c0: #1f5fbf; --c1: #7a3fb5; --c2: #0a7a5a; --c3: #b0371f; --c4: #8a6d00;
  --c5: #b02a78; font-family: system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; }
@media (prefers-color-scheme: dark) { .sg { --ink: #e8ecf2; --soft: #a3adbb; --line: #76808f; --page: #10141a;
  --box: #1b212a; --edge: #3b4554; --group: #151a21; --gate: #f0b35a; --c0: #78aaf5; --c1: #c39af0; --c2: #5fcfa8;
  --c3: #f2957f; --c4: #d8bd55; --c5: #f08fc4; } }
.sg-page { fill: var(--page); } .sg text { fill: var(--ink); font-size: 11px; }
.sg .sg-name { font-size: 22px; font-weight: 650; } .sg .sg-soft { fill: var(--soft); }
.sg .sg-head { font-size: 12px; font-weight: 600; fill: var(--soft); letter-spacing: .02em; }
.sg .sg-title { font-size: 13px; font-weight: 650; }
.sg .sg-code { font-family: ui-monospace, "Cascadia Mono", Menlo, "DejaVu Sans Mono", monospace; font-size: 10.5px; }
.sg .sg-gate { fill: var(--gate); }
.sg-group { fill: var(--group); } .sg-box { fill: var(--box); stroke: var(--edge); stroke-width: 1; }
.sg-router .sg-box, .sg-builtin .sg-box { stroke: var(--line); } .sg-gated .sg-box { stroke-dasharray: 4 3; }
.sg a:hover .sg-box, .sg a:focus .sg-box { stroke: var(--c0); stroke-width: 2; } .sg a { text-decoration: none; }
.sg-line { fill: none; stroke: var(--line); stroke-width: 1.4; } .sg-tip { fill: var(--line); stroke: none; }
.sg-dashed { stroke-dasharray: 4 3; }
""" + "".join(
    f".sg-{n} {{ stroke: var(--c{n}); }} .sg-tip.sg-{n} {{ fill: var(--c{n}); stroke: none; }}\n"
    for n in range(COLOURS)
)


def drawn(layout: Layout, link: Callable[[Position], str]) -> str:
    """The SVG, ending in a newline. link: the address of a line of a spec, "" for none."""
    return "\n".join(_parts(layout, link)) + "\n"


def _parts(layout: Layout, link: Callable[[Position], str]) -> Iterator[str]:
    graph, height = layout.graph, layout.height
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="sg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" '
        f'height="{height}" role="img" aria-label="{escape(f"The distribution {graph.name}")}">'
    )
    yield f"<title>The distribution {escape(graph.name)}</title>"
    yield f"<style>{_STYLE}</style>"
    yield f'<rect class="sg-page" width="{WIDTH}" height="{height}"/>'
    yield _text(COLUMNS[0][0], 42, graph.name, "sg-name")
    yield _text(COLUMNS[0][0], 68, fitted(" ".join(graph.summary.split()), WIDTH - 100, 11), "sg-soft")
    shown = {node.column for node in graph.nodes}
    yield from (
        _text(x, TOP - 20, heading, "sg-head")
        for column, ((x, _), heading) in enumerate(zip(COLUMNS, HEADINGS, strict=True))
        if column in shown
    )
    for name, box in layout.groups.items():
        yield _rect(box, "sg-group", 10)
        yield _text(box.x + 12, box.y + 18, name, "sg-head")
    # The lines of one box lie in the order of the graph, those to upstreams below the others.
    for line in sorted(layout.lines, key=lambda each: each.colour is not None):
        yield from _line(line)
    for node in graph.nodes:
        yield from _node(node, layout.boxes[node.id], link(node.place) if node.place else "")
    yield from _legend(layout)
    yield "</svg>"


def _node(node: Node, box: Box, href: str) -> Iterator[str]:
    classes = f"sg-{node.kind}{' sg-gated' if node.gate else ''}"
    yield f'<a class="{classes}" href="{escape(href)}">' if href else f'<g class="{classes}">'
    yield f"<title>{escape(node.about)}</title>"
    yield _rect(box, "sg-box", 7)
    inner = box.width - 24
    gate = f"if {node.gate}" if node.gate else ""
    own_line = has_long_gate(node)
    taken = width_of_gate(node) if gate and not own_line else 0
    yield _text(box.x + 12, box.y + 21, fitted(node.title, inner - taken, 13, 0.62), "sg-title")
    if own_line:
        yield _text(box.x + 12, box.y + TITLE + 11, fitted(gate, inner, 10.5, 0.61), "sg-code sg-gate")
    elif gate:
        yield _text(box.x + box.width - 12, box.y + 21, gate, "sg-code sg-gate", "end")
    size, wide = (10.5, 0.61) if node.code else (11, 0.53)
    for number, line in enumerate(node.lines, 1 if own_line else 0):
        y = box.y + TITLE + 11 + 15 * number
        yield _text(box.x + 12, y, fitted(line, inner, size, wide), "sg-code sg-soft" if node.code else "sg-soft")
    yield "</a>" if href else "</g>"


def fitted(text: str, width: float, size: float, wide: float = 0.56) -> str:
    """A text cut to a width in pixels. wide: of a letter, as a part of its size; rather too much than too little."""
    most = int(width / (size * wide))
    return text if len(text) <= most else text[: max(most - 1, 0)].rstrip() + "…"


def _line(line: Line) -> Iterator[str]:
    classes = f" sg-{line.colour % COLOURS}" if line.colour is not None else ""
    yield f'<path class="sg-line{classes}" d="{_rounded(line.points)}"/>'
    (before, _), (x, y) = line.points[-2:]
    back = -7 if before < x else 7
    yield f'<path class="sg-tip{classes}" d="M{x} {y}l{back} -3.5v7z"/>'
    if line.edge.label:
        x, y = line.points[0]
        width = abs(line.points[1][0] - x) - 14
        yield _text(x + 8, y - 4, fitted(line.edge.label, width, 10.5, 0.61), "sg-code sg-soft")


def _rounded(points: tuple[tuple[int, int], ...]) -> str:
    """A path through the points, its corners rounded as far as both pieces allow."""
    path = [f"M{points[0][0]} {points[0][1]}"]
    for (ax, ay), (bx, by), (cx, cy) in zip(points, points[1:], points[2:], strict=False):
        first, second = abs(bx - ax) + abs(by - ay), abs(cx - bx) + abs(cy - by)
        radius = min(RADIUS, first // 2, second // 2)
        if not radius:
            path.append(f"L{bx} {by}")
            continue
        ix, iy = bx - _sign(bx - ax) * radius, by - _sign(by - ay) * radius
        ox, oy = bx + _sign(cx - bx) * radius, by + _sign(cy - by) * radius
        path.append(f"L{ix} {iy}Q{bx} {by} {ox} {oy}")
    path.append(f"L{points[-1][0]} {points[-1][1]}")
    return "".join(path)


def _sign(number: int) -> int:
    return (number > 0) - (number < 0)


def _legend(layout: Layout) -> Iterator[str]:
    y = layout.height - 26
    x = COLUMNS[0][0]
    if any(node.gate for node in layout.graph.nodes):
        yield f'<rect class="sg-box sg-dashed" x="{x}" y="{y - 12}" width="30" height="15" rx="4"/>'
        yield _text(x + 38, y, "there when the variable it names is set", "sg-soft")
        x = COLUMNS[1][0]
    yield _text(x, y, "An arrow leads to what is needed. Each box leads to its line in a spec.", "sg-soft")


def _rect(box: Box, classes: str, radius: int) -> str:
    size = f'width="{box.width}" height="{box.height}" rx="{radius}"'
    return f'<rect class="{classes}" x="{box.x}" y="{box.y}" {size}/>'


def _text(x: float, y: float, text: str, classes: str, anchor: str = "") -> str:
    where = f' text-anchor="{anchor}"' if anchor else ""
    return f'<text class="{classes}" x="{x}" y="{y}"{where}>{escape(text)}</text>'
