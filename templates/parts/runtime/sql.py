"""What a SQL database is to those who keep something in one.

    TABLE = Table("conversations", MetaData(), Column("id", String(64), primary_key=True), …)

    def create(connection: Connection) -> None:
        TABLE.create(connection)

    await sql.prepare("conversations", [create])                     # once per start; later steps are appended
    async with sql.writing() as connection:                          # one transaction
        await connection.execute(sql.insert(TABLE).values(id="conv_1"))

Statements are SQLAlchemy Core, the same for every dialect; parameters are always bound. Where the database cannot be
reached, whoever asks gets `Unavailable` with the code `storage_unavailable`; it works again by itself once the database
is back. Other faults (a unique key that is there already: `sqlalchemy.exc.IntegrityError`) come as SQLAlchemy's own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from sqlalchemy import Connection, Insert, Table
    from sqlalchemy.dialects.postgresql import Insert as PostgresInsert
    from sqlalchemy.dialects.sqlite import Insert as SqliteInsert
    from sqlalchemy.ext.asyncio import AsyncConnection

Migration = Callable[["Connection"], None]
"""One step of a store's schema, run once per database, within a transaction."""


class Sql(Protocol):
    """A configured SQL database."""

    @property
    def dialect(self) -> Literal["sqlite", "postgresql"]: ...

    async def prepare(self, store: str, migrations: Sequence[Migration]) -> None:
        """Brings a store's tables to the newest form, however many processes start at once.

        store: the name under which the database remembers how many of the steps it has seen. Steps are only ever
        appended. Raises SettingsError where the database has seen more than there are: a newer server made it.
        """

    def reading(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """A connection to ask with; it sees one state of the database from its first statement on."""

    def writing(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """A connection within a transaction: durable once the block has been left, rolled back where it raises."""

    async def write_all(self, statement: Insert, rows: Sequence[Mapping[str, object]]) -> None:
        """Carries an INSERT out for each row, in one transaction; for what many requests do, as it costs the least.

        rows: one at least, all with the same keys; texts, numbers, bytes and None. Raises the driver's own error, or
        SQLAlchemy's, where a row cannot be written: then none is.
        """

    def insert(self, table: Table) -> PostgresInsert | SqliteInsert:
        """The dialect's INSERT, with `on_conflict_do_update` and `on_conflict_do_nothing`."""
