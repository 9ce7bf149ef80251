"""Filters as conditions of SQLite over `entries.attributes`, every value bound."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ....runtime.vector_filters import ORDERINGS, Compare, Every, kind_of

if TYPE_CHECKING:
    from ....runtime.vector_filters import Filter, Scalar

_TYPES = {"text": "('text')", "number": "('integer', 'real')", "boolean": "('true', 'false')"}
_SIGNS = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}


def condition(where: Filter) -> tuple[str, list[str | float]]:
    """(SQL, what is bound in it)."""
    if isinstance(where, Compare):
        return _comparison(where)
    parts = [condition(each) for each in where.of]
    joined = (" AND " if isinstance(where, Every) else " OR ").join(sql for sql, _ in parts)
    return f"({joined})", [value for _, values in parts for value in values]


def _comparison(where: Compare) -> tuple[str, list[str | float]]:
    if where.operator in ORDERINGS:
        return _there(where.key, f"each.value {_SIGNS[where.operator]} ?", where.values)
    parts = [_there(where.key, "each.value = ?", (value,)) for value in where.values]
    sql = f"({' OR '.join(part for part, _ in parts)})" if parts else "0"
    word = "NOT " if where.operator in ("ne", "nin") else ""
    return f"{word}{sql}", [value for _, values in parts for value in values]


def _there(key: str, holds: str, values: Sequence[Scalar]) -> tuple[str, list[str | float]]:
    (value,) = values
    kind = kind_of(value)
    assert kind is not None
    of_type = f"each.key = ? AND each.type IN {_TYPES[kind]} AND {holds}"
    bound = [key, int(value) if isinstance(value, bool) else value]
    return f"EXISTS (SELECT 1 FROM json_each(entries.attributes) AS each WHERE {of_type})", bound
