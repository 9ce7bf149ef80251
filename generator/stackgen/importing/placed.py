"""Sections of a run config whose values are config of instances here, as the providers' specs say (`sections`).

    safety: {default_shield_id: llama-guard}
    →  providers: {shields: [{id: builtin, type: inline::registry, config: {default_shield_id: llama-guard}}]}

A value goes to every instance whose spec has a place for it. Of an API that has a provider by default, and is there as
the table of another, that provider becomes an instance, so that it can have the values.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from ..load import Document
from ..resolve.desk import mapping, text
from ..resolve.providers import DEFAULT, find_provider
from ..resolve.schemas import config_schema
from .reading import Reading, is_empty, said
from .slots import modern
from .tree import Branch, Item, Leaf, Node, Note, child, entries

Found = Sequence[Item | Note]


@dataclass(frozen=True, slots=True)
class _Given:
    """A value of a section. path: where it is in there."""

    path: str
    item: Item


def known_sections(reading: Reading) -> frozenset[str]:
    """The sections that some provider has places for."""
    return frozenset(name for document in _specs(reading) for name in mapping(mapping(document.data).get("sections")))


def with_sections(reading: Reading, providers: Found, source: Node, names: frozenset[str]) -> tuple[Item | Note, ...]:
    """The providers with the values of these sections, and notes of those that have no place."""
    found = list(providers)
    for section in entries(source):
        if section.key in names and not is_empty(section.node):
            found = _with_section(reading, found, section, source)
    return tuple(found)


def _with_section(reading: Reading, providers: Found, section: Item, source: Node) -> list[Item | Note]:
    known = {path for each in _specs(reading) for path in _places(each, section.key)}
    given = list(_given(section.node, known))
    placed: set[str] = set()
    found = [*providers, *_added(reading, providers, section, source, {each.path for each in given})]
    for number, api in enumerate(found):
        if isinstance(api, Item) and isinstance(api.node, Branch):
            items = [_filled(reading, api.key, one, section.key, given, placed, found) for one in api.node.items]
            found[number] = replace(api, node=replace(api.node, items=tuple(items)))
    left = [each for each in given if each.path not in placed]
    why = {each.path: "no provider here has it" if each.path in known else "there is no such value" for each in left}
    notes = [reading.leave_out("SG813", each.item.at, f"{each.path} of {section.key}", why[each.path]) for each in left]
    return [*found, *notes]


def _given(node: Node, known: set[str], path: str = "") -> Iterator[_Given]:
    """The values that say something, each as deep as somebody knows it."""
    for each in entries(node):
        here = f"{path}.{each.key}" if path else each.key
        deeper = any(one.startswith(f"{here}.") for one in known)
        if deeper and isinstance(each.node, Branch):
            yield from _given(each.node, known, here)
        elif not is_empty(each.node):
            yield _Given(here, each)


def _filled(
    reading: Reading, api: str, entry: Item | Note, section: str, given: list[_Given], placed: set[str], all_: Found
) -> Item | Note:
    """An instance with the values that it has a place for."""
    if not isinstance(entry, Item) or not isinstance(entry.node, Branch):
        return entry
    document = find_provider(reading.desk, api, said(entry.node, "type"), entry.at)
    places = _places(document, section) if document is not None else {}
    config = child(entry.node, "config") or Branch(entry.at)
    mine = [each for each in given if each.path in places]
    for each in mine:
        placed.add(each.path)
        before = len(reading.notices)
        node = _value(reading, each, section, all_)
        if node is not None:
            config = _put(config, places[each.path].split("."), replace(each.item, node=node))
        if isinstance(config, Branch):
            config = replace(config, items=(*config.items, *reading.comments(before)))
    if not mine:
        return entry
    rest = tuple(each for each in entry.node.items if not isinstance(each, Item) or each.key != "config")
    return replace(entry, node=replace(entry.node, items=(*rest, Item("config", entry.at, config))))


def _value(reading: Reading, given: _Given, section: str, providers: Found) -> Node | None:
    """What the value is here; None where it cannot be, which has been told."""
    node = given.item.node
    if isinstance(node, Branch) and (model := said(node, "model_id")):
        owner = said(node, "provider_id")
        if owner and owner not in _ids(providers, "inference"):
            why = f"there is no provider {owner!r} of inference"
            reading.leave_out("SG813", given.item.at, f"{given.path} of {section}", why)
            return None
        for each in entries(node):
            if each.key not in ("provider_id", "model_id") and not is_empty(each.node):
                path = f"{given.path}.{each.key}"
                reading.leave_out("SG813", each.at, f"{path} of {section}", "there is no such value")
        return Leaf(f"{modern(owner)}/{modern(model)}" if owner else modern(model), node.at)
    if isinstance(node, Leaf) and isinstance(node.value, str):
        return replace(node, value=modern(node.value))
    return node


def _put(config: Node, path: list[str], item: Item) -> Node:
    """The config with a value at a path; what is there already stays."""
    items = config.items if isinstance(config, Branch) else ()
    key, *rest = path
    there = child(config, key)
    if not rest:
        return config if there is not None else Branch(config.at, (*items, replace(item, key=key)))
    inner = _put(there or Branch(item.at), rest, item)
    others = tuple(each for each in items if not isinstance(each, Item) or each.key != key)
    return Branch(config.at, (*others, Item(key, item.at, inner)))


def _added(reading: Reading, providers: Found, section: Item, source: Node, paths: set[str]) -> Iterator[Item]:
    """Providers that are there by default, as instances: those of tables of APIs that are there."""
    desk = reading.desk
    here = {each.key for each in providers if isinstance(each, Item)}
    for name in sorted(here):
        document = desk.document(f"apis/{name}.yaml")
        table = (
            text(mapping(mapping(mapping(document.data).get("x-stackgen")).get("router")).get("table"))
            if document
            else ""
        )
        usual = desk.document(f"providers/{table}/{DEFAULT}.yaml") if table and table not in here else None
        if usual is None or not paths & _places(usual, section.key).keys():
            continue
        kept = _persistent(reading, table, usual, source)
        at = section.at
        items = (Item("id", at, Leaf(DEFAULT, at)), Item("type", at, Leaf(text(mapping(kept.data).get("type")), at)))
        yield Item(table, at, Branch(at, (Item("", at, Branch(at, items)),), listed=True))


def _persistent(reading: Reading, api: str, usual: Document, source: Node) -> Document:
    """What takes a default provider's place where the run config has its backends, else that provider."""
    kind = text(mapping(usual.data).get("persistent"))
    other = find_provider(reading.desk, api, kind, usual.at("persistent")) if kind else None
    if other is None:
        return usual
    schema = config_schema(reading.desk, other, ("config",))
    wanted = {text(each.rules.get("default")) for each in schema.properties.values() if each.backend}
    there = {each.key for each in entries(child(child(source, "storage"), "backends"))}
    return other if wanted <= there else usual


def _places(document: Document, section: str) -> dict[str, str]:
    said_ = mapping(mapping(mapping(document.data).get("sections")).get(section))
    return {path: text(today) for path, today in said_.items()}


def _specs(reading: Reading) -> Iterator[Document]:
    roots = reading.desk.roots
    for api in roots.names("apis"):
        for stem in roots.names(f"providers/{api}"):
            document = reading.desk.document(f"providers/{api}/{stem}.yaml")
            if document is not None and mapping(document.data).get("sections"):
                yield document


def _ids(providers: Found, api: str) -> set[str]:
    """The ids of an API's instances, whether they are there always or not."""
    found = (entries(each.node) for each in providers if isinstance(each, Item) and each.key == api)
    names = (said(one.node, "id") for each in found for one in each)
    return {name.removesuffix("}").rpartition(":+")[2] for name in names}
