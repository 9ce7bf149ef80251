"""Sends each inference call to the instance that owns its model.

The wiring gives one literal mapping per capability, so that an instance is called only for what it offers, and the type
checker has proved that it can:

    inference = InferenceRouter(table=models, chat={"openai": openai}, embeddings={"openai": openai}, …)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol, TypeVar

from ..runtime.context import Context
from ..runtime.errors import BadRequest
from ..runtime.models import ModelType
from ..runtime.reply import Answer, Events

if TYPE_CHECKING:
    from ..contracts.inference import Chat, Completions, Embeddings, Rerank
    from ..contracts.inference.requests import (
        CreateChatCompletionRequest,
        CreateCompletionRequest,
        CreateEmbeddingRequest,
        RerankRequest,
    )
    from ..contracts.inference.responses import (
        CreateChatCompletionResponse,
        CreateChatCompletionStreamResponse,
        CreateCompletionResponse,
        CreateEmbeddingResponse,
        RerankResponse,
    )

P = TypeVar("P")


class Target(Protocol):
    """Where a model lives: the instance, and the name by which that instance knows it."""

    @property
    def instance(self) -> str: ...

    @property
    def provider_model_id(self) -> str: ...

    @property
    def declared_type(self) -> ModelType | None: ...


class ModelTable(Protocol):
    """What the router asks of the models table."""

    def find(self, model: str, ctx: Context) -> Target | None:
        """The target of a model that the caller may use, if it is known by now: one look into a dictionary."""

    async def locate(self, model: str, ctx: Context) -> Target:
        """The same, waiting for a provider's first listing if need be. Raises NotFound."""


class Keeper(Protocol):
    """What the router asks of the stored completions."""

    def keeping(self, chat: Chat) -> Chat:
        """The same chat, whose answers are kept."""


class InferenceRouter:
    """The inference API over many instances. stored_completions: None where the server keeps none."""

    def __init__(
        self,
        *,
        table: ModelTable,
        chat: Mapping[str, Chat],
        completions: Mapping[str, Completions],
        embeddings: Mapping[str, Embeddings],
        rerank: Mapping[str, Rerank],
        stored_completions: Keeper | None = None,
    ) -> None:
        self._table = table
        # Decided here, and not with each request.
        self._chat = chat if stored_completions is None else {k: stored_completions.keeping(v) for k, v in chat.items()}
        self._completions = completions
        self._embeddings = embeddings
        self._rerank = rerank

    async def create_chat_completion(
        self, request: CreateChatCompletionRequest, ctx: Context
    ) -> Answer[CreateChatCompletionResponse] | Events[CreateChatCompletionStreamResponse]:
        target = self._table.find(request.model, ctx) or await self._table.locate(request.model, ctx)
        provider = _pick(self._chat, target, request.model, "llm", "chat completions", ctx)
        request.model = target.provider_model_id
        return await provider.create_chat_completion(request, ctx)

    async def create_completion(
        self, request: CreateCompletionRequest, ctx: Context
    ) -> Answer[CreateCompletionResponse] | Events[CreateCompletionResponse]:
        target = self._table.find(request.model, ctx) or await self._table.locate(request.model, ctx)
        provider = _pick(self._completions, target, request.model, "llm", "completions", ctx)
        request.model = target.provider_model_id
        return await provider.create_completion(request, ctx)

    async def create_embedding(self, request: CreateEmbeddingRequest, ctx: Context) -> Answer[CreateEmbeddingResponse]:
        target = self._table.find(request.model, ctx) or await self._table.locate(request.model, ctx)
        provider = _pick(self._embeddings, target, request.model, "embedding", "embeddings", ctx)
        request.model = target.provider_model_id
        return await provider.create_embedding(request, ctx)

    async def rerank(self, request: RerankRequest, ctx: Context) -> Answer[RerankResponse]:
        target = self._table.find(request.model, ctx) or await self._table.locate(request.model, ctx)
        provider = _pick(self._rerank, target, request.model, "rerank", "rerank", ctx)
        request.model = target.provider_model_id
        return await provider.rerank(request, ctx)


def _pick(instances: Mapping[str, P], target: Target, model: str, wanted: ModelType, operation: str, ctx: Context) -> P:
    """The instance to call, with the request's account opened in its name."""
    ctx.usage.instance = target.instance
    ctx.usage.model = model
    shown = model[:200]
    if target.declared_type is not None and target.declared_type != wanted:
        raise BadRequest(
            f"model {shown!r} is registered as {target.declared_type!r}, and {operation} need one of type {wanted!r}",
            code="model_type_mismatch",
            param="model",
        )
    provider = instances.get(target.instance)
    if provider is None:
        raise BadRequest(
            f"model {shown!r} is served by provider {target.instance!r}, which does not offer {operation}",
            code="unsupported_operation",
            param="model",
        )
    return provider
