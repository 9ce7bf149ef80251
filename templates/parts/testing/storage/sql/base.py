"""What the suites of SQL databases share."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar
from uuid import uuid4

from sqlalchemy import BigInteger, Column, Connection, ForeignKey, MetaData, String, Table, Text, func, select

from ....runtime.sql import Sql
from ...suite import Suite

E = TypeVar("E", bound=Exception)


class SqlBaseSuite(Suite[Sql]):
    """`opens()` gives the same database each time: opened twice, it is what two processes have of it."""

    def keeps(self, test: Callable[[Sql, Table], Awaitable[None]]) -> None:
        """One test of one table, which nobody else uses: `id`, `text`, `number`."""

        async def with_table(sql: Sql) -> None:
            table = a_table()
            await sql.prepare(table.name, [table.create])
            await test(sql, table)

        self.run(with_table)


def a_table() -> Table:
    """Of a name that nobody has used."""
    return Table(
        f"test_{uuid4().hex}",
        MetaData(),
        Column("id", String(200), primary_key=True),
        Column("text", Text),
        Column("number", BigInteger),
    )


def a_child(table: Table) -> Table:
    """A table whose rows belong to rows of another."""
    return Table(
        f"{table.name}_children",
        table.metadata,
        Column("id", String(200), primary_key=True),
        Column("parent", ForeignKey(table.c.id), nullable=False),
    )


def made(table: Table, calls: list[str]) -> Callable[[Connection], None]:
    """A step that makes a table, and notes that it was called."""

    def step(connection: Connection) -> None:
        calls.append(table.name)
        table.create(connection)

    return step


async def put(sql: Sql, table: Table, **values: object) -> None:
    async with sql.writing() as connection:
        await connection.execute(sql.insert(table).values(values))


async def ids(sql: Sql, table: Table) -> list[str]:
    async with sql.reading() as connection:
        return list((await connection.scalars(select(table.c.id).order_by(table.c.id))).all())


async def size(sql: Sql, table: Table) -> int:
    async with sql.reading() as connection:
        return (await connection.execute(select(func.count()).select_from(table))).scalar_one()


@contextmanager
def raises(kind: type[E], because: str) -> Iterator[list[E]]:
    """A block that cannot succeed: what it raised, once it is left. because: why it cannot."""
    met: list[E] = []
    try:
        yield met
    except kind as error:
        met.append(error)
    else:
        raise AssertionError(because)
