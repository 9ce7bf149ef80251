"""The members of unions: `oneOf`, `anyOf` and lists of types, and which of two sides are the same member."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ..plan import JsonValue
from .references import Json, mapping, name_of, resolved, strings

_BESIDE = frozenset({"oneOf", "anyOf", "discriminator", "description", "title", "default", "deprecated", "examples"})
"""What may stand beside a union without saying anything of its values."""


def alternatives(document: Json, schema: Json, above: tuple[str, ...] = ()) -> list[Json]:
    """The members of a union, unions inside it flattened; any other schema is its own only member."""
    members = schema.get("oneOf", schema.get("anyOf"))
    if not isinstance(members, list) or ("oneOf" in schema and "anyOf" in schema) or schema.keys() - _BESIDE:
        return [schema]
    found: list[Json] = []
    for member in members:
        name = name_of(member) or repr(member)
        if name in above:
            continue
        inner = resolved(document, member)
        flat = alternatives(document, inner, (*above, name))
        found += [each for each in ([mapping(member)] if flat == [inner] else flat) if each not in found]
    return found or [{}]


def is_anything(schema: Json) -> bool:
    return not schema.keys() - {"description", "title", "default", "deprecated", "examples"}


def label(schema: Json) -> str:
    """A member in a word: the name of its schema, its constant, or its type."""
    if name := name_of(schema):
        return name
    if "const" in schema:
        return str(schema["const"])
    given = schema.get("type")
    if isinstance(given, str):
        return f"{label(mapping(schema.get('items')))}[]" if given == "array" and "items" in schema else given
    if many := strings(given):
        return " or ".join(many)
    members = schema.get("oneOf", schema.get("anyOf"))
    return " or ".join(label(mapping(each)) for each in members) if isinstance(members, list) else "anything"


def paired(
    old_document: Json, new_document: Json, old: list[Json], new: list[Json]
) -> tuple[list[tuple[Json, Json]], list[Json], list[Json]]:
    """(members of both sides, those gone, those come): the same by their text, else by name, else by a constant
    inside, else by type."""
    old, new = _split(old_document, old, new), _split(new_document, new, old)
    pairs: list[tuple[Json, Json]] = []
    for same in (_text, _name, _tag, _type):
        old, new = _match(pairs, old, new, same, (old_document, new_document))
    if len(old) == len(new) == 1:
        # One went and one came: most likely it changed.
        return [*pairs, (old[0], new[0])], [], []
    return pairs, old, new


def _split(document: Json, members: list[Json], others: list[Json]) -> list[Json]:
    """A list of types as that many members, where the other side is a union."""
    if len(members) != 1 or len(others) == 1:
        return members
    whole = resolved(document, members[0])
    types = strings(whole.get("type"))
    return [dict(_one(whole, each)) for each in types] if types else members


def _one(schema: Json, type_: str) -> Iterator[tuple[str, JsonValue]]:
    if type_ == "null":
        yield "type", type_
        return
    for key, value in schema.items():
        if key == "type":
            yield key, type_
        elif key == "enum" and isinstance(value, list):
            yield key, [each for each in value if each is not None]
        else:
            yield key, value


Key = Callable[[Json, Json], object]


def _match(
    pairs: list[tuple[Json, Json]], old: list[Json], new: list[Json], same: Key, documents: tuple[Json, Json]
) -> tuple[list[Json], list[Json]]:
    """Add to pairs what has one key on both sides; the answer is what is left."""
    waiting = list(new)
    left = []
    for member in old:
        key = same(documents[0], member)
        found = next((each for each in waiting if key and same(documents[1], each) == key), None)
        if found is None:
            left.append(member)
        else:
            pairs.append((member, found))
            waiting.remove(found)
    return left, waiting


def _text(_: Json, member: Json) -> object:
    return repr(member)


def _name(_: Json, member: Json) -> object:
    return name_of(member)


def _tag(document: Json, member: Json) -> object:
    """The constants among its properties: what tells the objects of a union apart."""
    properties = mapping(resolved(document, member).get("properties"))
    return tuple(sorted((name, repr(value["const"])) for name, value in _constants(document, properties)))


def _constants(document: Json, properties: Json) -> Iterator[tuple[str, Json]]:
    for name, value in properties.items():
        schema = resolved(document, value)
        if "const" in schema:
            yield name, schema


def _type(document: Json, member: Json) -> object:
    schema = resolved(document, member)
    return repr(schema.get("type")) if "type" in schema else ""
