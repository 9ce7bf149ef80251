"""The files around a generated package: README, pyproject.toml, config.schema.json."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from ..plan import Component, Config, JsonValue, Plan, Value
from .rows import Row, rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One row of the README's table of settings, as Markdown."""

    name: str
    variable: str
    type: str
    default: str
    meaning: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """One row of the README's table of providers, as Markdown."""

    api: str
    id: str
    type: str
    presence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteGroup:
    """The routes of one stability level."""

    level: str
    lines: tuple[str, ...]


def providers(plan: Plan) -> tuple[Provider, ...]:
    return tuple(
        Provider(
            api=each.api,
            id=code(each.id),
            type=code(each.type),
            presence=f"when {code(each.gate)} is set" if each.gate else "always",
        )
        for each in plan.components
        if each.role in ("instance", "backend")
    )


def gates(plan: Plan) -> tuple[str, ...]:
    """The variables that switch an instance on, in the plan's order."""
    return tuple(dict.fromkeys(each.gate for each in plan.components if each.gate))


def route_groups(plan: Plan) -> tuple[RouteGroup, ...]:
    groups: dict[str, list[str]] = {}
    for route in plan.routes:
        level = f"{route.level}, deprecated" if route.deprecated else route.level
        groups.setdefault(level, []).append(f"{route.method:<6} {route.path}")
    return tuple(RouteGroup(level=level, lines=tuple(lines)) for level, lines in groups.items())


def server_port(plan: Plan) -> int:
    """The port that the server listens on unless told otherwise."""
    port = dict(plan.server.fields).get("port")
    found = port.default if isinstance(port, Value) else None
    return found if isinstance(found, int) else 0


def environment(plan: Plan) -> tuple[Setting, ...]:
    """The settings that a variable can give, in the plan's order."""
    return tuple(setting(row) for row in rows(plan) if row.variables)


def setting(row: Row) -> Setting:
    """A row as Markdown."""
    needed = f"required with {code(row.gate)}" if row.gate else "required"
    return Setting(
        name=code(row.path),
        variable=", ".join(map(code, row.variables)),
        type=row.type,
        default=needed if row.needed else code(row.default) if row.default else "",
        meaning=(f"{code(row.text)}. " if row.text else "") + cell(row.meaning),
    )


def cell(text: str) -> str:
    """Text inside a Markdown table."""
    return " ".join(text.split()).replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;")


def code(text: str) -> str:
    fence = "``" if "`" in text else "`"
    return f"{fence}{' '.join(text.split())}{fence}".replace("|", "\\|")


# ── config.schema.json ──────────────────────────────────────────────────────────────────────────────────────────────


def config_schema(plan: Plan) -> str:
    """JSON Schema of the file that `--config` takes, ending in a newline."""
    shared: dict[str, JsonValue] = {}
    properties: dict[str, JsonValue] = {"server": _object(plan.server, shared)}
    by_api: dict[str, dict[str, JsonValue]] = {}
    backends: dict[str, JsonValue] = {}
    for each in plan.components:
        if each.config is not None:
            there = backends if each.role == "backend" else by_api.setdefault(each.api, {})
            there[each.id] = _object(each.config, shared, _presence(each))
    if by_api:
        apis: dict[str, JsonValue] = {api: _closed(instances) for api, instances in by_api.items()}
        properties["providers"] = _closed(apis)
    if backends:
        properties["storage"] = _closed(backends)
    schema: dict[str, JsonValue] = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"Settings of {plan.name}",
        **_closed(properties),
        **({"$defs": shared} if shared else {}),
    }
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _presence(component: Component) -> str:
    return f"Counts when {component.gate} is set." if component.gate else ""


def _closed(properties: dict[str, JsonValue], description: str = "") -> dict[str, JsonValue]:
    schema: dict[str, JsonValue] = {"type": "object"}
    if description:
        schema["description"] = description
    return {**schema, "additionalProperties": False, "properties": properties}


def _object(config: Config, shared: dict[str, JsonValue], description: str = "") -> dict[str, JsonValue]:
    properties: dict[str, JsonValue] = {}
    for name, field in config.fields:
        properties[name] = _shared(field, shared) if isinstance(field, Config) else _property(field)
    return _closed(properties, description)


def _shared(config: Config, shared: dict[str, JsonValue]) -> JsonValue:
    """A reference to the schema of an object inside a config: many instances have the same."""
    schema = _object(config, shared)
    name, number = config.cls, 2
    while shared.setdefault(name, schema) != schema:
        name, number = f"{config.cls}{number}", number + 1
    return {"$ref": f"#/$defs/{name}"}


_TYPES: Mapping[str, dict[str, JsonValue]] = {
    "string": {"type": "string"},
    "secret": {"type": "string", "format": "password"},
    "url": {"type": "string", "format": "uri"},
    "path": {"type": "string"},
    "integer": {"type": "integer"},
    "number": {"type": "number"},
    "boolean": {"type": "boolean"},
    "strings": {"type": "array", "items": {"type": "string"}},
    "string_map": {"type": "object", "additionalProperties": {"type": "string"}},
}


def _property(value: Value) -> dict[str, JsonValue]:
    schema: dict[str, JsonValue] = dict(_TYPES[value.kind])
    if value.optional:
        schema["type"] = [schema["type"], "null"]
    if value.description:
        schema["description"] = " ".join(value.description.split())
    if value.choices:
        schema["enum"] = [*value.choices, *([None] if value.optional else [])]
    if value.minimum is not None:
        schema["minimum"] = value.minimum
    if value.maximum is not None:
        schema["maximum"] = value.maximum
    if value.pattern is not None:
        schema["pattern"] = value.pattern
    if not value.required and value.kind != "secret" and value.default is not None:
        schema["default"] = value.default
    return schema
