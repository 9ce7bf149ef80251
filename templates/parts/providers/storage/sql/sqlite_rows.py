"""Rows for SQLite, many at a time: a whole transaction in one go.

Through SQLAlchemy each of its steps crosses to the driver's thread and back, which takes longer than writing what a
request leaves behind. Here the thread is told once what to do from BEGIN to COMMIT.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from sqlalchemy.dialects import sqlite

if TYPE_CHECKING:
    from sqlalchemy import Insert

Rows = Sequence[Mapping[str, object]]


class RowWriter:
    """A connection and its thread, both made when they are first needed. settings: PRAGMAs of the connection."""

    def __init__(self, path: str, *, patience: float, settings: Sequence[str]) -> None:
        self._path = path
        self._patience = patience
        self._settings = settings
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="sqlite-rows")
        self._connection: sqlite3.Connection | None = None
        self._texts: dict[Insert, str] = {}

    async def write(self, statement: Insert, rows: Rows) -> None:
        """All of the rows, or none. rows: all with the same keys. Raises sqlite3.Error."""
        text = self._texts.get(statement)
        if text is None:
            compiled = statement.compile(dialect=sqlite.dialect(paramstyle="named"), column_keys=list(rows[0]))
            text = self._texts[statement] = str(compiled)
        await asyncio.get_running_loop().run_in_executor(self._thread, self._write, text, rows)

    async def close(self) -> None:
        await asyncio.get_running_loop().run_in_executor(self._thread, self._close)
        self._thread.shutdown()

    # ── in the thread ───────────────────────────────────────────────────────────────────────────────────────────────

    def _write(self, text: str, rows: Rows) -> None:
        connection = self._connection or self._open()
        connection.execute("BEGIN IMMEDIATE")
        try:
            connection.executemany(text, rows)
            connection.execute("COMMIT")
        finally:
            # SQLite has done so by itself after some errors, and not after others.
            if connection.in_transaction:
                connection.execute("ROLLBACK")

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, timeout=self._patience, isolation_level=None)
        for each in self._settings:
            connection.execute(each)
        self._connection = connection
        return connection

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
