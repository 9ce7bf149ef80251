"""What a run config keeps, and where: `storage.stores`, and the stores at the top of the first run configs.

    storage: {stores: {conversations: {backend: sql_default, table_name: openai_conversations}}}
    →  apis: [conversations], and where the backend is another than the default one of its provider:
       providers: {conversations: [{id: builtin, type: inline::builtin, config: {store: sql_other}}]}

Which API's provider keeps what a store keeps is said in the providers' specs (`stores`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from ..load import Document
from ..plan import Position
from ..resolve.desk import mapping, text
from ..resolve.providers import DEFAULT
from ..resolve.schemas import Property, config_schema
from .reading import Reading, is_empty, said
from .tree import Branch, Item, Leaf, Node, Note, child, entries

_FIRST = {"metadata_store": ("metadata", "kv", "kv_default"), "inference_store": ("inference", "sql", "sql_default")}
"""Of the first run configs: the store that it is today, the kind of its backend, and what the backend is called."""


@dataclass(frozen=True, slots=True)
class Store:
    """One store that has a place. key: which value of the provider's config names the backend."""

    entry: Item
    document: Document
    schema: Property
    key: str

    @property
    def api(self) -> str:
        return text(mapping(self.document.data).get("api"))


def with_storage(source: Node) -> Node:
    """A run config whose stores stand at its top, each with a database of its own, as one with `storage`."""
    found = {each.key: each for each in entries(source) if each.key in _FIRST and said(each.node, "type")}
    if not found or not isinstance(source, Branch):
        return source
    backends = [_backend(each) for each in found.values()]
    # A store stands where its database's values begin, so that what is told of either has a place of its own.
    stores = [
        Item(name, at, Branch(at, (Item("backend", at, Leaf(backend, at)),)))
        for key, each in found.items()
        for (name, _, backend), at in [(_FIRST[key], each.node.at)]
    ]
    at = next(iter(found.values())).at
    sections = (Item("backends", at, Branch(at, tuple(backends))), Item("stores", at, Branch(at, tuple(stores))))
    kept = tuple(each for each in source.items if not isinstance(each, Item) or each.key not in found)
    return replace(source, items=(*kept, Item("storage", at, Branch(at, sections))))


def _backend(entry: Item) -> Item:
    _, kind, name = _FIRST[entry.key]
    assert isinstance(entry.node, Branch)
    items = tuple(
        replace(each, node=Leaf(f"{kind}_{said(entry.node, 'type')}", each.at)) if each.key == "type" else each
        for each in entries(entry.node)
        if each.key not in ("namespace", "table_name")
    )
    return Item(name, entry.at, replace(entry.node, items=items))


def stores_of(reading: Reading, source: Node) -> list[Store]:
    """The stores of a run config that some API keeps here."""
    given = [each for each in entries(child(child(source, "storage"), "stores")) if not is_empty(each.node)]
    return [store for each in given if (store := _store(reading, each))]


def _store(reading: Reading, entry: Item) -> Store | None:
    desk = reading.desk
    for api in desk.roots.names("apis"):
        for stem in desk.roots.names(f"providers/{api}"):
            document = desk.document(f"providers/{api}/{stem}.yaml")
            key = text(mapping(mapping(document.data).get("stores")).get(entry.key)) if document else ""
            if document is not None and key:
                return Store(entry, document, config_schema(desk, document, ("config",)), key)
    return None


def instances_for(reading: Reading, stores: list[Store]) -> Iterator[Item | Note]:
    """Providers that a distribution has to name, since a store's backend is not their default one."""
    for each in stores:
        backend = said(each.entry.node, "backend")
        prop = each.schema.properties.get(each.key)
        at = each.entry.at
        for value in entries(each.entry.node):
            if value.key != "backend":
                yield reading.leave_out("SG813", value.at, f"{value.key} of {each.entry.key}", "there is no such value")
        if prop is not None and prop.rules.get("default") != backend:
            config = Branch(at, (Item(each.key, at, Leaf(backend, at)),))
            kind = text(mapping(each.document.data).get("type"))
            items = (_text(at, "id", DEFAULT), _text(at, "type", kind), Item("config", at, config))
            yield Item(each.api, at, Branch(at, (Item("", at, Branch(at, items)),), listed=True))


def _text(at: Position, key: str, value: str) -> Item:
    return Item(key, at, Leaf(value, at))
