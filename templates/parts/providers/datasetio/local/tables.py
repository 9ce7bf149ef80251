"""What a database keeps of the rows of datasets: a line for each dataset that was taken, and one for each row.

A dataset's line counts its rows, and a row's place is what that count was. Whoever adds rows takes their places by an
UPDATE of that line, so that of two who add at once the second waits for the first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import BigInteger, Boolean, Column, Double, Index, MetaData, String, Table, Text

if TYPE_CHECKING:
    from sqlalchemy import Connection

_TABLES = MetaData()

TAKEN = Table(
    "stackgen_dataset_taken",
    _TABLES,
    Column("key", String(64), primary_key=True),
    Column("rows", BigInteger, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    # Whether it belongs to a dataset that is registered; what does not for long is forgotten.
    Column("settled", Boolean, nullable=False),
    Column("taken_at", Double, nullable=False),
    Index("stackgen_dataset_taken_unsettled", "settled", "taken_at"),
)

ROWS = Table(
    "stackgen_dataset_rows",
    _TABLES,
    Column("key", String(64), primary_key=True),
    Column("place", BigInteger, primary_key=True, autoincrement=False),
    Column("body", Text, nullable=False),
)


def create(connection: Connection) -> None:
    """The first form of the tables."""
    _TABLES.create_all(connection, tables=(TAKEN, ROWS), checkfirst=False)


MIGRATIONS = (create,)
