"""The settings of a Plan as rows of text, for whoever prints them: a README, a page of the documentation, a report.

No row has the value of a secret: a secret's default is not told even where the distribution has one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from ..plan import Config, JsonValue, Plan, Slot, Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One setting. owner: "server", "inference/openai", "resources/models". gate: the variable it stands behind, "" for
    none. variables: those that give it. text: what they stand in, `$FOLDER/store.db`, "" where one is all of it.
    default: as text, "" for none. needed: a value must be given."""

    owner: str
    gate: str
    path: str
    variables: tuple[str, ...]
    text: str
    type: str
    default: str
    needed: bool
    meaning: str


def rows(plan: Plan) -> tuple[Row, ...]:
    """Every setting, in the plan's order."""
    return tuple(_row(value, owner, gate) for value, owner, gate in owned_values(plan))


def owned_values(plan: Plan) -> Iterator[tuple[Value, str, str]]:
    """Every value, whose it is, and the gate it is behind, "" for none."""
    roots = [(plan.server, "server", "")]
    roots += [(each.config, f"{each.api}/{each.id}", each.gate or "") for each in plan.components if each.config]
    roots += [(entry, f"resources/{kind}", "") for kind, entries in plan.resources for entry in entries]
    for root, owner, gate in roots:
        for value in _leaves(root):
            yield value, owner, gate


def _leaves(config: Config) -> Iterator[Value]:
    for _, field in config.fields:
        if isinstance(field, Config):
            yield from _leaves(field)
        else:
            yield field


def slots_of(value: Value) -> list[Slot]:
    return [part for part in value.parts if isinstance(part, Slot)]


def _row(value: Value, owner: str, gate: str) -> Row:
    variables = tuple(dict.fromkeys(slot.variable for slot in slots_of(value)))
    return Row(
        owner=owner,
        gate=gate,
        path=value.path,
        variables=variables,
        text=_text(value) if variables and len(value.parts) > 1 else "",
        type=value.kind.replace("_", " "),
        default="" if value.required or value.kind == "secret" else default_text(value.default),
        # A value that opens its own gate is there wherever it is asked for.
        needed=value.required and gate not in variables,
        meaning=" ".join(value.description.split()),
    )


def _text(value: Value) -> str:
    """What a variable is only part of, and of a secret nothing but its variables."""
    hidden = value.kind == "secret"
    return "".join(f"${each.variable}" if isinstance(each, Slot) else "…" if hidden else each for each in value.parts)


def default_text(value: JsonValue) -> str:
    """A default as people read it, "" where there is none to tell of.

    Of a mapping (headers, say) only the names are told, and of a URL no user: either may hold a credential.
    """
    if value in (None, ""):
        return ""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}: …" for name in value) + "}"
    return _USER.sub("//…@", value) if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


_USER = re.compile(r"//[^/?#@]*@")
