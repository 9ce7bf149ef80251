"""A SQLite file with sqlite-vec in it, and the threads of this process that work with it.

Writes have one thread, since SQLite has one writer at a time; each reader has one, so that a long search stops no
other.
"""

from __future__ import annotations

import asyncio
import logging
import os
import threading
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TypeVar

import apsw
import sqlite_vec

from ....runtime.errors import SettingsError, Unavailable

log = logging.getLogger(__name__)

T = TypeVar("T")

_SCHEMA_VERSION = 1
_SCHEMA = """
CREATE TABLE stores (number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, dimension INTEGER NOT NULL);
CREATE TABLE entries (
    key INTEGER PRIMARY KEY, store INTEGER NOT NULL, id TEXT NOT NULL, grp TEXT NOT NULL, attributes TEXT NOT NULL,
    UNIQUE (store, id)
);
CREATE INDEX entries_by_group ON entries (store, grp);
CREATE TABLE vectors (store INTEGER, key INTEGER, vector BLOB NOT NULL, PRIMARY KEY (store, key)) WITHOUT ROWID;
"""
# Vectors lie in the rows of an index, of which a page must hold several to be full.
_PAGE_BYTES = 16384
_PAUSE_SECONDS = 0.02

_TROUBLE = {
    apsw.BusyError: "others keep it busy",
    apsw.LockedError: "others keep it busy",
    apsw.FullError: "the disk is full",
    apsw.ReadOnlyError: "its file cannot be written",
    apsw.PermissionsError: "its file cannot be opened",
    apsw.CantOpenError: "its file cannot be opened",
    apsw.IOError: "its disk has failed or is full",
    apsw.CorruptError: "its file is damaged",
    apsw.NotADBError: "its file is damaged",
}


class _Own(threading.local):
    """What each thread has for itself."""

    connection: apsw.Connection | None = None


class Threads:
    """path: of a file that has the tables."""

    def __init__(self, path: str, readers: int, patience: float, instance: str) -> None:
        self._path = path
        self._patience = patience
        self._instance = instance
        self._own = _Own()
        self._writer = ThreadPoolExecutor(1, f"{instance} writes")
        self._readers = ThreadPoolExecutor(readers, f"{instance} reads")

    async def read(self, work: Callable[[apsw.Connection], T]) -> T:
        """What `work` returns, which sees one state of the file. Raises Unavailable where the file is in trouble."""
        return await self._do(self._readers, work, "BEGIN")

    async def write(self, work: Callable[[apsw.Connection], T]) -> T:
        """The same, and on the disk once it returns."""
        return await self._do(self._writer, work, "BEGIN IMMEDIATE")

    def close(self) -> None:
        self._writer.shutdown()
        self._readers.shutdown()

    async def _do(self, where: ThreadPoolExecutor, work: Callable[[apsw.Connection], T], begin: str) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(where, self._within, work, begin)
        except apsw.Error as error:
            why = next((said for kind, said in _TROUBLE.items() if isinstance(error, kind)), None)
            if why is None:
                raise
            log.error("%s: %s: %s", self._instance, why, error)
            raise Unavailable(
                f"{self._instance} cannot be used at present: {why}", code="storage_unavailable"
            ) from error

    def _within(self, work: Callable[[apsw.Connection], T], begin: str) -> T:
        connection = self._own.connection
        if connection is None:
            if not os.path.exists(self._path):
                raise apsw.CantOpenError("the file has gone")
            connection = self._own.connection = connect(self._path, self._patience)
        connection.execute(begin)
        try:
            found = work(connection)
            connection.execute("COMMIT")
        except BaseException:
            with suppress(apsw.Error):
                connection.execute("ROLLBACK")
            raise
        return found


def connect(path: str, patience: float) -> apsw.Connection:
    connection = apsw.Connection(path)
    connection.set_busy_timeout(int(patience * 1000))
    connection.enable_load_extension(True)
    connection.load_extension(sqlite_vec.loadable_path())
    connection.enable_load_extension(False)
    connection.execute("PRAGMA synchronous=FULL")
    return connection


@asynccontextmanager
async def open_threads(path: str, readers: int, patience: float, instance: str) -> AsyncIterator[Threads]:
    """Makes file and tables where there are none. Raises SettingsError."""
    try:
        await asyncio.to_thread(_make, Path(path), patience)
    except (OSError, apsw.Error, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise SettingsError([f"{instance}.db_path: {path} cannot be a database of vectors: {why}"]) from None
    threads = Threads(path, readers, patience, instance)
    try:
        yield threads
    finally:
        await asyncio.to_thread(threads.close)


def _make(path: Path, patience: float) -> None:
    if path.name == ":memory:":
        raise ValueError("what is in memory is not kept; name a file")
    path.parent.mkdir(parents=True, exist_ok=True)
    # What clients say is the server's to read alone; SQLite gives the files beside it the same permissions.
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    connection = connect(str(path), patience)
    try:
        if not path.stat().st_size:
            connection.execute(f"PRAGMA page_size={_PAGE_BYTES}")
        _write_ahead(connection, patience)
        connection.execute("BEGIN IMMEDIATE")
        ((version,),) = connection.execute("PRAGMA user_version")
        tables = list(connection.execute("SELECT name FROM sqlite_schema LIMIT 1"))
        if version == 0 and not tables:
            connection.execute(_SCHEMA)
            connection.execute(f"PRAGMA user_version={_SCHEMA_VERSION}")
        elif version != _SCHEMA_VERSION:
            raise ValueError("it is another program's database, or that of a newer server; name another file")
        connection.execute("COMMIT")
    finally:
        connection.close()
    directory = os.open(path.parent, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def _write_ahead(connection: apsw.Connection, patience: float) -> None:
    """Turns the log on, which is remembered in the file."""
    deadline = time.monotonic() + patience
    while True:
        try:
            ((mode,),) = connection.execute("PRAGMA journal_mode=WAL")
            break
        except apsw.BusyError:
            # Where several processes start at once. SQLite's own patience does not cover this statement.
            if time.monotonic() > deadline:
                raise
        time.sleep(_PAUSE_SECONDS)
    if mode != "wal":
        raise ValueError("its file system cannot share memory between processes; name a file on a local disk")
