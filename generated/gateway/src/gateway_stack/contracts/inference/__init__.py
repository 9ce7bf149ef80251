"""The Inference API: what its providers offer and the server calls.

Generated from apis/inference.yaml by `stackgen contracts`; a change belongs there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from ...runtime.context import Context
    from ...runtime.reply import Answer, Events
    from .requests import CreateChatCompletionRequest, CreateCompletionRequest, CreateEmbeddingRequest, RerankRequest
    from .responses import (
        CreateChatCompletionResponse,
        CreateChatCompletionStreamResponse,
        CreateCompletionResponse,
        CreateEmbeddingResponse,
        RerankResponse,
    )


class Chat(Protocol):
    """Answer a conversation."""

    async def create_chat_completion(
        self, request: CreateChatCompletionRequest, ctx: Context
    ) -> Answer[CreateChatCompletionResponse] | Events[CreateChatCompletionStreamResponse]:
        """Answer a conversation."""


class Completions(Protocol):
    """Continue a text."""

    async def create_completion(
        self, request: CreateCompletionRequest, ctx: Context
    ) -> Answer[CreateCompletionResponse] | Events[CreateCompletionResponse]:
        """Continue a text."""


class Embeddings(Protocol):
    """Turn texts into vectors."""

    async def create_embedding(self, request: CreateEmbeddingRequest, ctx: Context) -> Answer[CreateEmbeddingResponse]:
        """Turn texts into vectors."""


class Rerank(Protocol):
    """Sort texts or images by how well they fit a query."""

    async def rerank(self, request: RerankRequest, ctx: Context) -> Answer[RerankResponse]:
        """Sort texts or images by how well they fit a query."""


class Inference(Chat, Completions, Embeddings, Rerank, Protocol):
    """Text in, text, vectors or scores out. The wire format of chat completions, completions and embeddings is
    OpenAI's; rerank is Llama Stack's. A property that is not described here is handed to the provider as it came. An
    optional property of a request may be null, which says the same as leaving it out.
    """
