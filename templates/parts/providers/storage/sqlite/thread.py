"""A SQLite file and the one thread of this process that works with it.

What waits while the thread is busy goes into one transaction, and so into one wait for the disk.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sqlite3
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import TypeVar
from urllib.parse import quote

from .trouble import Gone

log = logging.getLogger(__name__)

T = TypeVar("T")

DURABLE = "PRAGMA synchronous=FULL"
"""A commit is on the disk before it returns, and not only in the log's file."""

_AT_ONCE = 64
"""The most calls that share a transaction: the last of them keeps the first waiting."""


@dataclass(frozen=True, slots=True)
class _Job:
    work: Callable[[sqlite3.Connection], object]
    writes: bool
    done: asyncio.Future[object]


class SqliteThread:
    """path: of a file that is there. settings: statements for each connection. patience: seconds, with other processes
    that write. name: of the thread.
    """

    def __init__(self, path: str, *, settings: Sequence[str], patience: float, name: str) -> None:
        self._path = os.path.abspath(path)
        self._settings = settings
        self._patience = patience
        self._loop = asyncio.get_running_loop()
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._connection: sqlite3.Connection | None = None
        self._file = (0, 0)
        self._thread = threading.Thread(target=self._serve, name=name, daemon=True)
        self._thread.start()

    async def read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """What `work` returns, in the thread."""
        return await self._do(work, writes=False)

    async def write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """The same within a transaction that nobody else can be in; returns once it is on the disk."""
        return await self._do(work, writes=True)

    async def close(self) -> None:
        """Once everything that was asked has been done."""
        self._jobs.put(None)
        await asyncio.to_thread(self._thread.join)

    async def _do(self, work: Callable[[sqlite3.Connection], T], *, writes: bool) -> T:
        found: list[T] = []
        done: asyncio.Future[object] = self._loop.create_future()
        self._jobs.put(_Job(lambda connection: found.append(work(connection)), writes, done))
        await done
        return found[0]

    def _serve(self) -> None:
        while (first := self._jobs.get()) is not None:
            jobs = [first]
            ends = False
            with suppress(Empty):
                while len(jobs) < _AT_ONCE and not ends:
                    following = self._jobs.get_nowait()
                    ends = following is None
                    jobs += [following] if following is not None else []
            self._work_off(jobs)
            if ends:
                break
        self._disconnect()

    def _work_off(self, jobs: Sequence[_Job]) -> None:
        fault: Exception | None = None
        try:
            connection = self._connected()
            connection.execute("BEGIN IMMEDIATE" if any(job.writes for job in jobs) else "BEGIN")
            for job in jobs:
                job.work(connection)
            connection.execute("COMMIT")
        except Exception as error:  # It is raised again where the calls were made.
            log.debug("in %s", self._path, exc_info=True)
            fault = error
            # What was not committed is rolled back with it, and the next call finds out whether there is a file.
            self._disconnect()
        with suppress(RuntimeError):  # The loop has been closed: nobody waits.
            self._loop.call_soon_threadsafe(_tell, jobs, fault)

    def _connected(self) -> sqlite3.Connection:
        try:
            found = os.stat(self._path)
        except OSError as error:
            raise Gone(str(error)) from error
        file = (found.st_dev, found.st_ino)
        if self._connection is not None and file != self._file:
            self._disconnect()
        if self._connection is None:
            # rw: one that has gone is not made anew, empty.
            uri = f"file:{quote(self._path)}?mode=rw"
            self._connection = sqlite3.connect(uri, uri=True, timeout=self._patience, isolation_level=None)
            for each in self._settings:
                self._connection.execute(each)
            self._file = file
        return self._connection

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(sqlite3.Error):
                connection.close()


def _tell(jobs: Sequence[_Job], fault: Exception | None) -> None:
    for job in jobs:
        if job.done.done():  # Who asked has gone.
            continue
        if fault is None:
            job.done.set_result(None)
        else:
            job.done.set_exception(fault)
