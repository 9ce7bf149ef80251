"""Routes, provider-data keys and the other facts of a Plan that come straight from the specs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, cast

from ..load import Document, Where
from ..openapi import Operation
from ..plan import JsonValue, Position, ProviderDataKey, Route
from .apis import Api
from .desk import Desk, mapping, sequence, text
from .instances import Cast, Instance, python_name


def routes_of(desk: Desk, cast_: Cast) -> tuple[Route, ...]:
    """Every method and path that the distribution serves, API by API."""
    found: dict[tuple[str, str], Route] = {}
    for api in cast_.served.values():
        for mount in api.mounts:
            if _nobody_offers(cast_, api, mount.operation):
                continue
            route = _route(
                cast_, api, mount.operation, mount.path, mount.level, mount.deprecated, api.document.key(*mount.where)
            )
            key = (route.method, _shape(route.path))
            first = found.setdefault(key, route)
            if first is not route:
                at = api.document.key(*mount.where)
                message = f"{route.method} {route.path} is an operation of {first.api} already"
                desk.report("SG406", at, message, found=f"the first, at {first.because}")
    return tuple(found.values())


def _nobody_offers(cast_: Cast, api: Api, operation: Operation) -> bool:
    """Whether the one provider of an API without a router leaves this operation out."""
    if api.router or not operation.capability:
        return False
    return not any(operation.capability in each.provider.capabilities for each in cast_.of(api.name))


def provider_data_of(desk: Desk, document: Document, cast_: Cast) -> tuple[ProviderDataKey, ...]:
    """The names that clients may send in the provider-data header, sorted. document: the distribution's."""
    formats: dict[str, tuple[str, Position]] = {}
    types: dict[str, dict[str, None]] = {}
    for each in cast_.instances:
        for name, said, at in _keys_of(document, each):
            first, where = formats.setdefault(name, (said, at))
            if first != said:
                message = f"the provider-data key {name!r} has two formats"
                desk.report("SG410", at, message, expected=f"{first}, as at {where}", found=said)
            types.setdefault(name, {})[each.provider.type] = None
    return tuple(
        ProviderDataKey(
            name, cast("Literal['password', 'uri', 'string', 'object']", formats[name][0]), tuple(types[name])
        )
        for name in sorted(formats)
    )


def _keys_of(document: Document, instance: Instance) -> Iterator[tuple[str, str, Position]]:
    """The provider-data keys of one instance, with format and place: its provider's, and those its config names."""
    spec = instance.provider.document
    for name, terms in instance.provider.section("provider_data").items():
        yield name, text(mapping(terms).get("format")) or "string", spec.key("provider_data", name)
    for setting, prop in instance.provider.schema.properties.items():
        if prop.rules.get("x-provider-data") == "keys":
            where = (*instance.where, "config", setting)
            for name in mapping(_node(document, where)):
                yield name, "password", document.key(*where, name)


def _node(document: Document, where: Where) -> JsonValue:
    node: JsonValue = document.data
    for step in where:
        node = mapping(node).get(step) if isinstance(step, str) else sequence(node)[step]
    return node


def _route(
    cast_: Cast, api: Api, operation: Operation, path: str, level: str, deprecated: bool, because: Position
) -> Route:
    able = [
        each
        for each in cast_.of(api.name)
        if not operation.capability or operation.capability in each.provider.capabilities
    ]
    return Route(
        api=api.name,
        method=operation.method,
        path=path,
        component=python_name(api.name),
        operation=operation.name,
        request=operation.request,
        has_body=operation.has_body,
        upload=operation.form,
        download=operation.download,
        relay=operation.relay,
        stream=operation.stream,
        level=level,
        deprecated=deprecated,
        public=operation.public,
        provider_data=operation.provider_data,
        greedy=operation.greedy,
        query=operation.query,
        errors=cast(
            "Literal['openai']", text(mapping(mapping(api.document.data).get("x-stackgen")).get("errors")) or "openai"
        ),
        provider_types=tuple(dict.fromkeys(each.provider.type for each in able)),
        because=because,
    )


def _shape(path: str) -> str:
    """A path with its parameters unnamed: `/v1/models/{model}` and `/v1/models/{id}` are one."""
    return "/".join("{}" if step.startswith("{") else step for step in path.split("/"))
