"""Conversations that the server keeps itself, in a SQL database."""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from pydantic_core import from_json, to_json

from ...contracts.conversations.responses import Conversation, DeletedConversation
from ...contracts.shared.items import ItemReference
from ...runtime.errors import BadRequest
from ...runtime.ids import new_id
from ...runtime.labels import checked
from ...runtime.ownership import owner_of
from ...runtime.reply import Answer
from . import store as stored
from .items import Item, is_id, kept, shown
from .store import KeptItem

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

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
    from ...contracts.conversations.responses import ConversationItemList
    from ...contracts.shared.items import ConversationItem
    from ...runtime.context import Context
    from ...runtime.sql import Sql

_ID = re.compile(r"conv_[0-9a-f]{48}")
_PAGE = 20


class BuiltinConversations:
    """Implements the conversations API."""

    def __init__(self, sql: Sql) -> None:
        self._sql = sql

    async def create_conversation(self, request: CreateConversationRequest, ctx: Context) -> Conversation:
        metadata = checked(request.metadata)
        row = stored.Row(new_id("conv"), int(time.time()), to_json(metadata).decode())
        async with self._sql.writing() as connection:
            items = await _received(connection, row.id, request, ctx)
            await stored.add_conversation(connection, row, owner_of(ctx), items)
        return _conversation(row)

    async def retrieve_conversation(self, request: RetrieveConversationRequest, ctx: Context) -> Conversation:
        async with self._sql.reading() as connection:
            return _conversation(await stored.find(connection, _known(request.conversation_id), ctx))

    async def update_conversation(self, request: UpdateConversationRequest, ctx: Context) -> Conversation:
        metadata = to_json(checked(request.metadata)).decode()
        async with self._sql.writing() as connection:
            row = await stored.set_metadata(connection, _known(request.conversation_id), ctx, metadata)
        return _conversation(row)

    async def delete_conversation(self, request: DeleteConversationRequest, ctx: Context) -> DeletedConversation:
        async with self._sql.writing() as connection:
            await stored.remove_conversation(connection, _known(request.conversation_id), ctx)
        return DeletedConversation(id=request.conversation_id, object="conversation.deleted", deleted=True)

    async def list_conversation_items(
        self, request: ListConversationItemsRequest, ctx: Context
    ) -> Answer[ConversationItemList]:
        conversation_id = _known(request.conversation_id)
        if request.after is not None and not is_id(request.after):
            raise stored.no_item(request.after, param="after")
        async with self._sql.reading() as connection:
            page = await stored.page(
                connection,
                conversation_id,
                ctx,
                after=request.after,
                order=request.order or "desc",
                limit=request.limit or _PAGE,
            )
        return _list(page.items, request.include, more=page.more)

    async def create_conversation_items(
        self, request: CreateConversationItemsRequest, ctx: Context
    ) -> Answer[ConversationItemList]:
        """All of them, or none."""
        conversation_id = _known(request.conversation_id)
        async with self._sql.writing() as connection:
            # First, so that nobody else adds items of the same ids between the look and the writing.
            first = await stored.take_places(connection, conversation_id, ctx, len(request.items))
            items = await _received(connection, conversation_id, request, ctx)
            await stored.add_items(connection, conversation_id, first, items)
        return _list(items, request.include, more=False)

    async def retrieve_conversation_item(
        self, request: RetrieveConversationItemRequest, ctx: Context
    ) -> Answer[ConversationItem]:
        conversation_id, item_id = _known(request.conversation_id), request.item_id
        if not is_id(item_id):
            raise stored.no_item(item_id)
        async with self._sql.reading() as connection:
            item = await stored.find_item(connection, conversation_id, item_id, ctx)
        return Answer(to_json(_shown(item, request.include or ())))

    async def delete_conversation_item(self, request: DeleteConversationItemRequest, ctx: Context) -> Conversation:
        conversation_id, item_id = _known(request.conversation_id), request.item_id
        if not is_id(item_id):
            raise stored.no_item(item_id)
        async with self._sql.writing() as connection:
            return _conversation(await stored.remove_item(connection, conversation_id, item_id, ctx))


def _known(conversation_id: str) -> str:
    """The same. Raises NotFound for what is no conversation's id: a database is asked for nothing else."""
    if not _ID.fullmatch(conversation_id):
        raise stored.no_conversation(conversation_id)
    return conversation_id


async def _received(
    connection: AsyncConnection,
    conversation_id: str,
    request: CreateConversationRequest | CreateConversationItemsRequest,
    ctx: Context,
) -> list[KeptItem]:
    """The items of a request as they are to be kept in this conversation, where none has the id of another."""
    wanted = {number: each.id for number, each in enumerate(request.items or ()) if isinstance(each, ItemReference)}
    there = await _referred(connection, wanted, ctx) if wanted else {}
    said: list[Item] = request.model_dump(mode="json", exclude_unset=True, include={"items"}).get("items") or []
    items = [
        there[wanted[number]] if number in wanted else _kept(kept(item, number)) for number, item in enumerate(said)
    ]
    given = [number for number, item in enumerate(said) if item.get("id") is not None]
    taken = (
        await stored.present(connection, conversation_id, [items[number].id for number in given]) if given else set()
    )
    for number in given:
        if items[number].id in taken:
            raise BadRequest(
                f"items.{number}.id: there is an item {items[number].id!r} in this conversation already",
                code="duplicate_item",
                param=f"items.{number}.id",
            )
        taken.add(items[number].id)
    return items


async def _referred(connection: AsyncConnection, wanted: dict[int, str], ctx: Context) -> dict[str, KeptItem]:
    """The items that are referred to. wanted: their ids by place in the request."""
    possible = [each for each in wanted.values() if is_id(each)]
    found = await stored.find_anywhere(connection, possible, ctx)
    for number, item_id in wanted.items():
        if item_id not in found:
            raise stored.no_item(item_id, param=f"items.{number}.id")
    return found


def _kept(item: Item) -> KeptItem:
    return KeptItem(item["id"], to_json(item).decode())


def _conversation(row: stored.Row) -> Conversation:
    return Conversation(id=row.id, object="conversation", created_at=row.created_at, metadata=from_json(row.metadata))


def _list(items: Sequence[KeptItem], include: Collection[str] | None, *, more: bool) -> Answer[Any]:
    answer = {
        "object": "list",
        "data": [_shown(each, include or ()) for each in items],
        "first_id": items[0].id if items else None,
        "last_id": items[-1].id if items else None,
        "has_more": more,
    }
    return Answer(to_json(answer))


def _shown(item: KeptItem, include: Collection[str]) -> Item:
    body: Item = from_json(item.body)
    return shown(body, include)


@asynccontextmanager
async def open_conversations(*, store: Sql) -> AsyncIterator[BuiltinConversations]:
    """store: where they are kept."""
    await store.prepare("conversations", stored.MIGRATIONS)
    yield BuiltinConversations(store)
