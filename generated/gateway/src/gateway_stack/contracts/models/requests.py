"""What the requests of the models API are made of.

Generated from apis/models.yaml by `stackgen contracts`; a change belongs there.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field

from ..wire import WireModel

ModelType: TypeAlias = Literal["llm", "embedding", "rerank"]
"""What the model does."""


class RegisterModelRequest(WireModel):
    """A model to be registered, as Llama Stack's clients say it."""

    model_id: Annotated[str, Field(max_length=512, min_length=1)]
    """The name clients use. One that is also the provider's name for the model gets the provider before it,
    `provider/name`.
    """
    provider_id: Annotated[str | None, Field(min_length=1)] = None
    """The instance that serves it; may be left out where there is only one."""
    provider_model_id: Annotated[str | None, Field(max_length=512, min_length=1)] = None
    """The name at the provider; the same as `model_id` if absent."""
    model_type: ModelType | None = None
    """What the model does; if absent what the provider says of it, else llm."""
    metadata: dict[str, Any] | None = None
    """What else is to be shown of it, at most 64 KiB."""


class ListModelsRequest(WireModel):
    """List the models."""


class RetrieveModelRequest(WireModel):
    """Describe one model."""

    model: str
    """The id; it may hold slashes."""


class UnregisterModelRequest(WireModel):
    """Unregister a model."""

    model: str
    """The id; it may hold slashes."""
