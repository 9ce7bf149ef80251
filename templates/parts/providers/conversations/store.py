"""Conversations in a SQL database: two tables, of which the second has the items.

A conversation's row counts the items that it was ever given, and an item's place is what that count was. Whoever adds
items takes their places by an UPDATE of that row, so that of two who add to one conversation the second waits for the
first: what has the lower place is also there first, and a reader who goes on after an item misses none. What is deleted
leaves its place empty.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    delete,
    exists,
    insert,
    select,
    update,
)

from ...runtime.errors import NotFound
from ...runtime.ownership import Owner, seen_by

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection
    from sqlalchemy.ext.asyncio import AsyncConnection

    from ...runtime.context import Context

# Llama Stack's tables `openai_conversations` and `conversation_items` may lie in the same database.
_TABLES = MetaData()
CONVERSATIONS = Table(
    "stackgen_conversations",
    _TABLES,
    Column("id", String(64), primary_key=True),
    Column("created_at", BigInteger, nullable=False),
    Column("metadata", Text, nullable=False),
    Column("places", BigInteger, nullable=False),
    Column("owner", Text),
    Column("attributes", Text, nullable=False),
)
ITEMS = Table(
    "stackgen_conversation_items",
    _TABLES,
    Column("conversation_id", String(64), primary_key=True),
    Column("place", BigInteger, primary_key=True, autoincrement=False),
    Column("id", String(256), nullable=False),
    Column("body", Text, nullable=False),
    UniqueConstraint("conversation_id", "id"),
    Index("stackgen_conversation_items_id", "id"),
)


def create(connection: Connection) -> None:
    """The first form of the tables."""
    CONVERSATIONS.create(connection)
    ITEMS.create(connection)


MIGRATIONS = (create,)


@dataclass(frozen=True, slots=True)
class Row:
    """A conversation. created_at: Unix time, seconds. metadata: JSON."""

    id: str
    created_at: int
    metadata: str


@dataclass(frozen=True, slots=True)
class KeptItem:
    """An item. body: JSON, the id in it too."""

    id: str
    body: str


@dataclass(frozen=True, slots=True)
class Page:
    """Items in the order asked for. more: whether others follow."""

    items: tuple[KeptItem, ...]
    more: bool


def no_conversation(conversation_id: str) -> NotFound:
    return NotFound(
        f"there is no conversation {conversation_id[:100]!r}", code="conversation_not_found", param="conversation_id"
    )


def no_item(item_id: str, param: str = "item_id") -> NotFound:
    return NotFound(f"there is no item {item_id[:300]!r}", code="item_not_found", param=param)


async def add_conversation(connection: AsyncConnection, row: Row, owner: Owner, items: Sequence[KeptItem]) -> None:
    """Keeps a new conversation with its first items."""
    values = {"id": row.id, "created_at": row.created_at, "metadata": row.metadata, "places": len(items)}
    await connection.execute(insert(CONVERSATIONS).values(**values, owner=owner.principal, attributes=owner.attributes))
    await add_items(connection, row.id, 0, items)


async def find(connection: AsyncConnection, conversation_id: str, ctx: Context) -> Row:
    """Raises NotFound where there is none that the caller sees; so do all below."""
    statement = select(CONVERSATIONS.c.id, CONVERSATIONS.c.created_at, CONVERSATIONS.c.metadata)
    found = (await connection.execute(statement.where(_is(conversation_id, ctx)))).one_or_none()
    if found is None:
        raise no_conversation(conversation_id)
    return Row(*found)


async def set_metadata(connection: AsyncConnection, conversation_id: str, ctx: Context, metadata: str) -> Row:
    statement = update(CONVERSATIONS).where(_is(conversation_id, ctx)).values(metadata=metadata)
    columns = (CONVERSATIONS.c.id, CONVERSATIONS.c.created_at, CONVERSATIONS.c.metadata)
    found = (await connection.execute(statement.returning(*columns))).one_or_none()
    if found is None:
        raise no_conversation(conversation_id)
    return Row(*found)


async def remove_conversation(connection: AsyncConnection, conversation_id: str, ctx: Context) -> None:
    """With its items. The conversation goes first, so that whoever would add to it meanwhile finds it gone."""
    statement = delete(CONVERSATIONS).where(_is(conversation_id, ctx)).returning(CONVERSATIONS.c.id)
    if (await connection.execute(statement)).one_or_none() is None:
        raise no_conversation(conversation_id)
    await connection.execute(delete(ITEMS).where(ITEMS.c.conversation_id == conversation_id))


async def take_places(connection: AsyncConnection, conversation_id: str, ctx: Context, count: int) -> int:
    """The first of so many places, which nobody else gets; nobody else adds items until the transaction has ended."""
    statement = update(CONVERSATIONS).where(_is(conversation_id, ctx)).values(places=CONVERSATIONS.c.places + count)
    last = (await connection.execute(statement.returning(CONVERSATIONS.c.places))).scalar_one_or_none()
    if last is None:
        raise no_conversation(conversation_id)
    return int(last) - count


async def add_items(connection: AsyncConnection, conversation_id: str, first: int, items: Sequence[KeptItem]) -> None:
    """Keeps items at the places from `first` on, which were taken within this transaction."""
    rows = [
        {"conversation_id": conversation_id, "place": first + number, "id": each.id, "body": each.body}
        for number, each in enumerate(items)
    ]
    if rows:
        await connection.execute(insert(ITEMS), rows)


async def present(connection: AsyncConnection, conversation_id: str, ids: Sequence[str]) -> set[str]:
    """Which of these ids the conversation has already."""
    statement = select(ITEMS.c.id).where(ITEMS.c.conversation_id == conversation_id, ITEMS.c.id.in_(ids))
    return set((await connection.execute(statement)).scalars())


async def find_anywhere(connection: AsyncConnection, ids: Sequence[str], ctx: Context) -> dict[str, KeptItem]:
    """Those of these items that some conversation of the caller's has."""
    visible = exists().where(CONVERSATIONS.c.id == ITEMS.c.conversation_id, seen_by(CONVERSATIONS.c.owner, ctx))
    statement = select(ITEMS.c.id, ITEMS.c.body).where(ITEMS.c.id.in_(ids), visible)
    return {row.id: KeptItem(row.id, row.body) for row in await connection.execute(statement)}


async def find_item(connection: AsyncConnection, conversation_id: str, item_id: str, ctx: Context) -> KeptItem:
    await find(connection, conversation_id, ctx)
    statement = select(ITEMS.c.id, ITEMS.c.body).where(_item(conversation_id, item_id))
    found = (await connection.execute(statement)).one_or_none()
    if found is None:
        raise no_item(item_id)
    return KeptItem(*found)


async def remove_item(connection: AsyncConnection, conversation_id: str, item_id: str, ctx: Context) -> Row:
    row = await find(connection, conversation_id, ctx)
    statement = delete(ITEMS).where(_item(conversation_id, item_id)).returning(ITEMS.c.id)
    if (await connection.execute(statement)).one_or_none() is None:
        raise no_item(item_id)
    return row


async def page(
    connection: AsyncConnection,
    conversation_id: str,
    ctx: Context,
    *,
    after: str | None,
    order: Literal["asc", "desc"],
    limit: int,
) -> Page:
    """At most `limit` items that come after the one with the id `after`, which takes as long wherever that is."""
    await find(connection, conversation_id, ctx)
    statement = select(ITEMS.c.id, ITEMS.c.body).where(ITEMS.c.conversation_id == conversation_id)
    if after is not None:
        place = select(ITEMS.c.place).where(_item(conversation_id, after))
        start = (await connection.execute(place)).scalar_one_or_none()
        if start is None:
            raise no_item(after, param="after")
        statement = statement.where(ITEMS.c.place > start if order == "asc" else ITEMS.c.place < start)
    statement = statement.order_by(ITEMS.c.place.asc() if order == "asc" else ITEMS.c.place.desc()).limit(limit + 1)
    found = [KeptItem(*row) for row in await connection.execute(statement)]
    return Page(tuple(found[:limit]), len(found) > limit)


def _is(conversation_id: str, ctx: Context) -> ColumnElement[bool]:
    return (CONVERSATIONS.c.id == conversation_id) & seen_by(CONVERSATIONS.c.owner, ctx)


def _item(conversation_id: str, item_id: str) -> ColumnElement[bool]:
    return (ITEMS.c.conversation_id == conversation_id) & (ITEMS.c.id == item_id)
