"""What a registry writes of a resource, and how two of them differ."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from .owner import Owner

FORMAT = 1
"""Of what is written; a server leaves alone what a newer one wrote."""

Fields = Mapping[str, object]
"""A resource as JSON values."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """One resource. created: Unix seconds."""

    id: str
    fields: Fields
    owner: Owner
    created: int


def encoded(entry: Registered) -> bytes:
    document = {
        "format": FORMAT,
        "fields": entry.fields,
        "owner": entry.owner.principal,
        "attributes": json.loads(entry.owner.attributes),
        "created": entry.created,
    }
    return json.dumps(document, allow_nan=False).encode()


def decoded(identity: str, raw: bytes) -> Registered | None:
    """None for what this server does not know how to read."""
    try:
        document = json.loads(raw)
        principal, fields = document["owner"], document["fields"]
        if document["format"] != FORMAT or not isinstance(fields, dict) or not isinstance(principal, str | None):
            return None
        owner = Owner(principal, json.dumps(document["attributes"]))
        return Registered(id=identity, fields=fields, owner=owner, created=int(document["created"]))
    except (ValueError, TypeError, LookupError):
        return None


def differences(old: Fields, new: Fields, said: Collection[str]) -> dict[str, str]:
    """What is to be told of each of the fields `said` that is not the same: "'a' and not 'b'"."""
    # As texts, for to Python true is 1.
    return {
        name: f"{_shown(old.get(name))} and not {_shown(new.get(name))}"
        for name in said
        if _json(old.get(name)) != _json(new.get(name))
    }


def _json(value: object) -> str:
    return json.dumps(value, sort_keys=True)


def _shown(value: object) -> str:
    text = _json(value)
    return text if len(text) <= 100 else f"{text[:100]}…"
