"""routes.py of a generated package: what the server tells of its own routes.

RouteFact("/v1/chat/completions", "POST", CREATE_CHAT_COMPLETION, level="v1", deprecated=False),
"""

from __future__ import annotations

from dataclasses import dataclass

from ..plan import Fact, Plan
from .code import call, layout, literal, sequence, string

FEW = 2
"""So many provider types are written where they count; longer lists stand once, under the operation's name."""


@dataclass(frozen=True, slots=True)
class View:
    """What routes.py.jinja prints."""

    statements: tuple[str, ...]


def tells_routes(plan: Plan) -> bool:
    """Whether anything in the distribution wants to know the routes."""
    return any(value == Fact("routes") for each in plan.components for _, value in each.arguments)


def routes_view(plan: Plan) -> View:
    names: dict[tuple[str, ...], str] = {}
    for route in plan.routes:
        if len(route.provider_types) > FEW:
            names.setdefault(route.provider_types, route.operation.upper())
    shared = [layout(literal(types), 0, before=f"{name} = ") for types, name in names.items()]
    facts = [
        call(
            "RouteFact",
            string(route.path),
            string(route.method),
            names.get(route.provider_types) or literal(route.provider_types),
            level=string(route.level),
            deprecated=repr(route.deprecated),
        )
        for route in plan.routes
    ]
    return View((*shared, layout(sequence(facts, "()"), 0, before="ROUTES = ")))
