"""What the answers of the stored_completions API are made of.

Generated from apis/stored_completions.yaml by `stackgen contracts`; a change belongs there.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

from ..shared.chat_answers import ChatCompletionAudio, ChatCompletionChoice, CompletionUsage, UrlCitationAnnotation
from ..shared.chat_messages import (
    ChatCompletionFunctionCall,
    ChatCompletionMessageToolCalls,
    ChatCompletionRequestMessage,
    ChatCompletionRequestMessageContentPartRefusal,
    ChatCompletionRequestUserMessageContentPart,
)
from ..wire import WireModel


class StoredChatCompletion(WireModel):
    """An answer that was kept, and what was asked. A streamed one is here as a whole."""

    id: str
    """The id that its answer had."""
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
    metadata: dict[str, str] | None
    """Its labels."""
    input_messages: list[ChatCompletionRequestMessage]
    """The messages that it answers."""
    request_id: str | None = None
    """The id of the request that it answered."""
    temperature: float | None = None
    """As in the request."""
    top_p: float | None = None
    """As in the request."""
    seed: int | None = None
    """As in the request."""
    presence_penalty: float | None = None
    """As in the request."""
    frequency_penalty: float | None = None
    """As in the request."""
    input_user: str | None = None
    """The request's `user`."""


class ChatCompletionList(WireModel):
    """A page of chat completions."""

    object: Literal["list"]
    data: list[StoredChatCompletion]
    first_id: str
    """The id of the first; empty on an empty page."""
    last_id: str
    """The id of the last, for the next page's `after`; empty on an empty page."""
    has_more: bool
    """Whether there is another page."""


class ChatCompletionDeleted(WireModel):
    """What was removed."""

    object: Literal["chat.completion.deleted"]
    id: str
    deleted: bool


StoredContentPart: TypeAlias = (
    ChatCompletionRequestUserMessageContentPart | ChatCompletionRequestMessageContentPartRefusal
)
"""A part of a message."""


class StoredMessage(WireModel):
    """A message of the request."""

    id: str
    """Names it among the messages of its request."""
    role: str
    """As in the request."""
    content: str | None
    """Its text; null where it was given in parts, or has none."""
    content_parts: list[StoredContentPart] | None
    """Its parts, where it was given in parts."""
    name: str | None = None
    """Of whoever speaks."""
    refusal: str | None = None
    """The model's refusal."""
    tool_calls: ChatCompletionMessageToolCalls | None = None
    tool_call_id: str | None = None
    """The call that a tool message answers."""
    function_call: ChatCompletionFunctionCall | None = None
    annotations: list[UrlCitationAnnotation] | None = None
    audio: ChatCompletionAudio | None = None


class ChatCompletionMessageList(WireModel):
    """A page of messages."""

    object: Literal["list"]
    data: list[StoredMessage]
    first_id: str
    """The id of the first; empty on an empty page."""
    last_id: str
    """The id of the last, for the next page's `after`; empty on an empty page."""
    has_more: bool
    """Whether there is another page."""
