"""The tasks of a process that take files in, and tidy up."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ....runtime.errors import StackError
from .leases import Lease, LeaseLost, claim
from .taking_in import take_in
from .tidying import tidy

if TYPE_CHECKING:
    from .desk import Desk

log = logging.getLogger(__name__)

_LATER_SECONDS = 2.0
_LATEST_SECONDS = 60.0
_BEATS = 3
"""How often a lease is put off in the time that it holds, at least."""

_GOODBYE_SECONDS = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """files: taken in at once by this process. tries: of a file whose model is busy or away."""

    files: int
    lease_seconds: float
    poll_seconds: float
    tries: int


class Worker:
    """One process'."""

    def __init__(self, desk: Desk, pace: Pace) -> None:
        self._desk = desk
        self._pace = pace
        self._bell = asyncio.Event()

    def ring(self) -> None:
        """There is something to do: nobody need wait to find it."""
        self._bell.set()
        self._bell = asyncio.Event()

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        """At the end, files that are held are left to others."""
        tasks = [asyncio.create_task(self._serve(self._take_one)) for _ in range(self._pace.files)]
        tasks.append(asyncio.create_task(self._serve(self._tidy)))
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _serve(self, work: Callable[[], Awaitable[bool]]) -> None:
        while True:
            bell = self._bell
            try:
                if await work():
                    continue
            except StackError as error:
                log.warning("vector stores: nothing can be done at present: %s", error.message)
            except Exception:
                log.exception("vector stores: work failed, and will be tried again")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._pace.poll_seconds):
                    await bell.wait()

    async def _tidy(self) -> bool:
        return await tidy(self._desk)

    async def _take_one(self) -> bool:
        """Whether there was one."""
        lease = await claim(self._desk, self._pace.lease_seconds)
        if lease is None:
            return False
        id = lease.file.file_id
        work = asyncio.create_task(take_in(self._desk, lease, tries=self._pace.tries))
        beat = asyncio.create_task(self._beat(lease))
        later = 0.0
        try:
            await asyncio.wait({work, beat}, return_when=asyncio.FIRST_COMPLETED)
            for task in (work, beat):
                if task.done():
                    task.result()
                    break
        except LeaseLost:
            log.info("file %s of %s: it is not to be taken in any more, or another does", id, lease.store.id)
        except StackError as error:
            later = min(_LATER_SECONDS * 2 ** (lease.file.tries - 1), _LATEST_SECONDS)
            log.warning("file %s of %s waits %g s: %s", id, lease.store.id, later, error.message)
        except Exception:
            later = _LATEST_SECONDS
            log.exception("file %s of %s failed, and will be tried again", id, lease.store.id)
        finally:
            beat.cancel()
            work.cancel()
            await asyncio.gather(beat, work, return_exceptions=True)
            await _release(lease, later)
        self.ring()
        return True

    async def _beat(self, lease: Lease) -> None:
        """Puts the lease off for as long as this process is alive. Raises LeaseLost."""
        while True:
            await asyncio.sleep(min(self._pace.poll_seconds, self._pace.lease_seconds / _BEATS))
            try:
                await lease.renew()
            except StackError as error:
                log.info("the lease of %s is not put off: %s", lease.file.id, error.message)


async def _release(lease: Lease, seconds: float) -> None:
    """Best done, since others need not wait then; a lease that is done or lost has nothing to release."""
    try:
        async with asyncio.timeout(_GOODBYE_SECONDS):
            await lease.release(seconds)
    except (StackError, TimeoutError) as error:
        log.info("file %s is taken up again when its lease has ended: %s", lease.file.id, error)
