"""Namespaces in a PostgreSQL database."""

from __future__ import annotations

import time

import asyncpg

from ..postgres.login import Login
from ..postgres.pool import Limits, Pool
from ..postgres.tables import bring_up
from .postgres_statements import statements
from .rules import between

_SWEEP_SECONDS = 60.0


class PostgresStore:
    """`Store` in two tables of a PostgreSQL database."""

    def __init__(self, login: Login, limits: Limits, *, table: str) -> None:
        self._login = login
        self._table = table
        self._statements = statements(table)
        self._swept = time.monotonic()
        self._pool = Pool(login, limits, f"the key-value store {login.instance}")

    async def prepare(self) -> None:
        """Brings the tables to their newest form. Raises SettingsError where they cannot be this server's."""
        await self._pool.begin()
        await bring_up(self._pool, self._login, self._table, self._statements.steps)

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
        await self._pool.close()

    async def _change(self, statement: str, *values: str | bytes | float | None) -> bool:
        if time.monotonic() - self._swept > _SWEEP_SECONDS:
            self._swept = time.monotonic()
            await self._ask(self._statements.sweep)
        return bool(await self._ask(statement, *values))

    async def _ask(self, statement: str, *values: str | bytes | float | None) -> list[asyncpg.Record]:
        async with self._pool.connection() as connection:
            found: list[asyncpg.Record] = await connection.fetch(statement, *values)
            return found
