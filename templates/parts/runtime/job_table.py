"""What a database keeps of jobs: work that a request asks for, and that goes on after its answer (`jobs`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import Boolean, Column, Double, Index, Integer, LargeBinary, MetaData, String, Table, Text

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from .sql import Migration


def job_table(name: str) -> Table:
    """The jobs of one kind. name: of the table, and of its indexes."""
    return Table(
        name,
        MetaData(),
        Column("id", String(128), primary_key=True),
        Column("owner", Text),
        Column("attributes", Text, nullable=False),
        # What it is about: jobs are listed by it.
        Column("subject", Text, nullable=False),
        # As whoever does it wrote them: what was asked for, how far it is, what it came to.
        Column("request", LargeBinary, nullable=False),
        Column("progress", LargeBinary),
        Column("result", LargeBinary),
        Column("error", Text),
        # scheduled → in_progress → completed, failed, cancelled.
        Column("state", String(16), nullable=False),
        Column("cancelling", Boolean, nullable=False),
        # Unix time, seconds, by the database's clock.
        Column("created_at", Double, nullable=False),
        Column("started_at", Double),
        Column("ended_at", Double),
        # Who works on it, and until when that is believed; null and a time in the future: nobody is to, before then.
        Column("lease", String(32)),
        Column("lease_until", Double),
        # How often it was taken since it last got on.
        Column("tries", Integer, nullable=False),
        Index(f"{name}_in_order", "created_at", "id"),
        Index(f"{name}_by_state", "state", "created_at"),
    )


def job_migrations(table: Table) -> tuple[Migration, ...]:
    def create(connection: Connection) -> None:
        table.create(connection)

    return (create,)
