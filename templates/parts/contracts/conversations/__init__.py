"""The Conversations API: what its providers offer and the server calls.

Generated from apis/conversations.yaml by `stackgen contracts`; a change belongs there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from ...runtime.context import Context
    from ...runtime.reply import Answer
    from ..shared.items import ConversationItem
    from .requests import (
        CreateConversationItemsRequest,
        CreateConversationRequest,
        DeleteConversationItemRequest,
        DeleteConversationRequest,
        ListConversationItemsRequest,
        RetrieveConversationItemRequest,
        RetrieveConversationRequest,
        UpdateConversationRequest,
    )
    from .responses import Conversation, ConversationItemList, DeletedConversation


class Conversations(Protocol):
    """Conversations and what they are made of, kept under an id; OpenAI's wire format. Items come back in the order in
    which they were added.
    """

    async def create_conversation(self, request: CreateConversationRequest, ctx: Context) -> Conversation:
        """Begin a conversation."""

    async def retrieve_conversation(self, request: RetrieveConversationRequest, ctx: Context) -> Conversation:
        """Describe a conversation."""

    async def update_conversation(self, request: UpdateConversationRequest, ctx: Context) -> Conversation:
        """Replace a conversation's metadata."""

    async def delete_conversation(self, request: DeleteConversationRequest, ctx: Context) -> DeletedConversation:
        """Remove a conversation and its items."""

    async def list_conversation_items(
        self, request: ListConversationItemsRequest, ctx: Context
    ) -> Answer[ConversationItemList]:
        """List a conversation's items, page by page."""

    async def create_conversation_items(
        self, request: CreateConversationItemsRequest, ctx: Context
    ) -> Answer[ConversationItemList]:
        """Add items to a conversation."""

    async def retrieve_conversation_item(
        self, request: RetrieveConversationItemRequest, ctx: Context
    ) -> Answer[ConversationItem]:
        """Show one item."""

    async def delete_conversation_item(self, request: DeleteConversationItemRequest, ctx: Context) -> Conversation:
        """Remove one item."""
