"""What the answers of the models API are made of.

Generated from apis/models.yaml by `stackgen contracts`; a change belongs there.
"""

from __future__ import annotations

from typing import Any, Literal

from ..wire import WireModel
from .requests import ModelType


class DeleteModelResponse(WireModel):
    """As OpenAI's clients know it; Llama Stack's do not look."""

    id: str
    """That of the model."""
    object: Literal["model"]
    deleted: Literal[True]


class ModelMetadata(WireModel):
    """What OpenAI's model object has no place for; `metadata`'s own entries stand here too."""

    model_type: ModelType
    provider_id: str
    """The instance that serves it."""
    provider_resource_id: str
    """The model's name at the provider."""


class Model(WireModel):
    """A model, as OpenAI's clients and Llama Stack's know it."""

    id: str
    """What a request's `model` says."""
    object: Literal["model"]
    created: int
    """Unix time, seconds, by its provider, else of its registration; 0 if neither is known."""
    owned_by: str
    """Who made the model."""
    custom_metadata: ModelMetadata
    identifier: str
    """The same as `id`."""
    provider_id: str
    """The instance that serves it."""
    provider_resource_id: str
    """The model's name at the provider."""
    type: Literal["model"]
    model_type: ModelType
    metadata: dict[str, Any]
    """What else is known of it."""


class ListModelsResponse(WireModel):
    """Models, all on one page."""

    object: Literal["list"]
    data: list[Model]
