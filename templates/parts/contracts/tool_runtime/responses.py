"""What the answers of the tool_runtime API are made of.

Generated from apis/tool_runtime.yaml by `stackgen contracts`; a change belongs there.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field

from ..wire import WireModel


class TextContentItem(WireModel):
    """Text."""

    type: Literal["text"]
    text: str
    """The text."""


class ImageAddress(WireModel):
    """Where an image is."""

    uri: str
    """Its URL; it may be a data: URL."""


class ImageSource(WireModel):
    """The image itself, or where it is."""

    data: str | None = None
    """The image, in base64."""
    url: ImageAddress | None = None
    """Where it is."""


class ImageContentItem(WireModel):
    """An image."""

    type: Literal["image"]
    image: ImageSource


ContentItem: TypeAlias = Annotated[TextContentItem | ImageContentItem, Field(discriminator="type")]


class ToolInvocationResult(WireModel):
    """What became of a tool's run."""

    content: str | ContentItem | list[ContentItem] | None = None
    """What the tool answered."""
    error_message: str | None = None
    """Why the tool failed, where it has."""
    error_code: int | None = None
    """Not 0 where the tool has failed."""
    metadata: dict[str, Any] | None = None
    """What does not fit into `content`."""
