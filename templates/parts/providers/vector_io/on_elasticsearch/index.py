"""The index over Elasticsearch (`runtime.vector_index.VectorIndex`).

A store is an index of Elasticsearch, and an alias of it: what is written to an alias that is not there is refused,
where writing to an index that is not there would make one. An entry is a document; what filters ask stands in it as
marks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ....runtime.errors import BadRequest, StackError
from ....runtime.vector_index import Hit
from ....runtime.wiring import Health
from ..marks import AllOf, AnyOf, Found, Has, Within, as_json, condition, marks, numbers, sifted

if TYPE_CHECKING:
    from array import array

    from ....runtime.vector_filters import Filter, Scalar
    from ....runtime.vector_index import Entry
    from ..marks import Condition
    from .rest import Server

_MOST_NUMBERS = 4096
_MOST = 10_000
"""Hits of a search, as Elasticsearch's settings are."""
_LOOKED_AT = 100
_AT_ONCE = 256
_LABEL = "ctx._source.putAll(params.labels)"


class ElasticsearchIndex:
    def __init__(self, server: Server) -> None:
        self._server = server

    @property
    def keywords(self) -> bool:
        return True

    async def create(self, store: str, dimension: int) -> None:
        if dimension > _MOST_NUMBERS:
            message = f"Elasticsearch keeps vectors of at most {_MOST_NUMBERS} numbers, and these have {dimension}"
            raise BadRequest(message, code="embedding_dimension_too_large")
        await self._server.create(store, _schema(dimension))

    async def drop(self, store: str) -> None:
        await self._server.drop(store)

    async def add(self, store: str, entries: Sequence[Entry]) -> None:
        newest = list({each.id: each for each in entries}.values())
        for start in range(0, len(newest), _AT_ONCE):
            await self._server.put(store, {each.id: _document(each) for each in newest[start : start + _AT_ONCE]})

    async def remove(self, store: str, group: str) -> None:
        try:
            await self._server.change(store, "_delete_by_query", {"query": _of_group(group)})
        except StackError as error:
            if error.status != 404:
                raise

    async def label(self, store: str, group: str, attributes: Mapping[str, Scalar]) -> None:
        script = {"lang": "painless", "source": _LABEL, "params": {"labels": _labels(attributes)}}
        await self._server.change(store, "_update_by_query", {"query": _of_group(group), "script": script})

    async def near(self, store: str, vector: array[float], *, limit: int, where: Filter | None) -> list[Hit]:
        among = [] if where is None else [filter_of(condition(where))]
        # What has no direction is near to nothing, and Elasticsearch takes none of it.
        query_vector = vector.tolist() if any(vector) else [1.0] * len(vector)

        async def ask(depth: int) -> list[Found]:
            looked_at = min(_MOST, max(2 * depth, _LOOKED_AT))
            knn = {"field": "vector", "query_vector": query_vector, "k": depth, "num_candidates": looked_at}
            return await self._server.search(store, {"knn": knn | {"filter": among}, "size": depth})

        hits = await sifted(ask, where, limit, _MOST)
        return [Hit(each.id, _cosine(each.score) if any(vector) else 0.0) for each in hits]

    async def matching(self, store: str, words: Sequence[str], *, limit: int, where: Filter | None) -> list[Hit]:
        among = [] if where is None else [filter_of(condition(where))]
        text = {"match": {"text": {"query": " ".join(words), "operator": "or"}}}
        query = {"bool": {"must": [text], "filter": among}}

        async def ask(depth: int) -> list[Found]:
            return await self._server.search(store, {"query": query, "size": depth})

        hits = await sifted(ask, where, limit, _MOST)
        return [Hit(each.id, each.score / (1.0 + each.score)) for each in hits]

    async def health(self) -> Health:
        try:
            await self._server.check()
        except StackError as error:
            return Health("Error", error.message)
        return Health("OK")


def filter_of(where: Condition) -> Mapping[str, Any]:
    """The condition in Elasticsearch's language of queries."""
    if isinstance(where, AllOf):
        return {"bool": {"filter": [filter_of(each) for each in where.of]}}
    if isinstance(where, AnyOf):
        return {"bool": {"should": [filter_of(each) for each in where.of], "minimum_should_match": 1}}
    if isinstance(where, Within):
        named = {"term": {"numbers.name": where.name}}
        within = {"range": {"numbers.value": {where.sign: where.value}}}
        return {"nested": {"path": "numbers", "query": {"bool": {"filter": [named, within]}}}}
    marked = {"terms": {"marks": list(where.marks)}}
    return marked if isinstance(where, Has) else {"bool": {"must_not": [marked]}}


def _schema(dimension: int) -> Mapping[str, Any]:
    keyword = {"type": "keyword"}
    number = {"type": "nested", "properties": {"name": keyword, "value": {"type": "double"}}}
    properties = {
        "group": keyword,
        "marks": keyword,
        "numbers": number,
        "attributes": {"type": "keyword", "index": False, "doc_values": False},
        "text": {"type": "text", "analyzer": "words"},
        "vector": {"type": "dense_vector", "dims": dimension, "index": True, "similarity": "cosine"},
    }
    analyzer = {"type": "custom", "tokenizer": "standard", "filter": ["lowercase", "asciifolding"]}
    return {
        "settings": {"analysis": {"analyzer": {"words": analyzer}}},
        "mappings": {"dynamic": False, "properties": properties},
    }


def _document(entry: Entry) -> dict[str, object]:
    made: dict[str, object] = {"group": entry.group, "text": entry.text, **_labels(entry.attributes)}
    return made | ({"vector": entry.vector.tolist()} if any(entry.vector) else {})


def _labels(attributes: Mapping[str, Scalar]) -> dict[str, object]:
    named = [{"name": name, "value": value} for name, value in numbers(attributes).items()]
    return {"marks": marks(attributes), "numbers": named, "attributes": as_json(attributes)}


def _of_group(group: str) -> Mapping[str, Any]:
    return {"term": {"group": group}}


def _cosine(score: float) -> float:
    """Elasticsearch says (1 + cosine) / 2."""
    return min(1.0, max(0.0, 2.0 * score - 1.0))
