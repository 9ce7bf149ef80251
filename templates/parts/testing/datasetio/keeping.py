"""Rows that are sent are kept."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from ...runtime.dataset_rows import DatasetPlace, DatasetShelf, Row
from ..suite import Suite
from .reading import CTX, place

ROWS: Sequence[Row] = (
    {"question": "π?", "answer": 3.14159, "n": None},
    {"question": 'a "quoted" \\ one\n', "tags": ["a", {"b": [1, 2.5, True]}]},
    {},
    {"large": 12345678901234567890, "small": -0.5, "": ""},
)
"""Rows in which anything may stand."""


class KeepingSuite(Suite[DatasetShelf]):
    """How a provider keeps rows."""

    def test_it_fits_rows_that_are_sent(self) -> None:
        async def test(shelf: DatasetShelf) -> None:
            assert shelf.fits(None)

        self.run(test)

    def test_rows_come_back_as_they_were(self) -> None:
        async def test(shelf: DatasetShelf, dataset: DatasetPlace) -> None:
            assert await _all(shelf, dataset) == list(ROWS)

        self.keeps(ROWS, test)

    def test_taken_again_it_stays_as_it_is(self) -> None:
        async def test(shelf: DatasetShelf, dataset: DatasetPlace) -> None:
            await shelf.append(dataset, [{"a": 1}], CTX)
            await shelf.take(dataset, ROWS, CTX)
            await shelf.settle(dataset, CTX)
            assert await _all(shelf, dataset) == [*ROWS, {"a": 1}]

        self.keeps(ROWS, test)

    def test_what_is_added_comes_behind(self) -> None:
        async def test(shelf: DatasetShelf, dataset: DatasetPlace) -> None:
            assert await _all(shelf, dataset) == []
            await shelf.append(dataset, [{"n": 1}, {"n": 2}], CTX)
            await shelf.append(dataset, [], CTX)
            await shelf.append(dataset, [{"n": 3}], CTX)
            assert await _all(shelf, dataset) == [{"n": 1}, {"n": 2}, {"n": 3}]
            page = await shelf.read(dataset, 1, 1, CTX)
            assert (page.rows, page.more) == ([{"n": 2}], True)

        self.keeps((), test)

    def test_many_who_add_at_once_lose_nothing(self) -> None:
        async def test(shelf: DatasetShelf, dataset: DatasetPlace) -> None:
            async with self.opens() as other:
                adding = (
                    (shelf, other)[number % 2].append(dataset, [{"n": number, "m": m} for m in range(3)], CTX)
                    for number in range(10)
                )
                await asyncio.gather(*adding)
                found = await _all(other, dataset)
            assert sorted((each["n"], each["m"]) for each in found) == [(n, m) for n in range(10) for m in range(3)]
            together = [found[start]["n"] for start in range(0, 30, 3) for _ in range(3)]
            assert [each["n"] for each in found] == together, "what is added at once stands together"

        self.keeps((), test)

    def test_what_one_process_adds_another_reads(self) -> None:
        async def test(shelf: DatasetShelf, dataset: DatasetPlace) -> None:
            await shelf.append(dataset, [{"n": 1}], CTX)
            async with self.opens() as other:
                assert await _all(other, dataset) == [*ROWS, {"n": 1}]

        self.keeps(ROWS, test)

    def test_datasets_have_nothing_to_do_with_each_other(self) -> None:
        async def test(shelf: DatasetShelf, dataset: DatasetPlace) -> None:
            other = place()
            await shelf.take(other, [{"n": 1}], CTX)
            await shelf.forget(other, CTX)
            await shelf.forget(other, CTX)
            assert await _all(shelf, dataset) == list(ROWS)
            await shelf.take(other, [{"n": 2}], CTX)
            assert await _all(shelf, other) == [{"n": 2}], "of what is forgotten nothing is left"
            await shelf.forget(other, CTX)

        self.keeps(ROWS, test)

    def keeps(self, rows: Sequence[Row], test: Callable[[DatasetShelf, DatasetPlace], Awaitable[None]]) -> None:
        """One test of one dataset."""

        async def of_dataset(shelf: DatasetShelf) -> None:
            dataset = place()
            await shelf.take(dataset, rows, CTX)
            await shelf.settle(dataset, CTX)
            await test(shelf, dataset)
            await shelf.forget(dataset, CTX)

        self.run(of_dataset)


async def _all(shelf: DatasetShelf, dataset: DatasetPlace) -> list[Row]:
    return (await shelf.read(dataset, 0, None, CTX)).rows
