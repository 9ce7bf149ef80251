"""Values that an API document allows: the largest there is, and arbitrary ones for hypothesis."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st
from stackgen.openapi.components import Component

Schemas = Mapping[str, Component]

EXTRA = {"an_extra": {"nested": [1, None, "x"]}}
_LETTERS = st.characters(exclude_categories=["Cs"])
_TEXT = st.text(_LETTERS, max_size=8)
_SCALARS: Mapping[str, st.SearchStrategy[Any]] = {
    "null": st.none(),
    "boolean": st.booleans(),
}


def everything(schema: Mapping[str, Any], schemas: Schemas, within: tuple[str, ...] = ()) -> list[Any]:
    """Values that between them use every property and every member of every union.

    Each object has one property more, which no document knows. within: the schemas that this one stands in, whose
    values hold no second one of theirs.
    """
    if "$ref" in schema:
        name = schema["$ref"]
        return [] if name in within else everything(target(schema, schemas), schemas, (*within, name))
    for key in ("oneOf", "anyOf"):
        if key in schema:
            return [value for member in schema[key] for value in everything(member, schemas, within)]
    if "enum" in schema or "const" in schema:
        return list(schema.get("enum", [schema.get("const")]))
    types = schema["type"] if isinstance(schema.get("type"), list) else [schema.get("type")]
    return [value for each in types for value in _everything_of(each, schema, schemas, within)]


def _everything_of(kind: str | None, schema: Mapping[str, Any], schemas: Schemas, within: tuple[str, ...]) -> list[Any]:
    if kind == "object":
        return _objects(schema, schemas, within)
    if kind == "array":
        items = everything(schema["items"], schemas, within)
        return [items[at : at + schema.get("maxItems", 50)] for at in range(0, len(items), schema.get("maxItems", 50))]
    if kind == "string":
        return ["some_text" if "pattern" in schema else "täxt"]
    if kind in ("integer", "number"):
        least, most = schema.get("minimum", 0), schema.get("maximum", 7)
        return sorted({int(least), int(most)}) if kind == "integer" else [least, most, (least + most) / 2]
    return [None] if kind == "null" else [True, False]


def _objects(schema: Mapping[str, Any], schemas: Schemas, within: tuple[str, ...]) -> list[Any]:
    choices = {name: everything(each, schemas, within) for name, each in schema.get("properties", {}).items()}
    further = schema.get("additionalProperties")
    if isinstance(further, Mapping) and further:
        found = everything(further, schemas, within)
        return [{"a": found[0], "b": found[-1]}]
    count = max((len(each) for each in choices.values()), default=1)
    return [{**{name: each[at % len(each)] for name, each in choices.items()}, **EXTRA} for at in range(count)]


def values(schema: Mapping[str, Any], schemas: Schemas) -> st.SearchStrategy[Any]:
    """Arbitrary values that fit a schema."""
    if "$ref" in schema:
        return st.deferred(lambda: values(target(schema, schemas), schemas))
    for key in ("oneOf", "anyOf"):
        if key in schema:
            return st.one_of([values(each, schemas) for each in schema[key]])
    if "enum" in schema or "const" in schema:
        return st.sampled_from(schema.get("enum", [schema.get("const")]))
    types = schema["type"] if isinstance(schema.get("type"), list) else [schema.get("type")]
    return st.one_of([_values_of(each, schema, schemas) for each in types])


def _values_of(kind: str | None, schema: Mapping[str, Any], schemas: Schemas) -> st.SearchStrategy[Any]:
    if kind == "object":
        return _mappings(schema, schemas)
    if kind == "array":
        least = schema.get("minItems", 0)
        return st.lists(
            values(schema["items"], schemas), min_size=least, max_size=min(least + 2, schema.get("maxItems", 9))
        )
    if kind == "string":
        if "pattern" in schema:
            return st.from_regex(schema["pattern"], fullmatch=False)
        return st.text(_LETTERS, min_size=schema["minLength"], max_size=8) if "minLength" in schema else _TEXT
    if kind in ("integer", "number"):
        least, most = schema.get("minimum", -(2**31)), schema.get("maximum", 2**31)
        return st.integers(int(least), int(most)) if kind == "integer" else st.floats(least, most)
    return _SCALARS[kind or "null"]


def _mappings(schema: Mapping[str, Any], schemas: Schemas) -> st.SearchStrategy[Any]:
    named = {name: values(each, schemas) for name, each in schema.get("properties", {}).items()}
    required = {name: each for name, each in named.items() if name in schema.get("required", ())}
    optional = {name: each for name, each in named.items() if name not in required}
    further = schema.get("additionalProperties")
    if isinstance(further, Mapping):
        return st.dictionaries(_TEXT, values(further, schemas), max_size=2)
    return st.fixed_dictionaries(required, optional={**optional, "unknown": st.just([1])})


def target(schema: Mapping[str, Any], schemas: Schemas) -> Mapping[str, Any]:
    """What a reference names."""
    found: Mapping[str, Any] = schemas[schema["$ref"].rsplit("/", 1)[-1]].schema
    return found
