"""The config schema of a provider: its `$ref`s followed, one tree of properties, each with the place that says it.

{$ref: ../shared/remote.yaml, properties: {base_url: {default: …}}}   what is shared, with this default over it
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..load import Document, Where
from ..plan import JsonValue, Kind, Position
from ..problems.nearest import nearest
from .desk import Desk, mapping, sequence, text


@dataclass(slots=True)
class Property:
    """A property, or the whole config. rules: its JSON Schema, less `properties` and `$ref`. at: where it is said."""

    at: Position
    rules: dict[str, JsonValue] = field(default_factory=dict)
    properties: dict[str, Property] = field(default_factory=dict)

    @property
    def nullable(self) -> bool:
        return "null" in sequence(self.rules.get("type")) or self.rules.get("type") == "null"

    @property
    def required(self) -> frozenset[str]:
        return frozenset(str(name) for name in sequence(self.rules.get("required")))

    @property
    def backend(self) -> str:
        """kv or sql where the value names a storage backend."""
        return text(self.rules.get("x-backend"))

    @property
    def names(self) -> tuple[str, str]:
        """("instances", API) or ("resources", kind) where the value names one; ("", "") where it does not."""
        what, _, which = text(self.rules.get("x-names")).partition(":")
        return what, which

    @property
    def kind(self) -> Kind | None:
        """What it is as a setting; None for an object with properties, and for what cannot be a setting."""
        types = [t for t in (sequence(self.rules.get("type")) or [self.rules.get("type")]) if t != "null"]
        match types:
            case ["string"]:
                return _FORMATS.get(text(self.rules.get("format")), "string")
            case ["integer"]:
                return "integer"
            case ["number"]:
                return "number"
            case ["boolean"]:
                return "boolean"
            case ["array"] if mapping(self.rules.get("items")).get("type") == "string":
                return "strings"
            case ["object"] if mapping(self.rules.get("additionalProperties")).get("type") == "string":
                return "string_map"
        return None


_FORMATS: Mapping[str, Kind] = {"password": "secret", "uri": "url", "path": "path"}
_OWN = ("properties", "$ref")


def config_schema(desk: Desk, document: Document, where: Where) -> Property:
    """The config schema that stands at `where`, an empty one if none does."""
    return _read(desk, document, where, _node(document, where), ())


def _read(desk: Desk, document: Document, where: Where, node: JsonValue, trail: tuple[str, ...]) -> Property:
    raw = mapping(node)
    own = Property(document.at(*where), {k: v for k, v in raw.items() if k not in _OWN})
    for name, value in mapping(raw.get("properties")).items():
        own.properties[name] = _read(desk, document, (*where, "properties", name), value, trail)
        own.properties[name].at = document.key(*where, "properties", name)
    reference = text(raw.get("$ref"))
    if not reference:
        return own
    base = _follow(desk, document, (*where, "$ref"), reference, trail)
    return own if base is None else _over(base, own)


def _follow(desk: Desk, document: Document, where: Where, reference: str, trail: tuple[str, ...]) -> Property | None:
    path, _, pointer = reference.partition("#")
    steps: Where = tuple(step for step in pointer.split("/") if step)
    at = document.at(*where)
    if reference in trail:
        desk.report("SG504", at, f"{reference} refers to itself", found=" → ".join((*trail, reference)))
        return None
    target, relative = desk.shared(document, path) if path else (document, "")
    if target is None:
        near = nearest(relative.rpartition("/")[2].removesuffix(".yaml"), desk.roots.names("providers/shared"))
        desk.report(
            "SG504", at, f"there is no file {relative}", found=reference, nearest=near and f"../shared/{near}.yaml"
        )
        return None
    node = _node(target, steps)
    if node is None:
        desk.report("SG504", at, f"{target.file} has nothing at {pointer or 'its top'}", found=reference)
        return None
    return _read(desk, target, steps, node, (*trail, reference))


def _over(base: Property, own: Property) -> Property:
    """What `own` says over `base`; properties are merged, every other rule is replaced."""
    rules = {**base.rules, **own.rules}
    required = base.required | own.required
    if required:
        rules["required"] = list[JsonValue](sorted(required))
    merged = dict(base.properties)
    for name, each in own.properties.items():
        merged[name] = _over(merged[name], each) if name in merged else each
    return Property(own.at, rules, merged)


def _node(document: Document, where: Where) -> JsonValue:
    node = document.data
    for step in where:
        node = mapping(node).get(str(step))
    return node
