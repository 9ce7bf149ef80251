"""Conditions as Weaviate's filters, in the form of JSON that its REST API has, and as GraphQL."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ..marks import AllOf, AnyOf, Has, Within, digest
from .ranges import within

if TYPE_CHECKING:
    from ..marks import Condition

Where = Mapping[str, object]

EVERY = digest("every")
"""The mark of every object."""
_NONE = digest("none")
_ENUM = "operator"


def where_of(among: Condition) -> Where:
    if isinstance(among, AllOf | AnyOf):
        parts = [where_of(each) for each in among.of]
        return joined("And", parts) if isinstance(among, AllOf) else joined("Or", parts)
    if isinstance(among, Within):
        return _contains(within(among))
    if isinstance(among, Has):
        return _contains(among.marks)
    # Weaviate has no `not` before 1.33; that one of these is not there, it can be asked for each.
    return joined("And", [is_not("marks", mark) for mark in among.marks])


def joined(operator: str, parts: Sequence[Where]) -> Where:
    """operator: And or Or. Of none, all objects or no object."""
    if not parts:
        return equal("marks", EVERY if operator == "And" else _NONE)
    return parts[0] if len(parts) == 1 else {"operator": operator, "operands": list(parts)}


def equal(name: str, text: str) -> Where:
    return {"path": [name], "operator": "Equal", "valueText": text}


def is_not(name: str, text: str) -> Where:
    return {"path": [name], "operator": "NotEqual", "valueText": text}


def graphql(value: object) -> str:
    """A value as GraphQL writes it. What an operator is, is a word of its own there and no text."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_member(key, each)}" for key, each in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(graphql(each) for each in value) + "]"
    # As it is: not every reader of GraphQL puts the halves of a character together again.
    return json.dumps(value, ensure_ascii=False)


def _member(key: str, value: object) -> str:
    return str(value) if key == _ENUM else graphql(value)


def _contains(marks: Sequence[str]) -> Where:
    if not marks:
        return joined("Or", [])
    return {"path": ["marks"], "operator": "ContainsAny", "valueText": list(marks)}
