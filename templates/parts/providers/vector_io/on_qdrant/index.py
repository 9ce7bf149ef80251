"""The index over Qdrant (`runtime.vector_index.VectorIndex`).

A store is a collection, an entry is a point of it with a vector and the weights of its words. What filters ask stands
in the point's payload as marks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol
from uuid import NAMESPACE_OID, uuid5

from ....runtime.errors import StackError
from ....runtime.vector_index import Hit
from ....runtime.wiring import Health
from ..marks import Found, as_json, condition, marks, numbers, sifted
from ..services import share
from .words import Weights, of_query, of_text

if TYPE_CHECKING:
    from array import array

    from ....runtime.vector_filters import Filter, Scalar
    from ....runtime.vector_index import Entry
    from ..marks import Condition

TEXT = "text"
"""The vectors' name in a collection."""
WORDS = "words"
"""The weights' name."""
INDEXED = {"group": "keyword", "marks": "keyword", "numbers[].name": "keyword", "numbers[].value": "float"}
"""What of a payload is looked for, and its type."""
_MOST = 1_000_000

Payload = dict[str, object]


class Points(Protocol):
    """Where collections are. Every method raises StackError, NotFound for a collection that is not there."""

    async def create(self, store: str, dimension: int) -> None: ...

    async def drop(self, store: str) -> None: ...

    async def put(self, store: str, points: Sequence[Point]) -> None: ...

    async def remove(self, store: str, group: str) -> None: ...

    async def change(self, store: str, group: str, payload: Payload) -> None:
        """Gives the points of a group other values of these keys."""

    async def best(
        self, store: str, query: Sequence[float] | Weights, limit: int, among: Condition | None
    ) -> list[Found]:
        """The points with the greatest scores by cosine, or by words for weights."""

    async def check(self) -> None:
        """Raises StackError where it cannot serve."""


class Point:
    """A point of a collection."""

    __slots__ = ("id", "payload", "vector", "words")

    def __init__(self, entry: Entry) -> None:
        # Qdrant takes numbers and UUIDs for ids, nothing else.
        self.id = str(uuid5(NAMESPACE_OID, entry.id))
        self.vector = entry.vector.tolist()
        self.words = of_text(entry.text)
        self.payload: Payload = {"id": entry.id, "group": entry.group, **_labels(entry.attributes)}


class QdrantIndex:
    def __init__(self, points: Points) -> None:
        self._points = points

    @property
    def keywords(self) -> bool:
        return True

    async def create(self, store: str, dimension: int) -> None:
        await self._points.create(store, dimension)

    async def drop(self, store: str) -> None:
        await self._points.drop(store)

    async def add(self, store: str, entries: Sequence[Entry]) -> None:
        # The last of an id is what counts; in one request Qdrant need not go by the order.
        await self._points.put(store, [Point(each) for each in {each.id: each for each in entries}.values()])

    async def remove(self, store: str, group: str) -> None:
        await self._points.remove(store, group)

    async def label(self, store: str, group: str, attributes: Mapping[str, Scalar]) -> None:
        await self._points.change(store, group, _labels(attributes))

    async def near(self, store: str, vector: array[float], *, limit: int, where: Filter | None) -> list[Hit]:
        hits = await self._sifted(store, vector.tolist(), limit, where)
        return [Hit(each.id, min(1.0, max(0.0, each.score))) for each in hits]

    async def matching(self, store: str, words: Sequence[str], *, limit: int, where: Filter | None) -> list[Hit]:
        weights = of_query(words)
        hits = await self._sifted(store, weights, limit, where) if weights.indices else []
        return [Hit(each.id, share(each.score)) for each in hits]

    async def health(self) -> Health:
        try:
            await self._points.check()
        except StackError as error:
            return Health("Error", error.message)
        return Health("OK")

    async def _sifted(
        self, store: str, query: Sequence[float] | Weights, limit: int, where: Filter | None
    ) -> list[Hit]:
        among = None if where is None else condition(where)

        async def ask(depth: int) -> list[Found]:
            return await self._points.best(store, query, depth, among)

        return await sifted(ask, where, limit, _MOST)


def _labels(attributes: Mapping[str, Scalar]) -> Payload:
    named = [{"name": name, "value": value} for name, value in numbers(attributes).items()]
    return {"marks": marks(attributes), "numbers": named, "attributes": as_json(attributes)}
