"""A fake of a Milvus server at its REST API (v2), with Milvus Lite's engine behind it: no package has the server.

Hand-written after the API's reference. It takes of each request what it knows, and refuses anything else; what an
expression or a score means is the engine's to say.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from milvus_lite import (
    CollectionNotFoundError,
    CollectionSchema,
    DataType,
    FieldSchema,
    Function,
    FunctionType,
    MilvusLite,
    MilvusLiteError,
)
from upstreams import FakeUpstream, Seen, answers, fake_upstream

TOKEN = "root:milvus-s3cret"
TYPES = {
    "VarChar": DataType.VARCHAR,
    "FloatVector": DataType.FLOAT_VECTOR,
    "SparseFloatVector": DataType.SPARSE_FLOAT_VECTOR,
    "Array": DataType.ARRAY,
    "JSON": DataType.JSON,
}


class FakeMilvus:
    """One database, in a folder."""

    def __init__(self, path: Path) -> None:
        self.database = MilvusLite(str(path))
        self.levels: list[str] = []

    @asynccontextmanager
    async def serves(self) -> AsyncIterator[FakeUpstream]:
        async with fake_upstream(self._answer) as service:
            service.url = service.url.removesuffix("/v1")
            yield service

    async def _answer(self, seen: Seen, writer: asyncio.StreamWriter) -> bool:
        if seen.headers.get("authorization") != f"Bearer {TOKEN}":
            said = {"code": 1800, "message": "user hasn't authenticated"}
            return await answers(said, status=401)(seen, writer)
        try:
            what = seen.path.removeprefix("/v2/vectordb/")
            body: object = {"code": 0, "data": self._do(what, **json.loads(seen.body))}
        except CollectionNotFoundError as error:
            body = {"code": 100, "message": f"can't find collection: {error}"}
        except (MilvusLiteError, KeyError, TypeError, ValueError) as error:
            body = {"code": 1100, "message": f"invalid parameter: {error}"}
        return await answers(body)(seen, writer)

    def _do(self, what: str, collectionName: str = "", **asked: Any) -> object:
        assert asked.pop("dbName", "tests") == "tests"
        if level := asked.pop("consistencyLevel", None):
            self.levels.append(level)
        match what:
            case "collections/list":
                return self.database.list_collections()
            case "collections/has":
                return {"has": self.database.has_collection(collectionName)}
            case "collections/create":
                self._create(collectionName, **asked)
                return {}
            case "collections/drop":
                self.database.drop_collection(collectionName)
                return {}
        collection = self.database.get_collection(collectionName)
        match what:
            case "collections/load":
                collection.load()
                return {}
            case "indexes/create":
                _index(collection, **asked)
                return {}
            case "entities/upsert":
                rows = asked["data"]
                return {"upsertCount": len(collection.upsert(rows)), "upsertIds": [row["id"] for row in rows]}
            case "entities/delete":
                found = collection.query(asked["filter"], output_fields=["id"])
                collection.delete([row["id"] for row in found])
                return {}
            case "entities/query":
                return collection.query(asked["filter"], output_fields=asked["outputFields"], limit=asked["limit"])
            case "entities/search":
                return _searched(collection, **asked)
        raise KeyError(what)

    def _create(self, name: str, schema: Any, indexParams: Any, params: Any) -> None:
        assert set(params) == {"consistencyLevel"}
        assert schema["autoID"] is False
        functions = [
            Function(each["name"], FunctionType[each["type"]], each["inputFieldNames"], each["outputFieldNames"])
            for each in schema["functions"]
        ]
        outputs = {output for each in functions for output in each.output_field_names}
        fields = [_field(each, outputs) for each in schema["fields"]]
        collection = self.database.create_collection(name, CollectionSchema(fields, functions=functions))
        _index(collection, indexParams)
        collection.load()


def _field(written: Mapping[str, Any], outputs: set[str]) -> FieldSchema:
    params = dict(written.get("elementTypeParams", {}))
    element = {"element_type": TYPES[written["elementDataType"]]} if "elementDataType" in written else {}
    return FieldSchema(
        written["fieldName"],
        TYPES[written["dataType"]],
        is_primary=written.get("isPrimary", False),
        is_function_output=written["fieldName"] in outputs,
        **element,
        **params,
    )


def _index(collection: Any, indexParams: list[Mapping[str, Any]]) -> None:
    for each in indexParams:
        assert each["indexType"] == "AUTOINDEX"
        kind = "SPARSE_INVERTED_INDEX" if each["metricType"] == "BM25" else "FLAT"
        if not collection.has_index(each["fieldName"]):
            index = {"index_type": kind, "metric_type": each["metricType"], "params": {}}
            collection.create_index(each["fieldName"], index)


def _searched(
    collection: Any, data: list[Any], annsField: str, limit: int, outputFields: list[str], filter: str | None = None
) -> list[Mapping[str, object]]:
    if not 1 <= limit <= 16384:
        raise ValueError("limit should be in range [1, 16384]")
    words = annsField == "words"
    (found,) = collection.search(
        data,
        top_k=limit,
        metric_type="BM25" if words else "IP",
        anns_field=annsField,
        expr=filter,
        output_fields=[name for name in outputFields if name != "id"],
    )
    return [
        {"id": each["id"], "distance": abs(each["distance"]) if words else each["distance"], **each["entity"]}
        for each in found
    ]
