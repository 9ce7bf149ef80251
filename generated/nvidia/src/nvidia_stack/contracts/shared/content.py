"""What several APIs use.

Generated from apis/shared/content.yaml by `stackgen contracts`; a change belongs there.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

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


InterleavedContent: TypeAlias = str | ContentItem | list[ContentItem]
"""A text, an image, or several of them in their order."""
