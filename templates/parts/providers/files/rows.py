"""What is known of each file, as rows of a SQL database.

    pending → ready → deleting → gone

A row is there before the bytes are, and goes after them, so that bytes without a row cannot be. Only `ready` rows are
files to anybody. A row in another state belongs to whoever works on it until `busy_until`; from then on that work has
been abandoned, by a crash, and whoever claims the row removes bytes and row.

Times are microseconds since 1970, so that files of one second are in the order in which they came.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Index,
    MetaData,
    String,
    Table,
    Text,
    and_,
    delete,
    or_,
    select,
    update,
)

from ...runtime.ownership import owner_of, seen_by

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Row

    from ...runtime.context import Context
    from ...runtime.sql import Sql

SECOND = 1_000_000
LEASE = 120 * SECOND
"""How long a row is left to whoever works on it. Longer than the clocks of two machines may differ."""

FILES = Table(
    "files",
    MetaData(),
    Column("id", String(200), primary_key=True),
    Column("place", String(200), nullable=False),
    Column("state", String(8), nullable=False),
    Column("busy_until", BigInteger, nullable=False),
    Column("owner", Text),
    Column("attributes", Text, nullable=False),
    Column("filename", Text, nullable=False),
    Column("purpose", String(64), nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("expires", BigInteger),
    Index("files_by_age", "created", "id"),
    Index("files_by_state", "state", "busy_until"),
    Index("files_by_expiry", "expires"),
)


def _create(connection: Connection) -> None:
    FILES.create(connection)


MIGRATIONS = (_create,)


@dataclass(frozen=True, slots=True)
class Known:
    """A file that is there. created, expires: microseconds; expires None for never."""

    id: str
    filename: str
    purpose: str
    bytes: int
    created: int
    expires: int | None


class FileRows:
    """The rows of the files that one place keeps. place: which, as several may use one database."""

    def __init__(self, sql: Sql, place: str) -> None:
        self._sql = sql
        self._here = FILES.c.place == place
        self._place = place

    async def add(self, file: Known, ctx: Context) -> None:
        """A pending row, whose bytes are still to be kept. Raises Unavailable, as all that follow."""
        owner = owner_of(ctx)
        row = {
            "place": self._place,
            "state": "pending",
            "busy_until": now() + LEASE,
            "owner": owner.principal,
            "attributes": owner.attributes,
            "id": file.id,
            "filename": file.filename,
            "purpose": file.purpose,
            "bytes": file.bytes,
            "created": file.created,
            "expires": file.expires,
        }
        async with self._sql.writing() as connection:
            await connection.execute(FILES.insert().values(row))

    async def hold(self, id: str) -> None:
        """The work on this row goes on."""
        await self._change(and_(FILES.c.id == id, FILES.c.state != "ready"), busy_until=now() + LEASE)

    async def ready(self, id: str, name: str, expires: int | None) -> bool:
        """The bytes are kept, under `name`, which is the file's id from now on; False where the row was given up."""
        pending = and_(FILES.c.id == id, FILES.c.state == "pending")
        return await self._change(pending, id=name, state="ready", expires=expires)

    async def take_back(self, id: str) -> bool:
        """A pending row is not to become a file; False where it has become one, or somebody else has taken it."""
        return await self._change(and_(FILES.c.id == id, FILES.c.state == "pending"), **_deleting())

    async def find(self, id: str, ctx: Context) -> Known | None:
        async with self._sql.reading() as connection:
            row = (await connection.execute(select(FILES).where(self._visible(ctx), FILES.c.id == id))).one_or_none()
        return None if row is None else _known(row)

    async def page(
        self, ctx: Context, *, after: Known | None, limit: int, newest_first: bool, purpose: str | None
    ) -> list[Known]:
        """At most `limit` files in the order of their making, from the one after `after` on."""
        age = (FILES.c.created, FILES.c.id)
        query = select(FILES).where(self._visible(ctx)).limit(limit)
        query = query.order_by(*(column.desc() if newest_first else column.asc() for column in age))
        if purpose is not None:
            query = query.where(FILES.c.purpose == purpose)
        if after is not None:
            query = query.where(_beyond(after, newest_first=newest_first))
        async with self._sql.reading() as connection:
            return [_known(row) for row in await connection.execute(query)]

    async def give_up(self, id: str, ctx: Context) -> bool:
        """The file is gone, for everybody, and its bytes are the caller's to remove; False where there is none."""
        return await self._change(and_(self._visible(ctx), FILES.c.id == id), **_deleting())

    async def abandoned(self, limit: int) -> Sequence[str]:
        """Ids of rows that nobody works on any more, and of files whose time is over."""
        async with self._sql.reading() as connection:
            return (await connection.scalars(select(FILES.c.id).where(self._here, _over()).limit(limit))).all()

    async def claim(self, id: str) -> bool:
        """Takes such a row; False where somebody else was faster."""
        return await self._change(and_(FILES.c.id == id, _over()), **_deleting())

    async def remove(self, id: str) -> None:
        """The row of bytes that are gone, or never were."""
        async with self._sql.writing() as connection:
            await connection.execute(delete(FILES).where(self._here, FILES.c.id == id, FILES.c.state != "ready"))

    async def _change(self, which: ColumnElement[bool], **values: object) -> bool:
        async with self._sql.writing() as connection:
            return (await connection.execute(update(FILES).where(self._here, which).values(values))).rowcount == 1

    def _visible(self, ctx: Context) -> ColumnElement[bool]:
        lives = or_(FILES.c.expires.is_(None), FILES.c.expires > now())
        return and_(self._here, FILES.c.state == "ready", lives, seen_by(FILES.c.owner, ctx))


def now() -> int:
    """Microseconds since 1970."""
    return time.time_ns() // 1000


def _deleting() -> dict[str, object]:
    return {"state": "deleting", "busy_until": now() + LEASE}


def _over() -> ColumnElement[bool]:
    abandoned = and_(FILES.c.state != "ready", FILES.c.busy_until < now())
    return or_(abandoned, and_(FILES.c.state == "ready", FILES.c.expires <= now()))


def _beyond(file: Known, *, newest_first: bool) -> ColumnElement[bool]:
    created, id_ = FILES.c.created, FILES.c.id
    if newest_first:
        return or_(created < file.created, and_(created == file.created, id_ < file.id))
    return or_(created > file.created, and_(created == file.created, id_ > file.id))


def _known(row: Row[Any]) -> Known:
    return Known(row.id, row.filename, row.purpose, row.bytes, row.created, row.expires)
