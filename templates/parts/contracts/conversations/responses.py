"""What the answers of the conversations API are made of.

Generated from apis/conversations.yaml by `stackgen contracts`; a change belongs there.
"""

from __future__ import annotations

from typing import Literal

from ..shared.items import ConversationItem
from ..shared.metadata import Metadata
from ..wire import WireModel


class Conversation(WireModel):
    """A conversation, without its items."""

    id: str
    """`conv_` and 48 hexadecimal digits."""
    object: Literal["conversation"]
    created_at: int
    """Unix time, seconds."""
    metadata: Metadata


class DeletedConversation(WireModel):
    """A conversation that is no more."""

    id: str
    object: Literal["conversation.deleted"]
    deleted: Literal[True]


class ConversationItemList(WireModel):
    """Items of a conversation."""

    object: Literal["list"]
    data: list[ConversationItem]
    first_id: str | None
    """The first item's id; null where there is none."""
    last_id: str | None
    """The last item's id, for the next page's `after`; null where there is none."""
    has_more: bool
    """Whether more items come after these."""
