"""Sessions that are kept from one request to the next: one for each server, credential and caller.

None is shared by two callers, as a server may remember in it what it was told. An idle session is closed after a while,
and with it the credential is forgotten.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from ....runtime.errors import StackError, Unavailable
from .credentials import Credential
from .session import Session

log = logging.getLogger(__name__)

FAILURE_SECONDS = 2.0
"""How long a server that could not be talked to is not tried again: whoever looks for a tool asks all of them."""

CLOSE_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Key:
    """Whose session it is, and with whom."""

    url: str
    credential: Credential
    principal: str | None


@dataclass(slots=True, eq=False)
class _Entry:
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    session: Session | None = None
    users: int = 0
    rested: float = 0.0
    failure: StackError | None = None
    failed: float = 0.0


class Pool:
    """connect: opens a session. idle: seconds. most: sessions at once."""

    def __init__(self, connect: Callable[[Key], Awaitable[Session]], *, idle: float, most: int) -> None:
        self._connect = connect
        self._idle = idle
        self._most = most
        self._entries: dict[Key, _Entry] = {}
        self._closing: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def borrowed(self, key: Key) -> AsyncIterator[Session]:
        """The session, opened if need be. Raises what opening it raises, Unavailable where there are too many."""
        entry = self._entries.get(key)
        if entry is None:
            self._make_room()
            entry = self._entries[key] = _Entry()
        entry.users += 1
        try:
            yield await self._opened(key, entry)
        finally:
            entry.users -= 1
            entry.rested = _now()

    def drop(self, key: Key, session: Session) -> None:
        """Forgets a session that its server has forgotten."""
        entry = self._entries.get(key)
        if entry is not None and entry.session is session:
            entry.session = None
            self._close(session)

    async def sweep(self) -> None:
        """Closes idle sessions, until cancelled."""
        while True:
            await asyncio.sleep(min(self._idle / 2, 10.0))
            for key, entry in [*self._entries.items()]:
                if entry.users == 0 and _now() - entry.rested >= self._idle:
                    self._forget(key)

    async def close(self) -> None:
        for key in [*self._entries]:
            self._forget(key)
        await asyncio.gather(*self._closing, return_exceptions=True)

    async def _opened(self, key: Key, entry: _Entry) -> Session:
        async with entry.lock:
            if entry.session is not None and entry.session.alive:
                return entry.session
            if entry.session is not None:
                self._close(entry.session)
                entry.session = None
            if (failure := entry.failure) is not None and _now() - entry.failed < FAILURE_SECONDS:
                raise type(failure)(
                    failure.message, code=failure.code, param=failure.param, retry_after=failure.retry_after
                )
            try:
                entry.session = await self._connect(key)
            except StackError as error:
                entry.failure, entry.failed = error, _now()
                raise
            entry.failure = None
            return entry.session

    def _make_room(self) -> None:
        if len(self._entries) < self._most:
            return
        idle = [(entry.rested, key) for key, entry in self._entries.items() if entry.users == 0]
        if not idle:
            message = f"{self._most} sessions with servers of tools are in use at once, and no more are allowed"
            raise Unavailable(message, code="too_many_sessions", retry_after=5)
        self._forget(min(idle, key=lambda each: each[0])[1])

    def _forget(self, key: Key) -> None:
        entry = self._entries.pop(key)
        if entry.session is not None:
            self._close(entry.session)

    def _close(self, session: Session) -> None:
        task = asyncio.create_task(_closed(session))
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)


async def _closed(session: Session) -> None:
    try:
        async with asyncio.timeout(CLOSE_SECONDS):
            await session.close()
    except TimeoutError:
        log.debug("%s did not let its session be closed in time", session.host)


def _now() -> float:
    return asyncio.get_running_loop().time()
