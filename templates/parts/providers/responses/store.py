"""Responses in a SQL database."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from pydantic_core import from_json, to_json

from ...runtime.errors import BadRequest, NotFound
from ...runtime.group_writer import GroupWriter, group_writer
from ...runtime.ownership import owner_of
from . import table
from .ids import is_response_id, stem_of

if TYPE_CHECKING:
    from sqlalchemy import RowMapping

    from ...runtime.context import Context
    from ...runtime.sql import Sql

Item = dict[str, Any]
"""JSON."""


class Kept:
    """A response that is kept. response: the object, with all that is in its items. input: what it answers."""

    __slots__ = ("input", "response")

    def __init__(self, row: RowMapping) -> None:
        self.response: Item = from_json(row["response"])
        self.input: list[Item] = from_json(row["input"])

    @property
    def items(self) -> list[Item]:
        """What it answers, and the answer."""
        return [*self.input, *self.response["output"]]


class ResponseStore:
    """Keeps responses, and finds them again."""

    def __init__(self, sql: Sql, writer: GroupWriter[table.Row]) -> None:
        self._sql = sql
        self._writer = writer

    async def keep(self, response: Item, items: Sequence[Item], ctx: Context) -> None:
        """Returns once it is durable. items: what it answers. Raises Unavailable."""
        owner = owner_of(ctx)
        await self._writer.keep(
            table.Row(
                id=response["id"],
                owner=owner.principal,
                attributes=owner.attributes,
                model=response["model"],
                previous=response["previous_response_id"],
                input=to_json(items).decode(),
                response=to_json(response).decode(),
            )
        )

    async def find(self, response_id: str, ctx: Context) -> Kept:
        """Raises NotFound."""
        return Kept(await self._row(response_id, ctx, "response_id"))

    async def has(self, response_id: str, ctx: Context) -> bool:
        async with self._sql.reading() as connection:
            return await table.find(connection, response_id, ctx) is not None

    async def chain(self, response_id: str, ctx: Context) -> list[Kept]:
        """A response and all that it goes on from, the first one first. Raises NotFound, BadRequest."""
        if not is_response_id(response_id):
            raise no_response(response_id, "previous_response_id")
        async with self._sql.reading() as connection:
            rows = await table.chain(connection, response_id, ctx)
        if not rows:
            raise no_response(response_id, "previous_response_id")
        if (missing := rows[0]["previous"]) is not None:
            if len(rows) >= table.LONGEST_CHAIN:
                why = f"more than {table.LONGEST_CHAIN} responses go on from one another"
            else:
                why = f"it goes on from {missing!r}, which was deleted"
            message = f"previous_response_id: {response_id!r} cannot be gone on from: {why}"
            raise BadRequest(message, code="previous_response_not_found", param="previous_response_id")
        return [Kept(row) for row in rows]

    async def items(self, ids: Sequence[str], ctx: Context) -> dict[str, Item]:
        """Items of responses, by their ids, as far as they are there."""
        stems = list(dict.fromkeys(stem for each in ids if (stem := stem_of(each)) is not None))
        if not stems:
            return {}
        async with self._sql.reading() as connection:
            rows = await table.of_stems(connection, stems, ctx)
        wanted = set(ids)
        return {item["id"]: item for row in rows for item in Kept(row).items if item["id"] in wanted}

    async def page(
        self, ctx: Context, *, model: str | None, after: str | None, newest: bool, limit: int
    ) -> tuple[list[Kept], bool]:
        """A page of them, and whether others follow. Raises NotFound."""
        behind = None if after is None else (await self._row(after, ctx, "after"))["seq"]
        if model is not None and "\x00" in model:
            return [], False
        async with self._sql.reading() as connection:
            rows = await table.page(connection, ctx, model=model, after=behind, newest=newest, limit=limit + 1)
        return [Kept(row) for row in rows[:limit]], len(rows) > limit

    async def remove(self, response_id: str, ctx: Context) -> None:
        """Raises NotFound."""
        if is_response_id(response_id):
            async with self._sql.writing() as connection:
                if await table.remove(connection, response_id, ctx):
                    return
        raise no_response(response_id, "response_id")

    async def _row(self, response_id: str, ctx: Context, param: str) -> RowMapping:
        if is_response_id(response_id):
            async with self._sql.reading() as connection:
                if (row := await table.find(connection, response_id, ctx)) is not None:
                    return row
        raise no_response(response_id, param)


def no_response(response_id: str, param: str) -> NotFound:
    message = f'there is no response {response_id[:100]!r}; those are not kept whose request says "store": false'
    return NotFound(message, code="response_not_found", param=param)


@asynccontextmanager
async def open_store(sql: Sql) -> AsyncIterator[ResponseStore]:
    """The responses of a database, their table made where there is none."""
    await sql.prepare("responses", table.MIGRATIONS)
    statement = table.keeping()

    async def write(rows: Sequence[table.Row]) -> None:
        await sql.write_all(statement, rows)

    async with group_writer(write, name="responses") as writer:
        yield ResponseStore(sql, writer)
