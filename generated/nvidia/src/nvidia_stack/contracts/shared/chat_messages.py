"""What several APIs use.

Generated from apis/shared/chat-messages.yaml by `stackgen contracts`; a change belongs there.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from ..wire import WireModel


class ChatCompletionRequestMessageContentPartText(WireModel):
    """A piece of text."""

    type: Literal["text"]
    text: str


ChatCompletionTextContentParts: TypeAlias = Annotated[
    list[ChatCompletionRequestMessageContentPartText], Field(min_length=1)
]


ChatCompletionTextContent: TypeAlias = str | ChatCompletionTextContentParts
"""A text, whole or in parts."""


class ChatCompletionRequestDeveloperMessage(WireModel):
    """Instructions from whoever built the application; newer models read these in place of a system message."""

    role: Literal["developer"]
    content: ChatCompletionTextContent
    name: str | None = None
    """Tells participants of one role apart."""


class ChatCompletionRequestSystemMessage(WireModel):
    """Instructions that hold for the whole conversation."""

    role: Literal["system"]
    content: ChatCompletionTextContent
    name: str | None = None
    """Tells participants of one role apart."""


class ImageUrl(WireModel):
    """Where an image is."""

    url: str
    """An address, or the image itself as a `data:` URL."""
    detail: Literal["auto", "low", "high"] | None = None
    """How closely the model looks."""


class ChatCompletionRequestMessageContentPartImage(WireModel):
    """An image."""

    type: Literal["image_url"]
    image_url: ImageUrl


class InputAudio(WireModel):
    """A recording and its encoding."""

    data: str
    """Base64."""
    format: Literal["wav", "mp3"]


class ChatCompletionRequestMessageContentPartAudio(WireModel):
    """A recording."""

    type: Literal["input_audio"]
    input_audio: InputAudio


class InputFile(WireModel):
    """A document, by id or by content."""

    filename: str | None = None
    file_data: str | None = None
    """Base64."""
    file_id: str | None = None
    """Id of an uploaded file."""


class ChatCompletionRequestMessageContentPartFile(WireModel):
    """A document."""

    type: Literal["file"]
    file: InputFile


class MediaUrl(WireModel):
    """Where a recording or a video is."""

    url: str
    """An address, or the content itself as a `data:` URL."""


class ChatCompletionRequestMessageContentPartVideoUrl(WireModel):
    """A video; known to vLLM, NIM and other servers of open models."""

    type: Literal["video_url"]
    video_url: MediaUrl


class ChatCompletionRequestMessageContentPartAudioUrl(WireModel):
    """A recording by its address; known to vLLM."""

    type: Literal["audio_url"]
    audio_url: MediaUrl


ChatCompletionRequestUserMessageContentPart: TypeAlias = Annotated[
    ChatCompletionRequestMessageContentPartText
    | ChatCompletionRequestMessageContentPartImage
    | ChatCompletionRequestMessageContentPartAudio
    | ChatCompletionRequestMessageContentPartFile
    | ChatCompletionRequestMessageContentPartVideoUrl
    | ChatCompletionRequestMessageContentPartAudioUrl,
    Field(discriminator="type"),
]
"""One part of a user message."""


ChatCompletionUserContentParts: TypeAlias = Annotated[
    list[ChatCompletionRequestUserMessageContentPart], Field(min_length=1)
]


class ChatCompletionRequestUserMessage(WireModel):
    """What the user said, showed or attached."""

    role: Literal["user"]
    content: str | ChatCompletionUserContentParts
    name: str | None = None
    """Tells participants of one role apart."""


class ChatCompletionRequestMessageContentPartRefusal(WireModel):
    """A refusal of the model."""

    type: Literal["refusal"]
    refusal: str


ChatCompletionRequestAssistantMessageContentPart: TypeAlias = Annotated[
    ChatCompletionRequestMessageContentPartText | ChatCompletionRequestMessageContentPartRefusal,
    Field(discriminator="type"),
]
"""One part of an assistant message."""


ChatCompletionAssistantContentParts: TypeAlias = Annotated[
    list[ChatCompletionRequestAssistantMessageContentPart], Field(min_length=1)
]


class ChatCompletionAudioReference(WireModel):
    """Spoken output of an earlier answer."""

    id: str


class ChatCompletionFunctionCall(WireModel):
    """A function's name and its arguments."""

    name: str
    arguments: str
    """JSON as the model wrote it; it may be malformed."""


class ChatCompletionMessageToolCall(WireModel):
    """A call of a function."""

    id: str
    """Repeated by the tool message that answers."""
    type: Literal["function"]
    function: ChatCompletionFunctionCall


class CustomToolCall(WireModel):
    """A free-text tool's name and its input."""

    name: str
    input: str


class ChatCompletionMessageCustomToolCall(WireModel):
    """A call of a tool that takes free text."""

    id: str
    """Repeated by the tool message that answers."""
    type: Literal["custom"]
    custom: CustomToolCall


ChatCompletionMessageAnyToolCall: TypeAlias = Annotated[
    ChatCompletionMessageToolCall | ChatCompletionMessageCustomToolCall, Field(discriminator="type")
]
"""A call that the model wants made."""


ChatCompletionMessageToolCalls: TypeAlias = list[ChatCompletionMessageAnyToolCall]
"""The calls that the model wants made."""


class ChatCompletionRequestAssistantMessage(WireModel):
    """What the model answered, given back to it."""

    role: Literal["assistant"]
    content: str | ChatCompletionAssistantContentParts | None = None
    """The text; null or absent where the answer was tool calls alone."""
    refusal: str | None = None
    """The model's refusal."""
    name: str | None = None
    """Tells participants of one role apart."""
    audio: ChatCompletionAudioReference | None = None
    tool_calls: ChatCompletionMessageToolCalls | None = None
    function_call: ChatCompletionFunctionCall | None = None


class ChatCompletionRequestToolMessage(WireModel):
    """The outcome of a tool call."""

    role: Literal["tool"]
    content: ChatCompletionTextContent
    tool_call_id: str
    """The `id` of the call that this answers."""


class ChatCompletionRequestFunctionMessage(WireModel):
    """Older form of a tool message."""

    role: Literal["function"]
    content: str | None
    name: str
    """The function that was called."""


ChatCompletionRequestMessage: TypeAlias = Annotated[
    ChatCompletionRequestDeveloperMessage
    | ChatCompletionRequestSystemMessage
    | ChatCompletionRequestUserMessage
    | ChatCompletionRequestAssistantMessage
    | ChatCompletionRequestToolMessage
    | ChatCompletionRequestFunctionMessage,
    Field(discriminator="role"),
]
"""One message of a conversation."""
