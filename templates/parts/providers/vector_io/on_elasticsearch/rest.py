"""Indexes of an Elasticsearch server, over its REST API (version 8 and later)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pydantic_core import to_json

from ....runtime.errors import StackError, UpstreamError
from ....runtime.relay import read_json
from ....runtime.upstream import Call
from ....runtime.vector_index import Hit
from ..marks import Found
from ..services import gone, told

if TYPE_CHECKING:
    from ....runtime.secret import Secret
    from ....runtime.upstream import Upstream

_EXPLAINED = frozenset({400, 404, 409})
"""Statuses whose bodies say what is wrong."""
_THERE = "resource_already_exists_exception"
_SEEN = {"refresh": "true"}
"""What a call has done, the next search finds."""


class Server:
    def __init__(self, upstream: Upstream, key: Secret | None) -> None:
        self._upstream = upstream
        self._secrets = () if key is None else (key,)
        self._headers = {} if key is None else {"Authorization": f"ApiKey {key.reveal()}"}

    async def create(self, store: str, schema: Mapping[str, Any]) -> None:
        index = {**schema, "aliases": {_alias(store): {}}}
        await self._ask("PUT", f"{_alias(store)}-1", to_json(index), fine=_THERE)

    async def drop(self, store: str) -> None:
        await self._ask("DELETE", f"{_alias(store)}-1", query={"ignore_unavailable": "true"})

    async def put(self, store: str, documents: Mapping[str, Mapping[str, Any]]) -> None:
        lines = [to_json(line) for id, each in documents.items() for line in ({"index": {"_id": id}}, each)]
        body = b"".join(line + b"\n" for line in lines)
        answer = await self._ask("POST", f"{_alias(store)}/_bulk", body, {**_SEEN, "require_alias": "true"}, of=store)
        if not isinstance(answer.get("items"), list):
            raise self._strange()
        for item in answer["items"]:
            (done,) = item.values()
            if done.get("status") == 404:
                raise gone(store)
            if done.get("error") is not None:
                raise self._refused(done)

    async def change(self, store: str, how: str, body: Mapping[str, Any]) -> None:
        """how: `_delete_by_query` or `_update_by_query`."""
        answer = await self._ask("POST", f"{_alias(store)}/{how}", to_json(body), _SEEN, of=store)
        if answer.get("failures"):
            raise self._refused({"error": answer["failures"][0].get("cause")})

    async def search(self, store: str, body: Mapping[str, Any]) -> list[Found]:
        asked = to_json({**body, "_source": ["attributes"], "track_total_hits": False})
        answer = await self._ask("POST", f"{_alias(store)}/_search", asked, of=store)
        try:
            return [
                Found(Hit(str(each["_id"]), float(each["_score"])), str(each["_source"]["attributes"]))
                for each in answer["hits"]["hits"]
            ]
        except (KeyError, TypeError, ValueError):
            raise self._strange() from None

    async def check(self) -> None:
        await self._ask("GET", "")

    async def _ask(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        query: Mapping[str, str] | None = None,
        *,
        fine: str | None = None,
        of: str | None = None,
    ) -> dict[str, Any]:
        """fine: a type of error that is none. of: the store that a 404 means."""
        kind = "application/x-ndjson" if path.endswith("/_bulk") else "application/json"
        headers = self._headers if body is None else {**self._headers, "Content-Type": kind}
        call = Call(method, path, body, headers, query or {}, self._secrets, expected=_EXPLAINED)
        try:
            reply = await self._upstream.open(call)
            try:
                answer = read_json(self._upstream.host, await reply.read())
            finally:
                reply.close()
        except StackError as error:
            raise told(error, self._upstream.host, None) from None
        if not isinstance(answer, dict):
            raise self._strange()
        if reply.status not in _EXPLAINED or _type_of(answer) == fine is not None:
            return answer
        if reply.status == 404 and of is not None:
            raise gone(of)
        raise self._refused(answer)

    def _refused(self, answer: Mapping[str, Any]) -> UpstreamError:
        error = answer.get("error")
        reason = error.get("reason") if isinstance(error, dict) else error
        return UpstreamError(f"{self._upstream.host}: {str(reason)[:500]}", code=_type_of(answer))

    def _strange(self) -> UpstreamError:
        message = f"{self._upstream.host} answered what is no answer of Elasticsearch"
        return UpstreamError(message, code="upstream_invalid_answer")


def _type_of(answer: Mapping[str, Any]) -> str | None:
    error = answer.get("error")
    return str(error["type"]) if isinstance(error, dict) and "type" in error else None


def _alias(store: str) -> str:
    """Elasticsearch's names have no capital letters."""
    return f"stackgen-{store}" if store == store.lower() else f"stackgen-x{store.encode().hex()}"
