"""The least JSON value that a schema accepts: what a new provider answers until somebody writes more.

least({"$ref": "#/components/schemas/Time"}, schemas)  →  {"seconds": 0}
"""

from __future__ import annotations

from collections.abc import Mapping

from ..openapi.components import SCHEMAS, Component
from ..plan import JsonValue

_PLAIN: Mapping[str, JsonValue] = {"string": "", "integer": 0, "number": 0, "boolean": False, "array": [], "null": None}


def least(schema: object, schemas: Mapping[str, Component], depth: int = 0) -> JsonValue:
    """schemas: the document's components, flat. What nests deeper than 20, a type that needs itself, is null."""
    if not isinstance(schema, Mapping) or depth > 20:
        return None
    target = schema.get("$ref")
    if isinstance(target, str):
        found = schemas.get(target.removeprefix(SCHEMAS))
        return least(found.schema if found else None, schemas, depth + 1)
    if "const" in schema or schema.get("enum"):
        chosen: JsonValue = schema["const"] if "const" in schema else schema["enum"][0]
        return chosen
    for word in ("oneOf", "anyOf"):
        if schema.get(word):
            return least(schema[word][0], schemas, depth + 1)
    if schema.get("allOf"):
        merged: dict[str, JsonValue] = {}
        for each in (*schema["allOf"], {key: value for key, value in schema.items() if key != "allOf"}):
            part = least(each, schemas, depth + 1)
            merged |= part if isinstance(part, dict) else {}
        return merged
    return _of_type(schema, schemas, depth)


def _of_type(schema: Mapping[str, object], schemas: Mapping[str, Component], depth: int) -> JsonValue:
    kinds = schema.get("type", "object")
    kind = kinds[0] if isinstance(kinds, list) else kinds
    if kind == "string":
        length = schema.get("minLength", 0)
        return "x" * length if isinstance(length, int) else ""
    if kind in ("integer", "number"):
        lowest = schema.get("minimum", 0)
        return lowest if isinstance(lowest, int | float) else 0
    if kind == "array":
        count = schema.get("minItems", 0)
        return [least(schema.get("items"), schemas, depth + 1) for _ in range(count if isinstance(count, int) else 0)]
    if kind != "object":
        return _PLAIN.get(str(kind))
    properties, required = schema.get("properties"), schema.get("required")
    known = properties if isinstance(properties, Mapping) else {}
    return {
        str(name): least(known.get(name), schemas, depth + 1)
        for name in (required if isinstance(required, list) else [])
    }
