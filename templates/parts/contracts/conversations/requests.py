"""What the requests of the conversations API are made of.

Generated from apis/conversations.yaml by `stackgen contracts`; a change belongs there.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from ..shared.items import ConversationInputItem, ItemInclude
from ..shared.metadata import Metadata
from ..wire import WireModel


class CreateConversationRequest(WireModel):
    """What a conversation begins with; all of it may be left out."""

    metadata: Metadata | None = None
    items: Annotated[list[ConversationInputItem] | None, Field(max_length=20)] = None
    """Its first items, 20 at most."""


class UpdateConversationBody(WireModel):
    """What a conversation's metadata is to be."""

    metadata: Metadata


class CreateConversationItemsBody(WireModel):
    """Items to be added."""

    items: Annotated[list[ConversationInputItem], Field(max_length=20)]
    """In their order, 20 at most."""


class RetrieveConversationRequest(WireModel):
    """Describe a conversation."""

    conversation_id: str
    """The conversation's id."""


class UpdateConversationRequest(UpdateConversationBody):
    """Replace a conversation's metadata."""

    conversation_id: str
    """The conversation's id."""


class DeleteConversationRequest(WireModel):
    """Remove a conversation and its items."""

    conversation_id: str
    """The conversation's id."""


class ListConversationItemsRequest(WireModel):
    """List a conversation's items, page by page."""

    conversation_id: str
    """The conversation's id."""
    limit: Annotated[int | None, Field(ge=1, le=100)] = 20
    """Most items of a page."""
    order: Literal["asc", "desc"] | None = "desc"
    """`asc`: the first that was added comes first; `desc`: the last."""
    after: str | None = None
    """The id of the item before the page's first."""
    include: list[ItemInclude] | None = None
    """What of an item is shown beyond the usual."""


class CreateConversationItemsRequest(CreateConversationItemsBody):
    """Add items to a conversation."""

    conversation_id: str
    """The conversation's id."""
    include: list[ItemInclude] | None = None
    """What of an item is shown beyond the usual."""


class RetrieveConversationItemRequest(WireModel):
    """Show one item."""

    conversation_id: str
    """The conversation's id."""
    item_id: str
    """The item's id."""
    include: list[ItemInclude] | None = None
    """What of an item is shown beyond the usual."""


class DeleteConversationItemRequest(WireModel):
    """Remove one item."""

    conversation_id: str
    """The conversation's id."""
    item_id: str
    """The item's id."""
