"""The routes of a server in, its OpenAPI document out.

    Route(api="inference", path="/v1/chat/completions", …)  →  {"paths": {"/v1/chat/completions": …}, …}

Each operation is written out at every path it is served under; the schemas they reach stand in one set of components.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence

from ..plan import Route
from . import Operation, operations, parameters
from .components import SCHEMAS, Component, Components, Json, components, reachable, references

_KEPT = frozenset({"x-public"})
"""Of our own keys, those that tell a reader something."""


def compile_openapi(
    *, title: str, description: str, apis: Mapping[str, Json], shared: Mapping[str, Json], routes: Sequence[Route]
) -> str:
    """The document of a server with these routes, as JSON text. The APIs are without faults (`faults.py`)."""
    read = {name: components(document, shared) for name, document in apis.items()}
    known = {(name, op.name): op for name, document in apis.items() for op in operations(document)}
    paths: dict[str, dict[str, object]] = {}
    taken: set[str] = set()
    for route in routes:
        operation = known[route.api, route.operation]
        item = _operation(operation, route, read[route.api], _title(route.api, apis[route.api]))
        item["operationId"] = _unique(operation, route, taken)
        paths.setdefault(route.path, {})[route.method.lower()] = item
    schemas = {name: each for found in read.values() for name, each in found.schemas.items()}
    used = sorted(reachable(references(paths), schemas))
    document = {
        "openapi": "3.1.0",
        "info": {"title": title, "version": "1", "description": description},
        "tags": [_tag(name, apis[name]) for name in dict.fromkeys(route.api for route in routes)],
        "paths": paths,
        "components": {"schemas": {name: _schema(schemas[name].schema, schemas) for name in used}},
    }
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def _operation(operation: Operation, route: Route, found: Components, tag: str) -> dict[str, object]:
    """One operation as it is served at one path."""
    item = _mapping(found.paths[operation.path])
    raw = _mapping(item[operation.method.lower()])
    given = [_schema(each, found.schemas) for each in parameters(item, raw)]
    return {
        "operationId": operation.id,
        "tags": [tag],
        **{key: raw[key] for key in ("summary", "description") if key in raw},
        **({"deprecated": True} if route.deprecated else {}),
        **{key: raw[key] for key in sorted(_KEPT & raw.keys())},
        **({"parameters": given} if given else {}),
        **{key: _schema(raw[key], found.schemas) for key in ("requestBody", "responses") if key in raw},
    }


def _unique(operation: Operation, route: Route, taken: set[str]) -> str:
    """The operationId; at an alias it says which: `listModels_v1_openai_v1`."""
    prefix = route.path.removesuffix(operation.path)
    plain = prefix == f"/{operation.level}"
    name = operation.id if plain else f"{operation.id}_{re.sub(r'[^A-Za-z0-9]+', '_', prefix).strip('_')}"
    if name in taken:
        raise ValueError(f"two routes have the operationId {name}")
    taken.add(name)
    return name


def _tag(name: str, document: Json) -> dict[str, object]:
    about = _mapping(document.get("info")).get("description")
    return {"name": _title(name, document), **({"description": about} if about else {})}


def _title(name: str, document: Json) -> str:
    return str(_mapping(document.get("info")).get("title") or name)


def _schema(value: object, schemas: Mapping[str, Component], *, names: bool = False) -> object:
    """A part of a document without our own keys, and with a mapping for every discriminator.

    names: `value` maps property names, which are not keywords even if they look like ours.
    """
    if isinstance(value, Mapping):
        kept = {
            key: _schema(each, schemas, names=key == "properties" and not names)
            for key, each in value.items()
            if names or not key.startswith("x-") or key in _KEPT
        }
        tag = _mapping(value.get("discriminator")).get("propertyName") if not names else None
        if isinstance(tag, str) and "mapping" not in _mapping(value["discriminator"]):
            kept["discriminator"] = {"propertyName": tag, "mapping": dict(_tagged(value, tag, schemas))}
        return kept
    if isinstance(value, list):
        return [_schema(each, schemas) for each in value]
    return value


def _tagged(union: Json, tag: str, schemas: Mapping[str, Component]) -> Iterator[tuple[str, str]]:
    """(constant, reference) of each member of a union told apart by the property `tag`."""
    for name in references([union.get("oneOf"), union.get("anyOf")]):
        property_ = _mapping(_mapping(schemas[name].schema.get("properties")).get(tag))
        if isinstance(constant := property_.get("const"), str):
            yield constant, SCHEMAS + name


def _mapping(value: object) -> Json:
    return value if isinstance(value, Mapping) else {}
