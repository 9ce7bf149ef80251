"""Connections to a PostgreSQL database that are kept, and what is said while it cannot serve."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import asyncpg

from ..outage import Outage
from .login import Connected, Login, NoLogin
from .trouble import trouble


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Of connections, and of patience in seconds."""

    pool_size: int
    pool_seconds: float
    statement_seconds: float


async def read_committed(connection: Connected) -> None:
    """Whatever the database has as its default: statements wait for each other, and look again."""
    await connection.execute("SET default_transaction_isolation = 'read committed'")


class Pool:
    """what: as it is called in errors. set_up: of each connection, once; nothing else that a user of one sets there may
    outlast its transaction.
    """

    def __init__(
        self,
        login: Login,
        limits: Limits,
        what: str,
        set_up: Callable[[Connected], Awaitable[None]] = read_committed,
    ) -> None:
        self._login = login
        self._limits = limits
        self._outage = Outage(what)
        self._pool = asyncpg.create_pool(
            min_size=0, max_size=limits.pool_size, connect=self._connect, init=set_up, reset=_as_it_is
        )

    async def begin(self) -> None:
        """Comes before the first connection."""
        await self._pool

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
        """One of them. Raises Unavailable for whatever is the server's fault."""
        try:
            connection = await self._pool.acquire(timeout=self._limits.pool_seconds)
        except NoLogin as error:
            raise self._outage.met(error.told, error.why) from None
        except TimeoutError:
            raise self._outage.met("all connections to it are in use") from None
        try:
            yield connection
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            if (why := trouble(error)) is None:
                raise
            # Its name: what PostgreSQL says beside may have keys in it.
            raise self._outage.met(why, type(error).__name__) from error
        finally:
            await self._pool.release(connection)
        self._outage.over()

    async def close(self) -> None:
        """Closes every connection, once those who use them are done."""
        try:
            async with asyncio.timeout(self._limits.statement_seconds):
                await self._pool.close()
        except TimeoutError:
            self._pool.terminate()

    async def _connect(self, *_: object, **__: object) -> Connected:
        return await self._login.connect(statement_seconds=self._limits.statement_seconds)


async def _as_it_is(connection: Connected) -> None:
    """In place of the pool's own cleaning up, a round trip for each call: nothing is left in a connection here."""
