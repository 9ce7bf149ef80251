"""Whether function calls are the expected ones, by the rules of the Berkeley Function-Calling Leaderboard's AST check.

A right answer names, for each argument, the values that it may have; an empty text among them says that it may be left
out. Texts are compared without case, blanks and the marks `,./-_*^`. A whole number may stand for a number.
Source: Yan et al., Berkeley Function Calling Leaderboard, 2024, and the description of its categories.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from .reading import Call

Json: TypeAlias = Mapping[str, object]

_MARKS = re.compile(r"[ ,./\-_*^]")
_OPTIONAL = ""


def right(calls: Sequence[Call], functions: Sequence[Json], truth: Sequence[Json], *, textual: bool) -> bool:
    """Whether each expected call was made, in whatever order, and no other.

    functions: what the model was told there is. truth: for each call {name: {argument: [values]}}. textual: whether
    values were written in a language whose values are texts here (Java, JavaScript).
    """
    if len(calls) != len(truth):
        return False
    left = list(calls)
    for each in truth:
        made = next((call for call in left if _fits(call, functions, each, textual=textual)), None)
        if made is None:
            return False
        left.remove(made)
    return True


def _fits(call: Call, functions: Sequence[Json], truth: Json, *, textual: bool) -> bool:
    name, arguments = call
    for expected, allowed in truth.items():
        if not _same_name(name, expected) or not isinstance(allowed, Mapping):
            continue
        parameters = _parameters(expected, functions)
        properties, required = parameters.get("properties"), parameters.get("required")
        known = properties if isinstance(properties, Mapping) else {}
        if isinstance(required, Sequence) and any(each not in arguments for each in required):
            return False
        for argument, value in arguments.items():
            values = allowed.get(argument)
            described = known.get(argument)
            if not isinstance(values, Sequence) or (known and described is None):
                return False
            kind = described if isinstance(described, Mapping) else {}
            if not any(_equal(value, each, kind, textual=textual) for each in values):
                return False
        return all(
            argument in arguments or (isinstance(values, Sequence) and _OPTIONAL in values)
            for argument, values in allowed.items()
        )
    return False


def _same_name(said: str, expected: str) -> bool:
    """Many services allow no dots in names, so that models are given underscores."""
    return said == expected or said.replace(".", "_") == expected.replace(".", "_")


def _parameters(name: str, functions: Sequence[Json]) -> Json:
    for each in functions:
        if each.get("name") == name and isinstance(found := each.get("parameters"), Mapping):
            return found
    return {}


def _equal(value: object, allowed: object, kind: Json, *, textual: bool) -> bool:
    """Whether an argument is one of its allowed values. kind: the schema of it."""
    said = kind.get("type")
    if textual and isinstance(allowed, str) and not isinstance(value, str):
        value = _written(value)
    if isinstance(value, bool) or isinstance(allowed, bool):
        return value is allowed
    if isinstance(value, str) and isinstance(allowed, str):
        return _standard(value) == _standard(allowed)
    if isinstance(value, int | float) and isinstance(allowed, int | float):
        return value == allowed and not (said == "integer" and isinstance(value, float))
    if isinstance(value, list | tuple) and isinstance(allowed, list | tuple):
        inner = kind.get("items")
        item = inner if isinstance(inner, Mapping) else {}
        return len(value) == len(allowed) and all(
            _equal(one, other, item, textual=textual) for one, other in zip(value, allowed, strict=True)
        )
    if isinstance(value, Mapping) and isinstance(allowed, Mapping):
        return _equal_objects(value, allowed, kind, textual=textual)
    return value is None and allowed is None


def _equal_objects(value: Json, allowed: Json, kind: Json, *, textual: bool) -> bool:
    """Of an object each member has a list of values that it may have."""
    properties = kind.get("properties")
    known = properties if isinstance(properties, Mapping) else {}
    for name, each in value.items():
        values = allowed.get(name)
        item = known.get(name)
        inner = item if isinstance(item, Mapping) else {}
        if name not in allowed:
            return False
        choices = values if isinstance(values, list) else [values]
        if not any(_equal(each, choice, inner, textual=textual) for choice in choices):
            return False
    return all(name in value or (isinstance(values, list) and _OPTIONAL in values) for name, values in allowed.items())


def _standard(text: str) -> str:
    return _MARKS.sub("", text).lower().replace("'", '"')


def _written(value: object) -> str:
    """A value as Java and JavaScript write it."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return str(value)
