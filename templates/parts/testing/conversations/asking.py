"""How the suites ask, and what they look at in every answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic_core import from_json, to_json

from ...contracts.conversations import Conversations
from ...contracts.conversations.requests import (
    CreateConversationItemsRequest,
    CreateConversationRequest,
    DeleteConversationItemRequest,
    DeleteConversationRequest,
    ListConversationItemsRequest,
    RetrieveConversationItemRequest,
    RetrieveConversationRequest,
    UpdateConversationRequest,
)
from ...contracts.conversations.responses import Conversation, ConversationItemList, DeletedConversation
from ...runtime.context import Context

Item = Mapping[str, Any]

EVERYTHING = (
    "file_search_call.results",
    "web_search_call.results",
    "web_search_call.action.sources",
    "message.input_image.image_url",
    "computer_call_output.output.image_url",
    "code_interpreter_call.outputs",
    "reasoning.encrypted_content",
    "message.output_text.logprobs",
)

STRANGE = (
    "'; DROP TABLE stackgen_conversation_items; --",
    "x' OR '1'='1",
    '"',
    "\\",
    "%",
    "_",
    "\x00",
    "\n",
    "\x7f",
    "{{7*7}}",
    "${env.HOME}",
    ":id",
    "?",
    "\U0001f469\u200d\U0001f52c",
    "\u202e",
)
"""Texts that are quotes, patterns, parameters or templates to somebody. Here they are text."""


def caller(principal: str | None = None) -> Context:
    """Whoever makes a request; None where the server does not ask."""
    return Context(request_id="suite", principal=principal, attributes={"teams": ("red", "blue")} if principal else {})


def said(text: str, role: str = "user") -> dict[str, Any]:
    """A message as most clients send it."""
    return {"role": role, "content": text}


def text_of(item: Item) -> str:
    """What a message says."""
    parts = item["content"]
    assert isinstance(parts, list), f"a message's content is parts: {item}"
    return "".join(part["text"] for part in parts)


class Asking:
    """A provider, asked as the server asks it: requests are validated, answers are what clients read."""

    def __init__(self, provider: Conversations, ctx: Context | None = None) -> None:
        self._provider = provider
        self._ctx = ctx or caller()

    async def create(self, items: Sequence[Item] | None = None, metadata: Mapping[str, str] | None = None) -> str:
        """A new conversation's id."""
        return (await self.created({"items": items, "metadata": metadata})).id

    async def created(self, body: Mapping[str, object]) -> Conversation:
        request = CreateConversationRequest.model_validate(body)
        return _conversation(await self._provider.create_conversation(request, self._ctx))

    async def retrieve(self, conversation_id: str) -> Conversation:
        request = RetrieveConversationRequest(conversation_id=conversation_id)
        return _conversation(await self._provider.retrieve_conversation(request, self._ctx))

    async def update(self, conversation_id: str, metadata: Mapping[str, str] | None) -> Conversation:
        request = UpdateConversationRequest.model_validate({"conversation_id": conversation_id, "metadata": metadata})
        return _conversation(await self._provider.update_conversation(request, self._ctx))

    async def delete(self, conversation_id: str) -> DeletedConversation:
        request = DeleteConversationRequest(conversation_id=conversation_id)
        return await self._provider.delete_conversation(request, self._ctx)

    async def add(self, conversation_id: str, items: Sequence[Item], include: Sequence[str] = ()) -> list[Item]:
        """The items as the answer has them."""
        body = {"conversation_id": conversation_id, "items": items, "include": list(include)}
        request = CreateConversationItemsRequest.model_validate(body)
        page = _page((await self._provider.create_conversation_items(request, self._ctx)).body)
        assert page["has_more"] is False, "what was added is all there"
        return list(page["data"])

    async def page(self, conversation_id: str, **query: object) -> dict[str, Any]:
        request = ListConversationItemsRequest.model_validate({"conversation_id": conversation_id, **query})
        return _page((await self._provider.list_conversation_items(request, self._ctx)).body)

    async def all(self, conversation_id: str, **query: object) -> list[Item]:
        """The items of every page."""
        found: list[Item] = []
        page = await self.page(conversation_id, **query)
        found += page["data"]
        while page["has_more"]:
            page = await self.page(conversation_id, **query, after=page["last_id"])
            assert page["data"], "a page that was announced has something"
            found += page["data"]
        return found

    async def item(self, conversation_id: str, item_id: str, include: Sequence[str] = ()) -> Item:
        body = {"conversation_id": conversation_id, "item_id": item_id, "include": list(include)}
        request = RetrieveConversationItemRequest.model_validate(body)
        found: Item = from_json((await self._provider.retrieve_conversation_item(request, self._ctx)).body)
        return found

    async def delete_item(self, conversation_id: str, item_id: str) -> Conversation:
        request = DeleteConversationItemRequest(conversation_id=conversation_id, item_id=item_id)
        return _conversation(await self._provider.delete_conversation_item(request, self._ctx))


def _conversation(answer: Conversation) -> Conversation:
    """What a client reads of it."""
    return Conversation.model_validate_json(to_json(answer))


def _page(body: bytes) -> dict[str, Any]:
    ConversationItemList.model_validate_json(body)
    page: dict[str, Any] = from_json(body)
    ids = [item["id"] for item in page["data"]]
    assert len(set(ids)) == len(ids), f"an item is on a page once: {ids}"
    ends = (ids[0], ids[-1]) if ids else (None, None)
    assert (page["first_id"], page["last_id"]) == ends, "a page says which items it begins and ends with"
    return page
