"""What a distribution says of a config, against its schema: `Config` and `Value`s for the Plan.

config: {base_url: "${env.URL:=http://localhost}"}   Value(path="providers.inference.x.base_url", kind="url",
parts=(Slot(…),), …)
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from ..load import Document, Where
from ..plan import Config, JsonValue, Kind, Position, Scalar, Slot, Value
from ..problems.nearest import nearest
from ..validate import kind_of
from .desk import Desk, mapping, sequence, text
from .schemas import Property
from .shapes import Shape
from .slots import STRING_LIKE, Malformed, convert, cut, holds_slot, unset_text

_WORDS: dict[Kind, str] = {
    "string": "a text", "secret": "a text", "url": "a URL, http:// or https://", "path": "the path of a file or folder",
    "integer": "an integer", "number": "a number", "boolean": "true or false", "strings": "a list of texts",
    "string_map": "a mapping of texts",
}  # fmt: skip


@dataclass(slots=True)
class Scope:
    """One distribution being read. variables: each one's type, and where it was first used."""

    desk: Desk
    document: Document
    variables: dict[str, tuple[str, Position]] = field(default_factory=dict)


def read_config(scope: Scope, where: Where, schema: Property, shape: Shape | None, path: str) -> Config:
    """The config that stands at `where` (it may be absent): every property of the schema, in the dataclass's order."""
    raw = _node(scope.document, where)
    given = mapping(raw)
    if raw is not None and not isinstance(raw, dict) and where[-1] not in ("config", "server"):
        code = "SG604" if isinstance(raw, str) and holds_slot(raw) else "SG503"
        at = scope.document.at(*where)
        scope.desk.report(code, at, f"{path} does not fit its schema", expected="a mapping", found=kind_of(raw))
    names = [name for name, prop in schema.properties.items() if not prop.backend]
    for key in given:
        if key not in schema.properties and not holds_slot(key):
            known = list(schema.properties)
            scope.desk.report(
                "SG501",
                scope.document.key(*where, key),
                f"{path} has no value {key!r}",
                expected=f"one of {', '.join(known)}" if known else "nothing: it takes no config",
                nearest=nearest(key, known),
            )
    order = {each.name: number for number, each in enumerate(shape.fields)} if shape else {}
    shapes = {each.name: each.type.shape for each in shape.fields} if shape else {}
    fields: list[tuple[str, Value | Config]] = []
    for name in sorted(names, key=lambda each: order.get(each, len(order))):
        prop, below = schema.properties[name], f"{path}.{name}"
        if prop.kind is None and prop.properties:
            fields.append((name, read_config(scope, (*where, name), prop, shapes.get(name), below)))
        else:
            fields.append((name, _value(scope, where, name, prop, below, name in schema.required)))
    return Config(path=path, part=shape.part if shape else "", cls=shape.cls if shape else "", fields=tuple(fields))


def check_defaults(desk: Desk, schema: Property, prefix: str = "") -> None:
    """Report every property of a config schema that cannot be a setting, and every default that is no value of it."""
    for name, prop in schema.properties.items():
        if prop.kind is None and prop.properties:
            check_defaults(desk, prop, f"{prefix}{name}.")
        elif prop.kind is None:
            desk.report("SG504", prop.at, f"{prefix}{name} cannot be a setting", found=f"type {prop.rules.get('type')}")
        elif "default" not in prop.rules and not prop.nullable and name not in schema.required:
            desk.report("SG504", prop.at, f"{prefix}{name} has no default, is not required, and may not be null")
        elif "default" in prop.rules and (wrong := misfit(prop, prop.rules["default"])):
            found = kind_of(prop.rules["default"])
            desk.report(
                "SG503", prop.at, f"the default of {prefix}{name} is no value of it", expected=wrong, found=found
            )


def misfit(prop: Property, value: JsonValue) -> str:
    """What was expected, if a value does not fit; "" if it does."""
    kind = prop.kind
    if value is None or kind is None:
        return "" if prop.nullable or kind is None else _WORDS[kind]
    if not _is(kind, value):
        return _WORDS[kind]
    choices = [each for each in sequence(prop.rules.get("enum")) if each is not None]
    if choices and value not in choices:
        return f"one of {', '.join(map(str, choices))}"
    low, high = _bounds(prop)
    if isinstance(value, int | float) and ((low is not None and value < low) or (high is not None and value > high)):
        return _range(low, high)
    pattern = text(prop.rules.get("pattern"))
    if pattern and isinstance(value, str) and not re.search(pattern, value):
        return f"text like {pattern}"
    shortest = prop.rules.get("minLength")
    if isinstance(value, str) and isinstance(shortest, int) and len(value) < shortest:
        return "a text that is not empty" if shortest == 1 else f"at least {shortest} characters"
    return ""


def _value(scope: Scope, where: Where, name: str, prop: Property, path: str, required: bool) -> Value:
    given = mapping(_node(scope.document, where))
    here: Where = (*where, name)
    kind = prop.kind or "string"
    parts: tuple[str | Slot, ...] = ()
    default = prop.rules.get("default")
    at = prop.at
    missing = "default" not in prop.rules and not prop.nullable
    if name in given:
        at, raw, missing = scope.document.at(*here), given[name], False
        if isinstance(raw, str) and holds_slot(raw):
            parts, default = _slots(scope, at, raw, prop, path)
            missing = any(isinstance(part, Slot) and part.mode == "required" for part in parts)
        else:
            default = raw
            parts = (raw,) if isinstance(raw, str) and kind in STRING_LIKE else ()
            _check_literal(scope, here, prop, path, raw)
    elif required or missing:
        scope.desk.report("SG502", scope.document.key(*where), f"{path} is missing", expected=_WORDS[kind])
    low, high = _bounds(prop)
    return Value(
        path=path,
        kind=kind,
        parts=parts,
        default=default,
        required=missing,
        optional=prop.nullable,
        choices=tuple(
            each for each in sequence(prop.rules.get("enum")) if isinstance(each, Scalar) and each is not None
        ),
        minimum=low,
        maximum=high,
        pattern=text(prop.rules.get("pattern")) or None,
        description=text(prop.rules.get("description")),
        origin=at,
    )


def _check_literal(scope: Scope, here: Where, prop: Property, path: str, raw: JsonValue) -> None:
    """Report a value that does not fit, or the items of it that do not."""
    document, desk = scope.document, scope.desk
    items: list[tuple[int | str, JsonValue]] = [*mapping(raw).items(), *enumerate(sequence(raw))]
    slots = [key for key, item in items if isinstance(item, str) and holds_slot(item)]
    for key in slots:
        at = document.at(*here, key)
        desk.report("SG604", at, f"an item of {path} cannot come from the environment", found="a slot")
    if slots or not (wrong := misfit(prop, raw)):
        return
    holds_texts = prop.kind == ("string_map" if isinstance(raw, dict) else "strings")
    others = [(key, item) for key, item in items if holds_texts and not isinstance(item, str)]
    for key, item in others:
        message = f"an item of {path} does not fit its schema"
        desk.report("SG503", document.at(*here, key), message, expected="a text", found=kind_of(item))
    if not others:
        found = "a text" if prop.kind == "secret" and isinstance(raw, str) else kind_of(raw)
        desk.report("SG503", document.at(*here), f"{path} does not fit its schema", expected=wrong, found=found)


def _slots(scope: Scope, at: Position, raw: str, prop: Property, path: str) -> tuple[tuple[str | Slot, ...], JsonValue]:
    """The text cut at its slots, and its value while no variable is set."""
    desk, kind = scope.desk, prop.kind or "string"
    cut_ = cut_or_report(desk, at, raw)
    slots = [part for part in cut_ if isinstance(part, Slot)]
    if not slots:
        return cut_, "".join(part for part in cut_ if isinstance(part, str))
    if kind == "string_map":
        desk.report("SG604", at, f"{path} is a mapping, which the environment does not give", found=raw)
        return (), None
    if len(cut_) > 1 and kind not in STRING_LIKE:
        desk.report("SG604", at, f"{path} is {_WORDS[kind]}: one slot can fill it, and nothing around", found=raw)
        return (), None
    for slot in slots:
        _note_variable(scope, at, slot, kind, path)
        if slot.mode != "required" and slot.text and len(cut_) == 1:
            _typed(desk, at, prop, path, slot.text)
    unset = unset_text(cut_)
    if unset is None:
        return cut_, None
    return cut_, _unset(desk, at, prop, path, unset, raw)


def cut_or_report(desk: Desk, at: Position, raw: str) -> tuple[str | Slot, ...]:
    """A text cut at its slots; () and a problem if one of them is malformed."""
    parts = cut(raw)
    if isinstance(parts, Malformed):
        desk.report("SG601", at, parts.message, found=parts.found, nearest=parts.nearest)
        return ()
    return parts


def _unset(desk: Desk, at: Position, prop: Property, path: str, unset: str, raw: str) -> JsonValue:
    if unset:
        return _typed(desk, at, prop, path, unset, quiet=True)
    if prop.nullable:
        return None
    if misfit(prop, "" if prop.kind != "strings" else []):
        kind = prop.kind or "string"
        message = f"{path} would be empty while the variable is unset"
        desk.report("SG602", at, message, expected=f"{_WORDS[kind]} as the text of `:=`", found=raw)
    return [] if prop.kind == "strings" else ""


def _typed(desk: Desk, at: Position, prop: Property, path: str, said: str, *, quiet: bool = False) -> JsonValue:
    """A slot's text as the value it stands for."""
    try:
        value: JsonValue = convert(prop.kind or "string", said)  # type: ignore[assignment]  # list[str] is a JSON list
        wrong = misfit(prop, value)
    except ValueError as error:
        value, wrong = None, str(error)
    if wrong and not quiet:
        desk.report("SG602", at, f"the text of a slot is no value of {path}", expected=wrong, found=repr(said))
    return value


def _note_variable(scope: Scope, at: Position, slot: Slot, kind: Kind, path: str) -> None:
    """One variable has one type; where only its presence counts it has none."""
    if slot.mode == "if_set":
        return
    said = "text" if kind in ("string", "url", "path") else kind
    known, first = scope.variables.setdefault(slot.variable, (said, at))
    if known != said:
        scope.desk.report(
            "SG605",
            at,
            f"{slot.variable} fills {path}, which is {_noun(said)}, and another value, which is {_noun(known)}",
            expected=f"{_noun(known)}, as at {first}",
            found=_noun(said),
        )


def _noun(said: str) -> str:
    return {"text": "a text", "strings": "a list"}.get(said, f"{'an' if said[0] in 'aeiou' else 'a'} {said}")


def _is(kind: Kind, value: JsonValue) -> bool:
    match kind:
        case "string" | "secret" | "path":
            return isinstance(value, str)
        case "url":
            return isinstance(value, str) and re.match(r"https?://[^/\s]", value) is not None
        case "boolean":
            return isinstance(value, bool)
        case "integer":
            return isinstance(value, int) and not isinstance(value, bool)
        case "number":
            return isinstance(value, int | float) and not isinstance(value, bool)
        case "strings":
            return isinstance(value, list) and all(isinstance(each, str) for each in value)
    return isinstance(value, dict) and all(isinstance(each, str) for each in value.values())


def _bounds(prop: Property) -> tuple[float | None, float | None]:
    low, high = prop.rules.get("minimum"), prop.rules.get("maximum")
    return (low if isinstance(low, int | float) else None, high if isinstance(high, int | float) else None)


def _range(low: float | None, high: float | None) -> str:
    if low is None or high is None:
        return f"{low:g} or more" if low is not None else f"{high:g} or less"
    return f"{low:g} to {high:g}"


def _node(document: Document, where: Where) -> JsonValue:
    node = document.data
    for step in where:
        if isinstance(step, int):
            items = sequence(node)
            node = items[step] if step < len(items) else None
        else:
            node = mapping(node).get(step)
    return node
