"""Schemas: each step once, whoever starts and however many; nothing of a step that fails; no newer ones."""

from __future__ import annotations

import asyncio

from sqlalchemy import Connection

from ....runtime.errors import SettingsError
from ....runtime.sql import Sql
from .base import SqlBaseSuite, a_table, ids, made, put, raises, size


class SqlSchemasSuite(SqlBaseSuite):
    def test_a_step_runs_once(self) -> None:
        async def test(sql: Sql) -> None:
            table, calls = a_table(), list[str]()
            await sql.prepare(table.name, [made(table, calls)])
            await put(sql, table, id="kept")
            await sql.prepare(table.name, [made(table, calls)])
            async with self.opens() as other:
                await other.prepare(table.name, [made(table, calls)])
                assert await ids(other, table) == ["kept"]
            assert calls == [table.name]

        self.run(test)

    def test_of_several_steps_only_the_new_ones_run(self) -> None:
        async def test(sql: Sql) -> None:
            first, second, third, calls = a_table(), a_table(), a_table(), list[str]()
            await sql.prepare(first.name, [made(first, calls)])
            await sql.prepare(first.name, [made(first, calls), made(second, calls), made(third, calls)])
            assert calls == [first.name, second.name, third.name]
            assert [await size(sql, each) for each in (first, second, third)] == [0, 0, 0]

        self.run(test)

    def test_stores_know_nothing_of_each_other(self) -> None:
        async def test(sql: Sql) -> None:
            one, other, calls = a_table(), a_table(), list[str]()
            await sql.prepare(one.name, [made(one, calls)])
            await sql.prepare(other.name, [made(other, calls)])
            assert calls == [one.name, other.name]

        self.run(test)

    def test_a_store_without_tables_is_no_trouble(self) -> None:
        async def test(sql: Sql) -> None:
            await sql.prepare(a_table().name, [])

        self.run(test)

    def test_a_step_that_fails_leaves_nothing(self) -> None:
        async def test(sql: Sql) -> None:
            first, second, calls = a_table(), a_table(), list[str]()

            def fails(connection: Connection) -> None:
                second.create(connection)
                connection.execute(sql.insert(first).values(id="half"))
                raise ZeroDivisionError

            with raises(ZeroDivisionError, "the fault of a step is not hidden"):
                await sql.prepare(first.name, [made(first, calls), fails])
            await sql.prepare(first.name, [made(first, calls), made(second, calls)])
            assert calls == [first.name, first.name, second.name]
            assert await ids(sql, first) == []

        self.run(test)

    def test_a_schema_from_the_future_is_refused(self) -> None:
        async def test(sql: Sql) -> None:
            first, second, calls = a_table(), a_table(), list[str]()
            steps = [made(first, calls), made(second, calls)]
            await sql.prepare(first.name, steps)
            with raises(SettingsError, "an older server must not touch what a newer one has made") as met:
                await sql.prepare(first.name, steps[:1])
            for word in (first.name, "version 2", "up to 1", "newer"):
                assert word in str(met[0]), f"it says {word!r}: {met[0]}"
            await sql.prepare(first.name, steps)
            assert calls == [first.name, second.name]

        self.run(test)

    def test_many_that_start_together_run_each_step_once(self) -> None:
        async def test(sql: Sql) -> None:
            table, calls = a_table(), list[str]()

            def fills(connection: Connection) -> None:
                calls.append("filled")
                connection.execute(sql.insert(table).values(id="one"))

            async def starts() -> None:
                async with self.opens() as other:
                    await other.prepare(table.name, [made(table, calls), fills])
                    assert await ids(other, table) == ["one"]

            await asyncio.gather(*(starts() for _ in range(6)))
            assert calls == [table.name, "filled"]

        self.run(test)
