"""The providers of a run config as instances of a distribution."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..load import Document
from ..plan import Position
from ..problems import Problem
from ..resolve.desk import mapping, text
from ..resolve.providers import find_provider
from ..resolve.schemas import config_schema
from .config import Terms, config_of
from .reading import Reading, is_empty, said
from .slots import modern, only_slot
from .tree import Branch, Item, Leaf, Node, Note, child, entries, grow, plain

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
_KEYS = ("provider_id", "provider_type", "config")


def instances_of(reading: Reading, sections: Node) -> tuple[Item | Note, ...]:
    """`providers:`, API by API in the source's order."""
    return tuple(each for section in entries(sections) for each in _of_api(reading, section))


def _of_api(reading: Reading, section: Item) -> Iterator[Item | Note]:
    names = [name_of(each.node) for each in entries(section.node)]
    if not names:
        return
    if not reading.desk.roots.find(f"apis/{section.key}.yaml"):
        what = f"{section.key} ({', '.join(names)})"
        yield reading.leave_out("SG811", section.at, what, f"stackgen has no API {section.key!r}")
        return
    found: list[Item | Note] = []
    for each in _once(reading, section):
        found += [each] if isinstance(each, Note) else _instance(reading, section.key, each)
    if any(isinstance(each, Item) for each in found):
        yield Item(section.key, section.at, Branch(section.node.at, tuple(found), listed=True))
    else:
        yield from found


def _once(reading: Reading, section: Item) -> Iterator[Item | Note]:
    """Each entry, a comment for one that says the same as one before; two that differ under one id are a problem."""
    seen: dict[str, Item] = {}
    for each in entries(section.node):
        name = _fixed_id(each.node)
        first = seen.setdefault(name, each) if name else each
        if first is each:
            yield each
        elif plain(first.node) == plain(each.node):
            message = f"{name} of {section.key} stands there twice, first in line {first.at.line}"
            yield reading.tell("SG815", each.at, message)
        else:
            message = f"{section.key} has an instance {name!r} already"
            reading.problems.append(Problem("SG305", each.at, message, found=f"the first, at {first.at}"))


def _instance(reading: Reading, api: str, entry: Item) -> Iterator[Item | Note]:
    name, before = name_of(entry.node), len(reading.notices)
    identity = _identity(reading, entry)
    changes = reading.comments(before)
    if isinstance(identity, Note):
        yield identity
        return
    document = known(reading, api, said(entry.node, "provider_type"), entry.at)
    if isinstance(document, str):
        yield reading.leave_out("SG812", entry.at, name, document)
        return
    items: list[Item | Note] = [*changes, _text(entry.at, "id", identity)]
    items.append(_text(entry.at, "type", text(mapping(document.data).get("type"))))
    for each in entries(entry.node):
        if each.key not in _KEYS and not is_empty(each.node):
            items.append(reading.leave_out("SG813", each.at, f"{each.key} of {name}", "instances have no such key"))
    slot = only_slot(identity)
    former = mapping(mapping(document.data).get("formerly"))
    schema = config_schema(reading.desk, document, ("config",))
    values = config_of(
        reading, child(entry.node, "config"), Terms(schema, former, slot.variable if slot else None), name
    )
    if "model" in schema.properties and not any(isinstance(each, Item) and each.key == "model" for each in values):
        found = _models(reading, said(entry.node, "provider_id"), document)
        usual = schema.properties["model"].rules.get("default")
        if len(found) == 1:
            values = (*found[0], *values)
        elif found and "model" not in schema.required:
            why = "an instance has one model, and several are registered of it"
            yield reading.leave_out("SG812", entry.at, name, why)
            return
        elif isinstance(usual, str):
            values = (*values, reading.tell("SG816", entry.at, f"the model of {name} is {usual}"))
    yield Item("", entry.at, Branch(entry.at, (*items, *_config(entry, values))))


def _config(entry: Item, values: tuple[Item | Note, ...]) -> tuple[Item | Note, ...]:
    """The config, or only the comments that are left of it."""
    if not any(isinstance(each, Item) for each in values):
        return values
    at = next((each.at for each in entries(entry.node) if each.key == "config"), entry.at)
    return (Item("config", at, Branch(at, values)),)


def _models(reading: Reading, owner: str, document: Document) -> list[tuple[Item, ...]]:
    """The models of an instance, each as values of its config, where Llama Stack finds them among those registered. A
    name without an owner may be anything, and is not taken, unless the spec says whose it is (`bare_models`).
    """
    source = grow(reading.source)
    lists = [child(source, "models"), child(child(source, "registered_resources"), "models")]
    bare = text(mapping(document.data).get("bare_models"))
    found: dict[str, tuple[Item, ...]] = {}
    for each in (each for models in lists for each in entries(models) if said(each.node, "provider_id") == owner):
        name = modern(said(each.node, "provider_model_id") or said(each.node, "model_id"))
        if "/" in name or only_slot(name):
            found[name] = (_text(each.at, "model", name),)
        elif bare and name:
            # It goes on under the name that it is registered by.
            found[name] = (_text(each.at, "model", f"{bare}/{name}"), _text(each.at, "model_id", name))
    return list(found.values())


def known(reading: Reading, api: str, kind: str, at: Position) -> Document | str:
    """The spec of a provider type, also by an old name; or why there is none."""
    desk = reading.desk
    before = len(desk.problems)
    document = find_provider(desk, api, modern(kind), at)
    if document is not None:
        return document
    told = desk.problems[before:]
    desk.problems = [each for each in desk.problems if each.position != at]
    return told[-1].message if told else f"the spec of {kind!r} cannot be read"


def _identity(reading: Reading, entry: Item) -> str | Note:
    """The id as a distribution says it, or why the instance is left out."""
    name = name_of(entry.node)
    raw = modern(said(entry.node, "provider_id"))
    if raw in ("", "__disabled__"):
        return reading.leave_out("SG812", entry.at, name, "it is switched off, having no provider_id")
    slot = only_slot(raw)
    if slot is None:
        return raw
    if slot.mode == "if_set" and slot.text:
        return raw
    if slot.mode == "default" and slot.text == "__disabled__":
        reading.tell("SG816", entry.at, f"{name} is there when {slot.variable} is set, and always under this id")
        return f"${{env.{slot.variable}:+{name}}}"
    if slot.mode == "default" and _NAME.fullmatch(slot.text):
        reading.tell("SG816", entry.at, f"the id {slot.text} is fixed: an id cannot come from {slot.variable}")
        return slot.text
    return reading.leave_out("SG812", entry.at, name, "its provider_id comes from the environment")


def _fixed_id(entry: Node) -> str:
    """The id that an entry has wherever it is there; "" if that is not known, or it is never there."""
    raw = modern(said(entry, "provider_id"))
    slot = only_slot(raw)
    name = slot.text if slot else raw
    return "" if name == "__disabled__" else name


def name_of(entry: Node) -> str:
    """What to call an instance: its id where that is known, else the last word of its type."""
    name = _fixed_id(entry)
    return name if _NAME.fullmatch(name) else said(entry, "provider_type").rpartition("::")[2]


def _text(at: Position, key: str, value: str) -> Item:
    return Item(key, at, Leaf(value, at))
