"""API documents as resolving needs them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..load import Document
from ..openapi import Mount, Operation, mounts, operations
from ..plan import JsonValue, Position
from ..problems.nearest import nearest
from .desk import Desk, mapping, text, texts

STORAGE = "storage"
"""Not an API but a kind of provider: backends for those that keep something."""


@dataclass(frozen=True, slots=True)
class Api:
    """One API. capabilities: in the document's order. router, resource: `x-stackgen`'s, empty where it has none."""

    name: str
    document: Document
    operations: tuple[Operation, ...]
    mounts: tuple[Mount, ...]
    capabilities: tuple[str, ...]
    router: Mapping[str, JsonValue]
    resource: Mapping[str, JsonValue]

    @property
    def table(self) -> str:
        return text(self.router.get("table"))

    @property
    def uses(self) -> tuple[str, ...]:
        """The APIs that its router works with where they are there."""
        return texts(self.router.get("uses"))


def api_of(desk: Desk, name: str, at: Position) -> Api | None:
    """The API that a provider serves; None for a storage backend too."""
    return None if name == STORAGE else find_api(desk, name, at)


def find_api(desk: Desk, name: str, at: Position) -> Api | None:
    """The API of this name; None, and a problem at `at`, if there is none."""
    document = desk.document(f"apis/{name}.yaml")
    if document is None:
        known = desk.roots.names("apis")
        desk.report("SG302", at, f"there is no API {name!r}", found=repr(name), nearest=nearest(name, known))
        return None
    if not isinstance(document.data, dict):
        return None  # the file is broken, and that is told
    data = mapping(document.data)
    found = operations(data)
    extension = mapping(data.get("x-stackgen"))
    return Api(
        name=name,
        document=document,
        operations=found,
        mounts=mounts(data),
        capabilities=tuple(dict.fromkeys(each.capability for each in found if each.capability)),
        router=mapping(extension.get("router")),
        resource=mapping(extension.get("resource")),
    )
