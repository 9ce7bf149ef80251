"""A YAML file being written: values in order, each with the place it comes from, and comments between them.

grow(document, "server")                 the source's section, with its places
Branch(at, (item("port", Leaf(8321, at)), Note("cors is left out: …")))
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from ..load import Document, Where
from ..plan import JsonValue, Position, Scalar


@dataclass(frozen=True, slots=True)
class Leaf:
    """A text, a number, true, false or null."""

    value: Scalar
    at: Position


@dataclass(frozen=True, slots=True)
class Branch:
    """A mapping, or a list where `listed`: its items' keys are empty then."""

    at: Position
    items: tuple[Item | Note, ...] = ()
    listed: bool = False


Node = Leaf | Branch


@dataclass(frozen=True, slots=True)
class Item:
    """One entry. at: the place of its key, of the value in a list."""

    key: str
    at: Position
    node: Node


@dataclass(frozen=True, slots=True)
class Note:
    """A comment, of one line or several."""

    text: str


def grow(document: Document, *where: str) -> Node:
    """What a document says at a place, null where it says nothing."""
    node = document.data
    for step in where:
        node = node.get(step) if isinstance(node, dict) else None
    return _grow(document, node, where)


def _grow(document: Document, value: JsonValue, where: Where) -> Node:
    at = document.at(*where)
    if isinstance(value, dict):
        found = [
            Item(key, document.key(*where, key), _grow(document, each, (*where, key))) for key, each in value.items()
        ]
        return Branch(at, tuple(found))
    if isinstance(value, list):
        nodes = [_grow(document, each, (*where, number)) for number, each in enumerate(value)]
        return Branch(at, tuple(Item("", node.at, node) for node in nodes), listed=True)
    return Leaf(value, at)


def entries(node: Node | None) -> list[Item]:
    """The items of a branch, without the comments; none of a leaf."""
    return [each for each in node.items if isinstance(each, Item)] if isinstance(node, Branch) else []


def child(node: Node | None, key: str) -> Node | None:
    return next((each.node for each in entries(node) if each.key == key), None)


def plain(node: Node | None) -> JsonValue:
    """The value itself."""
    if isinstance(node, Branch):
        found = entries(node)
        return [plain(each.node) for each in found] if node.listed else {each.key: plain(each.node) for each in found}
    return node.value if node else None


def numbered(root: Branch, file: str) -> tuple[Document, Mapping[int, Where], Mapping[int, Position]]:
    """The tree as a document whose "lines" number its values: whatever is told of a line is told of one value.

    The mappings lead from such a line to the value's path in the tree, and to its place in the source.
    """
    values: dict[Where, tuple[int, int]] = {}
    keys: dict[Where, tuple[int, int]] = {}
    wheres: dict[int, Where] = {}
    places: dict[int, Position] = {}
    for number, (where, at) in enumerate(_walk((), root.at, root), start=1):
        wheres[number], places[number] = where, at
        values[where] = keys[where] = (number, 1)
    return Document(file, plain(root), values, keys), wheres, places


def _walk(where: Where, at: Position, node: Node) -> Iterator[tuple[Where, Position]]:
    yield where, at
    listed = isinstance(node, Branch) and node.listed
    for number, each in enumerate(entries(node)):
        yield from _walk((*where, number if listed else each.key), each.at, each.node)


def without(root: Branch, where: Where, note: Note) -> Branch:
    """The tree with a comment in place of the value at `where`. What is empty then is only a comment, too."""
    step, rest = where[0], where[1:]
    found: list[Item | Note] = []
    number = -1
    for each in root.items:
        number += isinstance(each, Item)
        if isinstance(each, Note) or step != (number if root.listed else each.key):
            found.append(each)
        elif not rest or not isinstance(each.node, Branch):
            found.append(note)
        else:
            node = without(each.node, rest, note)
            # A config may be empty; anything else that has lost its last value is not there any more.
            found += [replace(each, node=node)] if entries(node) else _notes(node)
    return replace(root, items=tuple(found))


def _notes(node: Branch) -> list[Note]:
    return [each for each in node.items if isinstance(each, Note)]
