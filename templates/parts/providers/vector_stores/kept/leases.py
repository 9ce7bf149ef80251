"""Attached files that wait to be taken in, and who takes one in."""

from __future__ import annotations

import json
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, or_, select, update

from ....runtime.context import Context
from ....runtime.shift import LeaseLost
from .tables import FILES, STORES

if TYPE_CHECKING:
    from sqlalchemy import Row
    from sqlalchemy.ext.asyncio import AsyncConnection

    from .desk import Desk


class Lease:
    """One file, held. file: its row as it was when it was claimed. store: its store's."""

    def __init__(self, desk: Desk, file: Row[Any], store: Row[Any], token: str, seconds: float) -> None:
        self.file = file
        self.store = store
        self._desk = desk
        self._mine = and_(FILES.c.id == file.id, FILES.c.lease == token)
        self._going = and_(self._mine, FILES.c.errand == "ingest")
        self._seconds = seconds

    @property
    def name(self) -> str:
        return f"file {self.file.file_id} of {self.store.id}"

    @property
    def context(self) -> Context:
        """For a call on behalf of whoever attached the file. There is no credential of theirs: none is kept."""
        attributes = {name: tuple(values) for name, values in json.loads(self.file.attributes).items()}
        return Context(request_id=f"ingest-{self.file.id}", principal=self.file.owner, attributes=attributes)

    @asynccontextmanager
    async def writing(self, **values: object) -> AsyncIterator[AsyncConnection]:
        """A transaction of the holder's, which sets these columns too. Raises LeaseLost, Unavailable."""
        until = self._desk.now + self._seconds
        async with self._desk.sql.writing() as connection:
            put_off = update(FILES).where(self._going).values(**{"lease_until": until, **values})
            if not (await connection.execute(put_off)).rowcount:
                raise LeaseLost
            yield connection

    async def renew(self) -> None:
        async with self.writing():
            pass

    async def release(self, seconds: float = 0.0) -> None:
        """Lets others have it, after that many seconds."""
        async with self._desk.sql.writing() as connection:
            free = update(FILES).where(self._mine).values(lease=None, lease_until=self._desk.now + seconds)
            await connection.execute(free)


async def claim(desk: Desk, seconds: float) -> Lease | None:
    """The file that has waited longest, None where none does. Raises Unavailable."""
    unheld = or_(FILES.c.lease_until.is_(None), FILES.c.lease_until < desk.now)
    waiting = select(FILES.c.id).where(unheld, FILES.c.errand == "ingest").order_by(FILES.c.created_at, FILES.c.id)
    async with desk.sql.reading() as connection:
        if (await connection.execute(waiting.limit(1))).first() is None:
            return None
    token = secrets.token_hex(16)
    async with desk.sql.writing() as connection:
        # SQLite, which has no locks of rows, has one writer at a time.
        found = await connection.execute(waiting.limit(1).with_for_update(skip_locked=True))
        if (id := found.scalar_one_or_none()) is None:
            return None
        tries = FILES.c.tries + 1
        take = update(FILES).where(FILES.c.id == id).values(lease=token, lease_until=desk.now + seconds, tries=tries)
        file = (await connection.execute(take.returning(FILES))).one()
        store = (await connection.execute(select(STORES).where(STORES.c.id == file.store))).one()
    return Lease(desk, file, store, token, seconds)
