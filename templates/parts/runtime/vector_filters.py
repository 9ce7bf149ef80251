"""Filters over attributes, and what they mean: the same for every index.

A comparison holds where the attribute is there, of the value's type, and compares as said: a text is no number, and a
boolean is neither. `ne` and `nin` hold wherever `eq` and `in` do not, so also where there is no such attribute. Texts
are in the order of their code points.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

Scalar: TypeAlias = str | float | bool
Operator: TypeAlias = Literal["eq", "ne", "gt", "gte", "lt", "lte", "in", "nin"]
Kind: TypeAlias = Literal["text", "number", "boolean"]
Predicate: TypeAlias = Callable[[Mapping[str, object]], bool]


@dataclass(frozen=True, slots=True)
class Compare:
    """value: a tuple for `in` and `nin`, one value for the others."""

    key: str
    operator: Operator
    value: Scalar | tuple[Scalar, ...]

    @property
    def values(self) -> tuple[Scalar, ...]:
        return self.value if isinstance(self.value, tuple) else (self.value,)


@dataclass(frozen=True, slots=True)
class Every:
    """All of these hold."""

    of: tuple[Filter, ...]


@dataclass(frozen=True, slots=True)
class Some:
    """One of these holds, at least."""

    of: tuple[Filter, ...]


Filter: TypeAlias = Compare | Every | Some

ORDERINGS: Mapping[str, Callable[[Scalar, Scalar], bool]] = {
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
}


def kind_of(value: object) -> Kind | None:
    """None for what no filter compares with anything."""
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, str):
        return "text"
    return "number" if isinstance(value, int | float) else None


def predicate(where: Filter) -> Predicate:
    """The filter as a function of attributes, made once."""
    if isinstance(where, Compare):
        return _comparison(where)
    parts = [predicate(each) for each in where.of]
    if isinstance(where, Every):
        return lambda attributes: all(part(attributes) for part in parts)
    return lambda attributes: any(part(attributes) for part in parts)


def _comparison(where: Compare) -> Predicate:
    key = where.key
    if where.operator in ORDERINGS:
        compare, (value,) = ORDERINGS[where.operator], where.values
        kind = kind_of(value)

        def ordered(attributes: Mapping[str, object]) -> bool:
            found = attributes.get(key)
            return isinstance(found, str | float | int) and kind_of(found) == kind and compare(found, value)

        return ordered
    wanted = {(kind_of(each), each) for each in where.values}
    negated = where.operator in ("ne", "nin")

    def equal(attributes: Mapping[str, object]) -> bool:
        found = attributes.get(key)
        # A value that cannot be hashed is no scalar, and equals none.
        same = isinstance(found, str | float | int) and (kind_of(found), found) in wanted
        return same is not negated

    return equal
