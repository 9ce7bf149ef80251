"""What is wrong with a PostgreSQL server, and not with what was asked of it."""

from __future__ import annotations

import asyncpg

from ..outage import LOST

TOO_LONG = "a statement took too long"

MIGRATION_LOCK = 0x737461636B67656E
"""`stackgen` in ASCII: the advisory lock of whoever changes a schema, one for a database."""

READ_ONLY = "25006"

_STATES = {
    "08": LOST,
    READ_ONLY: "it takes no writes",
    "40": "others keep it busy",
    "53": "it has no memory, disk or connections left",
    "58": "its disk has failed",
    "57": "it is stopping, or the statement took too long",
    "55P03": "others keep it busy",
    "XX": "it has failed",
}
"""By SQLSTATE or its class."""


def trouble(error: Exception) -> str | None:
    """In words for clients; None where it is not the server that is wrong. error: as the driver raises it."""
    match error:
        case TimeoutError():
            return TOO_LONG
        case OSError() | asyncpg.InterfaceError():
            return LOST
        case asyncpg.PostgresError():
            return trouble_of(str(error.sqlstate or ""))
    return None


def trouble_of(state: str) -> str | None:
    """The same of an SQLSTATE."""
    return _STATES.get(state) or _STATES.get(state[:2])
