"""PostgreSQL as a SQL database of many requests."""

from __future__ import annotations

import logging
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import asyncpg
from sqlalchemy import Connection, NullPool, event, func, select, text
from sqlalchemy.dialects.postgresql import Insert, insert
from sqlalchemy.exc import DBAPIError, InvalidatePoolError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from ....runtime.errors import SettingsError
from ..outage import LOST, Outage
from ..postgres.login import Login, NoLogin
from ..postgres.trouble import MIGRATION_LOCK, READ_ONLY, TOO_LONG, trouble, trouble_of
from .connections import taken, watch
from .schemas import bring_up

if TYPE_CHECKING:
    from sqlalchemy import Insert as AnyInsert
    from sqlalchemy import Table
    from sqlalchemy.dialects.postgresql.asyncpg import AsyncAdapt_asyncpg_connection
    from sqlalchemy.engine import ExceptionContext
    from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

    from ....runtime.sql import Migration

log = logging.getLogger(__name__)

_URL = "postgresql+asyncpg://"
_IDLE_SECONDS = 1.0
_MIGRATION_SECONDS = 600

_MAY_NOT = "42501"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Of connections and patience, as in the settings."""

    pool_size: int
    max_overflow: int
    pool_recycle: int
    pool_pre_ping: bool
    pool_seconds: float
    statement_seconds: float


class PostgresDatabase:
    """One database of a PostgreSQL server (`runtime.sql.Sql`)."""

    def __init__(self, login: Login, limits: Limits) -> None:
        self._login = login
        self._outage = Outage(f"the database {login.instance}")
        self._texts: dict[AnyInsert, tuple[str, Sequence[str]]] = {}

        async def connect() -> asyncpg.Connection[asyncpg.Record]:
            return await self._connect(limits.statement_seconds)

        self._writing = create_async_engine(
            _URL,
            async_creator=connect,
            pool_size=limits.pool_size,
            max_overflow=limits.max_overflow,
            pool_recycle=limits.pool_recycle,
            pool_timeout=limits.pool_seconds,
            # What is asked may be what a client said: no error repeats it.
            hide_parameters=True,
        )
        watch(self._writing, self._outage, _trouble)
        _check_idle(self._writing, ask=limits.pool_pre_ping, seconds=login.seconds)
        # The same connections, with transactions that see one state and change none.
        self._reading = self._writing.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)

    @property
    def dialect(self) -> Literal["postgresql"]:
        return "postgresql"

    async def prepare(self, store: str, migrations: Sequence[Migration]) -> None:
        def steps(connection: Connection) -> None:
            bring_up(connection, store, migrations, self._login.instance)

        # A connection whose statements take as long as they take: a step may rewrite a table.
        engine = create_async_engine(
            _URL, async_creator=lambda: self._connect(None), poolclass=NullPool, hide_parameters=True
        )
        watch(engine, self._outage, _trouble)
        try:
            async with taken(engine, self._outage) as connection, connection.begin():
                await self._alone(connection, store)
                await connection.run_sync(steps)
        except DBAPIError as error:
            if _sqlstate(error.orig) != _MAY_NOT:
                raise
            who = f"the user {self._login.user!r} in the database {self._login.database!r}"
            raise SettingsError([f"storage.{self._login.instance}: {who} may not create tables; grant it"]) from error
        finally:
            await engine.dispose()

    def reading(self) -> AbstractAsyncContextManager[AsyncConnection]:
        return taken(self._reading, self._outage)

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        async with taken(self._writing, self._outage) as connection, connection.begin():
            yield connection

    async def write_all(self, statement: AnyInsert, rows: Sequence[Mapping[str, object]]) -> None:
        text, keys = self._compiled(statement, rows[0])
        async with taken(self._writing, self._outage) as connection:
            driver = (await connection.get_raw_connection()).driver_connection
            assert isinstance(driver, asyncpg.Connection)
            try:
                # A transaction in one round trip to the server, of which SQLAlchemy's takes three.
                await driver.executemany(text, [[row[key] for key in keys] for row in rows])
            except BaseException as error:
                # Whatever has broken it off, the driver may be in the midst of it: nobody else gets this connection.
                await connection.invalidate()
                if not isinstance(error, Exception) or (why := trouble(error)) is None:
                    raise
                raise self._outage.met(why, type(error).__name__) from error

    def _compiled(self, statement: AnyInsert, row: Mapping[str, object]) -> tuple[str, Sequence[str]]:
        """Its text, and which member of a row goes where in it."""
        known = self._texts.get(statement)
        if known is None:
            compiled = statement.compile(dialect=self._writing.dialect, column_keys=list(row))
            known = self._texts[statement] = (str(compiled), compiled.positiontup or ())
        return known

    def insert(self, table: Table) -> Insert:
        return insert(table)

    async def close(self) -> None:
        """Closes every connection."""
        await self._writing.dispose()

    async def _connect(self, statement_seconds: float | None) -> asyncpg.Connection[asyncpg.Record]:
        try:
            connection = await self._login.connect(statement_seconds=statement_seconds)
        except NoLogin as error:
            raise self._outage.met(error.told, error.why) from None
        if statement_seconds is not None:
            # A process that hangs within a transaction holds its locks for ever, and others wait for them.
            await connection.execute(f"SET idle_in_transaction_session_timeout = {round(statement_seconds * 1000)}")
        return connection

    async def _alone(self, connection: AsyncConnection, store: str) -> None:
        """No other server changes a schema until this transaction ends."""
        free = await connection.scalar(select(func.pg_try_advisory_xact_lock(MIGRATION_LOCK)))
        if not free:
            log.info("%s: another server is changing a schema; %s waits for it", self._login.instance, store)
            await connection.execute(text(f"SET LOCAL lock_timeout = '{_MIGRATION_SECONDS}s'"))
            await connection.execute(select(func.pg_advisory_xact_lock(MIGRATION_LOCK)))
            await connection.execute(text("SET LOCAL lock_timeout TO DEFAULT"))


def _trouble(context: ExceptionContext) -> str | None:
    error = context.original_exception
    if isinstance(error, OSError):
        # The driver is told of a lost connection and of a statement that takes too long in this way.
        context.is_disconnect = True
        context.invalidate_pool_on_disconnect = not isinstance(error, TimeoutError)
        return TOO_LONG if isinstance(error, TimeoutError) else LOST
    state = _sqlstate(error)
    if state == READ_ONLY:
        # Where it was not us who said so, this server is a copy that follows another.
        reads = context.connection is not None and context.connection.get_execution_options().get("postgresql_readonly")
        return None if reads else trouble_of(state)
    if context.is_disconnect:
        return LOST
    return trouble_of(state)


def _sqlstate(error: BaseException | None) -> str:
    """PostgreSQL's code of an error; empty where it is not PostgreSQL's."""
    # As SQLAlchemy wraps it, which has no public name for its class.
    cause = error.__cause__ if error is not None else None
    return str(cause.sqlstate or "") if isinstance(cause, asyncpg.PostgresError) else ""


def _check_idle(engine: AsyncEngine, *, ask: bool, seconds: float) -> None:
    """Replaces connections that are closed, or that do not answer, before they are used.

    The pool's own question costs three round trips for each use of a connection; here only one that has been idle is
    asked, in one. ask: whether it is asked at all. seconds: how long it may take to answer.
    """

    def on_checkin(_: AsyncAdapt_asyncpg_connection | None, entry: ConnectionPoolEntry) -> None:
        entry.info["idle_since"] = time.monotonic()

    def on_checkout(
        connection: AsyncAdapt_asyncpg_connection, entry: ConnectionPoolEntry, _: PoolProxiedConnection
    ) -> None:
        idle_since = entry.info.get("idle_since")
        if idle_since is None:
            return
        if connection.driver_connection.is_closed():
            raise InvalidatePoolError()
        if ask and time.monotonic() - idle_since > _IDLE_SECONDS:
            try:
                connection.run_async(lambda driver: driver.execute("SELECT 1", timeout=seconds))
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                raise InvalidatePoolError() from None

    event.listen(engine.sync_engine, "checkin", on_checkin)
    event.listen(engine.sync_engine, "checkout", on_checkout)
