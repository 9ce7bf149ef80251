"""`stackgen graph`: what is in the picture, and that no line meets a box or lies upon another."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sample_plan import sample_plan
from stackgen.cli import main
from stackgen.graph import arranged, drawn, graph_of, picture
from stackgen.graph.layout import WIDTH, Box, Layout
from stackgen.graph.nodes import Edge, Graph, Node, broken
from stackgen.graph.svg import fitted
from stackgen.links import spec_links
from stackgen.plan import Plan, Position
from stackgen.resolve import compile_plan
from stackgen.workspace import find_roots

ROOTS = find_roots(())
NAMES = ROOTS.names("distributions")
SVG = "{http://www.w3.org/2000/svg}"


def plan(name: str) -> Plan:
    found = compile_plan(ROOTS, name)
    assert isinstance(found, Plan)
    return found


def link(position: Position) -> str:
    return f"{position.file}#L{position.line}"


# ── geometry ────────────────────────────────────────────────────────────────────────────────────────────────────────

Piece = tuple[int, int, int, int]


def pieces(points: tuple[tuple[int, int], ...]) -> list[Piece]:
    """(left, top, right, bottom) of each straight piece of a line."""
    return [(min(ax, bx), min(ay, by), max(ax, bx), max(ay, by)) for (ax, ay), (bx, by) in pairwise(points)]


def inside(box: Box, piece: Piece) -> bool:
    """Whether a piece has a point within the box; its rim is not within."""
    left, top, right, bottom = piece
    return left < box.x + box.width and right > box.x and top < box.bottom and bottom > box.y


def apart(one: Box, other: Box) -> bool:
    beside = one.x + one.width <= other.x or other.x + other.width <= one.x
    return beside or one.bottom <= other.y or other.bottom <= one.y


def upon(one: Piece, other: Piece) -> bool:
    """Whether two pieces of one direction share more than a point."""
    if one[0] == one[2] == other[0] == other[2]:
        return min(one[3], other[3]) > max(one[1], other[1])
    if one[1] == one[3] == other[1] == other[3]:
        return min(one[2], other[2]) > max(one[0], other[0])
    return False


def check_geometry(layout: Layout) -> None:
    boxes = list(layout.boxes.values())
    assert all(apart(one, other) for n, one in enumerate(boxes) for other in boxes[:n])
    assert all(box.x >= 0 and box.x + box.width <= WIDTH and box.bottom < layout.height - 30 for box in boxes)
    drawn_pieces = [(line.bundle, piece) for line in layout.lines for piece in pieces(line.points)]
    for line in layout.lines:
        assert all(ax == bx or ay == by for (ax, ay), (bx, by) in pairwise(line.points)), line
        (x, y), (end_x, end_y) = line.points[0], line.points[-1]
        source, target = layout.boxes[line.edge.source], layout.boxes[line.edge.target]
        assert x in (source.x, source.x + source.width)
        assert source.y < y < source.bottom
        assert end_x in (target.x, target.x + target.width)
        assert target.y < end_y < target.bottom
    for bundle, piece in drawn_pieces:
        assert not [box for box in boxes if inside(box, piece)], (bundle, piece)
        assert piece[0] > 0
        assert piece[2] < WIDTH
        assert piece[3] < layout.height
    unique = sorted(set(drawn_pieces))
    for number, (bundle, piece) in enumerate(unique):
        others = [other for other, there in unique[:number] if other != bundle and upon(piece, there)]
        assert not others, (bundle, piece, others)


@pytest.mark.parametrize("name", NAMES)
def test_no_line_of_a_bundled_distribution_meets_a_box(name: str) -> None:
    layout = arranged(graph_of(plan(name)))
    assert {(line.edge.source, line.edge.target) for line in layout.lines} == {
        (edge.source, edge.target) for edge in layout.graph.edges
    }
    check_geometry(layout)


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    """Any number of boxes in each column, with any edges between them, those that skip or turn back among them."""
    columns = draw(st.lists(st.integers(0, 2), min_size=2, max_size=14))
    nodes = [
        Node(
            id=f"n{number}",
            kind="instance",
            column=column,
            group=draw(st.sampled_from(["a", "b"])) if column == 1 else "",
            title=f"n{number}",
            lines=("x",) * draw(st.integers(0, 5)),
            about="",
        )
        for number, column in enumerate(columns)
    ]
    ids = st.sampled_from([node.id for node in nodes])
    pairs = draw(st.sets(st.tuples(ids, ids).filter(lambda pair: pair[0] != pair[1]), max_size=30))
    return Graph("any", "", tuple(nodes), tuple(Edge(*pair) for pair in sorted(pairs)))


@given(graphs())
def test_no_line_of_any_graph_meets_a_box(graph: Graph) -> None:
    check_geometry(arranged(graph))


# ── what it shows ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", NAMES)
def test_everything_of_the_plan_is_there_and_links_to_its_line(name: str) -> None:
    here = plan(name)
    root = ET.fromstring(picture(here, link))
    links = {(each.get("href"), each.findtext(f"{SVG}text")) for each in root.iter(f"{SVG}a")}
    answering = {route.component for route in here.routes}
    for each in here.components:
        assert (link(each.because), each.api if each.name in answering else each.id) in links
    texts = {each.text for each in root.iter(f"{SVG}text")}
    assert {f"if {each.gate}" for each in here.components if each.gate} <= texts
    assert {
        line for each in here.routes if not each.deprecated for line in broken(f"{each.method} {each.path}")
    } <= texts
    assert all(each.findtext(f"{SVG}title") for each in root.iter(f"{SVG}a"))
    assert root.findtext(f"{SVG}title") == f"The distribution {name}"


def test_who_needs_whom_and_what_is_behind() -> None:
    graph = graph_of(sample_plan())
    assert {(edge.source, edge.target, edge.label) for edge in graph.edges} == {
        ("inference", "models", ""),
        ("inference", "openai", ""),
        ("inference", "nvidia", ""),
        ("models", "openai", ""),
        ("models", "nvidia", ""),
        ("openai", "upstream elsewhere", "openai.example"),
        ("nvidia", "upstream elsewhere", "nvidia.example"),
    }
    assert {node.id: node.column for node in graph.nodes} == {
        "inference": 0,
        "models": 0,
        "openai": 1,
        "nvidia": 1,
        "upstream elsewhere": 2,
    }


@pytest.mark.parametrize("name", NAMES)
def test_texts_stay_in_their_boxes(name: str) -> None:
    layout = arranged(graph_of(plan(name)))
    root = ET.fromstring(drawn(layout, link))
    for each in [*root.iter(f"{SVG}a"), *root.iter(f"{SVG}g")]:
        box = each.find(f"{SVG}rect")
        assert box is not None
        for text in each.iter(f"{SVG}text"):
            size = 13 * 0.62 if text.get("class") == "sg-title" else 11 * 0.53
            size = 10.5 * 0.602 if "sg-code" in str(text.get("class")) else size
            assert len(text.text or "") * size <= float(box.get("width", "0")) - 20, text.text
            assert (
                float(box.get("y", "0"))
                < float(text.get("y", "0"))
                < float(box.get("y", "0")) + float(box.get("height", "0"))
            )


def test_a_text_is_cut_to_its_width() -> None:
    assert fitted("abcdef", 60, 10, 1) == "abcdef"
    assert fitted("abcdef", 50, 10, 1) == "abcd…"
    assert fitted("abcdef", 0, 10, 1) == "…"


def test_texts_of_specs_are_escaped() -> None:
    svg = picture(replace(sample_plan(), name="a<b", summary='"x" & <script>'), link)
    assert "<script>" not in svg
    assert ET.fromstring(svg).findtext(f"{SVG}title") == "The distribution a<b"


def test_no_value_of_a_setting_is_shown() -> None:
    assert not re.search("api_key|base_url", picture(sample_plan(), link))


# ── the command ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_command_draws_into_a_file_or_to_stdout(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "pictures" / "nvidia.svg"
    assert main(["graph", "nvidia", "--out", str(out), "--link", "https://specs.example/"]) == 0
    assert 'href="https://specs.example/specs/distributions/nvidia.yaml#L' in out.read_text("utf-8")
    assert main(["graph", "nvidia", "--link", "https://specs.example/"]) == 0
    assert capsys.readouterr().out == out.read_text("utf-8")
    assert main(["graph", "nvidai"]) == 1


def test_links_are_relative_below_the_working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "specs/distributions").mkdir(parents=True)
    (tmp_path / "specs/distributions/ours.yaml").write_text("")
    place = Position("distributions/ours.yaml", 7, 1)
    roots = find_roots([tmp_path / "specs"])
    monkeypatch.chdir(tmp_path)
    assert spec_links(roots, None)(place) == "specs/distributions/ours.yaml#L7"
    assert spec_links(roots, Path("docs/a.svg"))(place) == "../specs/distributions/ours.yaml#L7"
    assert spec_links(roots, tmp_path.parent / "a.svg")(place) == "distributions/ours.yaml#L7"
    assert spec_links(roots, Path("a.svg"))(replace(place, file="not there.yaml")) == "not%20there.yaml#L7"
