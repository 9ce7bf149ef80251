"""Namespaces in a PostgreSQL database."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import asyncpg

from ....runtime.errors import SettingsError
from ..outage import Outage
from ..postgres.login import Login, NoLogin
from ..postgres.trouble import MIGRATION_LOCK, trouble
from ..schema import SCHEMAS, unseen
from .postgres_statements import statements
from .rules import between

_SWEEP_SECONDS = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Of connections, and of patience in seconds."""

    pool_size: int
    pool_seconds: float
    statement_seconds: float


class PostgresStore:
    """`Store` in two tables of a PostgreSQL database."""

    def __init__(self, login: Login, limits: Limits, *, table: str) -> None:
        self._login = login
        self._limits = limits
        self._table = table
        self._statements = statements(table)
        self._outage = Outage(f"the key-value store {login.instance}")
        self._swept = time.monotonic()
        self._pool = asyncpg.create_pool(
            min_size=0, max_size=limits.pool_size, connect=self._connect, init=_set_up, reset=_as_it_is
        )

    async def prepare(self) -> None:
        """Brings the tables to their newest form, however many processes start at once. Raises SettingsError where a
        newer server has been at them, or where they are somebody else's.
        """
        await self._pool
        async with self._connection() as connection, connection.transaction():
            # Not within the time of an ordinary statement: others may be at work.
            await connection.execute("SET LOCAL lock_timeout = '600s'", timeout=None)
            await connection.execute(f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})", timeout=600)
            await self._bring_up(connection)

    async def _bring_up(self, connection: asyncpg.Connection[asyncpg.Record]) -> None:
        instance, table = self._login.instance, self._table
        try:
            await connection.execute(SCHEMAS)
            seen = await connection.fetchval("SELECT version FROM stackgen_schemas WHERE store = $1", table)
            for step in unseen(self._statements.steps, seen, store=table, instance=instance):
                await connection.execute(step, timeout=600)
        except asyncpg.DuplicateTableError as error:
            why = f"there is a table {table!r} that is not this server's ({error}); name another one"
            raise SettingsError([f"storage.{instance}.table_name: {why}"]) from None
        except asyncpg.InsufficientPrivilegeError as error:
            who = f"the user {self._login.user!r} in the database {self._login.database!r}"
            raise SettingsError([f"storage.{instance}: {who} may not create tables ({error}); grant it"]) from None
        await connection.execute(
            "INSERT INTO stackgen_schemas (store, version) VALUES ($1, $2) "
            "ON CONFLICT (store) DO UPDATE SET version = excluded.version",
            table,
            len(self._statements.steps),
        )

    async def get(self, space: str, key: str) -> bytes | None:
        found = await self._ask(self._statements.get, space, key)
        return found[0][0] if found else None

    async def put(self, space: str, key: str, value: bytes, seconds: float | None) -> None:
        await self._change(self._statements.put, space, key, value, seconds)

    async def add(self, space: str, key: str, value: bytes, seconds: float | None) -> bool:
        return await self._change(self._statements.add, space, key, value, seconds)

    async def replace(self, space: str, key: str, value: bytes, was: bytes) -> bool:
        return await self._change(self._statements.replace, space, key, value, was)

    async def delete(self, space: str, key: str, was: bytes | None) -> bool:
        if was is None:
            return await self._change(self._statements.delete, space, key)
        return await self._change(self._statements.remove, space, key, was)

    async def scan(self, space: str, prefix: str, after: str, limit: int) -> list[tuple[str, bytes]]:
        start, end = between(prefix, after)
        found = await self._ask(self._statements.scan, space, start, end, limit)
        return [(row[0], row[1]) for row in found]

    async def revision(self, space: str) -> int:
        found = await self._ask(self._statements.revision, space)
        return found[0][0] if found else 0

    async def close(self) -> None:
        """Closes every connection, once those who use them are done."""
        try:
            async with asyncio.timeout(self._limits.statement_seconds):
                await self._pool.close()
        except TimeoutError:
            self._pool.terminate()

    async def _change(self, statement: str, *values: str | bytes | float | None) -> bool:
        if time.monotonic() - self._swept > _SWEEP_SECONDS:
            self._swept = time.monotonic()
            await self._ask(self._statements.sweep)
        return bool(await self._ask(statement, *values))

    async def _ask(self, statement: str, *values: str | bytes | float | None) -> list[asyncpg.Record]:
        async with self._connection() as connection:
            found: list[asyncpg.Record] = await connection.fetch(statement, *values)
            return found

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
        """One of the pool. Raises Unavailable for whatever is the server's fault."""
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

    async def _connect(self, *_: object, **__: object) -> asyncpg.Connection[asyncpg.Record]:
        return await self._login.connect(statement_seconds=self._limits.statement_seconds)


async def _set_up(connection: asyncpg.Connection[asyncpg.Record]) -> None:
    # Whatever the database has as its default: the statements wait for each other, and look again.
    await connection.execute("SET default_transaction_isolation = 'read committed'")


async def _as_it_is(connection: asyncpg.Connection[asyncpg.Record]) -> None:
    """In place of the pool's own cleaning up, a round trip for each call: nothing is left in a connection here."""
