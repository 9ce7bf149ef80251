"""Writing for many requests at once: one transaction for all that wait together.

    async def write(rows: Sequence[Row]) -> None:            # all of them or, where it raises, none
        async with sql.writing() as connection:
            await connection.execute(sql.insert(TABLE), [asdict(row) for row in rows])

    async with group_writer(write, name="chat completions") as writer:
        await writer.keep(row)                               # durable once it returns
        writer.later(row)                                    # written behind

Rows are written in the order in which they were given, except that those written behind are overtaken while the store
is away. A row that cannot be written fails alone: the others of its transaction are written without it.

- `keep` writes at once what has come, and what comes while the store is busy goes into its next transaction. That one
  waits a moment for more where the last was shared: a commit costs the more, the fewer rows share it. It raises what
  `write` raises for this row, and Unavailable where the store is away, too much waits, or the server stops first.
- `later` gathers rows for a moment, and never raises. Where `most` rows wait already, or `most_bytes` of those that are
  written behind, the new one is not kept. While the store is away, rows are tried again for `patience` seconds, and
  then given up. What is lost is logged and counted.
- At the end of the block everything is written that can be in `stop_seconds`.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import chain
from typing import Generic, TypeVar

from .errors import Unavailable

log = logging.getLogger(__name__)

Row = TypeVar("Row")

_LONGEST_PAUSE_SECONDS = 5.0
_QUIET_SECONDS = 10.0
"""Between two lines about rows that are lost."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """batch: rows of one transaction at most. most: rows that wait at most. most_bytes: how much those hold that are
    written behind; whoever waits for a row is bounded by its request. gather_seconds: how long a row that is
    written behind waits for others. company_seconds: how long a row that is waited for does, where the transaction
    before had more than one. pause_seconds: before a store that was away is tried again, twice as long each time
    up to 5. patience: for how many seconds. stop_seconds: for what is left at the end.
    """

    batch: int = 256
    most: int = 10_000
    most_bytes: int = 64 * 1024 * 1024
    gather_seconds: float = 0.1
    company_seconds: float = 0.001
    pause_seconds: float = 0.1
    patience: float = 60.0
    stop_seconds: float = 10.0


@dataclass(slots=True, eq=False)
class _Entry(Generic[Row]):
    """A row that waits. kept: who waits for it, None if it is written behind. until: when it is given up. size: bytes
    of one that is written behind.
    """

    row: Row
    kept: asyncio.Future[None] | None = None
    until: float | None = None
    size: int = 0


class GroupWriter(Generic[Row]):
    """See above; made by `group_writer`. lost: rows given to `later` that were not written."""

    def __init__(
        self,
        write: Callable[[Sequence[Row]], Awaitable[None]],
        *,
        name: str,
        bounds: Bounds,
        size: Callable[[Row], int],
    ) -> None:
        self.lost = 0
        self._size = size
        self._bytes = 0
        self.bounds = bounds
        self._write = write
        self._name = name
        self._waiting: deque[_Entry[Row]] = deque()
        self._again: deque[_Entry[Row]] = deque()
        self._hand: list[_Entry[Row]] = []
        self._crowd = False
        self._urgent = 0
        self._wake = asyncio.Event()
        self._gathered_at = 0.0
        self._pause = 0.0
        self._again_at = 0.0
        self._stopping = False
        self._told_at = -_QUIET_SECONDS

    async def keep(self, row: Row) -> None:
        """Returns once the row is durable. Who is cancelled meanwhile does not take it back."""
        if self._stopping:
            raise self._unavailable("the server is stopping")
        if self._full():
            raise self._unavailable("too much waits to be written")
        kept: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Entry(row, kept))
        self._urgent += 1
        self._wake.set()
        await kept

    def later(self, row: Row) -> None:
        """Has the row written soon, or not at all; never waits and never raises."""
        size = self._size(row)
        if self._stopping or self._full() or self._bytes + size > self.bounds.most_bytes:
            self._lose(1, "the server is stopping" if self._stopping else "too many wait")
            return
        self._bytes += size
        if not self._waiting:
            self._gathered_at = time.monotonic() + self.bounds.gather_seconds
        self._waiting.append(_Entry(row, size=size))
        # Whoever works sleeps until rows are gathered; it sleeps without end only where there are none.
        if len(self._waiting) in (1, self.bounds.batch):
            self._wake.set()

    async def run(self) -> None:
        """Writes until it is told to stop and nothing is left; whoever waits at its end is told that."""
        try:
            while not self._stopping or self._waiting or self._again:
                await self._work_to_do()
                # Whoever is about to ask in this round of the loop goes along; where many ask, more will in a moment.
                company = len(self._waiting) > 1 or self._crowd
                await asyncio.sleep(self.bounds.company_seconds if company and not self._stopping else 0)
                self._hand = self._taken()
                self._crowd = len(self._hand) > 1
                if self._hand:
                    trouble = await self._written(self._hand)
                    self._hand = []
                    self._pause = self._longer() if trouble else 0.0
                    self._again_at = time.monotonic() + self._pause
                self._give_up()
        except Exception:
            log.exception("%s: nothing is kept any more", self._name)
        finally:
            self._stopping = True
            self._abandon()

    def stop(self) -> None:
        """Takes nothing any more, and has `run` return once everything is written."""
        self._stopping = True
        self._wake.set()

    # ── whoever writes ──────────────────────────────────────────────────────────────────────────────────────────────

    async def _work_to_do(self) -> None:
        while (wait := self._seconds_to_work()) is None or wait > 0:
            self._wake.clear()
            try:
                async with asyncio.timeout(wait):
                    await self._wake.wait()
            except TimeoutError:
                return

    def _seconds_to_work(self) -> float | None:
        """Until there is something to write; None where nothing waits."""
        now = time.monotonic()
        if self._urgent or (self._stopping and not self._waiting and not self._again):
            return 0.0
        if self._again or self._pause:
            # The store was away a moment ago.
            return max(0.0, self._again_at - now) if self._again or self._waiting else None
        if self._waiting:
            ready = self._stopping or len(self._waiting) >= self.bounds.batch
            return 0.0 if ready else max(0.0, self._gathered_at - now)
        return None

    def _taken(self) -> list[_Entry[Row]]:
        """What goes into the next transaction; of rows that are written behind none while the store is away."""
        away = self._pause > 0 and time.monotonic() < self._again_at
        taken: list[_Entry[Row]] = []
        while not away and self._again and len(taken) < self.bounds.batch:
            taken.append(self._again.popleft())
        while self._waiting and len(taken) < self.bounds.batch:
            entry = self._waiting.popleft()
            if entry.kept is not None:
                self._urgent -= 1
                taken.append(entry)
            elif away:
                self._put_off(entry)
                self._again.append(entry)
            else:
                taken.append(entry)
        return taken

    async def _written(self, entries: list[_Entry[Row]]) -> bool:
        """Writes them, each that the store refuses aside; whether the store was away."""
        pieces = deque([entries])
        while pieces:
            piece = pieces.popleft()
            try:
                await self._write([each.row for each in piece])
            except Unavailable as error:
                self._put_back([*piece, *chain.from_iterable(pieces)], error)
                return True
            except Exception as error:
                log.debug("%s: %d rows were refused together", self._name, len(piece), exc_info=True)
                if len(piece) == 1:
                    self._refuse(piece[0], error)
                else:
                    middle = len(piece) // 2
                    pieces.extendleft((piece[middle:], piece[:middle]))
            else:
                for each in piece:
                    self._bytes -= each.size
                    if each.kept is not None and not each.kept.done():
                        each.kept.set_result(None)
        return False

    def _refuse(self, entry: _Entry[Row], error: Exception) -> None:
        self._bytes -= entry.size
        if entry.kept is None:
            self._lose(1, f"the store refuses them with {type(error).__name__}")
        elif not entry.kept.done():
            entry.kept.set_exception(error)

    def _put_back(self, entries: list[_Entry[Row]], error: Unavailable) -> None:
        """Who waits is told that the store is away; the other rows are for later, before those that came after them."""
        for each in reversed(entries):
            if each.kept is None:
                self._put_off(each)
                self._again.appendleft(each)
            elif not each.kept.done():
                # One for each: an exception belongs to whoever raises it.
                told = Unavailable(error.message, code=error.code, retry_after=error.retry_after)
                each.kept.set_exception(told)

    def _put_off(self, entry: _Entry[Row]) -> None:
        if entry.until is None:
            entry.until = time.monotonic() + self.bounds.patience

    def _give_up(self) -> None:
        now = time.monotonic()
        before = len(self._again)
        if before and self._pause:
            self._again = deque(each for each in self._again if each.until is None or each.until > now)
            if lost := before - len(self._again):
                self._bytes = sum(each.size for each in chain(self._again, self._waiting))
                self._lose(lost, "the store is away")

    def _abandon(self) -> None:
        """Tells everybody who still waits that it has not come to it."""
        entries = [*self._hand, *self._again, *self._waiting]
        for each in entries:
            if each.kept is not None and not each.kept.done():
                each.kept.set_exception(self._unavailable("the server has stopped before it was written"))
        if lost := sum(each.kept is None for each in entries):
            self._lose(lost, "the server has stopped")

    # ── small words ─────────────────────────────────────────────────────────────────────────────────────────────────

    def _full(self) -> bool:
        return len(self._waiting) + len(self._again) + len(self._hand) >= self.bounds.most

    def _longer(self) -> float:
        return min(self._pause * 2 or self.bounds.pause_seconds, _LONGEST_PAUSE_SECONDS)

    def _lose(self, number: int, why: str) -> None:
        self.lost += number
        if time.monotonic() - self._told_at > _QUIET_SECONDS:
            self._told_at = time.monotonic()
            log.error("%s: rows are not kept, %d since the start: %s", self._name, self.lost, why)

    def _unavailable(self, why: str) -> Unavailable:
        return Unavailable(f"{self._name} cannot be kept: {why}", code="storage_unavailable", retry_after=1.0)


@asynccontextmanager
async def group_writer(
    write: Callable[[Sequence[Row]], Awaitable[None]],
    *,
    name: str,
    bounds: Bounds | None = None,
    size: Callable[[Row], int] = lambda _: 0,
) -> AsyncIterator[GroupWriter[Row]]:
    """A writer that works until the block ends, and for what is left then. name: of the rows, for messages. size: about
    how many bytes a row holds.
    """
    writer = GroupWriter(write, name=name, bounds=bounds or Bounds(), size=size)
    work = asyncio.create_task(writer.run(), name=f"group writer of {name}")
    try:
        yield writer
    finally:
        writer.stop()
        try:
            await asyncio.wait([work], timeout=writer.bounds.stop_seconds)
        finally:
            work.cancel()
            await asyncio.wait([work])
