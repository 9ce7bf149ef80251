"""Vectors in a SQLite file, compared by sqlite-vec, and their words in SQLite's own index of words."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .sqlite.index import SqliteVecIndex


@dataclass(frozen=True, slots=True, kw_only=True)
class SqliteVecConfig:
    """db_path: the file. readers: searches at once, each with a thread. busy_seconds: how long a call waits for others
    that write.
    """

    db_path: str
    readers: int = 2
    busy_seconds: float = 30.0


@asynccontextmanager
async def open_sqlite_vec(config: SqliteVecConfig, *, instance: str) -> AsyncIterator[SqliteVecIndex]:
    """Raises SettingsError where there can be no such file."""
    # Imported here: a SQLite of its own and sqlite-vec, which a server without this instance does not need.
    from .sqlite.index import SqliteVecIndex
    from .sqlite.threads import open_threads

    async with open_threads(config.db_path, config.readers, config.busy_seconds, instance) as threads:
        yield SqliteVecIndex(threads)
