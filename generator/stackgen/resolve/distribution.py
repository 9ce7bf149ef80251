"""One distribution, resolved: from its file to a Plan, or to everything that is wrong."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import get_args

from ..load import Document, Where
from ..plan import Config, External, JsonValue, Limit, Measure, Plan, Position, Requirement, Value
from ..problems.nearest import nearest
from ..requirements import (
    BASE,
    BASE_ASKER,
    UPLOADS,
    UPLOADS_ASKER,
    asker,
    known_externals,
    parted,
    requirement_name,
    requirements_of,
)
from .apis import Api
from .desk import Desk, mapping, sequence, text, texts
from .documents import check_documents
from .instances import Cast, Instance, python_name, read_cast
from .names import check_names
from .routes import provider_data_of, routes_of
from .samples import samples_of, variables_of
from .schemas import Property, config_schema
from .shapes import Shape, check_shape, read_shape
from .slots import holds_slot
from .values import Scope, check_defaults, cut_or_report, read_config
from .wiring import wire


def resolve(desk: Desk, name: str) -> Plan | None:
    """The Plan of a distribution; problems are left on the desk, and where there are any the Plan is not to be used."""
    document = desk.document(f"distributions/{name}.yaml")
    if document is None or not isinstance(document.data, dict):
        if document is None:
            near = nearest(name, desk.roots.names("distributions"))
            at = Position(f"distributions/{name}.yaml", 1, 1)
            desk.report("SG301", at, f"there is no distribution {name!r}", found=repr(name), nearest=near)
        return None
    data = mapping(document.data)
    if text(data.get("name")) not in ("", name):
        at = document.at("name")
        desk.report("SG205", at, "the file is named otherwise", expected=name, found=text(data.get("name")))
    scope = Scope(desk, document)
    _check_slot_places(desk, document)
    cast = read_cast(scope)
    check_names(scope, cast)
    components = wire(scope, cast)
    routes = routes_of(desk, cast)
    check_documents(desk, cast.served.values())
    server = _with_workers_that_fit(desk, _server(scope), cast)
    resources = _resources(scope, cast)
    requirements = [each for instance in cast.instances for each in instance.provider.requirements]
    base = desk.document(BASE)
    requirements += requirements_of(base, BASE_ASKER) if base else []
    if base and any(route.upload for route in routes):
        requirements += requirements_of(base, UPLOADS_ASKER, UPLOADS)
    known = known_externals(base) if base else {}
    _check_externals(desk, requirements, known)
    locked, externals = parted(requirements, known)
    return Plan(
        name=name,
        package=f"{python_name(name)}_stack",
        summary=" ".join(text(data.get("summary")).split()),
        apis=tuple(cast.served),
        components=components,
        routes=routes,
        server=server,
        provider_data=provider_data_of(desk, document, cast),
        resources=resources,
        requirements=locked,
        externals=externals,
        untyped=texts(mapping(base.data).get("untyped")) if base else (),
        budget=tuple(_limits(document)),
        samples=samples_of(desk, document, variables_of(components, server, resources)),
        origin=document.at(),
    )


def _check_externals(desk: Desk, requirements: Iterable[Requirement], known: Mapping[str, External]) -> None:
    """A package that nobody locks has one range, which base.yaml gives."""
    for each in requirements:
        name = requirement_name(each.text) or ""
        if name in known and each.text != name:
            _, position = asker(each.wanted_by[0])
            message = f"the versions of {name} are not a provider's to choose"
            desk.report("SG714", position, message, expected=f"{name}, which means {known[name].text}", found=each.text)
        if name not in known:
            for wanted_by in each.at_use:
                message = f"{name} is locked, and so there from the start on"
                desk.report("SG717", asker(wanted_by)[1], message, expected=each.text, found="at: use")


def _limits(document: Document) -> Iterator[Limit]:
    given = mapping(mapping(document.data).get("budget"))
    kinds: tuple[Measure, ...] = get_args(Measure)
    for what in kinds:
        most = given.get(what)
        if isinstance(most, int):
            yield Limit(what, most, document.at("budget", what))


def _server(scope: Scope) -> Config:
    """The `server:` section against what `base.yaml` says of every server."""
    desk = scope.desk
    base = desk.document(BASE) or Document(BASE, {})
    terms = mapping(mapping(base.data).get("server"))
    schema, shape = shaped(desk, base, ("server", "config"), text(terms.get("part")), text(terms.get("class")))
    return read_config(scope, ("server",), schema, shape, "server")


def shaped(
    desk: Desk, document: Document, where: Where, part: str, cls: str, wider: frozenset[str] = frozenset()
) -> tuple[Property, Shape | None]:
    """The schema that stands at `where`, and the dataclass of a part that it becomes, checked against each other."""
    schema = config_schema(desk, document, where)
    check_defaults(desk, schema)
    module = desk.parts.module(part) if part else None
    shape = read_shape(desk.parts, module, cls) if module else None
    if shape is not None:
        check_shape(desk, schema, shape, wider=wider)
    elif part:
        what = f"{part} has no dataclass {cls}" if desk.roots.part(part) else f"there is no part {part}"
        desk.report("SG703" if desk.roots.part(part) else "SG701", document.at(*where[:-1]), what)
    return schema, shape


# ── resources ───────────────────────────────────────────────────────────────────────────────────────────────────────


def _resources(scope: Scope, cast: Cast) -> tuple[tuple[str, tuple[Config, ...]], ...]:
    """The registered resources of every kind that an API of the distribution has."""
    given = mapping(mapping(scope.document.data).get("resources"))
    tables = {text(api.resource.get("kind")): api for api in cast.apis.values() if api.resource}
    for kind in given.keys() - tables.keys():
        at = scope.document.key("resources", kind)
        known = ", ".join(tables) or "none"
        message = f"there are no resources {kind!r} here"
        scope.desk.report("SG308", at, message, expected=known, found=kind, nearest=nearest(kind, tables))
    return tuple((kind, _of_kind(scope, cast, api, kind, sequence(given.get(kind)))) for kind, api in tables.items())


def _of_kind(scope: Scope, cast: Cast, api: Api, kind: str, entries: list[JsonValue]) -> tuple[Config, ...]:
    terms = api.resource
    keys = frozenset((text(terms.get("id")), text(terms.get("provider"))))
    where = ("x-stackgen", "resource", "schema")
    schema, shape = shaped(scope.desk, api.document, where, text(terms.get("part")), text(terms.get("class")), keys)
    for key in keys & schema.properties.keys():
        # An empty slot leaves the resource out at start-up, so these two may be null, whatever the schema says.
        rules = schema.properties[key].rules
        schema.properties[key].rules = {**rules, "type": [rules.get("type", "string"), "null"]}
    for number, entry in enumerate(entries):
        _check_owner(scope, cast, api, ("resources", kind, number, text(terms.get("provider"))), mapping(entry))
    return tuple(
        read_config(scope, ("resources", kind, number), schema, shape, f"resources.{kind}.{number}")
        for number in range(len(entries))
    )


def _check_owner(scope: Scope, cast: Cast, api: Api, where: Where, entry: Mapping[str, JsonValue]) -> None:
    """The instance that a resource names exists, in an API that this table routes."""
    said = text(entry.get(str(where[-1])))
    parts = cut_or_report(scope.desk, scope.document.at(*where), said) if holds_slot(said) else (said,)
    ids = {each.id for routed in cast.tables_of(api.name) for each in cast.of(routed.name)}
    for part in parts:
        name = part if isinstance(part, str) else part.text
        if name and name not in ids and name != "all" and len(parts) == 1:
            known = ", ".join(sorted(ids)) or "none"
            message = f"there is no provider {name!r} for it"
            at = scope.document.at(*where)
            scope.desk.report("SG307", at, message, expected=f"all, {known}", found=name, nearest=nearest(name, ids))


# ── whole-file rules ────────────────────────────────────────────────────────────────────────────────────────────────


def _with_workers_that_fit(desk: Desk, server: Config, cast: Cast) -> Config:
    """The server's section; with an instance that cannot be shared, at most one worker, whatever a start says."""
    single = next((each for each in cast.instances if each.provider.one_process), None)
    if single is None:
        return server
    return replace(server, fields=tuple((name, _one_worker(desk, name, each, single)) for name, each in server.fields))


def _one_worker(desk: Desk, name: str, field: Value | Config, single: Instance) -> Value | Config:
    if name != "workers" or not isinstance(field, Value):
        return field
    if isinstance(field.default, int) and field.default > 1 and field.origin:
        message = f"{field.default} workers, and {single.provider.type} ({single.id}) must be in one process"
        found = f"processes: one, at {single.provider.document.key('processes')}"
        desk.report("SG409", field.origin, message, expected="workers: 1", found=found)
    return replace(field, maximum=1)


def _check_slot_places(desk: Desk, document: Document) -> None:
    """Slots stand in the values of config, server and resources, and in ids; keys never hold any."""
    for where, value in _walk(document.data, ()):
        key = where[-1] if where else ""
        if isinstance(key, str) and holds_slot(key):
            message = "a key cannot come from the environment"
            desk.report("SG603", document.key(*where), message, expected="a key as it is", found=key)
        if isinstance(value, str) and holds_slot(value) and not _takes_slots(where):
            shown = ".".join(map(str, where))
            message = f"{shown} cannot come from the environment"
            desk.report("SG604", document.at(*where), message, expected="the value itself", found=value)
            desk.withdraw(("SG203", "SG204"), document.at(*where))


def _takes_slots(where: Where) -> bool:
    match where:
        case ("providers", _, int(), "id"):
            return True
        case ("providers", _, int(), "config", *_) | ("storage", "backends", _, "config", *_):
            return True
    return where[:1] in (("server",), ("resources",))


def _walk(value: JsonValue, where: Where) -> Iterator[tuple[Where, JsonValue]]:
    yield where, value
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _walk(inner, (*where, key))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _walk(inner, (*where, number))
