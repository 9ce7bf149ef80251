"""Values that a schema of an OpenAPI document describes, made from the document alone.

document = Document.read(package / "openapi.json")
for request in document.samples("CreateChatCompletionRequest"):   # few, and together everything there is
    …
document.validator("CreateChatCompletionRequest").is_valid(request)   # as jsonschema sees it
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator, TypeChecker
from jsonschema.protocols import Validator
from jsonschema.validators import extend

Schema = Mapping[str, Any]
Place = tuple[int | str, ...]

# What no document describes, at every depth; with what a careless re-serialisation would change.
EXTRA = {"x_extra": {"deep": [1, 2.5, 1e-7, None, {"Ünïcode \u2028": '\\ / " \U0001f600'}]}}
TEXT = 'text: "é" \\ / \n'


def _is_integer(checker: TypeChecker, value: object) -> bool:
    """Not 1.0, which JSON Schema counts among the integers and most services do not."""
    return isinstance(value, int) and not isinstance(value, bool)


_CHECKER = Draft202012Validator.TYPE_CHECKER.redefine("integer", _is_integer)
_Strict: type[Validator] = extend(Draft202012Validator, type_checker=_CHECKER)  # type: ignore[no-untyped-call]  # typeshed has none


@dataclass(frozen=True, slots=True)
class Document:
    """An OpenAPI document."""

    content: Mapping[str, Any]

    @classmethod
    def read(cls, file: Path) -> Document:
        return cls(json.loads(file.read_bytes()))

    @property
    def schemas(self) -> Mapping[str, Schema]:
        found: Mapping[str, Schema] = self.content["components"]["schemas"]
        return found

    def validator(self, name: str) -> Validator:
        """Of the schema of that name."""
        return _Strict({"$ref": f"#/components/schemas/{name}", "components": self.content["components"]})

    def with_optional_nulls(self) -> Document:
        """The document as it is meant for requests: an optional property may be null, which says that it is absent."""
        content = copy.deepcopy(dict(self.content))
        for schema in _objects(content["components"]["schemas"]):
            required = schema.get("required", ())
            for name, described in schema["properties"].items():
                if name not in required:
                    schema["properties"][name] = {"anyOf": [described, {"type": "null"}]}
        return Document(content)

    def samples(self, name: str) -> list[Any]:
        """Values of a schema that together have every property, every branch, every fixed value and every limit."""
        return self._samples(self.schemas[name])

    def properties(self, name: str) -> dict[str, list[Any]]:
        """The samples of each property of a schema."""
        return {key: self._samples(schema) for key, schema in self.schemas[name]["properties"].items()}

    def _samples(self, schema: Schema) -> list[Any]:
        if "$ref" in schema:
            return self.samples(schema["$ref"].rpartition("/")[2])
        if "const" in schema:
            return [schema["const"]]
        if "enum" in schema:
            return list(schema["enum"])
        for union in ("oneOf", "anyOf"):
            if union in schema:
                return [sample for branch in schema[union] for sample in self._samples(branch)]
        kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
        return [sample for kind in kinds for sample in self._of_type(kind, schema)]

    def _of_type(self, kind: str, schema: Schema) -> list[Any]:
        match kind:
            case "object":
                return self._of_object(schema)
            case "array":
                return _lists(self._samples(schema["items"]), schema)
            case "string":
                return [_text(schema)]
            case "integer":
                return _limits(schema, int) or [7]
            case "number":
                return [*_limits(schema, float), 0.5]
            case "boolean":
                return [True, False]
            case _:
                return [None]

    def _of_object(self, schema: Schema) -> list[Any]:
        if "properties" in schema:
            choices = {name: self._samples(described) for name, described in schema["properties"].items()}
            count = max(map(len, choices.values()))
            return [{name: c[i % len(c)] for name, c in choices.items()} | EXTRA for i in range(count)]
        values = schema.get("additionalProperties", True)
        return [EXTRA] if values is True else [{f"key {i}": value for i, value in enumerate(self._samples(values))}]


def _objects(node: Any) -> Iterator[dict[str, Any]]:
    """Every schema with properties."""
    if isinstance(node, dict):
        if isinstance(node.get("properties"), dict):
            yield node
        for value in node.values():
            yield from _objects(value)
    elif isinstance(node, list):
        for value in node:
            yield from _objects(value)


def _lists(items: list[Any], schema: Schema) -> list[Any]:
    """Lists that hold all the items, none longer than it may be."""
    most = min(schema.get("maxItems", len(items)), len(items)) or 1
    return [items[start : start + most] for start in range(0, len(items), most)]


def _text(schema: Schema) -> str:
    if "maxLength" in schema:
        return "é" * int(schema["maxLength"])
    if "pattern" in schema:
        # The only one there is: the type of a tool that is no `function` and no `custom`.
        assert re.search(schema["pattern"], "browser_search")
        return "browser_search"
    return TEXT


def _limits(schema: Schema, convert: type[int] | type[float]) -> list[Any]:
    return [convert(schema[name]) for name in ("minimum", "maximum") if name in schema]


# ── values that may be wrong ────────────────────────────────────────────────────────────────────────────────────────

_OTHERS: tuple[Any, ...] = (
    None,
    True,
    0,
    -1,
    1,
    1.5,
    1e9,
    129,
    "",
    "1",
    "x" * 65,
    [],
    [None],
    ["a"],
    {},
    {"type": "x"},
)


def mutations(value: Any) -> Iterator[tuple[Place, Any]]:
    """(place, the value with something else there), for every place within and many things that could stand there."""
    for place in _places(value, ()):
        for other in (*_OTHERS, *_neighbours(_at(value, place))):
            yield place, _replaced(value, place, other)
        if place and isinstance(place[-1], str):
            yield place, _without(value, place)


def _neighbours(value: Any) -> Iterator[Any]:
    """What lies just beyond."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        yield from (value + 1, value - 1, value + 0.001, value - 0.001, str(value))
    elif isinstance(value, str):
        yield from (value + "é", value.upper())
    elif isinstance(value, list):
        yield from (value * 5, value * 130, [*value, None])


def _places(value: Any, above: Place) -> Iterator[Place]:
    yield above
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, below in steps:
        if step not in EXTRA:
            yield from _places(below, (*above, step))


def _at(value: Any, place: Place) -> Any:
    for step in place:
        value = value[step]
    return value


def _replaced(value: Any, place: Place, other: Any) -> Any:
    if not place:
        return other
    made = copy.copy(value)
    made[place[0]] = _replaced(value[place[0]], place[1:], other)
    return made


def _without(value: Any, place: Place) -> Any:
    made = copy.deepcopy(value)
    del _at(made, place[:-1])[place[-1]]
    return made
