"""Two JSON Schemas in, what changed for the values they describe out.

    {"enum": ["a", "b"]} → {"enum": ["a"]}, in a request    Change("narrowed-request-enum")

A keyword takes values away (narrowed), lets more through (widened), or does both (changed). A referenced schema is
compared once, under its own name. What is not understood (`not`, `patternProperties`, …) counts as changed where it
differs at all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from ..plan import JsonValue
from .alternatives import alternatives, is_anything, label, paired
from .changes import Area, Change, Direction, property_rule
from .references import Json, mapping, name_of, resolved, strings

_LOWER = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
_UPPER = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
_READ = frozenset(
    {*_LOWER, *_UPPER, "multipleOf", "uniqueItems", "pattern", "format", "type", "enum", "const", "default"}
    | {"properties", "required", "additionalProperties", "items", "oneOf", "anyOf", "allOf", "deprecated"}
)
_SILENT = frozenset(
    {"description", "title", "examples", "example", "discriminator", "externalDocs", "$schema", "$id", "$defs"}
    | {"$comment", "$ref", "readOnly", "writeOnly", "xml"}
)
"""Keywords that say nothing of which values are allowed."""

_COMPOSED = frozenset({"allOf", "anyOf", "oneOf"})

Verb = Literal["narrowed", "widened", "changed"]


@dataclass(frozen=True, slots=True)
class Walk:
    """One comparison. old, new: the documents that references lead into. seen: the pairs that were compared already,
    by name. above: the compositions that are being compared, as a schema may hold itself through one."""

    old: Json
    new: Json
    area: Area
    direction: Direction
    seen: set[tuple[str, str]] = field(default_factory=set)
    above: frozenset[tuple[str, str]] = frozenset()

    def change(self, rule: str, place: str, old: JsonValue = None, new: JsonValue = None) -> Change:
        return Change(area=self.area, rule=rule, place=place, old=old, new=new)

    def keyword(self, verb: Verb, what: str, place: str, old: JsonValue, new: JsonValue) -> Change:
        return self.change(f"{verb}-{self.direction}-{what}", place, old, new)


def schema_changes(walk: Walk, old: JsonValue | Json, new: JsonValue | Json, place: str) -> Iterator[Change]:
    """What changed between two schemas. place: where they stand; a referenced schema goes by its name instead."""
    names = name_of(old), name_of(new)
    pair = names[0] or repr(old), names[1] or repr(new)
    if any(names):
        if pair in walk.seen:
            return
        walk.seen.add(pair)
        place = names[1] if all(names) else place
    elif _COMPOSED & (mapping(old).keys() | mapping(new).keys()):
        if pair in walk.above:
            return
        walk = replace(walk, above=walk.above | {pair})
    before, after = resolved(walk.old, old), resolved(walk.new, new)
    yield from _defaults(walk, before, after, place)
    many = alternatives(walk.old, before), alternatives(walk.new, after)
    if max(map(len, many)) == 1:
        # A union of one is what that one is.
        one, other = many[0][0], many[1][0]
        compared = schema_changes if name_of(one) or name_of(other) else _values
        yield from compared(walk, one, other, place)
    elif is_anything(before) or is_anything(after):
        verb: Verb = "narrowed" if is_anything(before) else "widened"
        yield walk.keyword(verb, "type", place, _labels(many[0]), _labels(many[1]))
    else:
        yield from _union(walk, many[0], many[1], place)


def _labels(members: list[Json]) -> JsonValue:
    return [label(each) for each in members]


def _union(walk: Walk, old: list[Json], new: list[Json], place: str) -> Iterator[Change]:
    pairs, gone, come = paired(walk.old, walk.new, old, new)
    for before, after in pairs:
        # A place of its own only for what would share one with its siblings.
        yield from schema_changes(walk, before, after, f"{place}<{label(after)}>" if len(pairs) > 1 else place)
    for member in gone:
        yield walk.keyword("narrowed", "union", place, label(member), None)
    for member in come:
        yield walk.keyword("widened", "union", place, None, label(member))


def _values(walk: Walk, old: Json, new: Json, place: str) -> Iterator[Change]:
    """Two schemas that are no unions, or unions with something beside them."""
    before, after = types_of(old), types_of(new)
    if before != after:
        verb = _verb(before, after)
        yield walk.keyword(verb, "type", place, _type_text(old), _type_text(new))
        if verb == "changed":
            return
    yield from _enum(walk, old, new, place)
    yield from _limits(walk, old, new, place)
    for keyword in ("pattern", "format"):
        yield from _fixed(walk, keyword, keyword, old, new, place)
    yield from _object(walk, old, new, place)
    if "items" in old or "items" in new:
        yield from schema_changes(walk, old.get("items", {}), new.get("items", {}), f"{place}[]")
    for keyword in ("oneOf", "anyOf"):
        if keyword in old or keyword in new:
            yield from _union(walk, _members(old, keyword), _members(new, keyword), place)
    for keyword in sorted((old.keys() | new.keys()) - _READ - _SILENT):
        if not keyword.startswith("x-") and old.get(keyword) != new.get(keyword):
            yield walk.keyword("changed", "schema", place, {keyword: old.get(keyword)}, {keyword: new.get(keyword)})


def _members(schema: Json, keyword: str) -> list[Json]:
    members = schema.get(keyword)
    return [mapping(each) for each in members] if isinstance(members, list) else []


def _defaults(walk: Walk, old: Json, new: Json, place: str) -> Iterator[Change]:
    if old.get("default") != new.get("default"):
        yield walk.change(f"changed-{walk.direction}-default", place, old.get("default"), new.get("default"))
    if bool(old.get("deprecated")) != bool(new.get("deprecated")):
        word = "deprecated" if new.get("deprecated") else "undeprecated"
        yield walk.change(f"{word}-{property_rule(walk.direction)}", place)


# ── types, enums, limits ────────────────────────────────────────────────────────────────────────────────────────────

_ALL = frozenset({"null", "boolean", "integer", "number", "string", "array", "object"})


def types_of(schema: Json) -> frozenset[str]:
    """The JSON types that a schema lets through; every integer is a number."""
    given = schema.get("type")
    found = {given} if isinstance(given, str) else set(strings(given))
    if not found:
        return _ALL
    return frozenset(found | {"integer"} if "number" in found else found)


def _type_text(schema: Json) -> JsonValue:
    return schema.get("type", "anything")


def _verb(old: frozenset[str], new: frozenset[str]) -> Verb:
    if old > new:
        return "narrowed"
    return "widened" if old < new else "changed"


def _enum(walk: Walk, old: Json, new: Json, place: str) -> Iterator[Change]:
    before, after = _choices(old), _choices(new)
    if before == after:
        return
    if after is None or (before is not None and before.keys() < after.keys()):
        verb: Verb = "widened"
    else:
        verb = "narrowed" if before is None or before.keys() > after.keys() else "changed"
    if before is None or after is None or before.keys() != after.keys():
        told = [None if each is None else list(each.values()) for each in (before, after)]
        yield walk.keyword(verb, "enum", place, told[0], told[1])


def _choices(schema: Json) -> dict[str, JsonValue] | None:
    """The values that a schema names, by their text; None where it names none. Types tell of null already."""
    given = [schema["const"]] if "const" in schema else schema.get("enum")
    return (
        {f"{type(each).__name__} {each}": each for each in given if each is not None}
        if isinstance(given, list)
        else None
    )


def _limits(walk: Walk, old: Json, new: Json, place: str) -> Iterator[Change]:
    for keywords, sign in ((_LOWER, 1), (_UPPER, -1)):
        for keyword in keywords:
            nothing = float("-inf") if sign < 0 or keyword.lower().endswith("imum") else 0.0
            before, after = (
                sign * each if isinstance(each := side.get(keyword), int | float) else nothing for side in (old, new)
            )
            if before != after:
                verb: Verb = "narrowed" if after > before else "widened"
                yield walk.keyword(verb, "limit", place, {keyword: old.get(keyword)}, {keyword: new.get(keyword)})
    yield from _fixed(walk, "multipleOf", "limit", old, new, place)
    if bool(old.get("uniqueItems")) != bool(new.get("uniqueItems")):
        verb = "narrowed" if new.get("uniqueItems") else "widened"
        yield walk.keyword(
            verb, "limit", place, {"uniqueItems": old.get("uniqueItems")}, {"uniqueItems": new.get("uniqueItems")}
        )


def _fixed(walk: Walk, keyword: str, what: str, old: Json, new: Json, place: str) -> Iterator[Change]:
    """A keyword of which two values cannot be told to be one within the other."""
    before, after = old.get(keyword), new.get(keyword)
    if before != after:
        verb: Verb = "narrowed" if before is None else "widened" if after is None else "changed"
        yield walk.keyword(verb, what, place, before, after)


# ── objects ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _object(walk: Walk, old: Json, new: Json, place: str) -> Iterator[Change]:
    kind = property_rule(walk.direction)
    before, after = _properties(old), _properties(new)
    needed, needs = strings(old.get("required")), strings(new.get("required"))
    for name in [*before, *(name for name in after if name not in before)]:
        here = f"{place}.{name}" if place else name
        if name not in after:
            yield walk.change(f"removed-{kind}", here, _short(before[name]))
        elif name not in before:
            yield walk.change(
                f"new-required-{kind}" if name in needs else f"new-{kind}", here, None, _short(after[name])
            )
        else:
            if (name in needed) != (name in needs):
                yield walk.change(f"{kind}-became-{'required' if name in needs else 'optional'}", here)
            yield from schema_changes(walk, before[name], after[name], here)
    yield from _others(walk, old.get("additionalProperties", True), new.get("additionalProperties", True), place)


def _properties(schema: Json) -> Mapping[str, JsonValue]:
    """The properties by name; one that is only required may hold anything."""
    return {
        **mapping(schema.get("properties")),
        **{name: {} for name in strings(schema.get("required")) if name not in mapping(schema.get("properties"))},
    }


def _others(walk: Walk, old: JsonValue, new: JsonValue, place: str) -> Iterator[Change]:
    """additionalProperties: a schema, or whether there may be any."""
    if (old is False) != (new is False):
        yield walk.change(f"{'closed' if new is False else 'opened'}-{walk.direction}-object", place)
    elif old is not False and (mapping(old) or mapping(new)):
        yield from schema_changes(walk, mapping(old), mapping(new), f"{place}.*")


def _short(schema: JsonValue) -> JsonValue:
    """What a property is, in a word."""
    return label(mapping(schema))
