"""What is wrong with a SQLite file, and not with what was asked of it."""

from __future__ import annotations

import sqlite3

BUSY = "others keep it busy"

_TROUBLE = {
    sqlite3.SQLITE_BUSY: BUSY,
    sqlite3.SQLITE_LOCKED: BUSY,
    sqlite3.SQLITE_FULL: "the disk is full",
    sqlite3.SQLITE_READONLY: "its file cannot be written",
    sqlite3.SQLITE_PERM: "its file cannot be opened",
    sqlite3.SQLITE_CANTOPEN: "its file cannot be opened",
    sqlite3.SQLITE_IOERR: "its disk has failed or is full",
    sqlite3.SQLITE_NOMEM: "there is no memory",
    sqlite3.SQLITE_CORRUPT: "its file is damaged",
    sqlite3.SQLITE_NOTADB: "its file is damaged",
}
"""By SQLite's primary result codes."""


class Gone(sqlite3.OperationalError):
    """The file is not there any more, or is another one: what would be written would be lost."""


def trouble_of(error: BaseException) -> str | None:
    """What is wrong with the file; None where it is the statement."""
    return "its file has gone" if isinstance(error, Gone) else _TROUBLE.get(code(error))


def code(error: BaseException) -> int:
    """SQLite's primary result code."""
    match error:
        case sqlite3.Error(sqlite_errorcode=int(extended)):
            return extended & 0xFF
    # Python's own errors have no code.
    return sqlite3.SQLITE_OK
