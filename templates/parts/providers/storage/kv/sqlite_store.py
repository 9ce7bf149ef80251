"""Namespaces in the tables of a SQLite file."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Awaitable
from typing import Any, TypeVar

from ..outage import Outage
from ..schema import SCHEMAS, unseen
from ..sqlite.thread import SqliteThread
from ..sqlite.trouble import trouble_of
from .rules import between

T = TypeVar("T")
Value = str | bytes | int | float | None

TABLE = "stackgen_kv"

# expires: seconds since 1970, null for never. Text is compared by its bytes in UTF-8, SQLite's BINARY collation.
STEPS = (
    """
    CREATE TABLE stackgen_kv (
        namespace TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL, expires REAL, PRIMARY KEY (namespace, key)
    );
    CREATE INDEX stackgen_kv_expires ON stackgen_kv (expires) WHERE expires IS NOT NULL;
    CREATE TABLE stackgen_kv_revisions (namespace TEXT NOT NULL PRIMARY KEY, revision INTEGER NOT NULL)
    """,
)

_GET = "SELECT value FROM stackgen_kv WHERE namespace = :space AND key = :key AND (expires IS NULL OR expires > :now)"
_PUT = """
    INSERT INTO stackgen_kv (namespace, key, value, expires) VALUES (:space, :key, :value, :expires)
    ON CONFLICT (namespace, key) DO UPDATE SET value = excluded.value, expires = excluded.expires
"""
_ADD = f"{_PUT} WHERE stackgen_kv.expires <= :now"
_REPLACE = """
    UPDATE stackgen_kv SET value = :value
    WHERE namespace = :space AND key = :key AND value = :was AND (expires IS NULL OR expires > :now)
"""
_DELETE = """
    DELETE FROM stackgen_kv WHERE namespace = :space AND key = :key AND (:was IS NULL OR value = :was)
    AND (expires IS NULL OR expires > :now)
"""
_SCAN = """
    SELECT key, value FROM stackgen_kv
    WHERE namespace = :space AND key >= :start AND key < :end AND (expires IS NULL OR expires > :now)
    ORDER BY key LIMIT :limit
"""
_SWEEP = """
    DELETE FROM stackgen_kv WHERE rowid IN (SELECT rowid FROM stackgen_kv WHERE expires <= :now LIMIT 100)
"""
# Not below the clock, so that a file that a backup has been put back into does not come to a number that it once had.
_BUMP = """
    INSERT INTO stackgen_kv_revisions (namespace, revision) VALUES (:space, :clock)
    ON CONFLICT (namespace) DO UPDATE SET revision = max(revision + 1, excluded.revision)
"""
_REVISION = "SELECT revision FROM stackgen_kv_revisions WHERE namespace = :space"


class SqliteStore:
    """`Store` in a SQLite file."""

    def __init__(self, thread: SqliteThread, *, instance: str) -> None:
        self._thread = thread
        self._instance = instance
        self._outage = Outage(f"the key-value store {instance}")

    async def prepare(self) -> None:
        """Brings the tables to their newest form. Raises SettingsError where a newer server has been at them."""

        def bring_up(connection: sqlite3.Connection) -> None:
            connection.execute(SCHEMAS)
            found = connection.execute("SELECT version FROM stackgen_schemas WHERE store = ?", (TABLE,)).fetchone()
            for step in unseen(STEPS, found and int(found[0]), store=TABLE, place=f"storage.{self._instance}"):
                # Not executescript(), which would commit first.
                for statement in step.split(";"):
                    connection.execute(statement)
            connection.execute("REPLACE INTO stackgen_schemas (store, version) VALUES (?, ?)", (TABLE, len(STEPS)))

        await self._asked(self._thread.write(bring_up))

    async def get(self, space: str, key: str) -> bytes | None:
        found = await self._read(_GET, space=space, key=key)
        return bytes(found[0][0]) if found else None

    async def put(self, space: str, key: str, value: bytes, seconds: float | None) -> None:
        await self._write(_PUT, space=space, key=key, value=value, seconds=seconds)

    async def add(self, space: str, key: str, value: bytes, seconds: float | None) -> bool:
        return await self._write(_ADD, space=space, key=key, value=value, seconds=seconds)

    async def replace(self, space: str, key: str, value: bytes, was: bytes) -> bool:
        return await self._write(_REPLACE, space=space, key=key, value=value, was=was)

    async def delete(self, space: str, key: str, was: bytes | None) -> bool:
        return await self._write(_DELETE, space=space, key=key, was=was)

    async def scan(self, space: str, prefix: str, after: str, limit: int) -> list[tuple[str, bytes]]:
        start, end = between(prefix, after)
        found = await self._read(_SCAN, space=space, start=start, end=end, limit=limit)
        return [(str(key), bytes(value)) for key, value in found]

    async def revision(self, space: str) -> int:
        found = await self._read(_REVISION, space=space)
        return int(found[0][0]) if found else 0

    async def _read(self, statement: str, **values: Value) -> list[tuple[Any, ...]]:
        def ask(connection: sqlite3.Connection) -> list[tuple[Any, ...]]:
            return connection.execute(statement, {**values, "now": time.time()}).fetchall()

        return await self._asked(self._thread.read(ask))

    async def _write(self, statement: str, *, space: str, seconds: float | None = None, **values: Value) -> bool:
        """Whether the statement has changed anything; the revision rises where it has."""

        def change(connection: sqlite3.Connection) -> bool:
            now = time.time()
            expires = None if seconds is None else now + seconds
            changed = connection.execute(statement, {**values, "space": space, "now": now, "expires": expires}).rowcount
            if changed:
                connection.execute(_BUMP, {"space": space, "clock": int(now * 1e6)})
                connection.execute(_SWEEP, {"now": now})
            return changed > 0

        return await self._asked(self._thread.write(change))

    async def _asked(self, answer: Awaitable[T]) -> T:
        try:
            found = await answer
        except sqlite3.Error as error:
            if (why := trouble_of(error)) is None:
                raise
            raise self._outage.met(why, error) from error
        self._outage.over()
        return found
