"""The results of a batch that runs, as they become durable."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from sqlalchemy import and_, insert, select

from ....runtime.errors import Unavailable
from ....runtime.group_writer import Bounds, group_writer
from .results import Result
from .tables import BATCHES, RESULTS

if TYPE_CHECKING:
    from .leases import Lease

log = logging.getLogger(__name__)

_RETRY_SECONDS = 0.5
_STOP_SECONDS = 5.0

Keep = Callable[[Result], Awaitable[None]]
"""Returns when a result is durable and counted; waits for a database that is away. Raises LeaseLost."""


@asynccontextmanager
async def ledger(lease: Lease) -> AsyncIterator[Keep]:
    """What writes the results of a batch: what comes while one transaction is under way goes into the next, together.

    Whoever keeps one waits until it is written, so that no more wait here than lines are run at once.
    """

    async def write(results: Sequence[Result]) -> None:
        await _commit(lease, results)

    async with group_writer(
        write, name=f"the results of batch {lease.job.id}", bounds=Bounds(stop_seconds=_STOP_SECONDS)
    ) as writer:

        async def keep(result: Result) -> None:
            while True:
                try:
                    await writer.keep(result)
                except Unavailable as error:
                    log.info("batch %s waits: %s", lease.job.id, error.message)
                    await asyncio.sleep(_RETRY_SECONDS)
                else:
                    return

        yield keep


async def _commit(lease: Lease, results: Sequence[Result]) -> None:
    batch = lease.job.id
    async with lease.writing() as (connection, _):
        # A commit whose answer was lost is tried again.
        mine = and_(RESULTS.c.batch == batch, RESULTS.c.line.in_([each.line for each in results]))
        known = set((await connection.execute(select(RESULTS.c.line).where(mine))).scalars())
        new = [each for each in results if each.line not in known]
        if not new:
            return
        rows = [{"batch": batch, "line": each.line, "good": each.good, "text": each.text} for each in new]
        await connection.execute(insert(RESULTS), rows)
        good = sum(each.good for each in new)
        columns = BATCHES.c
        await lease.set(
            connection,
            takeovers=0,
            completed=columns.completed + good,
            failed=columns.failed + len(new) - good,
            input_tokens=columns.input_tokens + sum(each.tokens.input for each in new),
            cached_tokens=columns.cached_tokens + sum(each.tokens.cached for each in new),
            output_tokens=columns.output_tokens + sum(each.tokens.output for each in new),
            reasoning_tokens=columns.reasoning_tokens + sum(each.tokens.reasoning for each in new),
        )
