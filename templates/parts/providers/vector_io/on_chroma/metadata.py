"""Attributes as Chroma's metadata, and filters as its conditions on them.

    {"year": 2024, "kind": "report"}        # {"n.year": 2024.0, "t.kind": "report"}
    Compare("year", "gte", 2020)            # {"n.year": {"$gte": 2020.0}}

A name says its kind, since Chroma takes 1 for true and compares nothing but numbers. The order of texts it does not
know: such a comparison lets everything through, and `marks.sifted` looks at the attributes themselves.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeAlias

from ....runtime.vector_filters import ORDERINGS, Compare, Every, kind_of

if TYPE_CHECKING:
    from ....runtime.vector_filters import Filter, Scalar

Metadata: TypeAlias = dict[str, str | float | bool | None]
Where: TypeAlias = dict[str, object]

GROUP = "group"
_NEVER: Where = {"never": {"$eq": True}}
_FURTHEST = 1e308
_LARGEST_EXACT = 2.0**53
"""Whole numbers below have a float of their own; of others there is the text too."""


def metadata_of(group: str, attributes: Mapping[str, Scalar]) -> Metadata:
    found: Metadata = {GROUP: group}
    for name, value in attributes.items():
        found |= _pairs(name, value)
    return found


def attributes_of(metadata: Mapping[str, object]) -> dict[str, object]:
    """The attributes that became this metadata."""
    found: dict[str, object] = {}
    for key, value in metadata.items():
        letter, dot, name = key.partition(".")
        if dot and not (letter == "n" and f"w.{name}" in metadata):
            found[name] = int(str(value)) if letter == "w" else value
    return found


def of_group(group: str) -> Where:
    return {GROUP: {"$eq": group}}


def condition(where: Filter) -> Where | None:
    """What the filter lets through, and more where `marks.is_exact` says no; None for everything."""
    if isinstance(where, Compare):
        return _comparison(where)
    parts = [condition(each) for each in where.of]
    narrow = [part for part in parts if part is not None]
    if isinstance(where, Every):
        return _joined("$and", narrow) if narrow else None
    return _joined("$or", narrow or [_NEVER]) if len(narrow) == len(parts) else None


def _comparison(where: Compare) -> Where | None:
    if where.operator in ORDERINGS:
        (value,) = where.values
        if kind_of(value) != "number" or abs(float(value)) >= _LARGEST_EXACT:
            return None
        return {f"n.{where.key}": {f"${where.operator}": float(value)}}
    negated = where.operator in ("ne", "nin")
    parts = [_same(where.key, value, "$ne" if negated else "$eq") for value in where.values]
    if not parts:
        return None if negated else _NEVER
    return _joined("$and" if negated else "$or", parts)


def _same(name: str, value: Scalar, sign: str) -> Where:
    # The last pair is the exact one.
    key, kept = list(_pairs(name, value).items())[-1]
    return {key: {sign: kept}}


def _pairs(name: str, value: Scalar) -> Metadata:
    if isinstance(value, bool):
        return {f"b.{name}": value}
    if isinstance(value, str):
        return {f"t.{name}": value}
    near = float(min(max(value, -_FURTHEST), _FURTHEST))
    whole = isinstance(value, int) or value.is_integer()
    return {f"n.{name}": near} | ({f"w.{name}": str(int(value))} if whole and abs(near) >= _LARGEST_EXACT else {})


def _joined(word: str, parts: list[Where]) -> Where:
    return parts[0] if len(parts) == 1 else {word: parts}
