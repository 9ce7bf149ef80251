"""What a database keeps of batches.

`batches` has a row for each; `batch_requests` the lines of those that are not done, as they were when they were looked
through, so that nothing of a batch depends on its input file afterwards; `batch_results` what those came to. A line's
result and its batch's counts are written in one transaction. The lines and results of a batch that is done are deleted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    inspect,
    text,
)

if TYPE_CHECKING:
    from sqlalchemy import Connection

_METADATA = MetaData()

BATCHES = Table(
    "batches",
    _METADATA,
    Column("id", String(64), primary_key=True),
    Column("owner", Text),
    Column("attributes", Text, nullable=False),
    # Of the owner and the idempotency key together, and of what was asked for with it.
    Column("idempotency", String(64), unique=True),
    Column("fingerprint", String(64), nullable=False),
    Column("endpoint", Text, nullable=False),
    Column("input_file_id", Text, nullable=False),
    Column("completion_window", Text, nullable=False),
    Column("output_seconds", Integer),
    # JSON: what a client may have said anything in.
    Column("metadata", Text),
    Column("model", Text),
    Column("errors", Text),
    Column("status", String(16), nullable=False),
    # What a batch that is finalizing will be; and whether its files are made, so that its lines may go.
    Column("ending", String(16)),
    Column("filed", Boolean, nullable=False),
    Column("output_file_id", Text),
    Column("error_file_id", Text),
    # Unix time, seconds, by the database's clock.
    Column("created_at", Double, nullable=False),
    Column("expires_at", Double, nullable=False),
    *(
        Column(f"{each}_at", Double)
        for each in ("in_progress", "finalizing", "completed", "failed", "expired", "cancelling", "cancelled")
    ),
    *(Column(each, Integer, nullable=False) for each in ("total", "completed", "failed")),
    *(Column(f"{each}_tokens", BigInteger, nullable=False) for each in ("input", "cached", "output", "reasoning")),
    # Who works on it, and until when that is believed; null and a time in the future: nobody is to, before then.
    Column("lease", String(32)),
    Column("lease_until", Double),
    # How often it was taken over from a process that was gone, since a line of it was last finished.
    Column("takeovers", Integer, nullable=False, server_default="0"),
    Index("batches_in_order", "created_at", "id"),
    Index("batches_by_status", "status", "created_at"),
)

REQUESTS = Table(
    "batch_requests",
    _METADATA,
    Column("batch", String(64), primary_key=True),
    Column("line", Integer, primary_key=True, autoincrement=False),
    # JSON, as it stood in the line.
    Column("custom_id", LargeBinary, nullable=False),
    Column("body", LargeBinary, nullable=False),
)

RESULTS = Table(
    "batch_results",
    _METADATA,
    Column("batch", String(64), primary_key=True),
    Column("line", Integer, primary_key=True, autoincrement=False),
    Column("good", Boolean, nullable=False),
    # The line of the output file, where good, or else of the error file.
    Column("text", LargeBinary, nullable=False),
)


def create(connection: Connection) -> None:
    """The tables, with all their columns."""
    _METADATA.create_all(connection, tables=(BATCHES, REQUESTS, RESULTS), checkfirst=False)


def count_takeovers(connection: Connection) -> None:
    """A column that tables of before have not."""
    if not any(column["name"] == "takeovers" for column in inspect(connection).get_columns(BATCHES.name)):
        connection.execute(text("ALTER TABLE batches ADD COLUMN takeovers INTEGER NOT NULL DEFAULT 0"))


MIGRATIONS = (create, count_takeovers)
