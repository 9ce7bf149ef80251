"""The tasks of a process that take batches and work on them."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from ....runtime.errors import TooLarge
from ....runtime.shift import Bell, at_work, hold
from .checks import Fault
from .leases import Errand, Lease, Leases
from .validating import fail

if TYPE_CHECKING:
    from .finishing import Finishing
    from .running import Running
    from .validating import Validating

log = logging.getLogger(__name__)

_LATER_SECONDS = 5.0
"""After which a batch is tried again for which something is away."""

MOST_TAKEOVERS = 5
"""Of a batch, with no line finished between. A request that ends its process does so every time; crashes that have
another cause, and machines that restart, do not come six times before one line of so many at once is done.
"""


class Worker:
    """One process'. lease_seconds: how long a lease holds. poll_seconds: between two looks at the database."""

    def __init__(
        self,
        leases: Leases,
        *,
        validating: Validating,
        running: Running,
        finishing: Finishing,
        lease_seconds: float,
        poll_seconds: float,
    ) -> None:
        self._leases = leases
        self._validating = validating
        self._running = running
        self._finishing = finishing
        self._lease_seconds = lease_seconds
        self._poll_seconds = poll_seconds
        self._bell = Bell()
        self._held: dict[str, Lease] = {}

    def ring(self) -> None:
        """There is something to do: nobody need wait to find it."""
        self._bell.ring()

    def cancel(self, batch: str) -> None:
        """The batch is `cancelling` by now; whoever holds it elsewhere will find that in its row."""
        if (lease := self._held.get(batch)) is not None:
            lease.cancelled.set()
        self.ring()

    @asynccontextmanager
    async def at_work(self, batches: int) -> AsyncIterator[None]:
        """batches: how many are run at once. At the end those that are held are left to others."""
        errands = [self._run_one] * batches
        errands.append(self._close_one)
        async with at_work(errands, self._bell, name="batches", poll_seconds=self._poll_seconds):
            yield

    async def _run_one(self) -> bool:
        return await self._take("run")

    async def _close_one(self) -> bool:
        return await self._take("close")

    async def _take(self, errand: Errand) -> bool:
        """Works on a batch until it is done, lost, or to be left for later. Whether there was one."""
        lease = await self._leases.claim(errand)
        if lease is None:
            return False
        id = lease.job.id
        self._held[id] = lease
        pace = {"lease_seconds": self._lease_seconds, "poll_seconds": self._poll_seconds}
        try:
            await hold(lease, self._work(lease), **pace, later_seconds=_LATER_SECONDS)
        finally:
            # After a pause of the whole process, another task of it may have taken the batch over.
            if self._held.get(id) is lease:
                del self._held[id]
        return True

    async def _work(self, lease: Lease) -> None:
        job = lease.job
        going = job.status in ("validating", "in_progress") and job.seconds_left > 0
        if going and job.takeovers > MOST_TAKEOVERS:
            log.error("batch %s has failed: its process ended %d times", job.id, job.takeovers)
            await self._finishing.give_up(lease, _ended_its_process(job.takeovers))
            going = False
        if going and job.status == "validating":
            going = await self._validating.look_through(lease)
            if not going and not lease.cancelled.is_set():
                return
        if going:
            await self._running.run(lease)
        try:
            await self._finishing.finish(lease)
        except TooLarge as error:
            # Whatever else is wrong somebody may mend, and the answers are worth waiting for.
            await fail(lease, [Fault(error.code or "output_too_large", error.message)])


def _ended_its_process(times: int) -> Fault:
    said = f"the process of this batch ended {times} times with no request finished between: one of them may end it"
    return Fault("batch_ended_its_process", said)
