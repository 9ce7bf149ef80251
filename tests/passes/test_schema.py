"""What editors complete from: a case sees what the schemas refuse, and not what they say to somebody who writes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

ROOT = Path(__file__).resolve().parents[2]
SCHEMAS = {path.name: json.loads(path.read_text("utf-8")) for path in sorted((ROOT / "schema").glob("*.json"))}
SPECS = sorted(path for path in (ROOT / "specs").rglob("*.yaml"))


def schema_of(spec: Path) -> str:
    """The schema that `check` holds a bundled spec against."""
    folders = spec.relative_to(ROOT / "specs").parts[:-1]
    kind = folders[0].removesuffix("s") if folders else spec.stem
    return f"shared-{kind}.schema.json" if "shared" in folders else f"{kind}.schema.json"


@pytest.mark.parametrize("spec", SPECS, ids=lambda path: path.relative_to(ROOT / "specs").as_posix())
def test_each_spec_leads_editors_to_its_schema(spec: Path) -> None:
    mark, _, reference = spec.read_text("utf-8").partition("\n")[0].partition("$schema=")
    assert mark == "# yaml-language-server: "
    assert (spec.parent / reference).resolve() == ROOT / "schema" / schema_of(spec)


@pytest.mark.parametrize("name", SCHEMAS)
def test_each_schema_is_one(name: str) -> None:
    Draft202012Validator.check_schema(SCHEMAS[name])
    assert SCHEMAS[name]["title"]
    assert SCHEMAS[name]["description"]


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_key_is_described(name: str) -> None:
    assert [where for where, key in keys(SCHEMAS[name], "#") if not described(key, name)] == []


def keys(schema: Any, where: str) -> Iterator[tuple[str, Any]]:
    """Every property below a schema, but for those that a condition only looks at."""
    if isinstance(schema, list):
        for number, value in enumerate(schema):
            yield from keys(value, f"{where}/{number}")
    for word, value in schema.items() if isinstance(schema, dict) else ():
        if word in ("properties", "$defs"):
            for name, inner in value.items():
                if word == "properties":
                    yield f"{where}/{word}/{name}", inner
                yield from keys(inner, f"{where}/{word}/{name}")
        elif word not in ("if", "then", "else", "enum", "const", "default"):
            yield from keys(value, f"{where}/{word}")


def described(schema: Any, name: str) -> bool:
    """Whether a property has a description, its own or that of what it refers to."""
    if schema.get("description"):
        return True
    file, _, pointer = schema.get("$ref", "").partition("#/")
    if not pointer:
        return False
    target = SCHEMAS[file or name]
    for step in pointer.split("/"):
        target = target[step]
    return described(target, file or name)
