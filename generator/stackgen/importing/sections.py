"""The other sections of a run config: resources, storage, server, and what a distribution has no place for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import replace

from ..load import Document
from ..plan import Position
from ..problems import Problem
from ..requirements import BASE
from ..resolve.apis import STORAGE
from ..resolve.desk import mapping, text
from ..resolve.schemas import config_schema
from .config import Terms, config_of, spelt
from .instances import known
from .reading import Reading, is_empty, said
from .tree import Branch, Item, Leaf, Node, Note, child, entries, plain


def server_of(reading: Reading, section: Item) -> tuple[Item | Note, ...]:
    """`server:`; of the values that it does not have `fit` tells."""
    base = reading.desk.document(BASE) or Document(BASE, {})
    schema = config_schema(reading.desk, base, ("server", "config"))
    values = config_of(reading, section.node, Terms(schema, {}), "server")
    if "host" in schema.properties and plain(child(section.node, "host")) is None:
        values = (*values, Note("Llama Stack listens on every interface; this server needs `host: 0.0.0.0` for that"))
    return kept("server", section, values)


def resources_of(
    reading: Reading, sections: list[Item], owners: Mapping[str, Sequence[str]]
) -> tuple[Item | Note, ...]:
    """All lists of resources, those at the top and those in a section. owners: by kind, the instances that a resource
    which names none may be of; a kind that is not among them has no owners."""
    found: list[Item | Note] = []
    for each in sections:
        entries_ = _once(reading, each)
        left = [
            one if isinstance(one, Note) else _resource(reading, each.key, one, owners.get(each.key))
            for one in entries_
        ]
        if any(isinstance(one, Item) for one in left):
            found.append(Item(each.key, each.at, Branch(each.node.at, tuple(left), listed=True)))
        else:
            found += left
    return tuple(found)


def _once(reading: Reading, section: Item) -> Iterator[Item | Note]:
    seen: dict[tuple[str, str], Item] = {}
    for each in entries(section.node):
        name, owner = label(each.node), said(each.node, "provider_id")
        first = seen.setdefault((name, owner), each)
        if not name or first is each:
            yield each
        elif plain(first.node) == plain(each.node):
            message = f"{name} of {section.key} stands there twice, first in line {first.at.line}"
            yield reading.tell("SG815", each.at, message)
        else:
            message = f"{section.key} has {name!r} already, of the same provider"
            reading.problems.append(Problem("SG803", each.at, message, found=f"the first, at {first.at}"))


def _resource(reading: Reading, kind: str, entry: Item, owners: Sequence[str] | None) -> Item | Note:
    items = [replace(each, node=spelt(each.node)) for each in entries(entry.node) if plain(each.node) is not None]
    items = [_with_texts(reading, each) if each.key in ("metadata", "params") else each for each in items]
    if owners is not None and not any(each.key == "provider_id" for each in items):
        if len(owners) != 1:
            why = "it names no provider, and there is not exactly one"
            return reading.leave_out("SG814", entry.at, f"the {kind.removesuffix('s')} {label(entry.node)}", why)
        items.append(Item("provider_id", entry.at, Leaf(owners[0], entry.at)))
    return Item("", entry.at, Branch(entry.node.at, tuple(items)))


def _with_texts(reading: Reading, metadata: Item) -> Item:
    """Metadata and params are texts here: numbers and the like are written as such."""
    if not isinstance(metadata.node, Branch):
        return metadata
    items: list[Item | Note] = []
    for each in metadata.node.items:
        if isinstance(each, Item) and isinstance(each.node, Leaf) and isinstance(each.node.value, bool | int | float):
            value = str(each.node.value)
            items.append(reading.tell("SG816", each.at, f"{each.key} of {metadata.key} becomes a text"))
            each = replace(each, node=replace(each.node, value=value.lower() if value in ("True", "False") else value))
        items.append(each)
    return replace(metadata, node=replace(metadata.node, items=tuple(items)))


def label(entry: Node) -> str:
    """A resource's own id."""
    keys = [each.key for each in entries(entry) if each.key.endswith("_id") and not each.key.startswith("provider")]
    return said(entry, keys[0]) if keys else ""


def storage_of(reading: Reading, section: Item, stores: Set[str]) -> tuple[Item | Note, ...]:
    """The backends; which store uses which is said in the providers' configs here. stores: those that have a place."""
    found: list[Item | Note] = []
    for each in entries(section.node):
        if each.key == "backends":
            found += kept("backends", each, [_backend(reading, one) for one in entries(each.node)])
        elif each.key == "stores":
            for store in entries(each.node):
                if store.key not in stores and not is_empty(store.node):
                    why = "nothing keeps it here"
                    found.append(reading.leave_out("SG814", store.at, f"the store {store.key}", why))
        elif not is_empty(each.node):
            why = "stackgen has no such section"
            found.append(reading.leave_out("SG814", each.at, f"storage.{each.key}", why))
    return kept("storage", section, found)


def _backend(reading: Reading, entry: Item) -> Item | Note:
    document = known(reading, STORAGE, said(entry.node, "type"), entry.at)
    if isinstance(document, str):
        return reading.leave_out("SG814", entry.at, f"the backend {entry.key}", document)
    terms = Terms(config_schema(reading.desk, document, ("config",)), mapping(mapping(document.data).get("formerly")))
    values = [each for each in entries(entry.node) if each.key != "type"]
    config = config_of(reading, Branch(entry.node.at, tuple(values)), terms, entry.key)
    items: list[Item | Note] = [_leaf("type", text(mapping(document.data).get("type")), entry.at)]
    return replace(entry, node=Branch(entry.node.at, (*items, *kept("config", entry, config))))


def no_place(reading: Reading, section: Item) -> tuple[Note, ...]:
    """A section that distributions do not have."""
    if is_empty(section.node):
        return ()
    return (reading.leave_out("SG814", section.at, section.key, "stackgen has no such section"),)


def kept(key: str, section: Item, values: Sequence[Item | Note]) -> tuple[Item | Note, ...]:
    """The section with what is left of it; only the comments where that is nothing."""
    if not any(isinstance(each, Item) for each in values):
        return tuple(values)
    return (Item(key, section.at, Branch(section.node.at, tuple(values))),)


def _leaf(key: str, value: str, at: Position) -> Item:
    return Item(key, at, Leaf(value, at))
