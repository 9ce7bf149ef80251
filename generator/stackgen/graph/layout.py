"""Where everything stands: three columns of boxes, and lines that run between the columns only.

An edge leaves its box sideways, follows a lane of its own in the gap between two columns, and enters sideways; one that
skips a column runs below all boxes. So no line can meet a box, and two lines never lie upon each other: lanes differ in
x, and places at the left and right sides of boxes never have the same y.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from .nodes import Edge, Graph, Node

WIDTH = 1200
TOP = 136
"""Where the boxes begin: above are the title and the columns' headings."""

COLUMNS = ((66, 300), (440, 362), (1000, 180))
"""x and width of each."""

LANES = ((8, 60), (372, 426), (966, 992), (1184, 1196))
"""From where to where lanes may run: left of each column, and right of the last."""

TITLE, LINE, PAD = 26, 15, 10
GAP, GROUP_GAP, HEADING = 12, 24, 28
GRID = 4
"""All that adds up to the y of a box is a multiple of it: TOP, the gaps, the heights."""

Point = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Box:
    """A node, or a group of them, where it stands."""

    x: int
    y: int
    width: int
    height: int

    @property
    def bottom(self) -> int:
        return self.y + self.height


@dataclass(frozen=True, slots=True)
class Line:
    """An edge as a line of horizontal and vertical pieces. bundle: edges of one bundle share lanes and places.

    colour: a small number, the same for a bundle; None for what leads to the last column.
    """

    edge: Edge
    points: tuple[Point, ...]
    bundle: str
    colour: int | None


@dataclass(frozen=True, slots=True)
class Layout:
    graph: Graph
    boxes: Mapping[str, Box]
    groups: Mapping[str, Box]
    lines: tuple[Line, ...]
    height: int


def arranged(graph: Graph) -> Layout:
    """The layout of a graph."""
    columns = {node.id: node.column for node in graph.nodes}
    routes = [_route(each, columns) for each in graph.edges]
    heights = {node.id: _height(node, routes) for node in graph.nodes}
    boxes, groups = _stacked(graph, heights)
    bottom = max((box.bottom for box in (*boxes.values(), *groups.values())), default=TOP)
    ports = _ports(routes, boxes)
    lanes = _lanes(routes, boxes)
    long = dict.fromkeys(each.bundle for each in routes if each.leaves != each.enters)
    under = {bundle: bottom + 15 + 2 * GRID * number for number, bundle in enumerate(long)}
    colours = {f"from {node.id}": n for n, node in enumerate(each for each in graph.nodes if each.column < 2)}
    lines = tuple(
        Line(
            each.edge,
            _points(each, boxes, ports, lanes, under),
            each.bundle,
            colours.get(each.bundle),
        )
        for each in routes
    )
    return Layout(graph, boxes, groups, lines, max([bottom, *under.values()]) + 74)


# ── which way ───────────────────────────────────────────────────────────────────────────────────────────────────────

Side = Literal["left", "right"]


@dataclass(frozen=True, slots=True)
class _Route:
    """Which way an edge goes. leaves, enters: the gaps (0 is left of column 0) that it runs in; out, in_: by which side
    of its boxes. Lines that come from one box run together, and so do those that lead to one of the last column."""

    edge: Edge
    bundle: str
    leaves: int
    enters: int
    out: Side
    in_: Side


def _route(edge: Edge, columns: Mapping[str, int]) -> _Route:
    here, there = columns[edge.source], columns[edge.target]
    bundle = f"to {edge.target}" if there == 2 > here else f"from {edge.source}"
    if here < there:
        return _Route(edge, bundle, here + 1, there, "right", "left")
    if here == there:
        return _Route(edge, bundle, here, there, "left", "left")
    return _Route(edge, bundle, here, there + 1, "left", "right")


Port = tuple[str, Side, str]
"""A box, a side of it, and the bundle that meets it there."""


def _met(routes: Sequence[_Route]) -> list[Port]:
    both = ((each.edge.source, each.out, each.bundle) for each in routes)
    return list(dict.fromkeys([*both, *((each.edge.target, each.in_, each.bundle) for each in routes)]))


def width_of_gate(node: Node) -> float:
    """Pixels of "if GATE" and of the space before it, in letters of one width."""
    return len(f"if {node.gate}") * 10.5 * 0.61 + 10


def has_long_gate(node: Node) -> bool:
    """Whether a box's gate needs a line of its own: it does not fit beside the title."""
    _, width = COLUMNS[node.column]
    return bool(node.gate) and len(node.title) * 13 * 0.62 + width_of_gate(node) > width - 24


def _height(node: Node, routes: Sequence[_Route]) -> int:
    """High enough for its text, and for the lines that meet one of its sides."""
    text = TITLE + LINE * (len(node.lines) + has_long_gate(node)) + PAD
    met = [port for port in _met(routes) if port[0] == node.id]
    most = max((sum(1 for port in met if port[1] == side) for side in ("left", "right")), default=0)
    return -(-max(text, 2 * GRID * (most + 1)) // GRID) * GRID


# ── boxes ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _stacked(graph: Graph, heights: Mapping[str, int]) -> tuple[dict[str, Box], dict[str, Box]]:
    """The boxes, and those around the groups of the middle column."""
    boxes: dict[str, Box] = {}
    groups: dict[str, Box] = {}
    for column, (x, width) in enumerate(COLUMNS):
        here = [node for node in graph.nodes if node.column == column]
        y = TOP
        for group in dict.fromkeys(node.group for node in here):
            first = y
            y += HEADING if group else 0
            for node in here:
                if node.group == group:
                    boxes[node.id] = Box(x, y, width, heights[node.id])
                    y = boxes[node.id].bottom + GAP
            if group:
                groups[group] = Box(x - GAP, first, width + 2 * GAP, y - first)
                y += GROUP_GAP
    last = [node.id for node in graph.nodes if node.column == 2]
    return boxes | _beside(last, graph.edges, boxes), groups


def _beside(names: Sequence[str], edges: Sequence[Edge], boxes: Mapping[str, Box]) -> dict[str, Box]:
    """The last column, each box in the middle of those that lead to it, as far as the boxes above leave room."""
    found: dict[str, Box] = {}
    y = TOP
    for wanted, name in sorted((_middle(name, edges, boxes), name) for name in names):
        y = max(y, (wanted - boxes[name].height // 2) // GRID * GRID)
        found[name] = replace(boxes[name], y=y)
        y = found[name].bottom + GAP
    return found


def _middle(name: str, edges: Sequence[Edge], boxes: Mapping[str, Box]) -> int:
    sources = [boxes[each.source] for each in edges if each.target == name]
    return sum(box.y + box.height // 2 for box in sources) // len(sources) if sources else TOP


# ── lines ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _ports(routes: Sequence[_Route], boxes: Mapping[str, Box]) -> dict[Port, int]:
    """The y of every place where lines meet a box. Boxes stand on the grid: right sides are met on it, left ones half a
    step off, so that a line that leaves one column never lies on one that enters the next."""
    found: dict[Port, int] = {}
    met = _met(routes)
    for name, side in dict.fromkeys((port[0], port[1]) for port in met):
        here = [port for port in met if port[:2] == (name, side)]
        box = boxes[name]
        for number, port in enumerate(here, 1):
            step = box.height * number // (len(here) + 1) // GRID * GRID
            found[port] = box.y + step + (GRID // 2 if side == "left" else 0)
    return found


def _lanes(routes: Sequence[_Route], boxes: Mapping[str, Box]) -> dict[tuple[int, str], int]:
    """The x of every bundle in every gap that it runs in, spread over the gap, in the order of where they begin."""
    found: dict[tuple[int, str], int] = {}
    for gap, (left, right) in enumerate(LANES):
        here = sorted((boxes[each.edge.source].y, each.bundle) for each in routes if gap in (each.leaves, each.enters))
        bundles = list(dict.fromkeys(bundle for _, bundle in here))
        for number, bundle in enumerate(bundles, 1):
            found[gap, bundle] = left + (right - left) * number // (len(bundles) + 1)
    return found


def _points(
    route: _Route,
    boxes: Mapping[str, Box],
    ports: Mapping[Port, int],
    lanes: Mapping[tuple[int, str], int],
    under: Mapping[str, int],
) -> tuple[Point, ...]:
    source, target = route.edge.source, route.edge.target
    begin = (_edge_x(boxes[source], route.out), ports[source, route.out, route.bundle])
    end = (_edge_x(boxes[target], route.in_), ports[target, route.in_, route.bundle])
    first, last = lanes[route.leaves, route.bundle], lanes[route.enters, route.bundle]
    if route.leaves == route.enters:
        return begin, (first, begin[1]), (first, end[1]), end
    below = under[route.bundle]
    return begin, (first, begin[1]), (first, below), (last, below), (last, end[1]), end


def _edge_x(box: Box, side: Side) -> int:
    return box.x if side == "left" else box.x + box.width
