"""Collections of a Qdrant server, over its REST API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from pydantic_core import to_json

from ....runtime.errors import StackError, UpstreamError
from ....runtime.relay import read_json
from ....runtime.upstream import Call
from ....runtime.vector_index import Hit
from ..marks import AllOf, AnyOf, Found, Has, Lacks, Within
from ..services import told
from .index import INDEXED, TEXT, WORDS
from .words import Weights

if TYPE_CHECKING:
    from ....runtime.secret import Secret
    from ....runtime.upstream import Upstream
    from ..marks import Condition
    from .index import Payload, Point

_AT_ONCE = 256
"""Points of a request: 256 of 4,096 numbers are about 20 MB of JSON, and a server takes 32."""
_DONE = {"wait": "true"}


class Server:
    def __init__(self, upstream: Upstream, key: Secret | None) -> None:
        self._upstream = upstream
        self._secrets = () if key is None else (key,)
        self._headers = {"Content-Type": "application/json"} | ({} if key is None else {"api-key": key.reveal()})

    async def create(self, store: str, dimension: int) -> None:
        found = await self._ask("GET", f"collections/{store}/exists")
        if not (isinstance(found, dict) and found.get("exists") is True):
            collection = {
                "vectors": {TEXT: {"size": dimension, "distance": "Cosine"}},
                "sparse_vectors": {WORDS: {"modifier": "idf"}},
            }
            # 409: another process was quicker.
            await self._ask("PUT", f"collections/{store}", collection, expected=frozenset({409}))
        # Also where it is there: whoever made it may not have come so far.
        for name, kind in INDEXED.items():
            await self._ask("PUT", f"collections/{store}/index", {"field_name": name, "field_schema": kind}, _DONE)

    async def drop(self, store: str) -> None:
        await self._ask("DELETE", f"collections/{store}", expected=frozenset({404}))

    async def put(self, store: str, points: Sequence[Point]) -> None:
        made = [
            {
                "id": each.id,
                "vector": {TEXT: each.vector, WORDS: {"indices": each.words.indices, "values": each.words.values}},
                "payload": each.payload,
            }
            for each in points
        ]
        for start in range(0, len(made), _AT_ONCE):
            some = {"points": made[start : start + _AT_ONCE]}
            await self._ask("PUT", f"collections/{store}/points", some, _DONE, of=store)

    async def remove(self, store: str, group: str) -> None:
        gone = {"filter": _of_group(group)}
        await self._ask("POST", f"collections/{store}/points/delete", gone, _DONE, expected=frozenset({404}))

    async def change(self, store: str, group: str, payload: Payload) -> None:
        change = {"payload": payload, "filter": _of_group(group)}
        await self._ask("POST", f"collections/{store}/points/payload", change, _DONE, of=store)

    async def best(
        self, store: str, query: Sequence[float] | Weights, limit: int, among: Condition | None
    ) -> list[Found]:
        asked: dict[str, object] = {"limit": limit, "with_payload": ["id", "attributes"]}
        if isinstance(query, Weights):
            asked |= {"query": {"indices": query.indices, "values": query.values}, "using": WORDS}
        else:
            asked |= {"query": query, "using": TEXT}
        if among is not None:
            asked["filter"] = filter_of(among)
        result = await self._ask("POST", f"collections/{store}/points/query", asked, of=store)
        try:
            return [_found(each) for each in result["points"]]  # type: ignore[index]
        except (KeyError, TypeError, ValueError):
            raise self._strange() from None

    async def check(self) -> None:
        await self._ask("GET", "collections")

    async def _ask(
        self,
        method: str,
        path: str,
        body: Mapping[str, object] | None = None,
        query: Mapping[str, str] | None = None,
        *,
        expected: frozenset[int] = frozenset(),
        of: str | None = None,
    ) -> object:
        """The `result` of the answer; None for a status that is expected. of: the store that a 404 means."""
        data = None if body is None else to_json(body)
        call = Call(method, path, data, self._headers, query or {}, self._secrets, expected=expected)
        try:
            reply = await self._upstream.open(call)
            try:
                answer = read_json(self._upstream.host, await reply.read())
            finally:
                reply.close()
        except StackError as error:
            raise told(error, self._upstream.host, of) from None
        if reply.status in expected:
            return None
        if not isinstance(answer, dict) or "result" not in answer:
            raise self._strange()
        return answer["result"]

    def _strange(self) -> UpstreamError:
        message = f"{self._upstream.host} answered what is no answer of Qdrant"
        return UpstreamError(message, code="upstream_invalid_answer")


def filter_of(where: Condition) -> Mapping[str, object]:
    """The condition as Qdrant's filters are written in JSON."""
    if isinstance(where, AllOf | AnyOf):
        parts = [filter_of(each) for each in where.of]
        if not parts:
            return filter_of(Lacks(()) if isinstance(where, AllOf) else Has(()))
        return {"must" if isinstance(where, AllOf) else "should": parts}
    if isinstance(where, Within):
        of_name = {"key": "name", "match": {"value": where.name}}
        within = {"key": "value", "range": {where.sign: where.value}}
        return {"must": [{"nested": {"key": "numbers", "filter": {"must": [of_name, within]}}}]}
    marked = {"key": "marks", "match": {"any": list(where.marks)}}
    return {"must" if isinstance(where, Has) else "must_not": [marked]}


def _of_group(group: str) -> Mapping[str, object]:
    return {"must": [{"key": "group", "match": {"value": group}}]}


def _found(point: Mapping[str, Mapping[str, object]]) -> Found:
    payload = point["payload"]
    return Found(Hit(str(payload["id"]), float(str(point["score"]))), str(payload["attributes"]))
