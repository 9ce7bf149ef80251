"""Specs against their JSON Schemas, errors as problems at the offending node.

Validators are compiled once and only for the kinds in use, which keeps a build within its two seconds.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError, best_match
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from .load import Document
from .problems import Problem
from .problems.nearest import nearest

_TYPES = {
    "object": "a mapping",
    "array": "a list",
    "string": "a text",
    "integer": "an integer",
    "number": "a number",
    "boolean": "true or false",
    "null": "null",
}


class Schemas:
    """The schemas of a folder, by kind: "api", "provider", "distribution", …; they may refer to one another."""

    def __init__(self, folder: Path) -> None:
        files = {path.name: json.loads(path.read_text("utf-8")) for path in sorted(folder.glob("*.schema.json"))}
        self._schemas: dict[str, Any] = files
        resources = [(name, DRAFT202012.create_resource(schema)) for name, schema in files.items()]
        self._registry = Registry[Any]().with_resources(resources)
        self._validators: dict[str, Draft202012Validator] = {}

    def check(self, document: Document, kind: str) -> list[Problem]:
        """What is wrong with the form of a document."""
        if kind not in self._validators:
            schema = self._schemas[f"{kind}.schema.json"]
            self._validators[kind] = Draft202012Validator(schema, registry=self._registry)
        errors = self._validators[kind].iter_errors(document.data)
        return [problem for error in errors for problem in _problems(document, error)]


def kind_of(value: object) -> str:
    """A value's type as messages call it."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return f"the number {value}"
    if isinstance(value, str):
        return f"the text {_short(value)}"
    kind = "mapping" if isinstance(value, dict) else "list"
    return f"a {kind}" if value else f"an empty {kind}"


def type_words(types: str | Iterable[str]) -> str:
    """JSON Schema's type names as messages say them."""
    names = [types] if isinstance(types, str) else list(types)
    return " or ".join(_TYPES.get(name, name) for name in names)


def _problems(document: Document, error: ValidationError) -> Iterator[Problem]:
    where = tuple(error.absolute_path)
    rule: Any = error.validator
    wanted: Any = error.validator_value
    found: Any = error.instance
    if "propertyNames" in list(error.relative_schema_path)[-3:-1]:
        yield Problem("SG204", document.key(*where, found), f"{found!r} cannot be a name here", _rule(error))
    elif rule == "additionalProperties":
        yield from _unknown(document, error)
    elif rule == "required":
        for name in (name for name in wanted if name not in found):
            if f"{name!r} is a required" in error.message:
                yield Problem("SG202", document.key(*where), f"{name} is missing", expected=f"the key {name!r}")
    elif rule == "type":
        at = document.at(*where)
        yield Problem("SG203", at, f"{_name(where)} has the wrong type", type_words(wanted), kind_of(found))
    elif rule in ("anyOf", "oneOf") and error.context:
        best = best_match(error.context)
        yield from _problems(document, best if best is not None else error)
    else:
        yield _not_allowed(document, error)


def _unknown(document: Document, error: ValidationError) -> Iterator[Problem]:
    where = tuple(error.absolute_path)
    schema: Any = error.schema
    found: Any = error.instance
    known = schema.get("properties", {})
    patterns = schema.get("patternProperties", {})
    for key in found:
        if key not in known and not any(_matches(pattern, key) for pattern in patterns):
            yield Problem(
                "SG201",
                document.key(*where, key),
                f"unknown key {key!r}{f' in {_name(where)}' if where else ''}",
                expected=_listing(known),
                nearest=nearest(key, known),
            )


def _not_allowed(document: Document, error: ValidationError) -> Problem:
    where = tuple(error.absolute_path)
    found: Any = error.instance
    wanted: Any = error.validator_value
    near = None
    if error.validator == "enum" and isinstance(found, str):
        near = nearest(found, [each for each in wanted if isinstance(each, str)])
    at = document.at(*where)
    return Problem("SG204", at, f"{_name(where)} has a value that is not allowed", _rule(error), kind_of(found), near)


def _rule(error: ValidationError) -> str:
    """What the violated keyword asks for, in words."""
    wanted: Any = error.validator_value
    schema: Any = error.schema
    match error.validator:
        case "enum":
            return f"one of {', '.join(map(str, wanted))}"
        case "const":
            return str(wanted)
        case "minimum":
            return f"{wanted} or more"
        case "maximum":
            return f"{wanted} or less"
        case "minLength" | "minItems" | "minProperties":
            return f"at least {wanted}"
        case "uniqueItems":
            return "each item once"
        case "pattern":
            return str(schema.get("x-says") or f"text like {wanted}")
        case "not":
            return "nothing beside the other keys"
    return error.message


def _name(where: tuple[str | int, ...]) -> str:
    shown = ""
    for step in where:
        shown += f"[{step}]" if isinstance(step, int) else f".{step}" if shown else str(step)
    return shown or "the file"


def _listing(names: Iterable[str]) -> str:
    known = list(names)
    return f"one of {', '.join(known)}" if known else "no key"


def _matches(pattern: str, key: str) -> bool:
    return re.search(pattern, key) is not None


def _short(value: str) -> str:
    shown = repr(value)
    return shown if len(shown) <= 60 else f"{shown[:57]}…"
