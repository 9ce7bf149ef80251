"""Values: what goes in comes out, and no text is a command."""

from __future__ import annotations

from sqlalchemy import JSON, Boolean, Column, Float, LargeBinary, MetaData, Table, Text, delete, insert, select, update

from ....runtime.sql import Sql
from ..kv_base import STRANGE
from .base import SqlBaseSuite, a_table, ids, put, size

MORE = (
    "",
    " a ",
    "ä€😀é",
    "x" * 1_000_000,
    "NULL",
    "0x41",
    "1e999",
    ":name",
    "$1",
    "%s",
    "%(id)s",
    "x'); SELECT 1; --",
)
TEXTS = (*STRANGE, *MORE)


class SqlValuesSuite(SqlBaseSuite):
    def test_every_text_comes_back_as_it_was(self) -> None:
        async def test(sql: Sql, table: Table) -> None:
            async with sql.writing() as connection:
                rows = [{"id": str(number), "text": each} for number, each in enumerate(TEXTS)]
                await connection.execute(insert(table), rows)
            async with sql.reading() as connection:
                for number, each in enumerate(TEXTS):
                    asked = select(table.c.id).where(table.c.text == each)
                    assert (await connection.scalars(asked)).all() == [str(number)], repr(each[:40])
                found = dict((await connection.execute(select(table.c.id, table.c.text))).all())
                assert found == {str(number): each for number, each in enumerate(TEXTS)}

        self.keeps(test)

    def test_no_text_is_a_command_wherever_it_stands(self) -> None:
        async def test(sql: Sql, table: Table) -> None:
            await put(sql, table, id="untouched", text="untouched")
            for each in STRANGE:
                async with sql.writing() as connection:
                    await connection.execute(sql.insert(table).values(id=each, text=each))
                    await connection.execute(update(table).where(table.c.id == each).values(text=each + each))
                    asked = select(table.c.id).where(table.c.text.contains(each + each, autoescape=True))
                    assert each in (await connection.scalars(asked)).all()
                    listed = select(table.c.id).where(table.c.id.in_([each, "nobody"]))
                    assert (await connection.scalars(listed)).all() == [each]
                    gone = await connection.execute(delete(table).where(table.c.id == each))
                    assert gone.rowcount == 1, repr(each)
            assert await ids(sql, table) == ["untouched"]

        self.keeps(test)

    def test_values_of_every_kind_come_back_as_they_were(self) -> None:
        async def test(sql: Sql) -> None:
            name = a_table().name
            columns = (
                Column("json", JSON),
                Column("bytes", LargeBinary),
                Column("yes", Boolean),
                Column("real", Float),
            )
            table = Table(name, MetaData(), Column("id", Text, primary_key=True), *columns)
            await sql.prepare(name, [table.create])
            rows: list[tuple[str, object, bytes | None, bool | None, float | None]] = [
                ("a", {"ä": [1, 2.5, None, True, "'"]}, bytes(range(256)), True, 0.1),
                ("b", [], b"", False, -1e300),
                ("c", None, None, None, None),
            ]
            keys = ("id", "json", "bytes", "yes", "real")
            async with sql.writing() as connection:
                await connection.execute(insert(table), [dict(zip(keys, row, strict=True)) for row in rows])
            async with sql.reading() as connection:
                assert [tuple(row) for row in await connection.execute(select(table).order_by(table.c.id))] == rows

        self.run(test)

    def test_whole_numbers_have_64_bits(self) -> None:
        async def test(sql: Sql, table: Table) -> None:
            numbers = [-(2**63), -1, 0, 2**53 + 1, 2**63 - 1]
            for each in numbers:
                await put(sql, table, id=str(each), number=each)
            async with sql.reading() as connection:
                asked = select(table.c.number).order_by(table.c.number)
                assert list(await connection.scalars(asked)) == numbers

        self.keeps(test)

    def test_a_thousand_rows_go_in_one_statement(self) -> None:
        async def test(sql: Sql, table: Table) -> None:
            async with sql.writing() as connection:
                await connection.execute(
                    sql.insert(table), [{"id": f"{each:04}", "number": each} for each in range(1000)]
                )
            assert await size(sql, table) == 1000

        self.keeps(test)
