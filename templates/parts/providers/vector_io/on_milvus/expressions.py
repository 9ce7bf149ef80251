"""Conditions as Milvus's expressions. Whatever stands in quotes is a hash: nothing in it is to be escaped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..marks import AllOf, AnyOf, Has, Within, digest

if TYPE_CHECKING:
    from ..marks import Condition

_SIGNS = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
_EVERY, _NONE = 'id != ""', 'id == ""'


def expression(where: Condition) -> str:
    if isinstance(where, AllOf | AnyOf):
        parts = [f"({expression(each)})" for each in where.of]
        if isinstance(where, AllOf):
            return " and ".join(parts) or _EVERY
        return " or ".join(parts) or _NONE
    if isinstance(where, Within):
        return f'numbers["{where.name}"] {_SIGNS[where.sign]} {where.value!r}'
    if not where.marks:
        return _NONE if isinstance(where, Has) else _EVERY
    listed = ", ".join(f'"{mark}"' for mark in where.marks)
    marked = f"array_contains_any(marks, [{listed}])"
    return marked if isinstance(where, Has) else f"not ({marked})"


def group_of(group: str) -> str:
    """What a row has in `grp`."""
    return digest("group", group)


def is_group(group: str) -> str:
    return f'grp == "{group_of(group)}"'


def lacks_labels(group: str, labels: str) -> str:
    """The rows of a group whose labels are others. labels: their hash."""
    return f'{is_group(group)} and labels != "{labels}"'
