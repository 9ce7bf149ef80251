"""A key-value store in a SQLite file."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from .kv.namespaces import Namespaces
from .kv.sqlite_store import SqliteStore
from .sqlite.file import made
from .sqlite.thread import DURABLE, SqliteThread

_LOG_BYTES = 16 * 1024 * 1024
"""What the write-ahead log is cut to, once everything in it has gone to the file."""

_SETTINGS = (DURABLE, f"PRAGMA journal_size_limit={_LOG_BYTES}")


@dataclass(frozen=True, slots=True, kw_only=True)
class KvSqliteConfig:
    """db_path: the file. namespace: what the names of all namespaces begin with, None for nothing. busy_seconds:
    patience with other processes that write.
    """

    db_path: str
    namespace: str | None = None
    busy_seconds: float = 30.0


@asynccontextmanager
async def open_kv_sqlite(config: KvSqliteConfig, *, instance: str) -> AsyncIterator[Namespaces]:
    """The store, its file and folder made where there are none. Raises SettingsError where that cannot be, or where a
    newer server has made its tables.

    instance: the backend's name, by which errors call it.
    """
    await made(config.db_path, config.busy_seconds, instance)
    thread = SqliteThread(config.db_path, settings=_SETTINGS, patience=config.busy_seconds, name=instance)
    try:
        store = SqliteStore(thread, instance=instance)
        await store.prepare()
        yield Namespaces(store, config.namespace)
    finally:
        await thread.close()
