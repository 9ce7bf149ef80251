"""The second thing done to a batch: its lines are run, so many at once."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import and_, exists, not_, select

from ....runtime.errors import StackError, Unavailable
from .endpoints import RunLine
from .faults import NotRun, is_busy
from .ledger import Keep, ledger
from .results import Result, answered, refused
from .tables import REQUESTS, RESULTS

if TYPE_CHECKING:
    from .leases import Lease

log = logging.getLogger(__name__)

LONGEST_PAUSE_SECONDS = 60.0
"""Between two tries of a line, whatever was asked for."""

_RETRY_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Line:
    """A request that has no result."""

    number: int
    custom_id: bytes
    body: bytes


class Running:
    """The step from `in_progress` to the end of the last line. run_line: what runs one. width: lines at once. tries: of
    a line whose service is busy.
    """

    def __init__(self, run_line: RunLine, *, width: int, tries: int) -> None:
        self._run_line = run_line
        self._width = width
        self._tries = tries

    async def run(self, lease: Lease) -> None:
        """Returns when every line has a result, the batch is to be cancelled, or it has expired; raises LeaseLost,
        and NotRun where lines cannot be run now.

        When it returns, or is cancelled, the results that there are have been written, if the database was there.
        """
        pending = _Pending(lease, self._width)
        async with ledger(lease) as keep:
            lines = asyncio.create_task(self._run_all(lease, pending, keep))
            cancelled = asyncio.create_task(lease.cancelled.wait())
            try:
                left = max(0.0, lease.expires - time.monotonic())
                await asyncio.wait({lines, cancelled}, timeout=left, return_when=asyncio.FIRST_COMPLETED)
                if lines.done():
                    lines.result()
            finally:
                cancelled.cancel()
                lines.cancel()
                await asyncio.gather(lines, cancelled, return_exceptions=True)

    async def _run_all(self, lease: Lease, pending: _Pending, keep: Keep) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(self._width):
                    group.create_task(self._run_lines(lease, pending, keep))
        except ExceptionGroup as several:
            # All for the same reason, as a rule.
            raise several.exceptions[0] from None

    async def _run_lines(self, lease: Lease, pending: _Pending, keep: Keep) -> None:
        while (line := await pending.take()) is not None:
            await lease.fresh()
            await keep(await self._answer(lease, line))

    async def _answer(self, lease: Lease, line: Line) -> Result:
        job = lease.job
        tried = 0
        while True:
            ctx = job.context(f"{job.id}-{line.number}")
            try:
                body = await self._run_line(job.endpoint, line.body, ctx)
                return answered(job.id, line.number, line.custom_id, body, ctx)
            except NotRun:
                raise
            except StackError as error:
                tried += 1
                if not is_busy(error) or tried >= self._tries:
                    return refused(job.id, line.number, line.custom_id, error, ctx)
                await asyncio.sleep(_pause(tried, error.retry_after))
                await lease.fresh()
            except Exception:
                log.exception("line %d of batch %s failed", line.number, job.id)
                fault = StackError("the server made an error; its log has more under this request id")
                return refused(job.id, line.number, line.custom_id, fault, ctx)


class _Pending:
    """The lines of a batch that have no result yet, in order, a few in memory."""

    def __init__(self, lease: Lease, size: int) -> None:
        self._sql = lease.sql
        self._batch = lease.job.id
        self._size = size
        self._next: deque[Line] = deque()
        self._after = 0
        self._turn = asyncio.Lock()

    async def take(self) -> Line | None:
        """One that nobody else takes; None when there are no more. A database that is away is waited for."""
        async with self._turn:
            while not self._next:
                try:
                    if not await self._read():
                        return None
                except Unavailable as error:
                    log.info("lines of batch %s wait: %s", self._batch, error.message)
                    await asyncio.sleep(_RETRY_SECONDS)
            return self._next.popleft()

    async def _read(self) -> bool:
        has_result = exists().where(and_(RESULTS.c.batch == REQUESTS.c.batch, RESULTS.c.line == REQUESTS.c.line))
        query = (
            select(REQUESTS.c.line, REQUESTS.c.custom_id, REQUESTS.c.body)
            .where(and_(REQUESTS.c.batch == self._batch, REQUESTS.c.line > self._after, not_(has_result)))
            .order_by(REQUESTS.c.line)
            .limit(self._size)
        )
        async with self._sql.reading() as connection:
            found = (await connection.execute(query)).all()
        self._next.extend(Line(row.line, row.custom_id, row.body) for row in found)
        if found:
            self._after = found[-1].line
        return bool(found)


def _pause(tried: int, asked: float | None) -> float:
    """Seconds: longer each time, not all lines at once, and as long as the service asked for."""
    return min(LONGEST_PAUSE_SECONDS, max(asked or 0.0, 2.0 ** (tried - 1) * random.uniform(0.5, 1.0)))
