"""MANIFEST.json of a generated package: what was written, and of what it consists. `stackgen diff` reads it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

from ..plan import Component, Config, JsonValue, Plan, Slot, Value
from .rows import owned_values, slots_of

MANIFEST = "MANIFEST.json"
MANIFEST_VERSION = 1


def manifest(plan: Plan, version: str, files: Mapping[str, bytes], inputs: Mapping[str, str]) -> str:
    """What was written, of what, and from what: components, variables, resources, requirements that no lock has,
    digests by path (every file but itself).

    inputs: digest by spec file.
    """
    content = {
        "manifest": MANIFEST_VERSION,
        "stackgen": version,
        "distribution": plan.name,
        "components": {f"{each.api}/{each.id}": _wired(each) for each in plan.components},
        "variables": dict(sorted(_variables(plan).items())),
        "resources": {kind: [_resource(each) for each in entries] for kind, entries in plan.resources},
        "externals": {each.name: each.text for each in plan.externals},
        "files": {path: digest(files[path]) for path in sorted(files)},
        "inputs": dict(sorted(inputs.items())),
    }
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def _wired(component: Component) -> dict[str, str]:
    return {"type": component.type, **({"when": component.gate} if component.gate else {})}


def _resource(entry: Config) -> dict[str, JsonValue]:
    """What the distribution says of a resource, its id first."""
    return {name: told for name, field in entry.fields if isinstance(field, Value) and (told := _told(field))}


def _told(value: Value) -> JsonValue:
    """The value as the distribution has it; a variable by its name, and no secret."""
    if not any(isinstance(part, Slot) for part in value.parts):
        return None if value.kind == "secret" else value.default
    return "".join(f"${{env.{part.variable}}}" if isinstance(part, Slot) else part for part in value.parts)


def _variables(plan: Plan) -> dict[str, dict[str, list[str]]]:
    """Each variable that is read: the settings it gives, and the components that cannot be without it."""
    found: dict[str, dict[str, list[str]]] = {}
    for value, owner, gate in owned_values(plan):
        for slot in dict.fromkeys(slots_of(value)):
            entry = found.setdefault(slot.variable, {"settings": [], "required_by": []})
            entry["settings"] += [value.path] if value.path not in entry["settings"] else []
            # A value that opens its own gate is there wherever it is asked for.
            needed = slot.mode == "required" and slot.variable != gate
            entry["required_by"] += [owner] if needed and owner not in entry["required_by"] else []
    for component in plan.components:
        if component.gate:
            found.setdefault(component.gate, {"settings": [], "required_by": []})
    return found


def digest(content: bytes) -> str:
    return "sha256:" + hashlib.sha256(content).hexdigest()
