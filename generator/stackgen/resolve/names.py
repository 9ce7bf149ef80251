"""Values of configs that name what else is in the distribution: its instances, its resources (`x-names`)."""

from __future__ import annotations

from collections.abc import Iterator

from ..load import Where
from ..plan import JsonValue
from ..problems.nearest import nearest
from .desk import mapping, sequence, text
from .instances import Cast
from .schemas import Property
from .slots import holds_slot
from .values import Scope


def check_names(scope: Scope, cast: Cast) -> None:
    """Report names of what is not there. What the environment says is not known yet."""
    for instance in cast.instances:
        if instance.where:
            where = (*instance.where, "config")
            _check(scope, cast, instance.provider.schema, where, _node(scope, where))


def _check(scope: Scope, cast: Cast, prop: Property, where: Where, value: JsonValue) -> None:
    for key, inner in mapping(value).items():
        if key in prop.properties:
            _check(scope, cast, prop.properties[key], (*where, key), inner)
    what, which = prop.names
    if not what or not isinstance(value, str) or holds_slot(value):
        return
    known = list(_known(scope, cast, what, which))
    if value in known or not all(known) or (not known and _may_come(cast, which)):
        return
    noun = f"instance of {which}" if what == "instances" else f"{which.removesuffix('s')}"
    at, expected = scope.document.at(*where), ", ".join(known) or "none: there is none"
    message = f"there is no {noun} {value!r}"
    scope.desk.report("SG310", at, message, expected=expected, found=value, nearest=nearest(value, known))


def _known(scope: Scope, cast: Cast, what: str, which: str) -> Iterator[str]:
    """The names that may be; "" for one that the environment gives."""
    if what == "instances":
        yield from (each.id for each in cast.of(which))
        return
    api = next((each for each in cast.apis.values() if text(each.resource.get("kind")) == which), None)
    key = text(api.resource.get("id")) if api is not None else ""
    for entry in sequence(mapping(mapping(scope.document.data).get("resources")).get(which)):
        name = text(mapping(entry).get(key))
        yield "" if holds_slot(name) else name


def _may_come(cast: Cast, kind: str) -> bool:
    """Whether clients may register resources of the kind."""
    tables = [each.name for each in cast.apis.values() if text(each.resource.get("kind")) == kind]
    return any("registration" in each.provider.capabilities for name in tables for each in cast.of(name))


def _node(scope: Scope, where: Where) -> JsonValue:
    node: JsonValue = scope.document.data
    for step in where:
        node = sequence(node)[step] if isinstance(step, int) else mapping(node).get(step)
    return node
