"""The instances of a distribution: what it names, what it gets by default, and the Python name of each."""

from __future__ import annotations

import builtins
import keyword
import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Literal

from ..load import Document, Where
from ..plan import Plan, Position, Slot
from ..problems.nearest import nearest
from .apis import STORAGE, Api, find_api
from .desk import mapping, sequence, text
from .providers import DEFAULT, Provider, check_provider, find_provider, read_provider, wanted_apis
from .slots import holds_slot
from .values import Scope, cut_or_report

_TAKEN = frozenset(
    {*dir(builtins), *keyword.kwlist, *keyword.softkwlist, "settings", "server", "stack", "enabled", "read"}
)


@dataclass(slots=True)
class Instance:
    """One configured provider. where: its entry in the distribution, () for a default one."""

    api: str
    id: str
    gate: str | None
    role: Literal["instance", "builtin", "backend"]
    provider: Provider
    because: Position
    where: Where = ()
    name: str = ""


@dataclass(slots=True)
class Cast:
    """Who takes part in one distribution. served: the APIs it answers; apis: those and what they work with;
    unused: those that nobody answers or works with. ids: where each (API, id) stands first."""

    served: dict[str, Api] = field(default_factory=dict)
    apis: dict[str, Api] = field(default_factory=dict)
    unused: frozenset[str] = frozenset()
    ids: dict[tuple[str, str], Position] = field(default_factory=dict)
    instances: list[Instance] = field(default_factory=list)

    def of(self, api: str) -> list[Instance]:
        return [each for each in self.instances if each.api == api]

    @property
    def kinds(self) -> list[str]:
        """The kinds of resources that there are."""
        return [text(api.resource.get("kind")) for api in self.apis.values() if api.resource]

    def tables_of(self, api: str) -> list[Api]:
        """The routed APIs whose table is this API."""
        return [each for each in self.apis.values() if each.table == api]


def read_cast(scope: Scope) -> Cast:
    """Everyone that the distribution names, and the defaults it does not."""
    cast, document, desk = Cast(), scope.document, scope.desk
    data = mapping(document.data)
    for number, name in enumerate(map(text, sequence(data.get("apis")))):
        if name and (api := find_api(desk, name, document.at("apis", number))):
            cast.served[name] = cast.apis[name] = api
    for name in mapping(data.get("providers")):
        if name not in cast.apis and (api := find_api(desk, name, document.key("providers", name))):
            cast.apis[name] = api
        for number, _ in enumerate(sequence(mapping(data.get("providers")).get(name))):
            _add(scope, cast, name, ("providers", name, number))
    for name in mapping(mapping(data.get("storage")).get("backends")):
        _add(scope, cast, STORAGE, ("storage", "backends", name))
    _add_defaults(scope, cast)
    _check_cast(scope, cast)
    _name(cast)
    return cast


def _add(scope: Scope, cast: Cast, api: str, where: Where) -> None:
    document, desk = scope.document, scope.desk
    entry = document.data
    for step in where:
        entry = mapping(entry).get(step) if isinstance(step, str) else sequence(entry)[step]
    data = mapping(entry)
    kind, at = text(data.get("type")), document.at(*where, "type")
    if api == STORAGE:
        identity, gate = str(where[-1]), None
    else:
        identity, gate = _identity(scope, (*where, "id"), text(data.get("id")))
    here = document.at(*where)
    if identity and (first := cast.ids.setdefault((api, identity), here)) != here:
        message = f"{api} has an instance {identity!r} already"
        desk.report("SG305", document.at(*where, "id"), message, found=f"the first, at {first}")
    if not kind or (api not in cast.apis and api != STORAGE) or holds_slot(kind):
        return  # told already, or by the schema
    found = find_provider(desk, api, kind, at)
    if found is None or not identity:
        return
    provider = _provider(scope, cast, found, api)
    role: Literal["instance", "backend"] = "backend" if api == STORAGE else "instance"
    cast.instances.append(Instance(api, identity, gate, role, provider, here, where))


def _provider(scope: Scope, cast: Cast, found: Document, api: str) -> Provider:
    """Each provider is read and checked once, however many instances it has."""
    for each in cast.instances:
        if each.provider.document is found:
            return each.provider
    provider = read_provider(scope.desk, found, api)
    check_provider(scope.desk, provider, cast.apis.get(api))
    return provider


def _identity(scope: Scope, where: Where, raw: str) -> tuple[str, str | None]:
    """(id, gate) of an `id:`: a name, or the one form of slot it may be."""
    if not holds_slot(raw) and raw != "__disabled__":
        return raw, None
    at = scope.document.at(*where)
    parts = cut_or_report(scope.desk, at, raw)
    match parts:
        case (Slot(variable, "if_set", name),) if (
            re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*", name) and name != "__disabled__"
        ):
            return name, variable
        case ():
            return "", None
    variable = next((part.variable for part in parts if isinstance(part, Slot)), "NAME")
    scope.desk.report(
        "SG604",
        at,
        "an id is a name, or `${env.NAME:+name}`: there when NAME is set",
        found=raw,
        nearest=f"${{env.{variable}:+name}}",
    )
    return "", None


def _add_defaults(scope: Scope, cast: Cast) -> None:
    """APIs without an instance get their default provider, if they have one and somebody wants them."""
    data = mapping(scope.document.data)
    listed = [text(name) for name in sequence(data.get("apis"))]
    for name, api in cast.apis.items():
        if cast.of(name) or name in mapping(data.get("providers")):
            continue
        at = scope.document.at("apis", listed.index(name)) if name in listed else scope.document.key("providers", name)
        found = scope.desk.document(f"providers/{name}/{DEFAULT}.yaml")
        if found is None or mapping(found.data).get("default") is not True:
            known = scope.desk.roots.names(f"providers/{name}")
            message = f"{name} has no provider here, and none by default"
            scope.desk.report(
                "SG405",
                at,
                message,
                expected=f"an entry under providers.{name}",
                found=f"there are {', '.join(known) or 'none'}",
            )
            continue
        provider = _persistent(scope, cast, _provider(scope, cast, found, api.name))
        cast.instances.append(Instance(name, DEFAULT, None, "builtin", provider, at))


def _persistent(scope: Scope, cast: Cast, provider: Provider) -> Provider:
    """What serves in place of a default provider where there are the backends for it, else that provider."""
    kind = text(mapping(provider.document.data).get("persistent"))
    found = find_provider(scope.desk, provider.api, kind, provider.document.at("persistent")) if kind else None
    if found is None:
        return provider
    other = _provider(scope, cast, found, provider.api)
    backends = {each.id for each in cast.of(STORAGE)}
    return other if all(prop.rules.get("default") in backends for prop in other.backends.values()) else provider


def _check_cast(scope: Scope, cast: Cast) -> None:
    desk, document = scope.desk, scope.document
    for name, api in cast.apis.items():
        several = cast.of(name)
        if api.router or not several:
            continue
        for extra in several[1:]:
            at = extra.because
            desk.report(
                "SG404",
                at,
                f"{name} is not routed, and has a provider already",
                found=f"the first, at {several[0].because}",
            )
        if several[0].gate:
            at = document.at(*several[0].where, "id")
            desk.report(
                "SG604", at, f"the one provider of {name} must always be there", found=f"a gate on {several[0].gate}"
            )
    wanted = {name for each in cast.instances for name, _, _ in wanted_apis(each.provider)}
    wanted |= {name for api in cast.apis.values() for name in (api.table, *api.uses)}
    cast.unused = frozenset(cast.apis.keys() - cast.served.keys() - wanted if cast.served else ())
    for name in sorted(cast.unused):
        message = f"nothing serves or uses {name}"
        desk.report(
            "SG408",
            document.key("providers", name),
            message,
            expected=f"{name} under apis",
            nearest=nearest(name, cast.served),
        )


def _name(cast: Cast) -> None:
    """Each instance's Python name: its API's where it is all of it, else its id, with the API before it where
    that is taken."""
    serving = {python_name(name) for name in cast.apis}
    counts: dict[str, int] = {}
    for each in cast.instances:
        base = python_name(each.id)
        counts[base] = counts.get(base, 0) + 1
    used = set(serving)
    for each in cast.instances:
        api = cast.apis.get(each.api)
        if api is not None and not api.router:
            each.name = python_name(each.api)
            continue
        base = python_name(each.id)
        if base in used or counts[base] > 1 or base in _TAKEN:
            base = f"{python_name(each.api)}_{base}"
        each.name = _free(base, used)
        used.add(each.name)


def renamed(plan: Plan, name: str) -> Plan:
    """The same server under another name."""
    return replace(plan, name=name, package=f"{python_name(name)}_stack")


def python_name(text_: str) -> str:
    """A legal, lower-case identifier as near to a text as can be."""
    name = re.sub(r"[^0-9a-z_]", "_", text_.lower())
    return f"_{name}" if not name or name[0].isdigit() else name


def _free(name: str, used: Iterable[str]) -> str:
    number, free = 2, name
    while free in used:
        free, number = f"{name}_{number}", number + 1
    return free
