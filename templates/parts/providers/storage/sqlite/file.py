"""The file of a SQLite database, before anybody works with it."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import sqlite3
import time
from contextlib import closing
from pathlib import Path

from ....runtime.errors import SettingsError

log = logging.getLogger(__name__)

_PAUSE_SECONDS = 0.02


async def made(path: str, patience: float, instance: str) -> None:
    """Makes folder and file where there are none, and has the file keep a write-ahead log.

    patience: seconds, with other processes that do the same. Raises SettingsError that says what is wrong with `path`.
    """
    try:
        if await asyncio.to_thread(_make, Path(path), patience):
            log.info("%s: made %s", instance, os.path.abspath(path))
    except (OSError, sqlite3.Error, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise SettingsError([f"storage.{instance}.db_path: {path} cannot be a database: {why}"]) from None


def _make(path: Path, patience: float) -> bool:
    """Whether there was no file."""
    if path.name == ":memory:":
        raise ValueError("what is in memory is not kept; name a file")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        raise ValueError(f"{path.parent} is no folder") from None
    new = _new(path)
    with closing(sqlite3.connect(path, timeout=patience, isolation_level=None)) as connection:
        mode = _write_ahead(connection, patience)
    if mode != "wal":
        raise ValueError("its file system cannot share memory between processes; name a file on a local disk")
    _sync(path.parent)
    return new


def _new(path: Path) -> bool:
    """Makes the file where there is none.

    One that is there is opened by SQLite alone: to close it once more would end all the locks of this process on it,
    under the feet of another connection (SQLite, "How To Corrupt An SQLite Database File", 2.2).
    """
    try:
        # SQLite gives the files beside it the permissions of this one: what clients say is the server's to read alone.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    except FileExistsError:
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR)) from None
        if not os.access(path, os.R_OK | os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES)) from None
        return False
    return True


def _write_ahead(connection: sqlite3.Connection, patience: float) -> str:
    """Turns the log on, which is remembered in the file; the mode that it has then."""
    deadline = time.monotonic() + patience
    while True:
        try:
            return str(connection.execute("PRAGMA journal_mode=WAL").fetchone()[0])
        except sqlite3.OperationalError as error:
            # Where several processes start at once. SQLite's own patience does not cover this statement.
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
        time.sleep(_PAUSE_SECONDS)


def _sync(folder: Path) -> None:
    """Has the name of a new file survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
