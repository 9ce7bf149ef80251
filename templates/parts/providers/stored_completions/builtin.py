"""Chat completions that are kept in a SQL database."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pydantic_core import to_json
from sqlalchemy import delete, func, select, update

from ...contracts.stored_completions.responses import ChatCompletionDeleted
from ...runtime.errors import BadRequest, NotFound, Unavailable
from ...runtime.group_writer import Bounds, GroupWriter, group_writer
from ...runtime.ownership import seen_by
from ...runtime.reply import Answer
from . import labels
from .identity import could_be_an_id
from .keeping import KeepingChat
from .presenting import completion, messages
from .table import COMPLETIONS, MIGRATIONS, C, Row, keeping, labelled, of_model

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, RowMapping
    from sqlalchemy.ext.asyncio import AsyncConnection

    from ...contracts.inference import Chat
    from ...contracts.stored_completions.requests import (
        DeleteChatCompletionRequest,
        GetChatCompletionMessagesRequest,
        GetChatCompletionRequest,
        ListChatCompletionsRequest,
        UpdateChatCompletionRequest,
    )
    from ...contracts.stored_completions.responses import (
        ChatCompletionList,
        ChatCompletionMessageList,
        StoredChatCompletion,
    )
    from ...runtime.context import Context
    from ...runtime.sql import Sql

DEFAULT_LIMIT = 20

MOST_BYTES_OF_A_PAGE = 32 * 1024 * 1024
"""A page ends where what was asked and answered is longer than this, and says that there is more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredCompletionsConfig:
    """keep: what is kept where the request does not say. max_write_queue_size: rows written behind that may wait."""

    keep: Literal["asked", "all"]
    max_write_queue_size: int


class CompletionStore:
    """Implements the stored completions API, and keeps what the providers of chat answer."""

    def __init__(self, sql: Sql, writer: GroupWriter[Row], *, keep_all: bool) -> None:
        self._sql = sql
        self._writer = writer
        self._keep_all = keep_all
        self._gone = False

    # ── for the inference router ────────────────────────────────────────────────────────────────────────────────────

    def keeping(self, chat: Chat) -> Chat:
        """The same chat, whose answers are kept."""
        return KeepingChat(chat, self, keep_all=self._keep_all)

    async def ready(self) -> None:
        """Raises Unavailable where it is known that nothing can be kept."""
        if self._gone:
            async with self._sql.writing():
                self._gone = False

    async def keep(self, row: Row) -> None:
        """Returns once the row is durable. Raises Unavailable."""
        try:
            await self._writer.keep(row)
        except Unavailable:
            self._gone = True
            raise

    def later(self, row: Row) -> None:
        """Has the row written behind."""
        self._writer.later(row)

    # ── the contract ────────────────────────────────────────────────────────────────────────────────────────────────

    async def list_chat_completions(
        self, request: ListChatCompletionsRequest, ctx: Context
    ) -> Answer[ChatCompletionList]:
        wanted = [seen_by(C.owner, ctx), *_chosen(self._sql, request)]
        newest_first = request.order == "desc"
        limit = request.limit or DEFAULT_LIMIT
        async with self._sql.reading() as connection:
            if request.after is not None:
                last = await _find(connection, request.after, ctx, param="after")
                wanted.append(last > C.seq if newest_first else last < C.seq)
            order = C.seq.desc() if newest_first else C.seq.asc()
            size = func.length(C.request) + func.length(C.answer)
            sizes = (
                await connection.execute(select(C.seq, size).where(*wanted).order_by(order).limit(limit + 1))
            ).all()
            page = _fitting([(seq, size) for seq, size in sizes[:limit]])
            found = await connection.execute(select(COMPLETIONS).where(C.seq.in_(page)).order_by(order))
            rows = found.mappings().all()
        return Answer(_page([completion(row) for row in rows], more=len(sizes) > len(page)))

    async def get_chat_completion(
        self, request: GetChatCompletionRequest, ctx: Context
    ) -> Answer[StoredChatCompletion]:
        return Answer(to_json(completion(await self._row(request.completion_id, ctx))))

    async def update_chat_completion(
        self, request: UpdateChatCompletionRequest, ctx: Context
    ) -> Answer[StoredChatCompletion]:
        labels.checked(request.metadata or {})
        async with self._sql.writing() as connection:
            seq = await _find(connection, request.completion_id, ctx)
            new = labels.dump(request.metadata)
            await connection.execute(update(COMPLETIONS).where(C.seq == seq).values(metadata=new))
            row = await _read(connection, seq)
        return Answer(to_json(completion(row)))

    async def delete_chat_completion(self, request: DeleteChatCompletionRequest, ctx: Context) -> ChatCompletionDeleted:
        async with self._sql.writing() as connection:
            seq = await _find(connection, request.completion_id, ctx)
            await connection.execute(delete(COMPLETIONS).where(C.seq == seq))
        return ChatCompletionDeleted(object="chat.completion.deleted", id=request.completion_id, deleted=True)

    async def get_chat_completion_messages(
        self, request: GetChatCompletionMessagesRequest, ctx: Context
    ) -> Answer[ChatCompletionMessageList]:
        found = messages(await self._row(request.completion_id, ctx))
        if request.order == "desc":
            found.reverse()
        if request.after is not None:
            ids = [each["id"] for each in found]
            if request.after not in ids:
                raise NotFound(f"there is no message {request.after[:200]!r}", code="message_not_found", param="after")
            found = found[ids.index(request.after) + 1 :]
        limit = request.limit or DEFAULT_LIMIT
        return Answer(_page(found[:limit], more=len(found) > limit))

    async def _row(self, id_: str, ctx: Context) -> RowMapping:
        async with self._sql.reading() as connection:
            return await _read(connection, await _find(connection, id_, ctx))


async def _find(connection: AsyncConnection, id_: str, ctx: Context, *, param: str | None = None) -> int:
    """The row of this id: the caller's own before one that nobody owns. Raises NotFound."""
    seq: int | None = None
    if could_be_an_id(id_):
        mine = select(C.seq).where(C.id == id_, seen_by(C.owner, ctx)).order_by(C.owner.is_(None), C.seq.desc())
        seq = (await connection.execute(mine.limit(1))).scalar_one_or_none()
    if seq is None:
        message = f'there is no chat completion {id_[:200]!r}; those are kept whose request says "store": true'
        raise NotFound(message, code="completion_not_found", param=param)
    return seq


async def _read(connection: AsyncConnection, seq: int) -> RowMapping:
    return (await connection.execute(select(COMPLETIONS).where(C.seq == seq))).mappings().one()


def _chosen(sql: Sql, request: ListChatCompletionsRequest) -> list[ColumnElement[bool]]:
    """What the request wants of the rows. Raises BadRequest for what no row can have."""
    given = request.metadata or {}
    if any("\x00" in text for text in (request.model or "", *given, *given.values())):
        raise BadRequest("the character NUL stands in no model's name and no label")
    return [*labelled(sql, given), *([] if request.model is None else [of_model(request.model)])]


def _fitting(sizes: Sequence[tuple[int, int]]) -> list[int]:
    """As many of the rows as a page holds, one at least."""
    fitting: list[int] = []
    left = MOST_BYTES_OF_A_PAGE
    for seq, size in sizes:
        if fitting and size > left:
            break
        fitting.append(seq)
        left -= size
    return fitting


def _page(items: list[dict[str, object]], *, more: bool) -> bytes:
    ends = {"first_id": items[0]["id"], "last_id": items[-1]["id"]} if items else {"first_id": "", "last_id": ""}
    return to_json({"object": "list", "data": items, **ends, "has_more": more})


@asynccontextmanager
async def open_stored_completions(config: StoredCompletionsConfig, *, store: Sql) -> AsyncIterator[CompletionStore]:
    """The completions in a database, their table made where there is none. What waits is written before it is left."""
    await store.prepare("chat_completions", MIGRATIONS)
    statement = keeping(store)

    async def write(rows: Sequence[Row]) -> None:
        await store.write_all(statement, rows)

    bounds = Bounds(most=config.max_write_queue_size)

    def size(row: Row) -> int:
        return len(row["request"]) + len(row["answer"])

    async with group_writer(write, name="chat completions", bounds=bounds, size=size) as writer:
        yield CompletionStore(store, writer, keep_all=config.keep == "all")
