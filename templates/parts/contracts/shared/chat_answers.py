"""What several APIs use.

Generated from apis/shared/chat-answers.yaml by `stackgen contracts`; a change belongs there.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

from ..wire import WireModel
from .chat_messages import ChatCompletionFunctionCall, ChatCompletionMessageToolCalls


class UrlCitation(WireModel):
    """A web page, and the characters of the answer that come from it."""

    start_index: int
    end_index: int
    url: str
    title: str


class UrlCitationAnnotation(WireModel):
    """A piece of the answer that comes from a web page."""

    type: Literal["url_citation"]
    url_citation: UrlCitation


class ChatCompletionAudio(WireModel):
    """Spoken output."""

    id: str
    """Refers to it in a later assistant message."""
    data: str
    """Base64."""
    expires_at: int
    """Until when the id is good: Unix time, seconds."""
    transcript: str


class ChatCompletionResponseMessage(WireModel):
    """What the model said or wants to call."""

    role: Literal["assistant"]
    content: str | None
    refusal: str | None = None
    tool_calls: ChatCompletionMessageToolCalls | None = None
    function_call: ChatCompletionFunctionCall | None = None
    annotations: list[UrlCitationAnnotation] | None = None
    """Sources of the answer."""
    audio: ChatCompletionAudio | None = None


ChatCompletionFinishReason: TypeAlias = Literal["stop", "length", "tool_calls", "content_filter", "function_call"]
"""Why the answer ended."""


class TopLogprob(WireModel):
    """A likely token."""

    token: str
    logprob: float
    bytes: list[int] | None
    """The token in UTF-8."""


class ChatCompletionTokenLogprob(WireModel):
    """A token, how likely it was, and what else was likely."""

    token: str
    logprob: float
    bytes: list[int] | None
    """The token in UTF-8."""
    top_logprobs: list[TopLogprob]


class ChatCompletionLogprobs(WireModel):
    """Log probabilities of an answer's tokens."""

    content: list[ChatCompletionTokenLogprob] | None = None
    refusal: list[ChatCompletionTokenLogprob] | None = None


class ChatCompletionChoice(WireModel):
    """One of the answers."""

    index: int
    message: ChatCompletionResponseMessage
    finish_reason: ChatCompletionFinishReason
    logprobs: ChatCompletionLogprobs | None = None


class PromptTokensDetails(WireModel):
    """What the prompt's tokens were."""

    audio_tokens: int | None = None
    cached_tokens: int | None = None
    """Read from the prompt cache."""


class CompletionTokensDetails(WireModel):
    """What the generated tokens were."""

    reasoning_tokens: int | None = None
    audio_tokens: int | None = None
    accepted_prediction_tokens: int | None = None
    rejected_prediction_tokens: int | None = None


class CompletionUsage(WireModel):
    """Tokens used."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    prompt_tokens_details: PromptTokensDetails | None = None
    completion_tokens_details: CompletionTokensDetails | None = None
