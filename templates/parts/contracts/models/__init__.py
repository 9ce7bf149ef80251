"""The Models API: what its providers offer and the server calls.

Generated from apis/models.yaml by `stackgen contracts`; a change belongs there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from ...runtime.context import Context
    from .requests import ListModelsRequest, RegisterModelRequest, RetrieveModelRequest, UnregisterModelRequest
    from .responses import DeleteModelResponse, ListModelsResponse, Model


class Listing(Protocol):
    """List the models. Describe one model."""

    async def list_models(self, request: ListModelsRequest, ctx: Context) -> ListModelsResponse:
        """List the models."""

    async def retrieve_model(self, request: RetrieveModelRequest, ctx: Context) -> Model:
        """Describe one model."""


class Registration(Protocol):
    """Register a model of a provider. Unregister a model."""

    async def register_model(self, request: RegisterModelRequest, ctx: Context) -> Model:
        """Register a model of a provider."""

    async def unregister_model(self, request: UnregisterModelRequest, ctx: Context) -> DeleteModelResponse:
        """Unregister a model."""


class Models(Listing, Registration, Protocol):
    """The models that can be named in a request. A model object serves OpenAI's clients (id, object, created, owned_by)
    and those of every Llama Stack version (identifier, provider_id, … and custom_metadata) at once.
    """
