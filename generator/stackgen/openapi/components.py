"""The schemas an API document uses, its shared ones included, as one flat set of components.

    {"$ref": "shared/health.yaml#/HealthStatus"}  →  {"$ref": "#/components/schemas/HealthStatus"}
                                                     HealthStatus: Component({…}, home="shared/health.yaml")

A shared file is a mapping of schemas by name. It refers to its own with `#/Name`, to another's with `other.yaml#/Name`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

SCHEMAS = "#/components/schemas/"
Where = tuple[str | int, ...]
Json = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Component:
    """A named schema with every reference in the form `#/components/schemas/Name`.

    home: the file it is written in: "" the API document itself, else "shared/<file>.yaml".
    """

    schema: Json
    home: str


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a reference. home: as in Component; where: the keys that lead to it in that file.

    name: what it refers to. known: the names that it could have.
    """

    home: str
    where: Where
    message: str
    name: str
    known: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Components:
    """What `components` found. paths: the document's `paths` with references in the one form."""

    schemas: Mapping[str, Component]
    paths: Json
    faults: tuple[Fault, ...] = ()


@dataclass(slots=True)
class _Reading:
    shared: Mapping[str, Json]
    found: dict[str, Component] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    wanted: list[tuple[str, str, str, Where]] = field(default_factory=list)
    """(home, name) referred to, and the file and place that refers."""


def components(document: Json, shared: Mapping[str, Json]) -> Components:
    """The schemas of an API document and those of shared files that it reaches. shared: by "shared/<file>.yaml"."""
    reading = _Reading(shared)
    own = _mapping(_mapping(document.get("components")).get("schemas"))
    for name, schema in own.items():
        flat = _flatten(schema, "", ("components", "schemas", name), reading)
        reading.found[name] = Component(cast("Json", flat), "")
    paths = _flatten(_mapping(document.get("paths")), "", ("paths",), reading)
    while reading.wanted:
        _take(*reading.wanted.pop(0), reading)
    return Components(reading.found, cast("Json", paths), tuple(reading.faults))


def shared_components(file: str, shared: Mapping[str, Json]) -> Components:
    """The schemas of one shared file and those of others that they reach. file: "shared/<file>.yaml"."""
    references = {name: {"$ref": f"{file}#/{name}"} for name in shared[file]}
    return components({"paths": references}, shared)


def references(schema: object) -> Iterator[str]:
    """The names of the components that a flat schema refers to, in its order."""
    if isinstance(schema, Mapping):
        target = schema.get("$ref")
        if isinstance(target, str):
            yield target.removeprefix(SCHEMAS)
        for value in schema.values():
            yield from references(value)
    elif isinstance(schema, list | tuple):
        for value in schema:
            yield from references(value)


def reachable(roots: Iterable[str], schemas: Mapping[str, Component]) -> set[str]:
    """The names that lead from `roots`, themselves included."""
    seen: set[str] = set()
    left = [name for name in roots if name in schemas]
    while left:
        name = left.pop()
        if name not in seen:
            seen.add(name)
            left += [each for each in references(schemas[name].schema) if each in schemas]
    return seen


def _take(home: str, name: str, referrer: str, where: Where, reading: _Reading) -> None:
    """Find one schema that is referred to; note what is wrong with it if it cannot be had."""
    found = reading.found.get(name)
    if found is not None and found.home == home:
        return
    if not home or name not in _mapping(reading.shared.get(home)):
        own = (each for each, component in reading.found.items() if not component.home)
        known = tuple(_mapping(reading.shared.get(home)) if home else own)
        lacking = f"there is no schema {name!r} in {home or 'this document'}"
        message = lacking if not home or home in reading.shared else f"there is no file {home}"
        reading.faults.append(Fault(referrer, where, message, name, known))
    elif found is not None:
        other = found.home or "this document"
        message = f"the schema {name!r} of {home} has the name of one in {other}"
        reading.faults.append(Fault(referrer, where, message, name))
    else:
        flat = _flatten(reading.shared[home][name], home, (name,), reading)
        reading.found[name] = Component(cast("Json", flat), home)


def _flatten(value: object, home: str, where: Where, reading: _Reading) -> object:
    """A copy with references in the one form; what they name is noted in `reading.wanted`."""
    if isinstance(value, Mapping):
        target = value.get("$ref")
        if isinstance(target, str):
            return {**value, "$ref": _reference(target, home, (*where, "$ref"), reading)}
        return {key: _flatten(each, home, (*where, key), reading) for key, each in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_flatten(each, home, (*where, index), reading) for index, each in enumerate(value)]
    return value


def _reference(target: str, home: str, where: Where, reading: _Reading) -> str:
    file, _, fragment = target.partition("#/")
    name = fragment.removeprefix("components/schemas/") if not home and not file else fragment
    to = home if not file else file if file.startswith("shared/") else f"shared/{file}"
    reading.wanted.append((to, name, home, where))
    return SCHEMAS + name


def _mapping(value: object) -> Json:
    return value if isinstance(value, Mapping) else {}
