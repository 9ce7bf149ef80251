"""The Plan as nodes and edges: what answers (column 0), who it asks (1), what those lean on (2).

POST /v1/chat/completions → inference → openai → a service elsewhere, at api.openai.com
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from ..plan import Argument, Component, Instances, Plan, Position, Ref, Slot, Value

Kind = Literal["router", "builtin", "instance", "backend", "upstream"]

ELSEWHERE, YOURS, INSIDE = "upstream elsewhere", "upstream yours", "upstream inside"
_UPSTREAM = {
    ELSEWHERE: ("Services elsewhere", ("their address is known",)),
    YOURS: ("Servers of yours", ("a setting says where",)),
    INSIDE: ("Inside this process", ("no service, no network",)),
}
LETTERS = 43
"""Of one line of routes, as wide as the first column has room for."""

_HERE = frozenset({"localhost", "127.0.0.1", "::1", "0.0.0.0"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A box. column: 0 what answers routes, 1 providers, 2 what is behind them. group: those of one API stand together.

    gate: the variable it stands behind, "" for none. lines: below its title; code: they are routes. place: its line in
    a spec. about: all of it in sentences, for who hears the picture.
    """

    id: str
    kind: Kind
    column: int
    group: str
    title: str
    gate: str = ""
    lines: tuple[str, ...] = ()
    code: bool = False
    place: Position | None = None
    about: str


@dataclass(frozen=True, slots=True)
class Edge:
    """source needs target. label: what is to be said of it, at its beginning."""

    source: str
    target: str
    label: str = ""


@dataclass(frozen=True, slots=True)
class Graph:
    name: str
    summary: str
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]


def graph_of(plan: Plan) -> Graph:
    """Every component of the Plan, what it is built from, and what stands behind it."""
    nodes = [_node(plan, each) for each in plan.components]
    # Routers first, as requests come in through them; else the Plan's order.
    nodes.sort(key=lambda node: (node.column, node.kind != "router"))
    edges = [edge for each in plan.components for edge in _needs(each)]
    columns = {node.id: node.column for node in nodes}
    behind = [edge for each in plan.components if columns[each.name] == 1 for edge in _upstreams(each)]
    used = {edge.target for edge in behind}
    upstreams = [
        Node(id=id_, kind="upstream", column=2, group="", title=title, lines=lines, about=f"{title}: {lines[0]}.")
        for id_, (title, lines) in _UPSTREAM.items()
        if id_ in used
    ]
    return Graph(plan.name, plan.summary, (*nodes, *upstreams), tuple(dict.fromkeys([*edges, *behind])))


def _node(plan: Plan, component: Component) -> Node:
    routes = [each for each in plan.routes if each.component == component.name]
    whole = [f"{each.method} {each.path}" for each in routes if not each.deprecated]
    shown = tuple(line for each in whole for line in broken(each))
    column = 0 if routes else 2 if component.role == "backend" else 1
    what = component.role if component.role in ("router", "builtin") else component.type
    lines = shown or (" · ".join([what, ", ".join(component.capabilities)]) if component.capabilities else what,)
    gate = f", there when {component.gate} is set" if component.gate else ""
    where = f"{component.because.file}:{component.because.line}"
    does = f" It does {', '.join(component.capabilities)}." if component.capabilities else ""
    needs = ", ".join(dict.fromkeys(edge.target for edge in _needs(component)))
    return Node(
        id=component.name,
        kind=component.role,
        column=column,
        group=component.api if column == 1 else "",
        title=component.api if column == 0 else component.id,
        gate=component.gate or "",
        lines=lines,
        code=bool(shown),
        place=component.because,
        about=f"{component.api}/{component.id}, {component.type}{gate}; {where}.{does}"
        + (f" It needs {needs}." if needs else ""),
    )


def broken(route: str) -> tuple[str, ...]:
    """A route in as many lines as it needs: broken before a slash, and set in by blanks that SVG keeps."""
    lines = [""]
    for step in re.split(r"(?=/)", route):
        if lines[-1].strip() and len(lines[-1]) + len(step) > LETTERS:
            lines.append("\u00a0\u00a0")
        lines[-1] += step
    return tuple(lines)


def _needs(component: Component) -> Iterator[Edge]:
    for _, argument in component.arguments:
        yield from (Edge(component.name, target) for target in _targets(argument))


def _targets(argument: Argument) -> Iterator[str]:
    match argument:
        case Ref(component):
            yield component
        case Instances(items):
            yield from (ref.component for _, ref in items)


def _upstreams(component: Component) -> Iterator[Edge]:
    """Where the work of a provider is done, as far as its settings tell."""
    fields = component.config.fields if component.config else ()
    urls = [field for _, field in fields if isinstance(field, Value) and field.kind == "url"]
    for url in urls[:1]:
        host = urlsplit(url.default).hostname if isinstance(url.default, str) else None
        variables = [f"${part.variable}" for part in url.parts if isinstance(part, Slot)]
        if host and host not in _HERE:
            yield Edge(component.name, ELSEWHERE, host)
        else:
            yield Edge(component.name, YOURS, variables[0] if variables else host or "")
    if not urls:
        yield Edge(component.name, INSIDE if component.type.startswith("inline::") else ELSEWHERE)
