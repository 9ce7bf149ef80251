"""What is wrong in, or between, the API documents of one server, beyond what their schema says.

{"$ref": "shared/error.yaml#/Eror"}  →  Fault(kind="reference", file="apis/models.yaml", where=(…, "$ref"), …)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from . import camel_case, operations
from .components import Component, Components, Json, Where, components

Place = tuple[str, Where]
"""A file below the specs' root, like "apis/shared/error.yaml", and the keys that lead to a place in it."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong.

    kind: a reference that leads nowhere, one component name with two contents, one operation name for two operations.
    found: the name in question. known: the names that a reference could have. first: what has the name already.
    """

    kind: Literal["reference", "component", "operation"]
    at: Place
    message: str
    found: str
    known: tuple[str, ...] = ()
    first: Place | None = None


def faults(apis: Mapping[str, Json], shared: Mapping[str, Json]) -> list[Fault]:
    """Each fault once. apis: by name, in the order of the distribution. shared: by "shared/<file>.yaml"."""
    read = {name: components(document, shared) for name, document in apis.items()}
    return list(
        dict.fromkeys(
            [*_references(read), *_component_clashes(read), *_protocol_clashes(read, apis), *_operation_clashes(apis)]
        )
    )


def _references(read: Mapping[str, Components]) -> Iterator[Fault]:
    for api, found in read.items():
        for each in found.faults:
            yield Fault("reference", (_file(api, each.home), each.where), each.message, each.name, each.known)


def _component_clashes(read: Mapping[str, Components]) -> Iterator[Fault]:
    seen: dict[str, tuple[Component, Place]] = {}
    for api, found in read.items():
        for name, each in found.schemas.items():
            where: Where = (name,) if each.home else ("components", "schemas", name)
            place = (_file(api, each.home), where)
            known, first = seen.setdefault(name, (each, place))
            if known.schema != each.schema:
                message = f"{name} is another schema than the one of this name in {first[0]}"
                yield Fault("component", place, message, name, first=first)


def _protocol_clashes(read: Mapping[str, Components], apis: Mapping[str, Json]) -> Iterator[Fault]:
    """Schemas that have the name of a class which the contract has anyway: one for the API, one per capability."""
    for api, found in read.items():
        capabilities = {each.capability for each in operations(apis[api]) if each.capability}
        for name in sorted({camel_case(api), *map(camel_case, capabilities)} & found.schemas.keys()):
            place: Place = (_file(api, ""), ("components", "schemas", name))
            yield Fault("component", place, f"{name} is also what the contract calls the API or a capability", name)


def _operation_clashes(apis: Mapping[str, Json]) -> Iterator[Fault]:
    seen: dict[str, tuple[str, Place]] = {}
    for api, document in apis.items():
        methods: dict[str, tuple[str, Place]] = {}
        for each in operations(document):
            place: Place = (f"apis/{api}.yaml", (*each.where, "operationId"))
            _, first = seen.setdefault(each.id, (each.id, place))
            twin, method = methods.setdefault(each.name, (each.id, place))
            if first != place:
                message = f"another operation of {first[0]} has the operationId {each.id!r}"
                yield Fault("operation", place, message, each.id, first=first)
            elif method != place:
                message = f"the operationId {each.id!r} is {each.name} in Python, as is {twin!r}"
                yield Fault("operation", place, message, each.id, first=method)


def _file(api: str, home: str) -> str:
    return f"apis/{home or api + '.yaml'}"
