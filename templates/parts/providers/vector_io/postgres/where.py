"""Filters as conditions of PostgreSQL over a column `attributes` of type jsonb, every value bound."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from ....runtime.vector_filters import ORDERINGS, Compare, Every, kind_of

if TYPE_CHECKING:
    from ....runtime.vector_filters import Filter, Scalar

_SIGNS = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}


def condition(where: Filter | None, bound: list[object]) -> str:
    """SQL, whose values are added to those that are bound already."""
    if where is None:
        return "true"
    if isinstance(where, Compare):
        return _comparison(where, bound)
    return f"({(' AND ' if isinstance(where, Every) else ' OR ').join(condition(each, bound) for each in where.of)})"


def _comparison(where: Compare, bound: list[object]) -> str:
    if not where.values:
        return "true" if where.operator == "nin" else "false"
    there = f"attributes -> {_bind(bound, where.key)}::text"
    if where.operator in ORDERINGS:
        (value,) = where.values
        return _ordered(there, _SIGNS[where.operator], value, bound)
    # Numbers of jsonb are decimal and compare exactly; a text is no number there, and a boolean neither.
    same = " OR ".join(f"{there} = {_bind(bound, _json(value))}::jsonb" for value in where.values)
    return f"(({same}) IS {'NOT ' if where.operator in ('ne', 'nin') else ''}TRUE)"


def _ordered(there: str, sign: str, value: Scalar, bound: list[object]) -> str:
    if kind_of(value) == "text":
        # In the order of code points, whatever the database sorts by; #>> '{}' is the text of a jsonb text.
        compared = f"({there} #>> '{{}}') COLLATE \"C\" {sign} {_bind(bound, value)}::text"
        return f"((jsonb_typeof({there}) = 'string' AND {compared}) IS TRUE)"
    kind = "number" if kind_of(value) == "number" else "boolean"
    compared = f"{there} {sign} {_bind(bound, _json(value))}::jsonb"
    return f"((jsonb_typeof({there}) = '{kind}' AND {compared}) IS TRUE)"


def _bind(bound: list[object], value: object) -> str:
    bound.append(value)
    return f"${len(bound)}"


def _json(value: Scalar) -> str:
    return json.dumps(value, ensure_ascii=False)
