"""What the requests of the safety API are made of.

Generated from apis/safety.yaml by `stackgen contracts`; a change belongs there.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field

from ..wire import WireModel


class ModerationText(WireModel):
    """A text."""

    type: Literal["text"]
    text: str


class ModerationImageUrl(WireModel):
    """Where an image is."""

    url: str
    """An address, or the image itself as a `data:` URL."""


class ModerationImage(WireModel):
    """An image."""

    type: Literal["image_url"]
    image_url: ModerationImageUrl


class ShieldImageUrl(WireModel):
    """The address of an image."""

    uri: str
    """An address, or the image itself as a `data:` URL."""


class ShieldImageSource(WireModel):
    """Where an image is; one of the two."""

    url: ShieldImageUrl | None = None
    data: str | None = None
    """The image itself in base64."""


class ShieldImage(WireModel):
    """An image, as Llama Stack's first clients write it."""

    type: Literal["image"]
    image: ShieldImageSource


class ShieldRefusal(WireModel):
    """A model's refusal."""

    type: Literal["refusal"]
    refusal: str


ShieldContentPart: TypeAlias = Annotated[
    ModerationText | ModerationImage | ShieldImage | ShieldRefusal, Field(discriminator="type")
]
"""A piece of text, or an image; parts of another kind cannot be judged."""


ShieldContentParts: TypeAlias = list[ShieldContentPart]


class ShieldMessage(WireModel):
    """One message, as OpenAI's clients write it or as Llama Stack's first ones did."""

    role: Literal["user", "system", "developer", "assistant", "tool", "function"]
    content: str | ShieldContentPart | ShieldContentParts | None = None
    """What it says and shows; null or absent where it is tool calls alone."""
    refusal: str | None = None
    """A model's refusal."""
    tool_calls: list[dict[str, Any]] | None = None
    """What a model asks tools for; it is judged with the text."""


class RunShieldRequest(WireModel):
    """A conversation, and who judges it."""

    shield_id: Annotated[str, Field(min_length=1)]
    """Which shield: an id from `/v1/shields`."""
    messages: Annotated[list[ShieldMessage], Field(min_length=1)]
    """The conversation so far, oldest message first."""
    params: dict[str, Any] | None = None
    """Taken and not looked at, as a caller does not choose the rules; a shield goes by what it was registered with."""


ModerationTexts: TypeAlias = Annotated[list[str], Field(max_length=2048, min_length=1)]


ModerationPart: TypeAlias = Annotated[ModerationText | ModerationImage, Field(discriminator="type")]
"""A text or an image."""


ModerationParts: TypeAlias = Annotated[list[ModerationPart], Field(min_length=1)]


ModerationInput: TypeAlias = str | ModerationTexts | ModerationParts
"""A text, several of them, or one input of several parts."""


class CreateModerationRequest(WireModel):
    """Texts and images, and who judges them."""

    input: ModerationInput
    model: Annotated[str | None, Field(min_length=1)] = None
    """A shield, by its id or by its name at its provider; the server's default one if absent, where it has one."""
    params: dict[str, Any] | None = None
    """As those of run-shield, taken and not looked at."""
