"""From the cast of a distribution to components in the order they are built."""

from __future__ import annotations

from collections.abc import Iterator

from ..plan import Argument, Component, Config, Fact, Instances, JsonValue, Literal_, Position, Ref
from ..problems.nearest import nearest
from .apis import STORAGE, Api
from .desk import Desk, mapping, text, texts
from .instances import Cast, Instance, python_name
from .openers import check_contract, check_keywords, read_opener
from .schemas import Property
from .values import Scope, read_config


def wire(scope: Scope, cast: Cast) -> tuple[Component, ...]:
    """Every component of the distribution, each after those it is given."""
    made = [_instance(scope, cast, each) for each in cast.instances]
    made += [_router(scope, cast, api) for name, api in cast.apis.items() if api.router and name not in cast.unused]
    _check_backends_used(scope, made)
    return _ordered(scope.desk, made)


def serving(cast: Cast, api: str) -> Ref | None:
    """The component that is an API: its router, or its one instance; None if it has none."""
    found = cast.apis.get(api)
    instances = cast.of(api)
    if found is None or not (instances or found.router):
        return None
    return Ref(python_name(api), optional=bool(not found.router and instances[0].gate))


def _instance(scope: Scope, cast: Cast, instance: Instance) -> Component:
    provider = instance.provider
    path = f"providers.{instance.api}.{instance.id}" if instance.role != "backend" else f"storage.{instance.id}"
    where = (*instance.where, "config") if instance.where else ("no", "entry")
    config: Config | None = read_config(scope, where, provider.schema, provider.shape, path)
    arguments: list[tuple[str, Argument]] = [
        (name, Literal_(value)) for name, value in provider.section("arguments").items()
    ]
    arguments += [(name, _fact(scope, cast, instance, name)) for name in provider.section("takes")]
    arguments += list(_other_apis(scope, cast, instance))
    arguments += [(name, _backend(scope, cast, instance, name, prop)) for name, prop in provider.backends.items()]
    return Component(
        name=instance.name,
        api=instance.api,
        id=instance.id,
        type=provider.type,
        role=instance.role,
        part=provider.part,
        opener=provider.open,
        contexts=provider.opener.contexts if provider.opener else True,
        gate=instance.gate,
        config=config if provider.takes_config else None,
        arguments=tuple(arguments),
        capabilities=provider.capabilities,
        lacks=_lacks(cast, instance),
        because=instance.because,
    )


def _lacks(cast: Cast, instance: Instance) -> tuple[str, ...]:
    api = cast.apis.get(instance.api)
    if api is None or api.router:
        return ()
    return tuple(each for each in api.capabilities if each not in instance.provider.capabilities)


def _fact(scope: Scope, cast: Cast, instance: Instance, keyword: str) -> Argument:
    said = text(instance.provider.section("takes").get(keyword))
    name, _, kind = said.partition(":")
    if name == "instances" and kind not in scope.desk.roots.names("apis"):
        at = instance.provider.document.at("takes", keyword)
        near = nearest(kind, scope.desk.roots.names("apis"))
        scope.desk.report("SG302", at, f"there is no API {kind!r}", found=said, nearest=near)
    if name == "resources" and kind not in cast.kinds:
        at = instance.provider.document.at("takes", keyword)
        message = f"there are no resources {kind!r} here"
        scope.desk.report(
            "SG308", at, message, expected=", ".join(cast.kinds), found=said, nearest=nearest(kind, cast.kinds)
        )
    match name:
        case "id":
            return Literal_(instance.id)
        case "instances":
            return Instances(tuple((each.id, _ref(each)) for each in cast.of(kind)))
        case "resources":
            return Fact("resources", kind)
        case "routes" | "listing" | "version" | "accounts":
            return Fact(name)
    return Literal_(None)  # the schema has told of it


def _other_apis(scope: Scope, cast: Cast, instance: Instance) -> Iterator[tuple[str, Argument]]:
    document = instance.provider.document
    for section in ("needs", "uses"):
        for api, terms in instance.provider.section(section).items():
            found = serving(cast, api)
            at = document.key(section, api)
            if found is None and section == "needs":
                known = scope.desk.document(f"apis/{api}.yaml") is not None
                _missing(scope, instance, api, at, known)
            if found is not None and found.optional and section == "needs":
                message = f"{instance.id} needs {api}, whose provider may be absent"
                scope.desk.report("SG402", instance.because, message, expected=f"a provider of {api} without a gate")
            if found is not None:
                _check_offered(scope, cast, instance, api, at, texts(mapping(terms).get("capabilities")))
            yield api, found or Literal_(None)


def _missing(scope: Scope, instance: Instance, api: str, at: Position, known: bool) -> None:
    if not known:
        names = scope.desk.roots.names("apis")
        scope.desk.report("SG302", at, f"there is no API {api!r}", found=repr(api), nearest=nearest(api, names))
        return
    message = f"{instance.provider.type} needs {api}, and this distribution has none"
    found = f"{at} asks for it"
    scope.desk.report("SG402", instance.because, message, expected=f"a provider under providers.{api}", found=found)


def _check_offered(
    scope: Scope, cast: Cast, instance: Instance, api: str, at: Position, wanted: tuple[str, ...]
) -> None:
    offered = {name for each in cast.of(api) for name in each.provider.capabilities}
    for name in wanted:
        known = cast.apis[api].capabilities
        if name not in known:
            near = nearest(name, known)
            scope.desk.report("SG306", at, f"{api} has no capability {name!r}", expected=", ".join(known), nearest=near)
        elif name not in offered:
            message = f"{instance.provider.type} needs {api} with {name}, and no provider of {api} here offers it"
            found = ", ".join(sorted(offered)) or "nothing"
            scope.desk.report("SG403", instance.because, message, expected=name, found=found)


def _backend(scope: Scope, cast: Cast, instance: Instance, name: str, prop: Property) -> Argument:
    """The backend that a config property names."""
    config = (*instance.where, "config")
    node: JsonValue = scope.document.data
    for step in config:
        node = mapping(node).get(step) if isinstance(step, str) else (node[step] if isinstance(node, list) else None)
    given = mapping(node)
    at = scope.document.at(*config, name) if name in given else instance.because
    backends = {each.id: each for each in cast.of(STORAGE)}
    said = given.get(name, prop.rules.get("default"))
    if name not in given and prop.nullable and said not in backends:
        return Literal_(None)
    if said is None:
        if not prop.nullable:
            path = f"providers.{instance.api}.{instance.id}.{name}"
            asked = f"the name of a {prop.backend} backend"
            scope.desk.report("SG502", at, f"{path} is missing", expected=asked)
        return Literal_(None)
    found = backends.get(said) if isinstance(said, str) else None
    if found is None:
        asked = f"a {prop.backend} backend: one of {', '.join(backends) or 'none, storage.backends is empty'}"
        near = nearest(str(said), backends)
        scope.desk.report("SG304", at, f"there is no backend {said!r}", expected=asked, found=repr(said), nearest=near)
        return Literal_(None)
    if prop.backend not in found.provider.capabilities:
        message = f"the backend {said!r} is no {prop.backend} store"
        offers = ", ".join(found.provider.capabilities) or "nothing"
        scope.desk.report("SG304", at, message, expected=prop.backend, found=offers)
    return _ref(found)


def _router(scope: Scope, cast: Cast, api: Api) -> Component:
    desk = scope.desk
    part, name = text(api.router.get("part")), text(api.router.get("open"))
    at = api.document.at("x-stackgen", "router", "open")
    opener = read_opener(desk, at, part, name)
    table = serving(cast, api.table)
    because = _listed(scope, api.name)
    if table is None:
        message = f"{api.name} is routed by {api.table}, which this distribution does not have"
        desk.report("SG402", because, message, expected=f"{api.table} under apis", found="nothing")
    arguments: list[tuple[str, Argument]] = [("table", table or Literal_(None))]
    for capability in api.capabilities:
        able = [each for each in cast.of(api.name) if capability in each.provider.capabilities]
        arguments.append((python_name(capability), Instances(tuple((each.id, _ref(each)) for each in able))))
    arguments += [(python_name(used), _used(scope, cast, api, number)) for number, used in enumerate(api.uses)]
    if opener is not None:
        check_keywords(desk, at, opener, name, {keyword: at for keyword, _ in arguments})
        check_contract(desk, at, opener, api.operations)
    return Component(
        name=python_name(api.name),
        api=api.name,
        id=api.name,
        type="router",
        role="router",
        part=part,
        opener=name,
        contexts=opener.contexts if opener else False,
        arguments=tuple(arguments),
        capabilities=api.capabilities,
        because=because,
    )


def _used(scope: Scope, cast: Cast, api: Api, number: int) -> Argument:
    name = api.uses[number]
    if name not in (known := scope.desk.roots.names("apis")):
        at = api.document.at("x-stackgen", "router", "uses", number)
        scope.desk.report("SG302", at, f"there is no API {name!r}", found=repr(name), nearest=nearest(name, known))
    return serving(cast, name) or Literal_(None)


def _listed(scope: Scope, api: str) -> Position:
    data = mapping(scope.document.data)
    apis = data.get("apis")
    if isinstance(apis, list) and api in apis:
        return scope.document.at("apis", apis.index(api))
    return scope.document.key("providers", api)


def _check_backends_used(scope: Scope, components: list[Component]) -> None:
    used = {need for each in components for need in _needs(each)}
    for each in components:
        if each.role == "backend" and each.name not in used:
            at = scope.document.key("storage", "backends", each.id)
            scope.desk.report("SG408", at, f"no provider uses the backend {each.id!r}", found=each.id)


def _ref(instance: Instance) -> Ref:
    return Ref(instance.name, optional=instance.gate is not None)


def _needs(component: Component) -> list[str]:
    """The names of the components that one is given."""
    found: list[str] = []
    for _, argument in component.arguments:
        if isinstance(argument, Ref):
            found.append(argument.component)
        elif isinstance(argument, Instances):
            found += [ref.component for _, ref in argument.items]
    return found


def _ordered(desk: Desk, components: list[Component]) -> tuple[Component, ...]:
    """Dependencies first, otherwise as they came; those that list all others last. A cycle is reported once,
    as a chain."""
    by_name = {each.name: each for each in components}
    done: dict[str, Component] = {}
    told: set[frozenset[str]] = set()

    def visit(name: str, trail: tuple[str, ...]) -> None:
        if name in trail:
            chain = (*trail[trail.index(name) :], name)
            if frozenset(chain) not in told:
                told.add(frozenset(chain))
                at = by_name[name].because
                desk.report("SG401", at, "these need each other to be built first", found=" → ".join(chain))
            return
        if name in done or name not in by_name:
            return
        for need in _needs(by_name[name]):
            visit(need, (*trail, name))
        done.setdefault(name, by_name[name])

    listing = [each for each in components if any(argument == Fact("listing") for _, argument in each.arguments)]
    for component in [*(each for each in components if each not in listing), *listing]:
        visit(component.name, ())
    return tuple(done.values())
