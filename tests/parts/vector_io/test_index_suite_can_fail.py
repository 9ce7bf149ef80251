"""The suite for vector_io finds each way to break the contract, by the test that is there for it."""

from __future__ import annotations

from array import array
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from parts.providers.vector_io.sqlite.index import SqliteVecIndex
from parts.providers.vector_io.sqlite.threads import open_threads
from parts.runtime.vector_filters import Compare, Every, Filter, Scalar
from parts.runtime.vector_index import Entry, Hit
from parts.runtime.wiring import Health
from parts.testing.vector_io import VectorIndexSuite


class ForgetsTheOrder(SqliteVecIndex):
    async def near(self, store: str, vector: array[float], *, limit: int, where: Filter | None) -> list[Hit]:
        return (await super().near(store, vector, limit=limit, where=where))[::-1]


class TellsDistances(SqliteVecIndex):
    async def near(self, store: str, vector: array[float], *, limit: int, where: Filter | None) -> list[Hit]:
        found = await super().near(store, vector, limit=limit, where=where)
        return [Hit(each.id, 1 - each.score) for each in found]


class FindsTooMany(SqliteVecIndex):
    async def near(self, store: str, vector: array[float], *, limit: int, where: Filter | None) -> list[Hit]:
        return await super().near(store, vector, limit=limit + 1, where=where)


class FiltersAfterwards(SqliteVecIndex):
    """What is filtered out has taken its place by then."""

    async def near(self, store: str, vector: array[float], *, limit: int, where: Filter | None) -> list[Hit]:
        best = {each.id for each in await super().near(store, vector, limit=limit, where=None)}
        found = await super().near(store, vector, limit=limit, where=where)
        return [each for each in found if each.id in best]


class TakesEverythingForText(SqliteVecIndex):
    async def near(self, store: str, vector: array[float], *, limit: int, where: Filter | None) -> list[Hit]:
        if isinstance(where, Compare) and isinstance(where.value, bool):
            where = Compare(where.key, where.operator, str(where.value).lower())
        return await super().near(store, vector, limit=limit, where=where)


class FindsSomeForAll(SqliteVecIndex):
    async def near(self, store: str, vector: array[float], *, limit: int, where: Filter | None) -> list[Hit]:
        where = where.of[0] if isinstance(where, Every) else where
        return await super().near(store, vector, limit=limit, where=where)


class KeepsOldLabels(SqliteVecIndex):
    async def label(self, store: str, group: str, attributes: Mapping[str, Scalar]) -> None:
        return None


class KeepsGroups(SqliteVecIndex):
    async def remove(self, store: str, group: str) -> None:
        return None


class KeepsStores(SqliteVecIndex):
    async def drop(self, store: str) -> None:
        return None


class BeginsAnew(SqliteVecIndex):
    async def create(self, store: str, dimension: int) -> None:
        await self.drop(store)
        await super().create(store, dimension)


class LosesTheLast(SqliteVecIndex):
    """The last of what is added is lost."""

    async def add(self, store: str, entries: Sequence[Entry]) -> None:
        await super().add(store, entries[:-1])


class WantsAllWords(SqliteVecIndex):
    async def matching(self, store: str, words: Sequence[str], *, limit: int, where: Filter | None) -> list[Hit]:
        found = []
        for word in words:
            hits = await super().matching(store, [word], limit=99, where=where)
            found.append({hit.id: hit for hit in hits})
        return [hit for id, hit in found[0].items() if all(id in each for each in found)][:limit]


class ForgetsFiltersOfWords(SqliteVecIndex):
    async def matching(self, store: str, words: Sequence[str], *, limit: int, where: Filter | None) -> list[Hit]:
        return await super().matching(store, words, limit=limit, where=None)


class IsIll(SqliteVecIndex):
    async def health(self) -> Health:
        return Health("Error", "so it is")


FLAWS: list[tuple[type[SqliteVecIndex], str]] = [
    (ForgetsTheOrder, "test_the_nearest_come_first_with_their_cosine"),
    (TellsDistances, "test_the_nearest_come_first_with_their_cosine"),
    (FindsTooMany, "test_the_nearest_come_first_with_their_cosine"),
    (FiltersAfterwards, "test_what_is_filtered_out_takes_no_place"),
    (TakesEverythingForText, "test_filters_let_through_what_they_say"),
    (FindsSomeForAll, "test_filters_let_through_what_they_say"),
    (KeepsOldLabels, "test_a_group_has_its_newest_attributes"),
    (KeepsGroups, "test_a_group_is_removed_as_a_whole"),
    (KeepsStores, "test_stores_have_nothing_to_do_with_each_other"),
    (BeginsAnew, "test_made_twice_and_dropped_twice"),
    (LosesTheLast, "test_what_one_process_keeps_another_finds"),
    (WantsAllWords, "test_words_find_the_texts_that_have_them"),
    (ForgetsFiltersOfWords, "test_filters_hold_for_words"),
    (IsIll, "test_it_is_healthy"),
]


@pytest.mark.parametrize(("flawed", "test"), FLAWS, ids=[flawed.__name__ for flawed, _ in FLAWS])
def test_it_finds(flawed: type[SqliteVecIndex], test: str, tmp_path: Path) -> None:
    class Suite(VectorIndexSuite):
        @asynccontextmanager
        async def opens(self) -> AsyncIterator[SqliteVecIndex]:
            async with open_threads(str(tmp_path / "vectors.db"), 1, 5.0, "flawed") as threads:
                yield flawed(threads)

    with pytest.raises(AssertionError):
        getattr(Suite(), test)()


def test_it_finds_what_is_gone_when_it_is_opened_again(tmp_path: Path) -> None:
    class Suite(VectorIndexSuite):
        opened = 0

        @asynccontextmanager
        async def opens(self) -> AsyncIterator[SqliteVecIndex]:
            self.opened += 1
            async with open_threads(str(tmp_path / f"{self.opened}.db"), 1, 5.0, "forgetful") as threads:
                yield SqliteVecIndex(threads)

    with pytest.raises(AssertionError):
        Suite().test_what_is_kept_is_there_when_it_is_opened_again()


@pytest.mark.parametrize("test", ["another_finds", "another_finds_by_words"])
def test_it_finds_what_lets_another_process_in(test: str, tmp_path: Path) -> None:
    class Suite(VectorIndexSuite):
        shared = False

        @asynccontextmanager
        async def opens(self) -> AsyncIterator[SqliteVecIndex]:
            async with open_threads(str(tmp_path / "vectors.db"), 1, 5.0, "open") as threads:
                yield SqliteVecIndex(threads)

    with pytest.raises(AssertionError, match="two have opened"):
        getattr(Suite(), f"test_what_one_process_keeps_{test}")()
