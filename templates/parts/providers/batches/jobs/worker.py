"""The tasks of a process that take batches and work on them."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from ....runtime.errors import StackError, TooLarge
from .checks import Fault
from .leases import Errand, Lease, LeaseLost, Leases
from .validating import fail

if TYPE_CHECKING:
    from .finishing import Finishing
    from .running import Running
    from .validating import Validating

log = logging.getLogger(__name__)

_LATER_SECONDS = 5.0
_MUCH_LATER_SECONDS = 60.0
"""After which a batch is tried again that could not be worked on: what it needs is away, or nobody knows why."""

_BEATS = 3
"""How often a lease is put off in the time that it holds, at least."""

_GOODBYE_SECONDS = 5.0

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
        self._beat_seconds = min(poll_seconds, lease_seconds / _BEATS)
        self._poll_seconds = poll_seconds
        self._bell = asyncio.Event()
        self._held: dict[str, Lease] = {}

    def ring(self) -> None:
        """There is something to do: nobody need wait to find it."""
        self._bell.set()
        self._bell = asyncio.Event()

    def cancel(self, batch: str) -> None:
        """The batch is `cancelling` by now; whoever holds it elsewhere will find that in its row."""
        if (lease := self._held.get(batch)) is not None:
            lease.cancelled.set()
        self.ring()

    @asynccontextmanager
    async def at_work(self, batches: int) -> AsyncIterator[None]:
        """batches: how many are run at once. At the end those that are held are left to others."""
        errands: list[Errand] = ["run"] * batches
        errands.append("close")
        tasks = [asyncio.create_task(self._serve(errand)) for errand in errands]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _serve(self, errand: Errand) -> None:
        while True:
            bell = self._bell
            try:
                lease = await self._leases.claim(errand)
                if lease is not None:
                    await self._hold(lease)
                    continue
            except StackError as error:
                log.warning("no batch can be taken: %s", error.message)
            except Exception:
                log.exception("taking a batch failed")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._poll_seconds):
                    await bell.wait()

    async def _hold(self, lease: Lease) -> None:
        """Works on a batch until it is done, lost, or to be left for later."""
        id = lease.job.id
        self._held[id] = lease
        work, beat = asyncio.create_task(self._work(lease)), asyncio.create_task(self._beat(lease))
        later = 0.0
        try:
            await asyncio.wait({work, beat}, return_when=asyncio.FIRST_COMPLETED)
            for task in (work, beat):
                if task.done():
                    task.result()
                    break
        except LeaseLost:
            log.info("batch %s: another goes on with it", id)
        except StackError as error:
            log.warning("batch %s waits: %s", id, error.message)
            later = _LATER_SECONDS
        except Exception:
            log.exception("batch %s failed, and will be tried again", id)
            later = _MUCH_LATER_SECONDS
        finally:
            del self._held[id]
            beat.cancel()
            work.cancel()
            await asyncio.gather(beat, work, return_exceptions=True)
            await _release(lease, later)

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

    async def _beat(self, lease: Lease) -> None:
        """Puts the lease off for as long as this process is alive. Raises LeaseLost."""
        while True:
            await asyncio.sleep(self._beat_seconds)
            try:
                await lease.renew()
            except StackError as error:
                log.info("the lease of batch %s is not put off: %s", lease.job.id, error.message)


def _ended_its_process(times: int) -> Fault:
    said = f"the process of this batch ended {times} times with no request finished between: one of them may end it"
    return Fault("batch_ended_its_process", said)


async def _release(lease: Lease, seconds: float) -> None:
    """Best done, since others need not wait then; a lease that is done or lost has nothing to release."""
    try:
        async with asyncio.timeout(_GOODBYE_SECONDS):
            await lease.release(seconds)
    except (StackError, TimeoutError) as error:
        log.info("batch %s is taken up again when its lease has ended: %s", lease.job.id, error)
