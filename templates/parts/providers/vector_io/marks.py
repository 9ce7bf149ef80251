"""Filters for services that cannot ask what a filter asks: attributes as marks, which every one of them can compare.

    marks({"year": 2024})          # two short hashes: `year` is 2024, and `year` is a number
    condition(Compare("year", "gte", 2020))   # Within(<hash of year>, "gte", 2020.0)

Names and texts that are paths, quotes or patterns to a service never reach it. What has no mark, the order of texts,
becomes a condition that lets more through (`is_exact` says so), and `sifted` looks at the attributes themselves.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, TypeAlias, TypeGuard

from ...runtime.vector_filters import ORDERINGS, Compare, Every, kind_of, predicate
from ...runtime.vector_index import Hit

if TYPE_CHECKING:
    from ...runtime.vector_filters import Filter, Scalar

_LARGEST_EXACT = 2.0**53
"""Whole numbers below have a float of their own."""
_FURTHEST = 1e308
_DEEPER = 4


@dataclass(frozen=True, slots=True)
class Has:
    """One of these marks is there."""

    marks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Lacks:
    """None of these marks is there."""

    marks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Within:
    """There is a number of this name (`numbers`), which compares as said: gt, gte, lt or lte."""

    name: str
    sign: str
    value: float


@dataclass(frozen=True, slots=True)
class AllOf:
    of: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    of: tuple[Condition, ...]


Condition: TypeAlias = Has | Lacks | Within | AllOf | AnyOf


@dataclass(frozen=True, slots=True)
class Found:
    """A hit, with the attributes of its entry as JSON."""

    hit: Hit
    attributes: str


def marks(attributes: Mapping[str, Scalar]) -> list[str]:
    """What `condition` looks for: a digest each."""
    return [mark for key, value in attributes.items() for mark in (_is(key, value), _is_a(key, value))]


def numbers(attributes: Mapping[str, Scalar]) -> dict[str, float]:
    """The attributes that are numbers, by the hash of their names."""
    return {digest(key): _near(value) for key, value in attributes.items() if _is_number(value)}


def digest(*of: object) -> str:
    """A hash of letters and digits, 24 of them."""
    return blake2b(json.dumps(of).encode(), digest_size=12).hexdigest()


def as_json(attributes: Mapping[str, Scalar]) -> str:
    return json.dumps(dict(attributes), ensure_ascii=False)


def condition(where: Filter) -> Condition:
    """What the filter lets through, and more where it is not exact."""
    if not isinstance(where, Compare):
        parts = tuple(condition(each) for each in where.of)
        return AllOf(parts) if isinstance(where, Every) else AnyOf(parts)
    if where.operator in ORDERINGS:
        (value,) = where.values
        if _is_number(value) and is_exact(where):
            return Within(digest(where.key), where.operator, float(value))
        return Has((_is_a(where.key, value),))
    wanted = tuple(_is(where.key, value) for value in where.values)
    return Lacks(wanted) if where.operator in ("ne", "nin") else Has(wanted)


def is_exact(where: Filter) -> bool:
    """Whether the condition lets through what the filter does, and nothing else."""
    if not isinstance(where, Compare):
        return all(is_exact(each) for each in where.of)
    if where.operator not in ORDERINGS:
        return True
    (value,) = where.values
    return _is_number(value) and abs(value) < _LARGEST_EXACT


async def sifted(
    ask: Callable[[int], Awaitable[Sequence[Found]]], where: Filter | None, limit: int, most: int
) -> list[Hit]:
    """The best hits that the filter lets through, of those that `ask` gives for a number of them, best first.

    most: how many can be asked for. Asks for more where too many of them were let through by the condition alone.
    """
    if where is None or is_exact(where):
        return [each.hit for each in await ask(min(limit, most))]
    holds = predicate(where)
    depth = limit * 2
    while True:
        depth = min(depth, most)
        found = await ask(depth)
        good = [each.hit for each in found if holds(json.loads(each.attributes))]
        if len(good) >= limit or len(found) < depth or depth == most:
            return good[:limit]
        depth *= _DEEPER


def _is(key: str, value: Scalar) -> str:
    whole = not isinstance(value, bool) and isinstance(value, float) and value.is_integer()
    return digest(key, kind_of(value), int(value) if whole else value)


def _is_a(key: str, value: Scalar) -> str:
    return digest(key, kind_of(value))


def _is_number(value: Scalar) -> TypeGuard[float]:
    return kind_of(value) == "number"


def _near(value: float) -> float:
    """The number, or the nearest that is a float."""
    return float(min(max(value, -_FURTHEST), _FURTHEST))
