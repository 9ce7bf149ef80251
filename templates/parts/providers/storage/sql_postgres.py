"""A SQL database in a PostgreSQL server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from ...runtime.secret import Secret

if TYPE_CHECKING:
    from .sql.postgres import PostgresDatabase


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlPostgresConfig:
    """host, port, db, user, password: the database, and whom to log in as. ssl_mode: in PostgreSQL's words.
    ca_cert_path: PEM of the authorities to trust, None for the system's. pool_size, max_overflow: connections that are
    kept, and those beyond. pool_recycle: seconds that one lasts, -1 for ever. pool_pre_ping: asks one that was idle
    whether it works. pool_seconds, connect_seconds, statement_seconds: patience. start_seconds: patience of the start.
    """

    host: str = "localhost"
    port: int = 5432
    db: str
    user: str
    password: Secret | None = None
    ssl_mode: Literal["disable", "allow", "prefer", "require", "verify-ca", "verify-full"] = "prefer"
    ca_cert_path: str | None = None
    pool_size: int = 10
    max_overflow: int = 20
    pool_recycle: int = -1
    pool_pre_ping: bool = True
    pool_seconds: float = 10.0
    connect_seconds: float = 10.0
    statement_seconds: float = 30.0
    start_seconds: float = 60.0


@asynccontextmanager
async def open_sql_postgres(config: SqlPostgresConfig, *, instance: str) -> AsyncIterator[PostgresDatabase]:
    """The database, once it can be reached. Raises SettingsError where it refuses these settings, and Unavailable where
    it cannot be reached for `start_seconds`.

    instance: the backend's name, by which errors call it.
    """
    # Imported here: SQLAlchemy and asyncpg, which a server without this backend does not need.
    from .postgres.login import Login
    from .postgres.tls import tls_of
    from .sql.postgres import Limits, PostgresDatabase

    place = f"storage.{instance}"
    login = Login(
        instance=instance,
        place=place,
        host=config.host,
        port=config.port,
        database=config.db,
        user=config.user,
        password=config.password,
        tls=tls_of(config.ssl_mode, config.ca_cert_path, place),
        seconds=config.connect_seconds,
    )
    await login.reached(config.start_seconds)
    limits = Limits(
        pool_size=config.pool_size,
        max_overflow=config.max_overflow,
        pool_recycle=config.pool_recycle,
        pool_pre_ping=config.pool_pre_ping,
        pool_seconds=config.pool_seconds,
        statement_seconds=config.statement_seconds,
    )
    database = PostgresDatabase(login, limits)
    try:
        yield database
    finally:
        await database.close()
