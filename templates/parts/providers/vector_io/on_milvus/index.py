"""The index over Milvus (`runtime.vector_index.VectorIndex`).

A store is a collection, an entry is a row of it. Milvus makes the weights of a row's words from its text. What filters
ask stands in the row as marks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from ....runtime.errors import StackError
from ....runtime.vector_index import Hit
from ....runtime.wiring import Health
from ..marks import Found, as_json, condition, digest, marks, numbers, sifted
from ..services import share, unit, until_none
from .expressions import expression, group_of, is_group, lacks_labels

if TYPE_CHECKING:
    from array import array

    from ....runtime.vector_filters import Filter, Scalar
    from ....runtime.vector_index import Entry

Row = dict[str, object]

MOST = 16_384
"""Rows that a search finds."""
LONGEST_TEXT = 65_535
"""Bytes of a field; what is further down in a text is not found by its words."""
KEPT = ("id", "grp", "text", "vector")
"""The fields of a row that its labels leave as they are."""
_AT_ONCE = 256


class Collections(Protocol):
    """Where collections are. Every method raises StackError, NotFound for a collection that is not there."""

    async def create(self, store: str, dimension: int) -> None: ...

    async def drop(self, store: str) -> None: ...

    async def upsert(self, store: str, rows: Sequence[Row]) -> None: ...

    async def delete(self, store: str, where: str) -> None:
        """where: an expression of Milvus, as everywhere here."""

    async def rows(self, store: str, where: str, limit: int) -> list[Row]:
        """Some of the rows, with the fields of `KEPT`."""

    async def search(self, store: str, asked: Sequence[float] | str, limit: int, where: str | None) -> list[Found]:
        """The rows with the greatest inner products, or by BM25 for a text."""

    async def check(self) -> None:
        """Raises StackError where it cannot serve."""


class MilvusIndex:
    def __init__(self, collections: Collections) -> None:
        self._collections = collections

    @property
    def keywords(self) -> bool:
        return True

    async def create(self, store: str, dimension: int) -> None:
        await self._collections.create(store, dimension)

    async def drop(self, store: str) -> None:
        await self._collections.drop(store)

    async def add(self, store: str, entries: Sequence[Entry]) -> None:
        rows = [_row(each) for each in {each.id: each for each in entries}.values()]
        for start in range(0, len(rows), _AT_ONCE):
            await self._collections.upsert(store, rows[start : start + _AT_ONCE])

    async def remove(self, store: str, group: str) -> None:
        await self._collections.delete(store, is_group(group))

    async def label(self, store: str, group: str, attributes: Mapping[str, Scalar]) -> None:
        labels = _labels(attributes)
        where = lacks_labels(group, str(labels["labels"]))

        async def lacking() -> list[Row]:
            return await self._collections.rows(store, where, _AT_ONCE)

        async def mend(rows: Sequence[Row]) -> None:
            # Rows are changed as a whole.
            await self._collections.upsert(store, [row | labels for row in rows])

        await until_none(lacking, mend, lambda row: str(row["id"]))

    async def near(self, store: str, vector: array[float], *, limit: int, where: Filter | None) -> list[Hit]:
        hits = await self._sifted(store, unit(vector), limit, where)
        return [Hit(each.id, min(1.0, max(0.0, each.score))) for each in hits]

    async def matching(self, store: str, words: Sequence[str], *, limit: int, where: Filter | None) -> list[Hit]:
        hits = await self._sifted(store, " ".join(words), limit, where)
        return [Hit(each.id, share(each.score)) for each in hits]

    async def health(self) -> Health:
        try:
            await self._collections.check()
        except StackError as error:
            return Health("Error", error.message)
        return Health("OK")

    async def _sifted(self, store: str, asked: Sequence[float] | str, limit: int, where: Filter | None) -> list[Hit]:
        among = None if where is None else expression(condition(where))

        async def ask(depth: int) -> list[Found]:
            return await self._collections.search(store, asked, depth, among)

        return await sifted(ask, where, limit, MOST)


def _row(entry: Entry) -> Row:
    text = entry.text.encode()[:LONGEST_TEXT].decode(errors="ignore")
    kept = {"id": entry.id, "grp": group_of(entry.group), "text": text, "vector": unit(entry.vector)}
    return kept | _labels(entry.attributes)


def _labels(attributes: Mapping[str, Scalar]) -> Row:
    text = as_json(attributes)
    return {
        "marks": marks(attributes),
        "numbers": numbers(attributes),
        "attributes": text,
        "labels": digest("labels", text),
    }
