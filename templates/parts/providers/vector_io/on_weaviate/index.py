"""The index over Weaviate (`runtime.vector_index.VectorIndex`).

A store is a class, an entry is an object of it. What filters ask stands in the object as marks, numbers too: the
properties of a class are named once for all, and what an attribute is called is the client's to say.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING
from uuid import NAMESPACE_OID, uuid5

from ....runtime.errors import StackError
from ....runtime.vector_index import Hit
from ....runtime.wiring import Health
from ..marks import Found, as_json, condition, digest, marks, numbers, sifted
from ..services import gone, share, unit, until_none
from .ranges import beginnings
from .where import EVERY, equal, is_not, joined, where_of

if TYPE_CHECKING:
    from array import array

    from ....runtime.vector_filters import Filter, Scalar
    from ....runtime.vector_index import Entry
    from .server import Server

Object = Mapping[str, object]

_MOST = 10_000
"""Objects that a search finds, unless the server is told otherwise (QUERY_MAXIMUM_RESULTS)."""
_AT_ONCE = 256
_FIELD = {"dataType": ["text"], "tokenization": "field", "indexSearchable": False}
_CLASS = {
    "vectorizer": "none",
    "vectorIndexConfig": {"distance": "dot"},
    # Every word counts: whoever asks for "not" means it.
    "invertedIndexConfig": {"stopwords": {"preset": "none"}},
    "properties": [
        {**_FIELD, "name": "entry", "indexFilterable": False},
        {**_FIELD, "name": "grp", "indexFilterable": True},
        {"name": "text", "dataType": ["text"], "tokenization": "word", "indexFilterable": False},
        {**_FIELD, "name": "marks", "dataType": ["text[]"], "indexFilterable": True},
        {**_FIELD, "name": "attributes", "indexFilterable": False},
        {**_FIELD, "name": "labels", "indexFilterable": True},
    ],
}


class WeaviateIndex:
    def __init__(self, server: Server) -> None:
        self._server = server

    @property
    def keywords(self) -> bool:
        return True

    async def create(self, store: str, dimension: int) -> None:
        # A class takes the dimension of its first object.
        if not await self._server.has(store):
            await self._server.create(store, _CLASS)

    async def drop(self, store: str) -> None:
        await self._server.drop(store)

    async def add(self, store: str, entries: Sequence[Entry]) -> None:
        # Looked at, as Weaviate makes a class of its own for objects that have none.
        if not await self._server.has(store):
            raise gone(store)
        objects = [_object(each) for each in {each.id: each for each in entries}.values()]
        for start in range(0, len(objects), _AT_ONCE):
            await self._server.put(store, objects[start : start + _AT_ONCE])

    async def remove(self, store: str, group: str) -> None:
        if await self._server.has(store):
            await self._server.remove(store, equal("grp", _group(group)))

    async def label(self, store: str, group: str, attributes: Mapping[str, Scalar]) -> None:
        labels = _labels(attributes)
        where = joined("And", [equal("grp", _group(group)), is_not("labels", str(labels["labels"]))])

        async def lacking() -> list[Object]:
            fields = "entry grp text _additional { id vector }"
            found = await self._server.get(store, {"where": where, "limit": _AT_ONCE}, fields)
            return [self._labelled(each, labels) for each in found]

        async def mend(objects: Sequence[Object]) -> None:
            # Objects are put as a whole.
            await self._server.put(store, objects)

        await until_none(lacking, mend, lambda each: str(each["id"]))

    async def near(self, store: str, vector: array[float], *, limit: int, where: Filter | None) -> list[Hit]:
        hits = await self._sifted(store, {"nearVector": {"vector": unit(vector)}}, "distance", limit, where)
        # Weaviate's distance by `dot` is the inner product with its sign turned.
        return [Hit(each.id, min(1.0, max(0.0, -each.score))) for each in hits]

    async def matching(self, store: str, words: Sequence[str], *, limit: int, where: Filter | None) -> list[Hit]:
        asked = {"bm25": {"query": " ".join(words), "properties": ["text"]}}
        return [Hit(each.id, share(each.score)) for each in await self._sifted(store, asked, "score", limit, where)]

    async def health(self) -> Health:
        try:
            await self._server.check()
        except StackError as error:
            return Health("Error", error.message)
        return Health("OK")

    async def _sifted(
        self, store: str, asked: Mapping[str, object], scored: str, limit: int, where: Filter | None
    ) -> list[Hit]:
        among = {} if where is None else {"where": where_of(condition(where))}
        fields = f"entry attributes _additional {{ {scored} }}"

        async def ask(depth: int) -> list[Found]:
            found = await self._server.get(store, {**asked, **among, "limit": depth}, fields)
            try:
                return [_found(each, scored) for each in found]
            except (KeyError, TypeError, ValueError):
                raise self._server.strange() from None

        return await sifted(ask, where, limit, _MOST)

    def _labelled(self, found: Object, labels: Object) -> Object:
        more = found.get("_additional")
        if not isinstance(more, dict) or not {"id", "vector"} <= set(more):
            raise self._server.strange()
        kept = {name: found.get(name) for name in ("entry", "grp", "text")}
        return {"id": more["id"], "vector": more["vector"], "properties": {**kept, **labels}}


def _object(entry: Entry) -> Object:
    kept = {"entry": entry.id, "grp": _group(entry.group), "text": entry.text}
    id = str(uuid5(NAMESPACE_OID, entry.id))
    return {"id": id, "vector": unit(entry.vector), "properties": kept | _labels(entry.attributes)}


def _labels(attributes: Mapping[str, Scalar]) -> dict[str, object]:
    text = as_json(attributes)
    found = [EVERY, *marks(attributes), *beginnings(numbers(attributes))]
    return {"marks": found, "attributes": text, "labels": digest("labels", text)}


def _group(group: str) -> str:
    return digest("group", group)


def _found(row: Object, scored: str) -> Found:
    more = row["_additional"]
    if not isinstance(more, dict):
        raise TypeError(more)
    # A distance is a number, a score is a text.
    return Found(Hit(str(row["entry"]), float(more[scored])), str(row["attributes"]))
