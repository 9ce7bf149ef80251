"""SQLite as a SQL database of many requests.

SQLite has one writer at a time. So this process has one connection that writes, for which its tasks queue up here, in
order; with other processes SQLite settles it, from the beginning of a transaction on (`BEGIN IMMEDIATE`), so that none
finds the database locked in its middle. Who reads does so beside, on connections that cannot write.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING, Literal

from sqlalchemy import URL, AdaptedConnection, Connection, event
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.sqlite import Insert, insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from ..outage import Outage
from ..sqlite.thread import DURABLE, SqliteThread
from ..sqlite.trouble import BUSY, code, trouble_of
from .connections import taken, watch
from .schemas import bring_up

if TYPE_CHECKING:
    from sqlalchemy import Insert as AnyInsert
    from sqlalchemy import Table
    from sqlalchemy.engine import ExceptionContext
    from sqlalchemy.engine.interfaces import DBAPIConnection
    from sqlalchemy.pool import ConnectionPoolEntry, PoolResetState

    from ....runtime.sql import Migration

_LOG_BYTES = 64 * 1024 * 1024
"""What the write-ahead log is cut to, once everything in it has gone to the file."""

_SETTINGS = (DURABLE, "PRAGMA foreign_keys=ON", f"PRAGMA journal_size_limit={_LOG_BYTES}")


class SqliteDatabase:
    """One SQLite file (`runtime.sql.Sql`)."""

    def __init__(self, path: str, *, readers: int, patience: float, instance: str) -> None:
        self._instance = instance
        self._patience = patience
        self._outage = Outage(f"the database {instance}")
        self._turn = asyncio.Lock()
        self._writer = _engine(path, connections=1, patience=patience)
        self._readers = _engine(path, connections=readers, patience=patience)
        event.listen(self._writer.sync_engine, "begin", self._begin_to_write)
        event.listen(self._readers.sync_engine, "begin", _begin_to_read)
        event.listen(self._readers.sync_engine, "connect", _refuse_writes)
        self._rows = SqliteThread(path, settings=_SETTINGS, patience=patience, name=f"rows of {instance}")
        self._texts: dict[AnyInsert, str] = {}
        watch(self._writer, self._outage, _trouble)
        watch(self._readers, self._outage, _trouble_of_readers)

    @property
    def dialect(self) -> Literal["sqlite"]:
        return "sqlite"

    async def prepare(self, store: str, migrations: Sequence[Migration]) -> None:
        def steps(connection: Connection) -> None:
            bring_up(connection, store, migrations, self._instance)

        async with self.writing() as connection:
            await connection.run_sync(steps)

    def reading(self) -> AbstractAsyncContextManager[AsyncConnection]:
        return taken(self._readers, self._outage)

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        async with self._in_turn(), taken(self._writer, self._outage) as connection, connection.begin():
            yield connection

    async def write_all(self, statement: AnyInsert, rows: Sequence[Mapping[str, object]]) -> None:
        # Through SQLAlchemy each of its steps crosses to the driver's thread and back, which takes longer than writing
        # what a request leaves behind. Here the thread is told once what to do.
        text = self._texts.get(statement)
        if text is None:
            compiled = statement.compile(dialect=sqlite.dialect(paramstyle="named"), column_keys=list(rows[0]))
            text = self._texts[statement] = str(compiled)
        async with self._in_turn():
            try:
                await self._rows.write(lambda connection: connection.executemany(text, rows))
            except sqlite3.Error as error:
                if (why := trouble_of(error)) is not None:
                    raise self._outage.met(why, type(error).__name__) from error
                raise
            self._outage.over()

    @asynccontextmanager
    async def _in_turn(self) -> AsyncIterator[None]:
        if self._turn.locked():
            try:
                async with asyncio.timeout(self._patience):
                    await self._turn.acquire()
            except TimeoutError:
                raise self._outage.met(BUSY) from None
        else:
            await self._turn.acquire()
        try:
            yield
        finally:
            self._turn.release()

    def insert(self, table: Table) -> Insert:
        return insert(table)

    async def close(self) -> None:
        """Closes every connection."""
        await self._rows.close()
        await self._readers.dispose()
        await self._writer.dispose()

    def _begin_to_write(self, connection: Connection) -> None:
        try:
            _begin(connection, "BEGIN IMMEDIATE")
        except sqlite3.Error as error:
            # Said here, and not by SQLAlchemy, which does not know that this is a statement.
            if (why := trouble_of(error)) is None:
                raise
            raise self._outage.met(why) from error


def _begin_to_read(connection: Connection) -> None:
    _begin(connection, "BEGIN")


def _begin(connection: Connection, statement: str) -> None:
    """In one turn of the connection's thread, of which a statement of SQLAlchemy's takes three."""
    driver = connection.connection.dbapi_connection
    assert isinstance(driver, AdaptedConnection)
    try:
        driver.run_async(lambda thread: thread.execute_fetchall(statement))
    except asyncio.CancelledError:
        # The thread may still come to it: nobody else gets this connection.
        connection.invalidate()
        raise


def _trouble(context: ExceptionContext) -> str | None:
    return trouble_of(context.original_exception)


def _trouble_of_readers(context: ExceptionContext) -> str | None:
    # It is us who forbid them to write.
    return None if code(context.original_exception) == sqlite3.SQLITE_READONLY else _trouble(context)


class _Connection(sqlite3.Connection):
    """One that lets go of the file when it is closed.

    Whoever is cancelled in the midst of a statement has its connection closed. SQLite keeps a closed one, and the lock
    it holds, until the last of its statements has been read to its end, which nobody does then.
    """

    def close(self) -> None:
        if self.in_transaction:
            self.rollback()
        super().close()


def _engine(path: str, *, connections: int, patience: float) -> AsyncEngine:
    engine = create_async_engine(
        URL.create("sqlite+aiosqlite", database=path),
        pool_size=connections,
        max_overflow=0,
        pool_timeout=patience,
        pool_reset_on_return=None,
        # What is asked may be what a client said: no error repeats it.
        hide_parameters=True,
        # Transactions are begun by us, and not by the driver, which does so with the first INSERT only.
        connect_args={"timeout": patience, "isolation_level": None, "factory": _Connection},
    )
    event.listen(engine.sync_engine, "connect", _set_up)
    event.listen(engine.sync_engine, "reset", _reset)
    return engine


def _reset(connection: DBAPIConnection, _: ConnectionPoolEntry, state: PoolResetState) -> None:
    """Ends what a connection was in the midst of, without a turn of its thread where that is nothing."""
    if not state.terminate_only and connection.driver_connection.in_transaction:
        connection.rollback()


def _set_up(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    _execute(connection, *_SETTINGS)


def _refuse_writes(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    _execute(connection, "PRAGMA query_only=ON")


def _execute(connection: DBAPIConnection, *statements: str) -> None:
    cursor = connection.cursor()
    for statement in statements:
        cursor.execute(statement)
    cursor.close()
