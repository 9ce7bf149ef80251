"""Collections of a Milvus server, over its REST API (v2), which it has at the port of its other API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from pydantic_core import to_json

from ....runtime.errors import RateLimited, StackError, Unavailable, UpstreamError
from ....runtime.relay import read_json
from ....runtime.upstream import Call
from ....runtime.upstream_errors import mask
from ....runtime.vector_index import Hit
from ..marks import Found
from ..services import gone, told
from .index import KEPT, LONGEST_TEXT

if TYPE_CHECKING:
    from ....runtime.secret import Secret
    from ....runtime.upstream import Upstream
    from .index import Row

_NO_COLLECTION = 100
_BUSY = {1: Unavailable, 2: Unavailable, 4: RateLimited, 8: RateLimited}
"""Codes of answers: not ready, not available, too many requests, over the rate."""
_INDEXES = [
    {"fieldName": "vector", "indexName": "vector", "metricType": "IP", "indexType": "AUTOINDEX"},
    {"fieldName": "words", "indexName": "words", "metricType": "BM25", "indexType": "AUTOINDEX"},
]
_BM25 = {"name": "words", "type": "BM25", "inputFieldNames": ["text"], "outputFieldNames": ["words"], "params": {}}


class Server:
    """key: an API key, or `user:password`. consistency: how much of what was written a search has to see."""

    def __init__(self, upstream: Upstream, key: Secret | None, database: str | None, consistency: str) -> None:
        self._upstream = upstream
        self._secrets = () if key is None else (key,)
        self._headers = {"Content-Type": "application/json"}
        if key is not None:
            self._headers["Authorization"] = f"Bearer {key.reveal()}"
        self._database = {} if database is None else {"dbName": database}
        self._consistency = consistency

    async def create(self, store: str, dimension: int) -> None:
        found = await self._ask("collections/has", store)
        if isinstance(found, dict) and found.get("has") is True:
            # Whoever made it may not have come so far.
            await self._ask("indexes/create", store, indexParams=_INDEXES)
            await self._ask("collections/load", store)
            return
        params = {"consistencyLevel": self._consistency}
        await self._ask("collections/create", store, schema=_schema(dimension), indexParams=_INDEXES, params=params)

    async def drop(self, store: str) -> None:
        found = await self._ask("collections/has", store)
        if not isinstance(found, dict) or found.get("has") is not False:
            await self._ask("collections/drop", store)

    async def upsert(self, store: str, rows: Sequence[Row]) -> None:
        await self._ask("entities/upsert", store, data=rows)

    async def delete(self, store: str, where: str) -> None:
        found = await self._ask("collections/has", store)
        if not isinstance(found, dict) or found.get("has") is not False:
            await self._ask("entities/delete", store, filter=where)

    async def rows(self, store: str, where: str, limit: int) -> list[Row]:
        asked = {"filter": where, "limit": limit, "outputFields": list(KEPT)}
        found = await self._ask("entities/query", store, **asked, consistencyLevel=self._consistency)
        if not isinstance(found, list) or not all(isinstance(each, dict) and set(KEPT) <= set(each) for each in found):
            raise self._strange()
        return [{name: row[name] for name in KEPT} for row in found]

    async def search(self, store: str, asked: Sequence[float] | str, limit: int, where: str | None) -> list[Found]:
        found = await self._ask(
            "entities/search",
            store,
            data=[asked],
            annsField="words" if isinstance(asked, str) else "vector",
            limit=limit,
            outputFields=["id", "attributes"],
            consistencyLevel=self._consistency,
            **({} if where is None else {"filter": where}),
        )
        try:
            return [_found(each) for each in found]  # type: ignore[attr-defined]
        except (KeyError, TypeError, ValueError):
            raise self._strange() from None

    async def check(self) -> None:
        await self._ask("collections/list", None)

    async def _ask(self, what: str, store: str | None, **asked: object) -> object:
        """The `data` of the answer. Milvus answers 200 also where something is wrong; what, says a code."""
        named = {} if store is None else {"collectionName": store}
        body = to_json({**self._database, **named, **asked})
        host = self._upstream.host
        call = Call("POST", f"v2/vectordb/{what}", body, self._headers, secrets=self._secrets)
        try:
            answer = read_json(host, await self._upstream.fetch(call))
        except StackError as error:
            # There is no collection in the path: a 404 says that there is no such API.
            raise told(error, host, None) from None
        if not isinstance(answer, dict) or not isinstance(code := answer.get("code"), int):
            raise self._strange()
        if code == _NO_COLLECTION and store is not None:
            raise gone(store)
        if code != 0:
            message = mask(str(answer.get("message") or "without a reason"), self._secrets)[:1000]
            raise _BUSY.get(code, UpstreamError)(f"{host}: {message}", code=f"milvus_{code}")
        return answer.get("data")

    def _strange(self) -> UpstreamError:
        message = f"{self._upstream.host} answered what is no answer of Milvus"
        return UpstreamError(message, code="upstream_invalid_answer")


def _schema(dimension: int) -> Mapping[str, object]:
    text = {"max_length": LONGEST_TEXT}
    fields = [
        {"fieldName": "id", "dataType": "VarChar", "isPrimary": True, "elementTypeParams": {"max_length": 512}},
        {"fieldName": "grp", "dataType": "VarChar", "elementTypeParams": {"max_length": 32}},
        {"fieldName": "text", "dataType": "VarChar", "elementTypeParams": text | {"enable_analyzer": True}},
        {"fieldName": "vector", "dataType": "FloatVector", "elementTypeParams": {"dim": dimension}},
        {"fieldName": "words", "dataType": "SparseFloatVector", "elementTypeParams": {}},
        {
            "fieldName": "marks",
            "dataType": "Array",
            "elementDataType": "VarChar",
            "elementTypeParams": {"max_capacity": 4096, "max_length": 32},
        },
        {"fieldName": "numbers", "dataType": "JSON", "elementTypeParams": {}},
        {"fieldName": "attributes", "dataType": "VarChar", "elementTypeParams": text},
        {"fieldName": "labels", "dataType": "VarChar", "elementTypeParams": {"max_length": 32}},
    ]
    return {"autoID": False, "enableDynamicField": False, "fields": fields, "functions": [_BM25]}


def _found(row: Mapping[str, object]) -> Found:
    return Found(Hit(str(row["id"]), float(str(row["distance"]))), str(row["attributes"]))
