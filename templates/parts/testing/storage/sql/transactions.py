"""Transactions: all or nothing, durable, one state for who reads; and how one ends that is not let finish."""

from __future__ import annotations

import asyncio

from sqlalchemy import Table, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError

from ....runtime.sql import Sql
from .base import SqlBaseSuite, a_child, ids, put, raises, size


class SqlTransactionsSuite(SqlBaseSuite):
    def test_it_says_what_it_speaks(self) -> None:
        async def test(sql: Sql) -> None:
            async with sql.reading() as connection:
                assert connection.dialect.name == sql.dialect

        self.run(test)

    def test_what_is_written_is_there_for_everybody(self) -> None:
        async def test(sql: Sql, table: Table) -> None:
            await put(sql, table, id="a", text="kept", number=7)
            async with self.opens() as other, other.reading() as connection:
                assert (await connection.execute(select(table))).all() == [("a", "kept", 7)]

        self.keeps(test)

    def test_a_block_that_raises_leaves_nothing(self) -> None:
        async def test(sql: Sql, table: Table) -> None:
            with raises(ZeroDivisionError, "a fault within a block comes out of it"):
                async with sql.writing() as connection:
                    await connection.execute(sql.insert(table).values(id="a"))
                    raise ZeroDivisionError
            assert await ids(sql, table) == []
            await put(sql, table, id="b")
            assert await ids(sql, table) == ["b"]

        self.keeps(test)

    def test_a_key_that_is_there_already_is_an_integrity_error(self) -> None:
        async def test(sql: Sql, table: Table) -> None:
            await put(sql, table, id="a", text="first")
            with raises(IntegrityError, "a primary key is one row's") as met:
                async with sql.writing() as connection:
                    await connection.execute(sql.insert(table).values(id="b"))
                    await connection.execute(sql.insert(table).values(id="a", text="quoted in no error"))
            assert "quoted in no error" not in str(met[0]), "an error does not repeat what clients say"
            assert await ids(sql, table) == ["a"]

        self.keeps(test)

    def test_a_row_without_its_parent_is_an_integrity_error(self) -> None:
        async def test(sql: Sql, table: Table) -> None:
            child = a_child(table)
            await sql.prepare(child.name, [child.create])
            with raises(IntegrityError, "a foreign key names a row that is there"):
                await put(sql, child, id="child", parent="nobody")

        self.keeps(test)

    def test_an_insert_can_do_something_else_on_conflict(self) -> None:
        async def test(sql: Sql, table: Table) -> None:
            await put(sql, table, id="a", text="first")
            async with sql.writing() as connection:
                await connection.execute(sql.insert(table).values(id="a", text="second").on_conflict_do_nothing())
                put_again = sql.insert(table).values(id="a", number=2)
                await connection.execute(put_again.on_conflict_do_update(index_elements=["id"], set_={"number": 2}))
            async with sql.reading() as connection:
                assert (await connection.execute(select(table))).all() == [("a", "first", 2)]

        self.keeps(test)

    def test_no_update_is_lost_between_many(self) -> None:
        async def test(sql: Sql, table: Table) -> None:
            await put(sql, table, id="a", number=0)

            async def adds(each: Sql) -> None:
                for _ in range(10):
                    async with each.writing() as connection:
                        await connection.execute(update(table).values(number=table.c.number + 1))

            async with self.opens() as other:
                await asyncio.gather(*(adds(each) for each in (sql, other) for _ in range(8)))
            async with sql.reading() as connection:
                assert (await connection.execute(select(table.c.number))).scalar_one() == 160

        self.keeps(test)

    def test_who_reads_sees_one_state_and_holds_up_nobody(self) -> None:
        async def test(sql: Sql, table: Table) -> None:
            await put(sql, table, id="a")
            async with sql.reading() as connection:
                before = (await connection.execute(select(table.c.id))).all()
                await put(sql, table, id="b")
                assert (await connection.execute(select(table.c.id))).all() == before
            assert await ids(sql, table) == ["a", "b"]

        self.keeps(test)

    def test_who_reads_does_not_see_what_is_not_finished(self) -> None:
        async def test(sql: Sql, table: Table) -> None:
            async with sql.writing() as connection:
                await connection.execute(sql.insert(table).values(id="a"))
                assert await ids(sql, table) == []
            assert await ids(sql, table) == ["a"]

        self.keeps(test)

    def test_who_reads_cannot_write(self) -> None:
        async def test(sql: Sql, table: Table) -> None:
            with raises(DBAPIError, "`reading` is for asking"):
                async with sql.reading() as connection:
                    await connection.execute(sql.insert(table).values(id="a"))
                    await connection.commit()
            assert await ids(sql, table) == []
            await put(sql, table, id="b")

        self.keeps(test)

    def test_a_mistake_in_a_statement_is_not_told_as_an_outage(self) -> None:
        async def test(sql: Sql) -> None:
            for block in (sql.reading, sql.writing):
                with raises(DBAPIError, "there is no such table"):
                    async with block() as connection:
                        await connection.execute(text("SELECT nothing FROM nowhere"))

        self.run(test)

    def test_who_is_cancelled_leaves_nothing_and_blocks_nobody(self) -> None:
        async def test(sql: Sql, table: Table) -> None:
            for pause in (0.0, 0.001, 0.003, 0.01):
                inside = asyncio.Event()

                async def writes(name: str, inside: asyncio.Event) -> None:
                    async with sql.writing() as connection:
                        await connection.execute(sql.insert(table).values(id=name))
                        inside.set()
                        await asyncio.sleep(60)

                held = asyncio.create_task(writes("held", inside))
                waits = asyncio.create_task(writes("waits", asyncio.Event()))
                await inside.wait()
                await asyncio.sleep(pause)
                for task in (waits, held):
                    task.cancel()
                await asyncio.gather(held, waits, return_exceptions=True)
                assert await ids(sql, table) == []
            await put(sql, table, id="after")
            assert await ids(sql, table) == ["after"]

        self.keeps(test)

    def test_cancelling_at_any_moment_leaves_all_or_nothing(self) -> None:
        async def test(sql: Sql, table: Table) -> None:
            async def writes(number: int) -> None:
                async with sql.writing() as connection:
                    await connection.execute(sql.insert(table).values(id=f"{number}-1"))
                    await connection.execute(sql.insert(table).values(id=f"{number}-2"))

            for number in range(24):
                task = asyncio.create_task(writes(number))
                await asyncio.sleep(number / 4000)
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
            await put(sql, table, id="after")
            found = await ids(sql, table)
            halves = {name.partition("-")[0] for name in found if name.endswith("-1")}
            assert found == sorted(["after", *(f"{each}-{half}" for each in halves for half in (1, 2))])

        self.keeps(test)

    def test_cancelling_many_rows_at_any_moment_leaves_all_or_none(self) -> None:
        async def test(sql: Sql, table: Table) -> None:
            for number in range(24):
                rows = [{"id": f"{number:02}-{each:03}"} for each in range(100)]
                task = asyncio.create_task(sql.write_all(sql.insert(table), rows))
                await asyncio.sleep(number / 4000)
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
            await sql.write_all(sql.insert(table), [{"id": "after"}])
            found = [name.partition("-")[0] for name in await ids(sql, table)]
            assert "after" in found
            assert {found.count(each) for each in set(found) - {"after"}} <= {100}

        self.keeps(test)

    def test_many_at_once_are_all_served(self) -> None:
        async def test(sql: Sql, table: Table) -> None:
            async def asks(number: int) -> None:
                await put(sql, table, id=f"{number:03}")
                assert f"{number:03}" in await ids(sql, table)

            await asyncio.gather(*(asks(number) for number in range(100)))
            assert await size(sql, table) == 100

        self.keeps(test)

    def test_many_rows_at_once_are_all_written_or_none_is(self) -> None:
        async def test(sql: Sql, table: Table) -> None:
            newer = sql.insert(table)
            statement = newer.on_conflict_do_update(index_elements=["id"], set_={"text": newer.excluded.text})
            rows = [{"id": f"{number:03}", "text": "é'\"; --", "number": number} for number in range(50)]
            await sql.write_all(statement, rows)
            await sql.write_all(
                statement, [{"id": "001", "text": None, "number": 7}, {"id": "050", "text": "", "number": None}]
            )
            async with self.opens() as other, other.reading() as connection:
                found = {row[0]: tuple(row[1:]) for row in (await connection.execute(select(table))).all()}
            assert len(found) == 51
            assert (found["000"], found["001"], found["050"]) == (("é'\"; --", 0), (None, 1), ("", None))
            wrongs: list[list[dict[str, object]]] = [[{"id": "a"}, {"id": "001"}], [{"id": "b"}, {"id": None}]]
            for wrong in wrongs:
                with raises(Exception, "a row that cannot be written takes the others with it"):
                    await sql.write_all(sql.insert(table), wrong)
            await sql.write_all(sql.insert(table), [{"id": "c"}])
            assert [each for each in await ids(sql, table) if each > "9"] == ["c"]

        self.keeps(test)

    def test_rows_of_many_at_once_are_all_written(self) -> None:
        async def test(sql: Sql, table: Table) -> None:
            async def writes(number: int) -> None:
                await sql.write_all(sql.insert(table), [{"id": f"{number:03}-{each}"} for each in range(3)])
                await put(sql, table, id=f"{number:03}")

            await asyncio.gather(*(writes(number) for number in range(30)))
            assert await size(sql, table) == 120

        self.keeps(test)
