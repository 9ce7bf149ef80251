"""The providers of datasetio before the suites that third parties prove theirs with (`stackgen_api.testing.datasetio`),
and flawed ones, which the suites find.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest
from parts.providers.datasetio.localfs import LocalDatasets, LocalfsConfig, open_localfs_datasets
from parts.runtime.context import Context
from parts.runtime.dataset_rows import DatasetPlace, Page, Row
from parts.runtime.sql import Sql
from parts.testing.datasetio import KeepingSuite, ReadingSuite
from real_servers import Postgres
from sql_backends import postgres_at, sqlite_at

LINES = b'{"question": "a", "n": 1}\n\n{"question": "b", "n": 2}\r\n{"question": "c", "n": 3}'
ROWS: list[Row] = [{"question": "a", "n": 1}, {"question": "b", "n": 2}, {"question": "c", "n": 3}]


@asynccontextmanager
async def kept_in(sql: AbstractAsyncContextManager[Sql], folder: Path) -> AsyncIterator[LocalDatasets]:
    (folder / "rows.jsonl").write_bytes(LINES)
    async with sql as store, open_localfs_datasets(LocalfsConfig(files_dir=str(folder)), store=store) as shelf:
        yield shelf


class OfLocalfs(KeepingSuite, ReadingSuite):
    uri = "lsfs://rows.jsonl"
    bad_uri = "lsfs://nothing.jsonl"
    rows = ROWS


class TestInSqlite(OfLocalfs):
    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path) -> None:
        self.folder = tmp_path

    def opens(self) -> AbstractAsyncContextManager[LocalDatasets]:
        return kept_in(sqlite_at(self.folder / "sql.db"), self.folder)


class TestInPostgres(OfLocalfs):
    @pytest.fixture(autouse=True)
    def _database(self, postgres: Postgres, tmp_path: Path) -> None:
        self.folder, self.database = tmp_path, postgres.database()

    def opens(self) -> AbstractAsyncContextManager[LocalDatasets]:
        return kept_in(postgres_at(self.database), self.folder)


# ── a suite that cannot fail proves nothing ─────────────────────────────────────────────────────────────────────────


class Flawed(LocalDatasets):
    """One that stands on a sound one."""

    def __init__(self, sound: LocalDatasets) -> None:
        super().__init__(sound._kept, sound._places)


class GivesOneMore(Flawed):
    async def read(self, dataset: DatasetPlace, start: int, limit: int | None, ctx: Context) -> Page:
        return await super().read(dataset, start, None if limit is None else limit + 1, ctx)


class NeverHasMore(Flawed):
    async def read(self, dataset: DatasetPlace, start: int, limit: int | None, ctx: Context) -> Page:
        return Page((await super().read(dataset, start, limit, ctx)).rows, False)


class ReadsFromTheEnd(Flawed):
    async def read(self, dataset: DatasetPlace, start: int, limit: int | None, ctx: Context) -> Page:
        page = await super().read(dataset, start, limit, ctx)
        return Page(page.rows[::-1], page.more)


class TakesAnything(Flawed):
    async def take(self, dataset: DatasetPlace, rows: Sequence[Row] | None, ctx: Context) -> None:
        if dataset.uri is None:
            await super().take(dataset, rows, ctx)


class LosesTheLast(Flawed):
    async def append(self, dataset: DatasetPlace, rows: Sequence[Row], ctx: Context) -> None:
        await super().append(dataset, rows[:-1], ctx)


class AddsOneByOne(Flawed):
    async def append(self, dataset: DatasetPlace, rows: Sequence[Row], ctx: Context) -> None:
        for row in rows:
            await super().append(dataset, [row], ctx)


class ForgetsNothing(Flawed):
    async def forget(self, dataset: DatasetPlace, ctx: Context) -> None:
        return None


class BeginsAnew(Flawed):
    async def take(self, dataset: DatasetPlace, rows: Sequence[Row] | None, ctx: Context) -> None:
        await self.forget(dataset, ctx)
        await super().take(dataset, rows, ctx)


class MakesTexts(Flawed):
    async def take(self, dataset: DatasetPlace, rows: Sequence[Row] | None, ctx: Context) -> None:
        texts: list[Row] = [{name: str(value) for name, value in row.items()} for row in rows or ()]
        await super().take(dataset, texts, ctx)


@pytest.mark.parametrize(
    ("flawed", "test"),
    [
        (GivesOneMore, "test_pages_put_together_are_all"),
        (NeverHasMore, "test_pages_put_together_are_all"),
        (NeverHasMore, "test_beyond_the_end_there_is_nothing"),
        (ReadsFromTheEnd, "test_all_rows_come_in_their_order"),
        (TakesAnything, "test_a_dataset_that_cannot_be_read_is_not_taken"),
        (LosesTheLast, "test_what_is_added_comes_behind"),
        (LosesTheLast, "test_what_one_process_adds_another_reads"),
        (AddsOneByOne, "test_many_who_add_at_once_lose_nothing"),
        (ForgetsNothing, "test_datasets_have_nothing_to_do_with_each_other"),
        (BeginsAnew, "test_taken_again_it_stays_as_it_is"),
        (MakesTexts, "test_rows_come_back_as_they_were"),
    ],
)
def test_it_finds(flawed: Callable[[LocalDatasets], LocalDatasets], test: str, tmp_path: Path) -> None:
    class Suite(OfLocalfs):
        @asynccontextmanager
        async def opens(self) -> AsyncIterator[LocalDatasets]:
            async with kept_in(sqlite_at(tmp_path / "sql.db"), tmp_path) as sound:
                yield flawed(sound)

    with pytest.raises(AssertionError):
        getattr(Suite(), test)()
