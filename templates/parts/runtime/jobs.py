"""Jobs: work that a request asks for, and that goes on after its answer.

    TABLE = job_table("stackgen_eval_jobs")

    async def run(work: Work) -> bytes:                      # what comes of it
        for row in rows[int(work.job.progress or 0) :]:
            …
            await work.note(str(done).encode())              # durable: whoever takes it over goes on from here
        return result

    async with open_jobs(sql, TABLE, run, name="eval jobs", at_once=2) as jobs:
        job = await jobs.add(new_id("job"), ctx, subject=benchmark, request=asked)

A job that was answered is done, whatever becomes of the process: it is held under a lease (`shift`), and another takes
it over from where it last noted to be. A run that raises an error of the request's kind (4xx), or any that is no
StackError, has failed; one for which something is away is tried again later, a few times. What is cancelled is stopped.
"""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy import and_, case, func, or_, select, update
from sqlalchemy import delete as removal

from .context import Context
from .errors import Conflict, NotFound, StackError, Unavailable
from .job_table import job_migrations
from .ownership import Owner, owner_of, seen_by
from .shift import Bell, LeaseLost, at_work, hold
from .sql_clock import database_now

if TYPE_CHECKING:
    from sqlalchemy import Row, Table

    from .sql import Sql

log = logging.getLogger(__name__)

State = Literal["scheduled", "in_progress", "completed", "failed", "cancelled"]

_OPEN = ("scheduled", "in_progress")
_MOST_TRIES = 8
_FIRST_PAUSE_SECONDS = 2.0
_LONGEST_PAUSE_SECONDS = 60.0
_RETRY_SECONDS = 0.5
_PAGE = 100
_NEVER_GOT_ON = f"it was begun {_MOST_TRIES} times, and each time its process ended or what it needs was away"


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A job as it was when it was asked for. cancelling: it is to be stopped, and soon will be. tries: how often it
    was taken since it last got on. Times are Unix time in seconds.
    """

    id: str
    owner: Owner
    subject: str
    request: bytes
    progress: bytes | None
    result: bytes | None
    error: str | None
    state: State
    cancelling: bool
    created_at: float
    started_at: float | None
    ended_at: float | None
    tries: int

    def context(self) -> Context:
        """For a call on behalf of whoever asked for it. There is no credential of theirs: none is kept."""
        attributes = {name: tuple(values) for name, values in json.loads(self.owner.attributes).items()}
        return Context(request_id=f"job-{self.id}", principal=self.owner.principal, attributes=attributes)


class Work:
    """A job, held by this process."""

    def __init__(self, sql: Sql, table: Table, job: Job, token: str, seconds: float) -> None:
        self.job = job
        self.cancelled = asyncio.Event()
        self._sql = sql
        self._table = table
        self._mine = and_(table.c.id == job.id, table.c.lease == token)
        self._seconds = seconds

    @property
    def name(self) -> str:
        return f"job {self.job.id}"

    async def note(self, progress: bytes) -> None:
        """How far it is, durably; waits for a database that is away. Raises LeaseLost."""
        await self._set_at_last(progress=progress, tries=0)

    async def renew(self) -> None:
        await self._set()

    async def release(self, seconds: float = 0.0) -> None:
        values: dict[str, object] = {"lease": None, "lease_until": database_now(self._sql.dialect) + seconds}
        if not seconds:
            # A process that stops in order is no sign that the job cannot be done.
            tries = self._table.c.tries
            values["tries"] = case((tries > 0, tries - 1), else_=0)
        async with self._sql.writing() as connection:
            await connection.execute(update(self._table).where(self._mine).values(**values))

    async def end(self, state: State, *, result: bytes | None = None, error: str | None = None) -> None:
        """Waits for a database that is away. Raises LeaseLost."""
        now = database_now(self._sql.dialect)
        await self._set_at_last(state=state, result=result, error=error, ended_at=now, lease=None)

    async def _set_at_last(self, **values: object) -> None:
        while True:
            try:
                return await self._set(**values)
            except Unavailable as error:
                log.info("%s waits: %s", self.name, error.message)
                await asyncio.sleep(_RETRY_SECONDS)

    async def _set(self, **values: object) -> None:
        until = database_now(self._sql.dialect) + self._seconds
        put_off = update(self._table).where(self._mine).values(**{"lease_until": until, **values})
        async with self._sql.writing() as connection:
            cancelling = (await connection.execute(put_off.returning(self._table.c.cancelling))).scalar_one_or_none()
            if cancelling is None:
                raise LeaseLost
        if cancelling:
            self.cancelled.set()


Run = Callable[[Work], Awaitable[bytes]]
"""Does a job, and returns what comes of it. It is cancelled when the job is, and when the process stops."""


class Jobs:
    """The jobs of one table, as requests see them; made by `open_jobs`."""

    def __init__(self, sql: Sql, table: Table, run: Run, *, lease_seconds: float, poll_seconds: float) -> None:
        self._sql = sql
        self._table = table
        self._run = run
        self._now = database_now(sql.dialect)
        self._lease_seconds = lease_seconds
        self._poll_seconds = poll_seconds
        self._held: dict[str, Work] = {}
        self.bell = Bell()

    async def add(self, id: str, ctx: Context, *, subject: str, request: bytes) -> Job:
        """A new job, which is kept once this returns. Raises Conflict where there is one of this id, Unavailable."""
        owner = owner_of(ctx)
        new = self._sql.insert(self._table).values(
            id=id,
            owner=owner.principal,
            attributes=owner.attributes,
            subject=subject,
            request=request,
            state="scheduled",
            cancelling=False,
            created_at=self._now,
            tries=0,
        )
        async with self._sql.writing() as connection:
            added = await connection.execute(new.on_conflict_do_nothing().returning(self._table))
            row = added.one_or_none()
        if row is None:
            raise Conflict(f"there is a job {id[:100]!r} already", code="job_exists")
        self.bell.ring()
        return _job(row)

    async def find(self, id: str, ctx: Context, *, subject: str | None = None) -> Job:
        """Raises NotFound where there is none that the caller may see."""
        async with self._sql.reading() as connection:
            row = (await connection.execute(select(self._table).where(self._seen(id, ctx, subject)))).one_or_none()
        if row is None:
            raise NotFound(f"there is no job {id[:100]!r}", code="job_not_found", param="job_id")
        return _job(row)

    async def listed(self, ctx: Context, *, subject: str | None = None, limit: int = _PAGE) -> list[Job]:
        """The newest first."""
        columns = self._table.c
        query = select(self._table).where(seen_by(columns.owner, ctx))
        if subject is not None:
            query = query.where(columns.subject == subject)
        query = query.order_by(columns.created_at.desc(), columns.id.desc()).limit(limit)
        async with self._sql.reading() as connection:
            return [_job(row) for row in (await connection.execute(query)).all()]

    async def cancel(self, id: str, ctx: Context, *, subject: str | None = None) -> Job:
        """Has it stopped: at once if nobody has begun it, else soon. Raises NotFound; Conflict where it has ended."""
        columns = self._table.c
        going = and_(self._seen(id, ctx, subject), columns.state.in_(_OPEN))
        ended = {"state": "cancelled", "ended_at": self._now}
        async with self._sql.writing() as connection:
            unbegun = update(self._table).where(going, columns.state == "scheduled").values(cancelling=True, **ended)
            row = (await connection.execute(unbegun.returning(self._table))).one_or_none()
            if row is None:
                # One that waits for a better time need not, to be stopped.
                until = case((columns.lease.is_not(None), columns.lease_until), else_=None)
                told = update(self._table).where(going).values(cancelling=True, lease_until=until)
                row = (await connection.execute(told.returning(self._table))).one_or_none()
        if row is None:
            job = await self.find(id, ctx, subject=subject)
            if job.state == "cancelled":
                return job
            raise Conflict(f"a job that is {job.state!r} cannot be cancelled", code="job_not_cancellable")
        if (work := self._held.get(id)) is not None:
            work.cancelled.set()
        self.bell.ring()
        return _job(row)

    async def remove(self, id: str, ctx: Context, *, subject: str | None = None) -> None:
        """Raises NotFound; Conflict where it has not ended."""
        job = await self.find(id, ctx, subject=subject)
        if job.state in _OPEN:
            raise Conflict(f"a job that is {job.state!r} cannot be removed: cancel it first", code="job_not_ended")
        async with self._sql.writing() as connection:
            await connection.execute(removal(self._table).where(self._seen(id, ctx, subject)))

    async def take_one(self) -> bool:
        """Does the job that has waited longest. Whether there was one."""
        work = await self._claim()
        if work is None:
            return False
        self._held[work.job.id] = work
        pause = min(_FIRST_PAUSE_SECONDS * 2 ** (work.job.tries - 1), _LONGEST_PAUSE_SECONDS)
        pace = {"lease_seconds": self._lease_seconds, "poll_seconds": self._poll_seconds, "later_seconds": pause}
        try:
            await hold(work, self._do(work), **pace)
        finally:
            if self._held.get(work.job.id) is work:
                del self._held[work.job.id]
        return True

    def _seen(self, id: str, ctx: Context, subject: str | None) -> Any:
        mine = and_(self._table.c.id == id, seen_by(self._table.c.owner, ctx))
        return mine if subject is None else and_(mine, self._table.c.subject == subject)

    async def _claim(self) -> Work | None:
        columns, now = self._table.c, self._now
        unheld = or_(columns.lease_until.is_(None), columns.lease_until < now)
        waiting = select(columns.id).where(unheld, columns.state.in_(_OPEN)).order_by(columns.created_at, columns.id)
        async with self._sql.reading() as connection:
            if (await connection.execute(waiting.limit(1))).first() is None:
                return None
        token = secrets.token_hex(16)
        async with self._sql.writing() as connection:
            # SQLite, which has no locks of rows, has one writer at a time.
            found = await connection.execute(waiting.limit(1).with_for_update(skip_locked=True))
            if (id := found.scalar_one_or_none()) is None:
                return None
            held = {"lease": token, "lease_until": now + self._lease_seconds, "tries": columns.tries + 1}
            take = update(self._table).where(columns.id == id)
            take = take.values(state="in_progress", started_at=func.coalesce(columns.started_at, now), **held)
            row = (await connection.execute(take.returning(self._table))).one()
        return Work(self._sql, self._table, _job(row), token, self._lease_seconds)

    async def _do(self, work: Work) -> None:
        """Raises LeaseLost, and the StackError of what is away: it is tried again."""
        job = work.job
        if job.cancelling:
            return await work.end("cancelled")
        if job.tries > _MOST_TRIES:
            log.error("%s has failed: it was begun %d times and never got on", work.name, _MOST_TRIES)
            return await work.end("failed", error=_NEVER_GOT_ON)
        running, told = asyncio.ensure_future(self._run(work)), asyncio.ensure_future(work.cancelled.wait())
        try:
            await asyncio.wait({running, told}, return_when=asyncio.FIRST_COMPLETED)
            if not running.done():
                running.cancel()
                await asyncio.gather(running, return_exceptions=True)
                return await work.end("cancelled")
            result = running.result()
        except LeaseLost:
            raise
        except StackError as error:
            if error.status >= 500 and job.tries < _MOST_TRIES:
                raise
            return await work.end("failed", error=error.message)
        except Exception:
            log.exception("%s has failed", work.name)
            return await work.end("failed", error="the server failed: its log says more")
        finally:
            for task in (running, told):
                task.cancel()
            await asyncio.gather(running, told, return_exceptions=True)
        await work.end("completed", result=result)


@asynccontextmanager
async def open_jobs(
    sql: Sql,
    table: Table,
    run: Run,
    *,
    name: str,
    at_once: int,
    lease_seconds: float = 30.0,
    poll_seconds: float = 2.0,
) -> AsyncIterator[Jobs]:
    """The jobs of a table, and this process' share of the work on them.

    name: of these jobs, for the log and for the database's record of its tables. at_once: jobs of this process.
    """
    await sql.prepare(name, job_migrations(table))
    jobs = Jobs(sql, table, run, lease_seconds=lease_seconds, poll_seconds=poll_seconds)
    async with at_work([jobs.take_one] * at_once, jobs.bell, name=name, poll_seconds=poll_seconds):
        yield jobs


def _job(row: Row[Any]) -> Job:
    return Job(
        id=row.id,
        owner=Owner(row.owner, row.attributes),
        subject=row.subject,
        request=row.request,
        progress=row.progress,
        result=row.result,
        error=row.error,
        state=row.state,
        cancelling=row.cancelling,
        created_at=row.created_at,
        started_at=row.started_at,
        ended_at=row.ended_at,
        tries=row.tries,
    )
