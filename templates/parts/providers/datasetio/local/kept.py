"""The rows of datasets in a SQL database."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pydantic_core import from_json, to_json
from sqlalchemy import delete, func, insert, select, update

from ....runtime.dataset_rows import Page, Row
from ....runtime.errors import BadRequest, TooLarge
from ....runtime.sql_clock import database_now
from .tables import ROWS, TAKEN

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from ....runtime.sql import Sql

UNSETTLED_SECONDS = 3600.0
"""How long rows are kept of which nobody has said that they belong to a dataset."""

_AT_ONCE = 500


class KeptRows:
    """most: bytes that the rows of one dataset take, as JSON."""

    def __init__(self, sql: Sql, *, most: int) -> None:
        self._sql = sql
        self._most = most

    async def has(self, key: str) -> bool:
        async with self._sql.reading() as connection:
            found = await connection.execute(select(TAKEN.c.key).where(TAKEN.c.key == key))
            return found.one_or_none() is not None

    async def take(self, key: str, rows: Sequence[Row], *, settled: bool) -> None:
        """All rows of a dataset; nothing where it is there already. Raises TooLarge, BadRequest."""
        bodies, size = await self._bodies(rows)
        self._check(size)
        async with self._sql.writing() as connection:
            now = database_now(self._sql.dialect)
            await _sweep(connection, before=now - UNSETTLED_SECONDS)
            values = {"rows": len(bodies), "bytes": size, "settled": settled, "taken_at": now}
            made = self._sql.insert(TAKEN).values(key=key, **values).on_conflict_do_nothing().returning(TAKEN.c.key)
            if (await connection.execute(made)).one_or_none() is not None:
                await _add(connection, key, 0, bodies)

    async def settle(self, key: str) -> None:
        async with self._sql.writing() as connection:
            await connection.execute(update(TAKEN).where(TAKEN.c.key == key).values(settled=True))

    async def page(self, key: str, start: int, limit: int | None) -> Page | None:
        """None where there is no such dataset."""
        async with self._sql.reading() as connection:
            count = (await connection.execute(select(TAKEN.c.rows).where(TAKEN.c.key == key))).scalar_one_or_none()
            if count is None:
                return None
            end = count if limit is None else min(start + limit, count)
            statement = select(ROWS.c.body).where(ROWS.c.key == key, ROWS.c.place >= start, ROWS.c.place < end)
            bodies = (await connection.execute(statement.order_by(ROWS.c.place))).scalars().all() if start < end else []
        return Page([from_json(each) for each in bodies], end < count)

    async def append(self, key: str, rows: Sequence[Row]) -> bool:
        """False where there is no such dataset. Raises TooLarge, BadRequest."""
        bodies, size = await self._bodies(rows)
        values = {"rows": TAKEN.c.rows + len(bodies), "bytes": TAKEN.c.bytes + size}
        places = update(TAKEN).where(TAKEN.c.key == key).values(**values).returning(TAKEN.c.rows, TAKEN.c.bytes)
        async with self._sql.writing() as connection:
            found = (await connection.execute(places)).one_or_none()
            if found is None:
                return False
            self._check(found.bytes)
            await _add(connection, key, found.rows - len(bodies), bodies)
        return True

    async def forget(self, key: str) -> None:
        async with self._sql.writing() as connection:
            # Its line first, so that whoever would add to it meanwhile finds it gone.
            await connection.execute(delete(TAKEN).where(TAKEN.c.key == key))
            await connection.execute(delete(ROWS).where(ROWS.c.key == key))

    async def ask(self) -> None:
        """Raises Unavailable where the database cannot be reached."""
        async with self._sql.reading() as connection:
            await connection.execute(select(func.count()).select_from(TAKEN).where(TAKEN.c.key == ""))

    def _check(self, size: int) -> None:
        if size > self._most:
            message = f"the rows of the dataset take {size} bytes as JSON; the most of this server are {self._most}"
            raise TooLarge(message, code="dataset_too_large", param="rows")

    async def _bodies(self, rows: Sequence[Row]) -> tuple[list[str], int]:
        """The rows as JSON, and how many bytes they take."""
        # In a thread, as there may be many.
        bodies = await asyncio.to_thread(_encoded, rows)
        return [each.decode() for each in bodies], sum(map(len, bodies))


def _encoded(rows: Sequence[Row]) -> list[bytes]:
    bodies = []
    for number, row in enumerate(rows):
        try:
            bodies.append(to_json(row, inf_nan_mode="constants"))
        except ValueError:  # half a surrogate pair
            raise BadRequest(f"row {number} holds a text that is none", param=f"rows.{number}") from None
    return bodies


async def _sweep(connection: AsyncConnection, *, before: object) -> None:
    """Forgets what was never settled."""
    old = TAKEN.c.settled.is_(False) & (TAKEN.c.taken_at < before)
    gone = (await connection.execute(delete(TAKEN).where(old).returning(TAKEN.c.key))).scalars().all()
    for key in gone:
        await connection.execute(delete(ROWS).where(ROWS.c.key == key))


async def _add(connection: AsyncConnection, key: str, first: int, bodies: Sequence[str]) -> None:
    for start in range(0, len(bodies), _AT_ONCE):
        some = bodies[start : start + _AT_ONCE]
        values = [{"key": key, "place": first + start + number, "body": body} for number, body in enumerate(some)]
        await connection.execute(insert(ROWS), values)
