"""The tasks of a process that take work from a database, whose other processes take from it too.

    bell = Bell()
    async with at_work([take_one, take_one, tidy], bell, name="batches", poll_seconds=2.0):
        …
        bell.ring()                                          # there is something: nobody need wait to find it

`take_one` tells whether there was something to do; what it takes, it does under a lease: a token in the row, and the
time until when its holder is believed to be at work, which the holder puts off while it is. Where it no longer does so,
another takes the work over with a token of its own. Every write of a holder begins by finding its token still there, in
the same transaction: one that hung and comes back finds that it is not, raises LeaseLost and writes nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable
from contextlib import asynccontextmanager
from typing import Protocol

from .errors import StackError

log = logging.getLogger(__name__)

MUCH_LATER_SECONDS = 60.0
"""After which work is tried again that failed for a reason that nobody knows."""

_BEATS = 3
"""How often a lease is put off in the time that it holds, at least."""

_GOODBYE_SECONDS = 5.0


class LeaseLost(Exception):
    """Another works on it, or nobody is to."""


class Lease(Protocol):
    """Work that this process holds. name: for the log."""

    @property
    def name(self) -> str: ...

    async def renew(self) -> None:
        """Raises LeaseLost, Unavailable."""

    async def release(self, seconds: float = 0.0) -> None:
        """Lets others have it, after that many seconds."""


class Bell:
    """Wakes those of this process that wait for work."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def ring(self) -> None:
        self._event.set()
        self._event = asyncio.Event()

    def listen(self) -> Callable[[], Awaitable[object]]:
        """What waits for the next ring from now on, and so misses none that comes before it is waited for."""
        return self._event.wait


@asynccontextmanager
async def at_work(
    errands: Iterable[Callable[[], Awaitable[bool]]], bell: Bell, *, name: str, poll_seconds: float
) -> AsyncIterator[None]:
    """Has each errand done again and again, at once while there is something to do. name: of the work, for the log.

    At the end what is held is left to others.
    """
    tasks = [asyncio.create_task(_again(errand, bell, name, poll_seconds)) for errand in errands]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def hold(
    lease: Lease,
    work: Coroutine[object, object, None],
    *,
    lease_seconds: float,
    poll_seconds: float,
    later_seconds: float,
) -> None:
    """Works until it is done, or lost, or to be left for later: after `later_seconds` where what it needs is away.

    poll_seconds: how soon the holder is to learn of what happens to the row elsewhere.
    """
    beat_seconds = min(poll_seconds, lease_seconds / _BEATS)
    working, beating = asyncio.create_task(work), asyncio.create_task(_beat(lease, beat_seconds))
    later = 0.0
    try:
        await asyncio.wait({working, beating}, return_when=asyncio.FIRST_COMPLETED)
        for task in (working, beating):
            if task.done():
                task.result()
                break
    except LeaseLost:
        log.info("%s: it is not to be done any more, or another does it", lease.name)
    except StackError as error:
        later = later_seconds
        log.warning("%s waits %g s: %s", lease.name, later, error.message)
    except Exception:
        later = MUCH_LATER_SECONDS
        log.exception("%s failed, and will be tried again", lease.name)
    finally:
        beating.cancel()
        working.cancel()
        await asyncio.gather(beating, working, return_exceptions=True)
        await _release(lease, later)


async def _again(errand: Callable[[], Awaitable[bool]], bell: Bell, name: str, poll_seconds: float) -> None:
    while True:
        rung = bell.listen()
        try:
            if await errand():
                continue
        except StackError as error:
            log.warning("%s: nothing can be done at present: %s", name, error.message)
        except Exception:
            log.exception("%s: work failed, and will be tried again", name)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(poll_seconds):
                await rung()


async def _beat(lease: Lease, seconds: float) -> None:
    """Puts the lease off for as long as this process is alive. Raises LeaseLost."""
    while True:
        await asyncio.sleep(seconds)
        try:
            await lease.renew()
        except StackError as error:
            log.info("the lease of %s is not put off: %s", lease.name, error.message)


async def _release(lease: Lease, seconds: float) -> None:
    """Best done, since others need not wait then; a lease that is done or lost has nothing to release."""
    try:
        async with asyncio.timeout(_GOODBYE_SECONDS):
            await lease.release(seconds)
    except (StackError, TimeoutError) as error:
        log.info("%s is taken up again when its lease has ended: %s", lease.name, error)
