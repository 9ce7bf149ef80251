"""A fake of a Qdrant server at its REST API, with Qdrant's own engine behind it: there is no package of the server.

Hand-written after the API's reference. It takes of each request what it knows, and answers 400 to anything else; what
a filter or a score means is the engine's to say.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import qdrant_edge as edge
from upstreams import FakeUpstream, Seen, answers, fake_upstream

KEY = "qdrant-k3y-of-the-tests"
KINDS = {"keyword": edge.PayloadSchemaType.Keyword, "float": edge.PayloadSchemaType.Float}


class Refused(Exception):
    def __init__(self, status: int, message: str) -> None:
        self.status = status
        super().__init__(message)


class FakeQdrant:
    """Collections in folders below `path`, by name."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.shards: dict[str, edge.EdgeShard] = {}

    @asynccontextmanager
    async def serves(self) -> AsyncIterator[FakeUpstream]:
        async with fake_upstream(self._answer) as service:
            service.url = service.url.removesuffix("/v1")
            yield service

    async def _answer(self, seen: Seen, writer: asyncio.StreamWriter) -> bool:
        try:
            if seen.headers.get("api-key") != KEY:
                raise Refused(401, "Must provide an API key or an Authorization bearer token")
            body: object = {"result": self._do(seen), "status": "ok", "time": 0.001}
            return await answers(body)(seen, writer)
        except Refused as error:
            refusal = {"status": {"error": str(error)}, "time": 0.001}
            return await answers(refusal, status=error.status)(seen, writer)

    def _do(self, seen: Seen) -> object:
        url = urlsplit(seen.path)
        words = url.path.strip("/").split("/")
        body = json.loads(seen.body) if seen.body else {}
        match seen.method, *words:
            case "GET", "collections":
                return {"collections": [{"name": name} for name in self.shards]}
            case "GET", "collections", name, "exists":
                return {"exists": name in self.shards}
            case "PUT", "collections", name:
                if name in self.shards:
                    raise Refused(409, f"Wrong input: Collection `{name}` already exists!")
                self.shards[name] = self._made(name, **body)
                return True
            case "DELETE", "collections", name:
                shard = self.shards.pop(name, None)
                if shard is not None:
                    shard.close()
                return shard is not None
        shard = self.shards.get(words[1])
        if shard is None:
            raise Refused(404, f"Not found: Collection `{words[1]}` doesn't exist!")
        if words[2:] != ["points", "query"]:
            assert parse_qs(url.query) == {"wait": ["true"]}, "what is not waited for is not there when it returns"
        try:
            return self._within(shard, (seen.method, *words[2:]), body)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise Refused(400, f"Format error in JSON body: {error}") from error

    def _made(self, name: str, vectors: Any, sparse_vectors: Any) -> edge.EdgeShard:
        self.number = getattr(self, "number", 0) + 1
        folder = self.path / f"{self.number}-{name}"
        folder.mkdir(parents=True)
        dense = {
            each: edge.EdgeVectorParams(size=value["size"], distance=getattr(edge.Distance, value["distance"]))
            for each, value in vectors.items()
        }
        assert sparse_vectors == {each: {"modifier": "idf"} for each in sparse_vectors}
        sparse = {each: edge.EdgeSparseVectorParams(modifier=edge.Modifier.Idf) for each in sparse_vectors}
        config = edge.EdgeConfig(vectors=dense, sparse_vectors=sparse, max_search_threads=1)
        return edge.EdgeShard.create(str(folder), config)

    def _within(self, shard: edge.EdgeShard, what: tuple[str, ...], body: Any) -> object:
        match what:
            case ("PUT", "index"):
                made = edge.UpdateOperation.create_field_index(body["field_name"], KINDS[body["field_schema"]])
            case ("PUT", "points"):
                points = [edge.Point(each["id"], _vectors(each["vector"]), each["payload"]) for each in body["points"]]
                made = edge.UpdateOperation.upsert_points(points)
            case ("POST", "points", "delete"):
                made = edge.UpdateOperation.delete_points_by_filter(filter_of(body["filter"]))
            case ("POST", "points", "payload"):
                made = edge.UpdateOperation.set_payload_by_filter(filter_of(body["filter"]), body["payload"])
            case ("POST", "points", "query"):
                return {"points": _queried(shard, **body)}
            case _:
                raise Refused(404, "")
        shard.update(made)
        return {"operation_id": 1, "status": "completed"}


def _queried(
    shard: edge.EdgeShard, query: Any, using: str, limit: int, with_payload: list[str], filter: Any = None
) -> list[Mapping[str, object]]:
    nearest = edge.Query.Nearest(_vectors({using: query})[using], using=using)
    among = None if filter is None else filter_of(filter)
    found = shard.query(edge.QueryRequest(limit=limit, query=nearest, filter=among, with_payload=with_payload))
    return [{"id": str(each.id), "version": 1, "score": each.score, "payload": each.payload} for each in found]


def _vectors(named: Mapping[str, Any]) -> Any:
    return {
        name: edge.SparseVector(value["indices"], value["values"]) if isinstance(value, dict) else value
        for name, value in named.items()
    }


def filter_of(written: Mapping[str, Any]) -> edge.Filter:
    """A filter of the API's JSON as the engine has it."""
    assert set(written) <= {"must", "should", "must_not"}, written
    return edge.Filter(**{clause: [_condition(each) for each in parts] for clause, parts in written.items()})


def _condition(written: Mapping[str, Any]) -> Any:
    if "nested" in written:
        return edge.NestedCondition(written["nested"]["key"], filter_of(written["nested"]["filter"]))
    if "key" not in written:
        return filter_of(written)
    if "range" in written:
        return edge.FieldCondition(written["key"], range=edge.RangeFloat(**written["range"]))
    match written["match"]:
        case {"any": values, **nothing} if not nothing:
            return edge.FieldCondition(written["key"], match=edge.MatchAny(values))
        case {"value": value, **nothing} if not nothing:
            return edge.FieldCondition(written["key"], match=edge.MatchValue(value))
    raise KeyError("match")
