"""The rules by which a client registers a model, as functions of the request and of what its provider lists."""

from __future__ import annotations

import difflib
import itertools
import json
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from ...runtime.errors import BadRequest
from ...runtime.instances import instance_meant
from ...runtime.models import ModelSource, ModelType
from ...runtime.registry_records import Registered
from .entries import ANY_PROVIDER, AUTO, Entry, ModelResource, Offer, Sources

if TYPE_CHECKING:
    from ...contracts.models.requests import RegisterModelRequest

METADATA_BYTES = 64 * 1024
"""The most that a model's metadata take as JSON: every process has them in memory."""

_TYPES: Mapping[object, ModelType] = {"llm": "llm", "embedding": "embedding", "rerank": "rerank"}


def provider_of(request: RegisterModelRequest, sources: Sources) -> str:
    """The instance that is to serve the model. Raises BadRequest where none is meant, or none of these."""
    return instance_meant(request.provider_id, sources, "inference")


def name_of(request: RegisterModelRequest) -> str:
    """The model's name at its provider. Raises BadRequest for what is none."""
    name = request.provider_model_id or request.model_id
    if not name.isprintable() or name != name.strip():
        message = "a provider's name for a model is of printable characters, with blanks only within"
        raise BadRequest(message, param="provider_model_id" if request.provider_model_id else "model_id")
    return name


def identity_of(request: RegisterModelRequest, instance: str, name: str) -> str:
    """The id: a name of its own is an alias; one that repeats the provider's gets its prefix."""
    prefixed = request.model_id == name and not name.startswith(f"{instance}/")
    return f"{instance}/{name}" if prefixed else request.model_id


def names_served(source: ModelSource, offer: Offer) -> Collection[str] | None:
    """Every name that the provider serves; None where only itself could tell."""
    if source.allowed_models is not None:
        listed = offer.listed if source.lists_all else None
        return [name for name in source.allowed_models if listed is None or name in listed]
    return offer.listed.keys() if source.lists_all and offer.listed is not None else None


def not_served(instance: str, name: str, served: Collection[str]) -> BadRequest:
    """That the provider has no such model."""
    near = difflib.get_close_matches(name[:200], itertools.islice(served, 2000), n=3)
    hint = f"did you mean {', '.join(near)}?" if near else "GET /v1/models lists what it has."
    message = f"provider {instance!r} has no model {name[:200]!r}; {hint}"
    return BadRequest(message, code="model_not_found", param="provider_model_id")


def fields_of(request: RegisterModelRequest, instance: str, name: str, offer: Offer) -> dict[str, object]:
    """What is kept of the model. Raises BadRequest where that is too much."""
    metadata = request.metadata or {}
    if len(json.dumps(metadata)) > METADATA_BYTES:
        raise BadRequest(f"metadata take more than {METADATA_BYTES} bytes as JSON", param="metadata")
    listed = (offer.listed or {}).get(name)
    return {
        "provider_id": instance,
        "provider_model_id": name,
        "model_type": request.model_type or (listed.model_type if listed else "llm"),
        "metadata": metadata,
    }


def said_of(request: RegisterModelRequest) -> list[str]:
    """The fields by which a model that is registered already is compared: those of its id, and what was named."""
    named = {"model_type": request.model_type, "metadata": request.metadata}
    return ["provider_id", "provider_model_id", *(name for name, value in named.items() if value is not None)]


def entry_of(kept: Registered) -> Entry | None:
    """The model as the table has it; None for what is none."""
    instance, name, metadata = (kept.fields.get(key) for key in ("provider_id", "provider_model_id", "metadata"))
    model_type = _TYPES.get(kept.fields.get("model_type"))
    if not isinstance(instance, str) or not isinstance(name, str) or not isinstance(metadata, dict) or not model_type:
        return None
    return Entry(
        id=kept.id,
        instance=instance,
        provider_model_id=name,
        model_type=model_type,
        declared_type=model_type,
        created=kept.created,
        metadata=metadata,
    )


def declared_ids(resources: Sequence[ModelResource], sources: Sources) -> set[str]:
    """Every id that a model of the distribution may have, whatever its provider lists."""
    found: set[str] = set()
    for resource in resources:
        if resource.model_id is None:
            continue
        found.add(resource.model_id)
        if resource.provider_id != ANY_PROVIDER and resource.provider_model_id in (None, AUTO, resource.model_id):
            instances = sources if resource.provider_id is None else [resource.provider_id]
            found |= {f"{instance}/{resource.model_id}" for instance in instances}
    return found
