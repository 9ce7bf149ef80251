"""The Models API: what its providers offer and the server calls.

Generated from apis/models.yaml by `stackgen contracts`; a change belongs there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from ...runtime.context import Context
    from .requests import ListModelsRequest, RetrieveModelRequest
    from .responses import ListModelsResponse, Model


class Models(Protocol):
    """The models that can be named in a request. A model object serves OpenAI's clients (id, object, created, owned_by)
    and those of every Llama Stack version (identifier, provider_id, … and custom_metadata) at once.
    """

    async def list_models(self, request: ListModelsRequest, ctx: Context) -> ListModelsResponse:
        """List the models."""

    async def retrieve_model(self, request: RetrieveModelRequest, ctx: Context) -> Model:
        """Describe one model."""
