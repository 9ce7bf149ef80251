"""Reading JSON Schemas: references, `allOf`, and values of the wrong form as nothing."""

from __future__ import annotations

from collections.abc import Mapping

from ..plan import JsonValue

Json = Mapping[str, JsonValue]


def mapping(value: JsonValue | Json) -> Json:
    return value if isinstance(value, Mapping) else {}


def strings(value: JsonValue) -> tuple[str, ...]:
    return tuple(each for each in value if isinstance(each, str)) if isinstance(value, list) else ()


def name_of(schema: JsonValue | Json) -> str:
    """The name of the schema that a reference leads to, "" where there is none."""
    reference = mapping(schema).get("$ref")
    return reference.rpartition("/")[2] if isinstance(reference, str) else ""


def resolved(document: Json, schema: JsonValue | Json, above: frozenset[str] = frozenset()) -> Json:
    """A schema with its reference followed and its `allOf` put together. A reference that leads nowhere, or round in
    a circle, adds nothing.

    above: the references that led here.
    """
    found = mapping(schema)
    while isinstance(reference := found.get("$ref"), str):
        beside = {key: each for key, each in found.items() if key != "$ref"}
        found = {**_at(document, reference), **beside} if reference not in above else beside
        above |= {reference}
    members = found.get("allOf")
    return _together(document, found, members, above) if isinstance(members, list) else found


def _at(document: Json, reference: str) -> Json:
    """What a pointer within the document (`#/components/schemas/Model`) leads to."""
    here = document
    for step in reference.removeprefix("#/").split("/"):
        here = mapping(here.get(step.replace("~1", "/").replace("~0", "~")))
    return here


def _together(document: Json, schema: Json, members: list[JsonValue], above: frozenset[str]) -> Json:
    """All of `allOf` as one schema: properties and required names add up, else the later word counts."""
    whole: dict[str, JsonValue] = {}
    own = {key: each for key, each in schema.items() if key != "allOf"}
    for part in (*(resolved(document, each, above) for each in members), own):
        properties = {**mapping(whole.get("properties")), **mapping(part.get("properties"))}
        required = dict.fromkeys([*strings(whole.get("required")), *strings(part.get("required"))])
        whole |= part
        whole |= {"properties": properties} if properties else {}
        whole |= {"required": list(required)} if required else {}
    return whole
