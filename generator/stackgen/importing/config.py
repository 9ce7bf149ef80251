"""Config values of a run config as values of a provider's config schema, and of the server's.

    url: ${env.OLLAMA_URL:=http://localhost:11434}  →  base_url: ${env.OLLAMA_URL:=http://localhost:11434}/v1

Values that do not fit their schema are left to `fit`; here they only change their spelling.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from ..plan import JsonValue
from ..resolve.desk import mapping, text
from ..resolve.schemas import Property
from ..resolve.values import misfit
from .reading import Reading
from .slots import lengthened, modern, only_slot
from .tree import Branch, Item, Leaf, Node, Note, child, entries


@dataclass(frozen=True, slots=True)
class Terms:
    """What a config is read against. former: `formerly` of the provider's spec. gate: the variable that its instance
    needs anyway."""

    schema: Property
    former: Mapping[str, JsonValue]
    gate: str | None = None


def config_of(reading: Reading, node: Node | None, terms: Terms, where: str) -> tuple[Item | Note, ...]:
    """The values of a config. where: what messages call it."""
    found: list[Item | Note] = []
    names = {each.key for each in entries(node)}
    for each in entries(node):
        before = len(reading.notices)
        key, tail = _today(terms, each.key)
        if key != each.key and key in names:
            why = f"{where} has {key}, its name of today, too"
            found.append(reading.leave_out("SG813", each.at, f"{each.key} of {where}", why))
            continue
        value = _value(reading, each, terms.schema.properties.get(key), terms, f"{key} of {where}", tail)
        if value is not None:
            found += [] if isinstance(value, Branch) else reading.comments(before)
            found.append(replace(each, key=key, node=value))
    return tuple(found)


def _today(terms: Terms, key: str) -> tuple[str, str]:
    """(the key that it has today, what is added to its value)"""
    former = terms.former.get(key)
    if isinstance(former, str):
        return former, ""
    return text(mapping(former).get("key")) or key, text(mapping(former).get("append"))


def _value(reading: Reading, item: Item, prop: Property | None, terms: Terms, where: str, tail: str) -> Node | None:
    """A value in today's spelling; None where it says no more than its absence."""
    node = item.node
    if isinstance(node, Branch):
        if prop is not None and prop.backend and (backend := child(node, "backend")):
            return backend
        if node.listed or prop is None or not prop.properties:
            return spelt(node)
        below = Terms(prop, {}, terms.gate)
        return replace(node, items=config_of(reading, node, below, where))
    if node.value is None and prop is not None and not prop.nullable:
        return None
    if not isinstance(node.value, str):
        return node
    value = modern(node.value)
    if prop is not None:
        value = _not_empty(reading, item, prop, terms, where, value)
    return Leaf(lengthened(value, tail) if tail else value, node.at)


def _not_empty(reading: Reading, item: Item, prop: Property, terms: Terms, where: str, value: str) -> str:
    """`${env.X:=}` of a value that cannot be empty: with the schema's default, which is what empty means there, or
    without one."""
    slot = only_slot(value)
    if slot is None or slot.mode != "default" or slot.text or prop.nullable or not misfit(prop, ""):
        return value
    default = prop.rules.get("default")
    if isinstance(default, str | int | float):
        return f"${{env.{slot.variable}:={str(default).lower() if isinstance(default, bool) else default}}}"
    if default is not None:
        return value
    if slot.variable != terms.gate:
        message = f"{where} cannot be empty: the server starts only where {slot.variable} is set"
        reading.tell("SG816", item.at, message)
    return f"${{env.{slot.variable}}}"


def spelt(node: Node) -> Node:
    """The same with every slot in today's form."""
    if isinstance(node, Leaf):
        return replace(node, value=modern(node.value)) if isinstance(node.value, str) else node
    items = [replace(each, node=spelt(each.node)) if isinstance(each, Item) else each for each in node.items]
    return replace(node, items=tuple(items))
