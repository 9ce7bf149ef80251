"""The index over Chroma (`runtime.vector_index.VectorIndex`).

A store is a collection, an entry is a record of it. A record's document is not the text but its words, between blanks:
Chroma looks for pieces of documents and nothing else, and ` cat ` is in those that have the word.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias

from ....runtime.errors import StackError
from ....runtime.vector_index import Hit
from ....runtime.wiring import Health
from ..marks import Found, sifted
from ..texts import words_asked, words_of
from .metadata import Metadata, attributes_of, condition, metadata_of, of_group
from .searching import best_by_words, with_missed

if TYPE_CHECKING:
    from array import array

    from ....runtime.vector_filters import Filter, Scalar
    from ....runtime.vector_index import Entry
    from .metadata import Where

AT_ONCE = 300
"""Records of a call: of 4,096 numbers they are some 25 MB of JSON."""
_MOST = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What is there of a record, as far as it was asked for. distance: 1 less the cosine."""

    id: str
    vector: Sequence[float] = ()
    document: str = ""
    metadata: Metadata
    distance: float = 0.0


Part: TypeAlias = Literal["documents", "embeddings"]


class Records(Protocol):
    """Where collections are. Every method raises StackError, NotFound for a collection that is not there."""

    async def create(self, store: str) -> None: ...

    async def drop(self, store: str) -> None: ...

    async def put(self, store: str, records: Sequence[Record]) -> None:
        """Of one that is there already, values of metadata that are not said stay; None takes one away."""

    async def change(self, store: str, changes: Mapping[str, Metadata]) -> None:
        """metadata by id, as in `put`."""

    async def delete(self, store: str, where: Where) -> None: ...

    async def count(self, store: str) -> int: ...

    async def ids(self, store: str, piece: str | None, where: Where | None) -> list[str]:
        """Of the records whose documents have this piece in them."""

    async def read(self, store: str, ids: Sequence[str], also: Part | None = None) -> list[Record]:
        """Those that are there, with their metadata, and one part more."""

    async def group(self, store: str, where: Where, after: int, limit: int) -> list[Record]:
        """Some of those that the condition lets through, in an order that stays; with their metadata."""

    async def nearest(self, store: str, vector: Sequence[float], limit: int, where: Where | None) -> list[Record]:
        """The nearest first, with metadata and distance."""

    async def check(self) -> None:
        """Raises StackError where it cannot serve."""


class ChromaIndex:
    def __init__(self, records: Records) -> None:
        self._records = records

    @property
    def keywords(self) -> bool:
        return True

    async def create(self, store: str, dimension: int) -> None:
        # Chroma takes the dimension from the first record.
        await self._records.create(store)

    async def drop(self, store: str) -> None:
        await self._records.drop(store)

    async def add(self, store: str, entries: Sequence[Entry]) -> None:
        newest = list({each.id: each for each in entries}.values())
        for start in range(0, len(newest), AT_ONCE):
            some = newest[start : start + AT_ONCE]
            there = await self._records.read(store, [each.id for each in some])
            before = {each.id: each.metadata for each in there}
            await self._records.put(store, [_record(each, before.get(each.id, {})) for each in some])

    async def remove(self, store: str, group: str) -> None:
        try:
            await self._records.delete(store, of_group(group))
        except StackError as error:
            if error.status != 404:
                raise

    async def label(self, store: str, group: str, attributes: Mapping[str, Scalar]) -> None:
        new, after = metadata_of(group, attributes), 0
        while some := await self._records.group(store, of_group(group), after, AT_ONCE):
            await self._records.change(store, {each.id: _instead(each.metadata, new) for each in some})
            after += len(some)

    async def near(self, store: str, vector: array[float], *, limit: int, where: Filter | None) -> list[Hit]:
        among = None if where is None else condition(where)
        numbers = vector.tolist()

        async def ask(depth: int) -> list[Found]:
            found = await self._records.nearest(store, numbers, depth, among)
            if len(found) < depth:
                found = await with_missed(self._records, store, numbers, found, among)
            return [_found(each) for each in found[:depth]]

        return await sifted(ask, where, limit, _MOST)

    async def matching(self, store: str, words: Sequence[str], *, limit: int, where: Filter | None) -> list[Hit]:
        return await best_by_words(self._records, store, words_asked(words), limit, where)

    async def health(self) -> Health:
        try:
            await self._records.check()
        except StackError as error:
            return Health("Error", error.message)
        return Health("OK")


def _record(entry: Entry, before: Mapping[str, object]) -> Record:
    return Record(
        id=entry.id,
        vector=entry.vector.tolist(),
        document=f" {' '.join(words_of(entry.text))} ",
        metadata=_instead(before, metadata_of(entry.group, entry.attributes)),
    )


def _instead(before: Mapping[str, object], now: Metadata) -> Metadata:
    """What makes the one of the other."""
    gone: Metadata = {key: None for key in before if key not in now}
    return gone | now


def _found(record: Record) -> Found:
    score = min(1.0, max(0.0, 1.0 - record.distance))
    return Found(Hit(record.id, score), json.dumps(attributes_of(record.metadata)))
