"""The suite for SQL databases finds each way to break the contract, by the test that is there for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from itertools import count
from pathlib import Path

import pytest
from parts.providers.storage.sql.sqlite import SqliteDatabase
from parts.providers.storage.sqlite.file import made
from parts.runtime.errors import Unavailable
from parts.runtime.sql import Migration, Sql
from parts.testing.storage.sql import SqlSuite
from sqlalchemy import Connection, Insert, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection


class RemembersNothing(SqliteDatabase):
    async def prepare(self, store: str, migrations: Sequence[Migration]) -> None:
        async with self.writing() as connection:
            for step in migrations:
                await connection.run_sync(step)


class TakesAnySchema(SqliteDatabase):
    async def prepare(self, store: str, migrations: Sequence[Migration]) -> None:
        # Whatever is missing to what the database has seen.
        await super().prepare(store, [*migrations, *([lambda _: None] if len(migrations) == 1 else [])])


class MixesStores(SqliteDatabase):
    async def prepare(self, store: str, migrations: Sequence[Migration]) -> None:
        await super().prepare("everybody", migrations)


class KeepsHalfASchema(SqliteDatabase):
    async def prepare(self, store: str, migrations: Sequence[Migration]) -> None:
        for number, _ in enumerate(migrations, 1):
            await super().prepare(store, migrations[:number])


class HidesFaultsOfSteps(SqliteDatabase):
    async def prepare(self, store: str, migrations: Sequence[Migration]) -> None:
        with suppress(ZeroDivisionError):
            await super().prepare(store, migrations)


class SpeaksSomethingElse(SqliteDatabase):
    @property
    def dialect(self) -> str:  # type: ignore[override]
        return "postgresql"


class CommitsWhateverHappens(SqliteDatabase):
    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        async with super().writing() as connection:
            try:
                yield connection
            finally:
                await connection.commit()


class ForgetsSome(SqliteDatabase):
    numbers = count()

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        async with super().writing() as connection:
            yield connection
            if next(self.numbers) % 50 == 49:
                await connection.rollback()


class WritesInPieces(SqliteDatabase):
    async def write_all(self, statement: Insert, rows: Sequence[Mapping[str, object]]) -> None:
        for row in rows:
            await super().write_all(statement, [row])


class KeepsItsTurn(SqliteDatabase):
    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        async with asyncio.timeout(0.5):
            await self._turn.acquire()
        async with self._writer.begin() as connection:
            yield connection
        self._turn.release()


class HasNoForeignKeys(SqliteDatabase):
    pragma = "PRAGMA foreign_keys=OFF"

    def __init__(self, path: str, *, readers: int, patience: float, instance: str) -> None:
        super().__init__(path, readers=readers, patience=patience, instance=instance)
        for engine in (self._writer, self._readers):
            event.listen(engine.sync_engine, "connect", lambda connection, _: connection.cursor().execute(self.pragma))


class LetsReadersWrite(HasNoForeignKeys):
    pragma = "PRAGMA query_only=OFF"


class ReadsWithoutTransactions(SqliteDatabase):
    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        async with super().reading() as connection:

            def ends(connection: Connection, *_: object) -> None:
                if connection.in_transaction():
                    connection.connection.dbapi_connection.rollback()  # type: ignore[union-attr]

            event.listen(connection.sync_connection, "before_execute", ends)
            yield connection


class ReadsWhatIsNotFinished(SqliteDatabase):
    now: AsyncConnection | None = None

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        async with super().writing() as connection:
            self.now = connection
            try:
                yield connection
            finally:
                self.now = None

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        if self.now is not None:
            yield self.now
        else:
            async with super().reading() as connection:
                yield connection


class CallsEverythingAnOutage(SqliteDatabase):
    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        try:
            async with super().writing() as connection:
                yield connection
        except DBAPIError as error:
            raise Unavailable("something is wrong") from error


class RepeatsWhatClientsSay(SqliteDatabase):
    def __init__(self, path: str, *, readers: int, patience: float, instance: str) -> None:
        super().__init__(path, readers=readers, patience=patience, instance=instance)
        self._writer.sync_engine.hide_parameters = False


class GivesUpInACrowd(SqliteDatabase):
    inside = 0

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        self.inside += 1
        try:
            if self.inside > 50:
                raise Unavailable("too many")
            async with super().writing() as connection:
                yield connection
        finally:
            self.inside -= 1


class TrimsTexts(HasNoForeignKeys):
    def __init__(self, path: str, *, readers: int, patience: float, instance: str) -> None:
        super().__init__(path, readers=readers, patience=patience, instance=instance)

        def trims(connection: object, cursor: object, statement: str, parameters: object, *_: object) -> object:
            if isinstance(parameters, tuple):
                parameters = tuple(each.strip() if isinstance(each, str) else each for each in parameters)
            return statement, parameters

        event.listen(self._writer.sync_engine, "before_cursor_execute", trims, retval=True)


class KeepsItToItself(SqliteDatabase):
    """Opened again it is another database."""


class SoundSuite(SqlSuite):
    flaw: type[SqliteDatabase] = SqliteDatabase
    seconds = 20.0
    path: Path
    numbers = count()

    @asynccontextmanager
    async def opens(self) -> AsyncIterator[Sql]:
        name = f"{next(self.numbers)}.db" if self.flaw is KeepsItToItself else "sql.db"
        path = str(self.path / name)
        await made(path, 5.0, "sql_default")
        database = self.flaw(path, readers=4, patience=5.0, instance="sql_default")
        try:
            yield database
        finally:
            await database.close()


FLAWS: list[tuple[type[SqliteDatabase], Callable[[SoundSuite], None]]] = [
    (RemembersNothing, SoundSuite.test_a_step_runs_once),
    (RemembersNothing, SoundSuite.test_of_several_steps_only_the_new_ones_run),
    (RemembersNothing, SoundSuite.test_many_that_start_together_run_each_step_once),
    (TakesAnySchema, SoundSuite.test_a_schema_from_the_future_is_refused),
    (MixesStores, SoundSuite.test_stores_know_nothing_of_each_other),
    (KeepsHalfASchema, SoundSuite.test_a_step_that_fails_leaves_nothing),
    (HidesFaultsOfSteps, SoundSuite.test_a_step_that_fails_leaves_nothing),
    (SpeaksSomethingElse, SoundSuite.test_it_says_what_it_speaks),
    (KeepsItToItself, SoundSuite.test_what_is_written_is_there_for_everybody),
    (CommitsWhateverHappens, SoundSuite.test_a_block_that_raises_leaves_nothing),
    (CommitsWhateverHappens, SoundSuite.test_who_is_cancelled_leaves_nothing_and_blocks_nobody),
    (WritesInPieces, SoundSuite.test_many_rows_at_once_are_all_written_or_none_is),
    (WritesInPieces, SoundSuite.test_cancelling_many_rows_at_any_moment_leaves_all_or_none),
    (ForgetsSome, SoundSuite.test_no_update_is_lost_between_many),
    (KeepsItsTurn, SoundSuite.test_who_is_cancelled_leaves_nothing_and_blocks_nobody),
    (HasNoForeignKeys, SoundSuite.test_a_row_without_its_parent_is_an_integrity_error),
    (LetsReadersWrite, SoundSuite.test_who_reads_cannot_write),
    (ReadsWithoutTransactions, SoundSuite.test_who_reads_sees_one_state_and_holds_up_nobody),
    (ReadsWhatIsNotFinished, SoundSuite.test_who_reads_does_not_see_what_is_not_finished),
    (CallsEverythingAnOutage, SoundSuite.test_a_mistake_in_a_statement_is_not_told_as_an_outage),
    (CallsEverythingAnOutage, SoundSuite.test_a_key_that_is_there_already_is_an_integrity_error),
    (RepeatsWhatClientsSay, SoundSuite.test_a_key_that_is_there_already_is_an_integrity_error),
    (GivesUpInACrowd, SoundSuite.test_many_at_once_are_all_served),
    (TrimsTexts, SoundSuite.test_no_text_is_a_command_wherever_it_stands),
]


@pytest.mark.parametrize(("flaw", "test"), FLAWS, ids=lambda value: getattr(value, "__name__", ""))
def test_a_flaw_is_found(
    flaw: type[SqliteDatabase], test: Callable[[SoundSuite], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    suite = SoundSuite()
    suite.path = tmp_path
    test(suite)
    suite.flaw = flaw
    with pytest.raises((AssertionError, TimeoutError, DBAPIError, Unavailable)):
        test(suite)
