"""The tasks of a process that take files in, and tidy up."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ....runtime.shift import Bell, at_work, hold
from .leases import claim
from .taking_in import take_in
from .tidying import tidy

if TYPE_CHECKING:
    from .desk import Desk

_LATER_SECONDS = 2.0
_LATEST_SECONDS = 60.0


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
        self._bell = Bell()

    def ring(self) -> None:
        """There is something to do: nobody need wait to find it."""
        self._bell.ring()

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        """At the end, files that are held are left to others."""
        errands = [self._take_one] * self._pace.files
        errands.append(self._tidy)
        async with at_work(errands, self._bell, name="vector stores", poll_seconds=self._pace.poll_seconds):
            yield

    async def _tidy(self) -> bool:
        return await tidy(self._desk)

    async def _take_one(self) -> bool:
        """Whether there was one."""
        pace = self._pace
        lease = await claim(self._desk, pace.lease_seconds)
        if lease is None:
            return False
        await hold(
            lease,
            take_in(self._desk, lease, tries=pace.tries),
            lease_seconds=pace.lease_seconds,
            poll_seconds=pace.poll_seconds,
            later_seconds=min(_LATER_SECONDS * 2 ** (lease.file.tries - 1), _LATEST_SECONDS),
        )
        self.ring()
        return True
