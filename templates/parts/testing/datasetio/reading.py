"""Rows are read page by page."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import uuid4

from ...runtime.context import Context
from ...runtime.dataset_rows import DatasetPlace, DatasetShelf, Row
from ..suite import Suite, refused

CTX = Context("suite")


def place(uri: str | None = None) -> DatasetPlace:
    """A dataset that nobody has used."""
    key = uuid4().hex
    return DatasetPlace(id=f"suite/{key}", key=f"rows_{key}", uri=uri, metadata={}, declared=False)


class ReadingSuite(Suite[DatasetShelf]):
    """uri: of a dataset that is there. rows: what it holds, three at least. bad_uri: where there is none."""

    uri = ""
    rows: Sequence[Row] = ()
    bad_uri = ""

    def test_it_fits_what_it_can_read(self) -> None:
        async def test(shelf: DatasetShelf) -> None:
            assert shelf.fits(self.uri)

        self.run(test)

    def test_all_rows_come_in_their_order(self) -> None:
        async def test(shelf: DatasetShelf) -> None:
            dataset = await self._taken(shelf)
            page = await shelf.read(dataset, 0, None, CTX)
            assert (page.rows, page.more) == (list(self.rows), False)

        self.run(test)

    def test_pages_put_together_are_all(self) -> None:
        async def test(shelf: DatasetShelf) -> None:
            dataset = await self._taken(shelf)
            found: list[Row] = []
            for start in range(0, len(self.rows), 2):
                page = await shelf.read(dataset, start, 2, CTX)
                assert len(page.rows) <= 2, "no more than was asked for"
                assert page.more is (start + 2 < len(self.rows)), f"whether others follow {start + 2}"
                found += page.rows
            assert found == list(self.rows)

        self.run(test)

    def test_beyond_the_end_there_is_nothing(self) -> None:
        async def test(shelf: DatasetShelf) -> None:
            dataset = await self._taken(shelf)
            for start, limit in ((len(self.rows), 5), (len(self.rows) + 10, None)):
                page = await shelf.read(dataset, start, limit, CTX)
                assert (page.rows, page.more) == ([], False)
            page = await shelf.read(dataset, 0, 0, CTX)
            assert (page.rows, page.more) == ([], True)

        self.run(test)

    def test_a_dataset_that_cannot_be_read_is_not_taken(self) -> None:
        async def test(shelf: DatasetShelf) -> None:
            error = await refused(shelf.take(place(self.bad_uri), None, CTX))
            assert 400 <= error.status < 500, f"it is the client who has named it, and gets a {error.status}"

        self.run(test)

    def test_it_is_healthy(self) -> None:
        async def test(shelf: DatasetShelf) -> None:
            assert (await shelf.health()).status == "OK"

        self.run(test)

    async def _taken(self, shelf: DatasetShelf) -> DatasetPlace:
        dataset = place(self.uri)
        await shelf.take(dataset, None, CTX)
        await shelf.settle(dataset, CTX)
        return dataset
