"""A key-value store in a PostgreSQL database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Literal

from ...runtime.secret import Secret
from .kv.namespaces import Namespaces


@dataclass(frozen=True, slots=True, kw_only=True)
class KvPostgresConfig:
    """host, port, db, user, password: the database, and whom to log in as. ssl_mode: in PostgreSQL's words.
    ca_cert_path: PEM of the authorities to trust, None for the system's. namespace: what the names of all namespaces
    begin with, None for nothing. pool_seconds, connect_seconds, statement_seconds: patience. start_seconds: patience of
    the start.
    """

    host: str = "localhost"
    port: int = 5432
    db: str
    user: str
    password: Secret | None = None
    ssl_mode: Literal["disable", "allow", "prefer", "require", "verify-ca", "verify-full"] = "prefer"
    ca_cert_path: str | None = None
    table_name: str = "stackgen_kv"
    namespace: str | None = None
    pool_size: int = 10
    pool_seconds: float = 10.0
    connect_seconds: float = 10.0
    statement_seconds: float = 30.0
    start_seconds: float = 60.0


@asynccontextmanager
async def open_kv_postgres(config: KvPostgresConfig, *, instance: str) -> AsyncIterator[Namespaces]:
    """The store, once the database can be reached. Raises SettingsError where it refuses these settings or a newer
    server has made its tables, and Unavailable where it cannot be reached for `start_seconds`.

    instance: the backend's name, by which errors call it.
    """
    # Imported here: asyncpg, which a server without this backend does not need.
    from .kv.postgres_store import PostgresStore
    from .postgres.login import Login
    from .postgres.pool import Limits
    from .postgres.tls import tls_of

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
        pool_size=config.pool_size, pool_seconds=config.pool_seconds, statement_seconds=config.statement_seconds
    )
    store = PostgresStore(login, limits, table=config.table_name)
    try:
        await store.prepare()
        yield Namespaces(store, config.namespace)
    finally:
        await store.close()
