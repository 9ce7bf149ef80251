"""Collections of a Chroma server, over its REST API (version 2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from pydantic_core import to_json

from ....runtime.errors import StackError, UpstreamError
from ....runtime.relay import read_json
from ....runtime.upstream import Call
from ..services import gone, told
from .index import Record

if TYPE_CHECKING:
    from ....runtime.secret import Secret
    from ....runtime.upstream import Upstream
    from .index import Part
    from .metadata import Metadata, Where

COLLECTION = {"get_or_create": True, "configuration": {"hnsw": {"space": "cosine"}}}


@dataclass(frozen=True, slots=True)
class Access:
    """header: that carries the key."""

    tenant: str
    database: str
    header: str
    key: Secret | None


class Server:
    """upstream: at `/api/v2` of the server."""

    def __init__(self, upstream: Upstream, access: Access) -> None:
        self._upstream = upstream
        self._collections = f"tenants/{quote(access.tenant, safe='')}/databases/{quote(access.database, safe='')}"
        self._secrets = () if access.key is None else (access.key,)
        self._headers = {"Content-Type": "application/json"}
        if access.key is not None:
            bearer = "Bearer " if access.header == "Authorization" else ""
            self._headers[access.header] = bearer + access.key.reveal()
        self._ids: dict[str, str] = {}

    async def create(self, store: str) -> None:
        made = await self._ask("POST", self._path(""), {"name": name_of(store), **COLLECTION})
        self._ids[store] = self._id_in(made)

    async def drop(self, store: str) -> None:
        self._ids.pop(store, None)
        await self._ask("DELETE", self._path(name_of(store)), expected=frozenset({404}))

    async def put(self, store: str, records: Sequence[Record]) -> None:
        new = {
            "ids": [each.id for each in records],
            "embeddings": [each.vector for each in records],
            "documents": [each.document for each in records],
            "metadatas": [each.metadata for each in records],
        }
        await self._of(store, "POST", "upsert", new)

    async def change(self, store: str, changes: Mapping[str, Metadata]) -> None:
        await self._of(store, "POST", "update", {"ids": list(changes), "metadatas": list(changes.values())})

    async def delete(self, store: str, where: Where) -> None:
        await self._of(store, "POST", "delete", {"where": where})

    async def count(self, store: str) -> int:
        found = await self._of(store, "GET", "count", None)
        if not isinstance(found, int):
            raise self._strange()
        return found

    async def ids(self, store: str, piece: str | None, where: Where | None) -> list[str]:
        asked: dict[str, object] = {"include": []} | ({} if where is None else {"where": where})
        of_piece = {} if piece is None else {"where_document": {"$contains": piece}}
        return [each.id for each in self._records(await self._of(store, "POST", "get", asked | of_piece))]

    async def read(self, store: str, ids: Sequence[str], also: Part | None = None) -> list[Record]:
        include = ["metadatas"] if also is None else ["metadatas", also]
        return self._records(await self._of(store, "POST", "get", {"ids": list(ids), "include": include}))

    async def group(self, store: str, where: Where, after: int, limit: int) -> list[Record]:
        asked = {"where": where, "offset": after, "limit": limit, "include": ["metadatas"]}
        return self._records(await self._of(store, "POST", "get", asked))

    async def nearest(self, store: str, vector: Sequence[float], limit: int, where: Where | None) -> list[Record]:
        asked = {"query_embeddings": [vector], "n_results": limit, "include": ["metadatas", "distances"]}
        found: Any = await self._of(store, "POST", "query", asked | ({} if where is None else {"where": where}))
        try:
            first = {key: found[key][0] for key in ("ids", "metadatas", "distances")}
        except (KeyError, TypeError, IndexError):
            raise self._strange() from None
        return self._records(first)

    async def check(self) -> None:
        await self._ask("GET", "heartbeat")

    async def _of(self, store: str, method: str, call: str, body: Mapping[str, object] | None) -> object:
        """Asks a collection, whose id another process may have made anew. Raises NotFound."""
        known = self._ids.get(store)
        if known is not None:
            try:
                return await self._ask(method, f"{self._path(known)}/{call}", body, of=store)
            except StackError as error:
                if error.status != 404:
                    raise
        self._ids.pop(store, None)
        found = self._id_in(await self._ask("GET", self._path(name_of(store)), of=store))
        if found == known:
            raise gone(store)
        answer = await self._ask(method, f"{self._path(found)}/{call}", body, of=store)
        self._ids[store] = found
        return answer

    async def _ask(
        self,
        method: str,
        path: str,
        body: Mapping[str, object] | None = None,
        *,
        expected: frozenset[int] = frozenset(),
        of: str | None = None,
    ) -> object:
        """The answer. of: the store that a 404 means."""
        data = None if body is None else to_json(body)
        call = Call(method, path, data, self._headers, secrets=self._secrets, expected=expected)
        try:
            return read_json(self._upstream.host, await self._upstream.fetch(call))
        except StackError as error:
            raise told(error, self._upstream.host, of) from None

    def _path(self, collection: str) -> str:
        return f"{self._collections}/collections" + (f"/{quote(collection, safe='')}" if collection else "")

    def _id_in(self, answer: object) -> str:
        if isinstance(answer, dict) and isinstance(answer.get("id"), str):
            return str(answer["id"])
        raise self._strange()

    def _records(self, answer: Any) -> list[Record]:
        """From lists of the parts of records, which are null where they were not asked for."""
        try:
            ids = answer["ids"]
            nothing = [None] * len(ids)
            parts = [answer.get(key) or nothing for key in ("embeddings", "documents", "metadatas", "distances")]
            return [
                Record(id=id, vector=vector or (), document=text or "", metadata=dict(said or {}), distance=far or 0)
                for id, vector, text, said, far in zip(ids, *parts, strict=True)
            ]
        except (KeyError, TypeError, ValueError, AttributeError):
            raise self._strange() from None

    def _strange(self) -> UpstreamError:
        message = f"{self._upstream.host} answered what is no answer of Chroma"
        return UpstreamError(message, code="upstream_invalid_answer")


def name_of(store: str) -> str:
    """Chroma's names begin and end with a letter or a digit."""
    return f"stackgen.{store}.v1"
