"""The rules by which a client registers a shield, as functions of the request."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import TYPE_CHECKING

from ...runtime.errors import BadRequest
from ...runtime.instances import instance_meant
from ...runtime.registry_records import Registered
from .entries import Entry

if TYPE_CHECKING:
    from ...contracts.shields.requests import RegisterShieldRequest

PARAMS_BYTES = 64 * 1024
"""The most that a shield's params take as JSON: every process has them in memory."""


def fields_of(request: RegisterShieldRequest, instances: Collection[str]) -> dict[str, object]:
    """What is kept of a shield. Raises BadRequest for a provider that is not here, and for too much."""
    instance = instance_meant(request.provider_id, instances, "safety")
    name = request.provider_shield_id or request.shield_id
    if not name.isprintable() or name != name.strip():
        message = "a provider's name for a guard is of printable characters, with blanks only within"
        raise BadRequest(message, param="provider_shield_id" if request.provider_shield_id else "shield_id")
    params = request.params or {}
    if len(json.dumps(params)) > PARAMS_BYTES:
        raise BadRequest(f"params take more than {PARAMS_BYTES} bytes as JSON", param="params")
    return {"provider_id": instance, "provider_shield_id": name, "params": params}


def said_of(request: RegisterShieldRequest) -> list[str]:
    """The fields by which a shield that is registered already is compared."""
    return ["provider_id", "provider_shield_id", *(["params"] if request.params is not None else [])]


def entry_of(kept: Registered) -> Entry | None:
    """The shield as the table has it; None for what is none."""
    instance, name, params = (kept.fields.get(key) for key in ("provider_id", "provider_shield_id", "params"))
    if not isinstance(instance, str) or not isinstance(name, str) or not isinstance(params, dict):
        return None
    return Entry(id=kept.id, instance=instance, provider_shield_id=name, params=params)
