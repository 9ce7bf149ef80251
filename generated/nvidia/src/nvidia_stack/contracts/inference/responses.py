"""What the answers of the inference API are made of.

Generated from apis/inference.yaml by `stackgen contracts`; a change belongs there.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from ..shared.chat_answers import (
    ChatCompletionChoice,
    ChatCompletionFinishReason,
    ChatCompletionLogprobs,
    CompletionUsage,
)
from ..wire import WireModel


class CreateChatCompletionResponse(WireModel):
    """An answer to a conversation."""

    id: str
    object: Literal["chat.completion"]
    created: int
    """Unix time, seconds."""
    model: str
    """The model that answered."""
    choices: list[ChatCompletionChoice]
    usage: CompletionUsage | None = None
    service_tier: str | None = None
    """The processing class that was used."""
    system_fingerprint: str | None = None
    """Identifies the provider's set-up."""


class FunctionCallChunk(WireModel):
    """The next piece of a function's name and arguments."""

    name: str | None = None
    arguments: str | None = None


class ChatCompletionMessageToolCallChunk(WireModel):
    """The next piece of a tool call."""

    index: int
    """Which of the calls this adds to."""
    id: str | None = None
    type: Literal["function"] | None = None
    function: FunctionCallChunk | None = None


class ChatCompletionStreamResponseDelta(WireModel):
    """What this chunk adds to the message."""

    role: Literal["developer", "system", "user", "assistant", "tool"] | None = None
    content: str | None = None
    refusal: str | None = None
    tool_calls: list[ChatCompletionMessageToolCallChunk] | None = None
    function_call: FunctionCallChunk | None = None


class ChatCompletionChunkChoice(WireModel):
    """The next piece of one of the answers."""

    index: int
    delta: ChatCompletionStreamResponseDelta
    finish_reason: ChatCompletionFinishReason | None = None
    logprobs: ChatCompletionLogprobs | None = None


class CreateChatCompletionStreamResponse(WireModel):
    """One chunk of a streamed answer."""

    id: str
    """The same in every chunk."""
    object: Literal["chat.completion.chunk"]
    created: int
    """Unix time, seconds."""
    model: str
    """The model that answers."""
    choices: list[ChatCompletionChunkChoice]
    """Empty in the chunk that has `usage`."""
    usage: CompletionUsage | None = None
    """In the last chunk, if `include_usage` was asked for."""
    service_tier: str | None = None
    """The processing class that was used."""
    system_fingerprint: str | None = None
    """Identifies the provider's set-up."""


class CompletionLogprobs(WireModel):
    """Log probabilities of a continuation's tokens, one entry per token in each list."""

    tokens: list[str] | None = None
    text_offset: list[int] | None = None
    """Where in the text each token starts."""
    token_logprobs: list[float | None] | None = None
    top_logprobs: list[dict[str, float] | None] | None = None


class CompletionChoice(WireModel):
    """One of the continuations."""

    index: int
    text: str
    finish_reason: Literal["stop", "length", "content_filter"] | None = None
    """Why the text ended; null or absent while it has not."""
    logprobs: CompletionLogprobs | None = None


class CreateCompletionResponse(WireModel):
    """A continuation, or a piece of one."""

    id: str
    object: Literal["text_completion"]
    created: int
    """Unix time, seconds."""
    model: str
    """The model that answered."""
    choices: list[CompletionChoice]
    usage: CompletionUsage | None = None
    system_fingerprint: str | None = None
    """Identifies the provider's set-up."""


class Embedding(WireModel):
    """The vector of one input."""

    object: Literal["embedding"]
    index: int
    """Which input it belongs to."""
    embedding: list[float] | str
    """Numbers, or base64 if that was asked for."""


class EmbeddingUsage(WireModel):
    """Tokens read."""

    prompt_tokens: int
    total_tokens: int


class CreateEmbeddingResponse(WireModel):
    """The vectors."""

    object: Literal["list"]
    data: list[Embedding]
    model: str
    """The model that computed them."""
    usage: EmbeddingUsage


class RerankData(WireModel):
    """The score of one item."""

    index: Annotated[int, Field(ge=0)]
    """The item's place in the request."""
    relevance_score: float
    """Higher fits better."""


class RerankResponse(WireModel):
    """The items' scores, best first."""

    data: list[RerankData]
