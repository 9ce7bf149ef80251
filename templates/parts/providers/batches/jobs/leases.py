"""Who works on a batch (`runtime/shift.py` says what a lease is)."""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from sqlalchemy import and_, case, or_, select, update

from ....runtime.context import Context
from ....runtime.ownership import Owner
from ....runtime.shift import LeaseLost
from ....runtime.sql_clock import database_now
from .tables import BATCHES

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Row
    from sqlalchemy.ext.asyncio import AsyncConnection

    from ....runtime.sql import Sql

Errand = Literal["run", "close"]
"""run: to look a batch through and have it answered. close: to end one that was cancelled, has expired, or was left by
its holder when all was answered; that takes little, so that it need not wait for others that run.
"""

_STALLED_SECONDS = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A batch as it was when it was claimed. seconds_left: until it expires. output_seconds: as its client asked.
    takeovers: from processes that were gone, this one among them, since a line of it was last finished.
    """

    id: str
    owner: Owner
    endpoint: str
    input_file_id: str
    status: str
    ending: str | None
    filed: bool
    output_file_id: str | None
    error_file_id: str | None
    output_seconds: int | None
    seconds_left: float
    takeovers: int

    def context(self, request_id: str) -> Context:
        """For a call on behalf of whoever made the batch. There is no credential of theirs: none is kept."""
        attributes = {name: tuple(values) for name, values in json.loads(self.owner.attributes).items()}
        return Context(request_id=request_id, principal=self.owner.principal, attributes=attributes)


class Lease:
    """One batch, held.

    cancelled: set as soon as it is known that the batch is to be cancelled. expires: when it expires, by this process'
    clock (`time.monotonic`).
    """

    def __init__(self, sql: Sql, job: Job, token: str, seconds: float, asked: float) -> None:
        self.job = job
        self.cancelled = asyncio.Event()
        self.expires = asked + job.seconds_left
        self._sql = sql
        self._now = database_now(sql.dialect)
        self._mine = and_(BATCHES.c.id == job.id, BATCHES.c.lease == token)
        self._seconds = seconds
        self._fresh_until = asked + seconds
        self._note(job.status)

    @property
    def name(self) -> str:
        return f"batch {self.job.id}"

    @property
    def sql(self) -> Sql:
        return self._sql

    async def fresh(self) -> None:
        """Waits until the lease is known to hold: before that, nothing new is to be begun. A process that hung finds
        here that its time has passed, by its own clock, which went on.
        """
        while time.monotonic() >= self._fresh_until:
            await asyncio.sleep(_STALLED_SECONDS)

    async def renew(self) -> None:
        """Raises LeaseLost, Unavailable."""
        async with self.writing():
            pass

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[tuple[AsyncConnection, str]]:
        """A transaction of the holder's, and the batch's status within it. Raises LeaseLost, Unavailable."""
        asked = time.monotonic()
        put_off = update(BATCHES).where(self._mine).values(lease_until=self._now + self._seconds)
        async with self._sql.writing() as connection:
            status = (await connection.execute(put_off.returning(BATCHES.c.status))).scalar_one_or_none()
            if status is None:
                raise LeaseLost
            yield connection, status
        self._fresh_until = asked + self._seconds
        self._note(status)

    async def set(self, connection: AsyncConnection, **values: object) -> None:
        """Within `writing`: the columns of the batch's row; `*_at` may be `now`."""
        await connection.execute(update(BATCHES).where(self._mine).values(**values))

    @property
    def now(self) -> ColumnElement[float]:
        return self._now

    async def release(self, seconds: float = 0.0) -> None:
        """Lets others have it, after that many seconds."""
        async with self._sql.writing() as connection:
            await self.set(connection, lease=None, lease_until=self._now + seconds)

    def _note(self, status: str) -> None:
        if status == "cancelling":
            self.cancelled.set()


class Leases:
    """The batches of a database that wait for somebody."""

    def __init__(self, sql: Sql, seconds: float) -> None:
        self._sql = sql
        self._seconds = seconds
        self._now = database_now(sql.dialect)

    async def claim(self, errand: Errand) -> Lease | None:
        """The batch that has waited longest, None where none does. Raises Unavailable."""
        now = self._now
        unheld = or_(BATCHES.c.lease_until.is_(None), BATCHES.c.lease_until < now)
        waiting = select(BATCHES.c.id).where(unheld, _wants(errand, now)).order_by(BATCHES.c.created_at, BATCHES.c.id)
        async with self._sql.reading() as connection:
            if (await connection.execute(waiting.limit(1))).first() is None:
                return None
        token, asked = secrets.token_hex(16), time.monotonic()
        async with self._sql.writing() as connection:
            # SQLite, which has no locks of rows, has one writer at a time.
            found = await connection.execute(waiting.limit(1).with_for_update(skip_locked=True))
            if (id := found.scalar_one_or_none()) is None:
                return None
            take = (
                update(BATCHES)
                .where(BATCHES.c.id == id)
                .values(lease=token, lease_until=now + self._seconds, takeovers=_takeovers())
            )
            row = (await connection.execute(take.returning(BATCHES, (BATCHES.c.expires_at - now).label("left")))).one()
        return Lease(self._sql, _job(row), token, self._seconds, asked)


def _wants(errand: Errand, now: ColumnElement[float]) -> ColumnElement[bool]:
    running = BATCHES.c.status.in_(("validating", "in_progress"))
    if errand == "run":
        return and_(running, BATCHES.c.expires_at > now)
    return or_(BATCHES.c.status.in_(("cancelling", "finalizing")), and_(running, BATCHES.c.expires_at <= now))


def _takeovers() -> ColumnElement[int]:
    """Who leaves a batch takes the token along; who is gone has left it there."""
    return case((BATCHES.c.lease.is_not(None), BATCHES.c.takeovers + 1), else_=BATCHES.c.takeovers)


def _job(row: Row[tuple[object, ...]]) -> Job:
    return Job(
        id=row.id,
        owner=Owner(row.owner, row.attributes),
        endpoint=row.endpoint,
        input_file_id=row.input_file_id,
        status=row.status,
        ending=row.ending,
        filed=row.filed,
        output_file_id=row.output_file_id,
        error_file_id=row.error_file_id,
        output_seconds=row.output_seconds,
        seconds_left=row.left,
        takeovers=row.takeovers,
    )
