"""A built package as `stackgen diff` reads it: the four documents that say what it is, and the digests of its files.

    read_package({"MANIFEST.json": b"…", "src/gateway_stack/openapi.json": b"…", …}) → Package

A folder on disk and a package that was just rendered are the same here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from ..lockfile import parse_lock
from ..plan import JsonValue
from ..render.manifest import MANIFEST, digest
from .references import Json, mapping, strings

OPENAPI = "openapi.json"
CONFIG = "config.schema.json"
REQUIREMENTS = "requirements.txt"
PARTS = ("contracts", "providers", "routers", "runtime")


class NoPackage(Exception):
    """The files are not those of a package that this stackgen writes; the message says what is wrong."""


@dataclass(frozen=True, slots=True)
class Wired:
    """A component of the package. when: the variable that it stands behind, "" for none."""

    type: str
    when: str


@dataclass(frozen=True, slots=True)
class Variable:
    """An environment variable. settings: what it gives; required_by: whose setting has nothing else."""

    settings: tuple[str, ...]
    required_by: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """requirements: (version, hashes) by name. externals: what no lock has, its range by name. resources: what is said
    of each, by kind and id. parts: digests of the vendored modules, files: of what else is written, both by path, the
    package's own folder left out of it, as it is called after the distribution."""

    name: str
    openapi: Json
    config: Json
    requirements: Mapping[str, tuple[str, tuple[str, ...]]]
    externals: Mapping[str, str]
    components: Mapping[str, Wired]
    variables: Mapping[str, Variable]
    resources: Mapping[str, Json]
    parts: Mapping[str, str]
    files: Mapping[str, str]


def read_package(files: Mapping[str, bytes]) -> Package:
    """files: every file of the package by its path. Raises NoPackage."""
    manifest = _json(files, MANIFEST)
    api = next((path for path in files if path.startswith("src/") and path.endswith(f"/{OPENAPI}")), OPENAPI)
    code = api.removesuffix(OPENAPI)
    if "components" not in manifest or "variables" not in manifest:
        raise NoPackage(f"its {MANIFEST} names no components; build it anew with this stackgen")
    others = {path.removeprefix(code): digest(content) for path, content in files.items()}
    parts = {path: each for path, each in others.items() if path.partition("/")[0] in PARTS}
    told = {MANIFEST, OPENAPI, CONFIG, REQUIREMENTS}
    return Package(
        name=str(manifest.get("distribution")),
        openapi=_json(files, api),
        config=_json(files, CONFIG),
        requirements=_requirements(files),
        externals={name: str(text) for name, text in mapping(manifest.get("externals")).items()},
        components={
            name: Wired(str(mapping(each).get("type")), str(mapping(each).get("when") or ""))
            for name, each in mapping(manifest["components"]).items()
        },
        variables={
            name: Variable(strings(mapping(each).get("settings")), strings(mapping(each).get("required_by")))
            for name, each in mapping(manifest["variables"]).items()
        },
        resources={
            f"{kind}/{next(iter(mapping(each).values()), '')}": mapping(each)
            for kind, entries in mapping(manifest.get("resources")).items()
            for each in (entries if isinstance(entries, list) else [])
        },
        parts=parts,
        files={path: each for path, each in others.items() if path not in parts and path not in told},
    )


def _json(files: Mapping[str, bytes], path: str) -> Json:
    try:
        found: JsonValue = json.loads(_file(files, path))
    except ValueError as error:
        raise NoPackage(f"its {path} is no JSON: {error}") from error
    if not isinstance(found, dict):
        raise NoPackage(f"its {path} holds no JSON object")
    return found


def _requirements(files: Mapping[str, bytes]) -> dict[str, tuple[str, tuple[str, ...]]]:
    try:
        packages = parse_lock(_file(files, REQUIREMENTS).decode()).by_name()
    except ValueError as error:
        raise NoPackage(f"its {REQUIREMENTS}: {error}") from error
    return {
        name: (", ".join(each.pin.partition("==")[2] for each in pins), tuple(h for each in pins for h in each.hashes))
        for name, pins in packages.items()
    }


def _file(files: Mapping[str, bytes], path: str) -> bytes:
    if path not in files:
        raise NoPackage(f"it has no {path}")
    return files[path]
