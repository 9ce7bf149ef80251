"""app.py of a generated package: one line a route, bound to the method that answers it.

http.relay("/v1/chat/completions", CreateChatCompletionRequest, stack.inference.create_chat_completion)
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

from ..plan import Plan, Route
from .code import Code, call, from_imports, layout, mapping, prose, string

ROUTE = 12
"""The indent of a route, in columns."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chapter:
    """The routes of one API at one level. comment: which."""

    comment: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What app.py.jinja prints. provider_data: the line that defines PROVIDER_DATA."""

    provider_data: str
    chapters: tuple[Chapter, ...]
    imports: tuple[str, ...]


def app_view(plan: Plan) -> View:
    imports: dict[str, set[str]] = {
        ".runtime.http": {"App", "Http"},
        ".runtime.provider_data": {"Format"},
        ".wiring": {"Stack"},
    }
    for route in plan.routes:
        imports.setdefault(f".contracts.{route.api}.requests", set()).add(route.request)
        if _carrier(route):
            imports.setdefault(f".runtime.http_{_carrier(route)}", set()).add(_carrier(route))
    chapters = tuple(
        Chapter(
            comment=prose(f"{api}, {level}{', deprecated' if deprecated else ''}"),
            lines=tuple(layout(_route(route), ROUTE, after=",") for route in routes),
        )
        for (api, level, deprecated), routes in groupby(plan.routes, _chapter)
    )
    formats = mapping((key.name, string(key.format)) for key in plan.provider_data)
    return View(
        provider_data=layout(formats, 0, before="PROVIDER_DATA: Mapping[str, Format] = "),
        chapters=chapters,
        imports=tuple(from_imports(imports)),
    )


def _chapter(route: Route) -> tuple[str, str, bool]:
    return (route.api, route.level, route.deprecated)


def _carrier(route: Route) -> str:
    """The function that makes a route whose request or answer is files; "" where neither is."""
    return "upload" if route.upload else "download" if route.download else ""


def _route(route: Route) -> Code:
    options: dict[str, Code] = {}
    if (route.relay or route.upload) and route.method != "POST":
        options["verb"] = string(route.method)
    if route.relay and route.has_body and route.query:
        options["query"] = "True"
    if route.provider_data:
        options["provider_data"] = "PROVIDER_DATA" if _carrier(route) else "True"
    if route.public:
        options["public"] = "True"
    head = _carrier(route) or ("http.relay" if route.relay else f"http.{route.method.lower()}")
    method = f"stack.{route.component}.{route.operation}"
    spool = [f"stack.{route.component}.spool"] if route.upload else []
    return call(head, string(_served_path(route)), route.request, method, *spool, **options)


def _served_path(route: Route) -> str:
    """The path in the router's form: a greedy parameter as `{name:path}`."""
    path = route.path
    for name in route.greedy:
        path = path.replace(f"{{{name}}}", f"{{{name}:path}}")
    return path
