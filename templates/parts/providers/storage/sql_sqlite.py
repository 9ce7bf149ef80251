"""A SQL database in a SQLite file."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .sql.sqlite import SqliteDatabase


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlSqliteConfig:
    """db_path: the file. pool_size: connections to read with. busy_seconds: patience with others who write or read."""

    db_path: str
    pool_size: int = 4
    busy_seconds: float = 30.0


@asynccontextmanager
async def open_sql_sqlite(config: SqlSqliteConfig, *, instance: str) -> AsyncIterator[SqliteDatabase]:
    """The database, its file and folder made where there are none. Raises SettingsError where that cannot be.

    instance: the backend's name, by which errors call it.
    """
    # Imported here: SQLAlchemy, which a server without this backend does not need.
    from .sql.sqlite import SqliteDatabase
    from .sqlite.file import made

    await made(config.db_path, config.busy_seconds, instance)
    database = SqliteDatabase(config.db_path, readers=config.pool_size, patience=config.busy_seconds, instance=instance)
    try:
        yield database
    finally:
        await database.close()
