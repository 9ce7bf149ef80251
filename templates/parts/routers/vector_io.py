"""The vector_io API: chunks go into stores, and the table of stores knows which instance has each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from ..contracts.vector_io.requests import InsertChunksRequest, QueryChunksRequest
    from ..contracts.vector_io.responses import QueryChunksResponse
    from ..runtime.context import Context


class StoreTable(Protocol):
    """What the router asks of the vector stores."""

    async def insert_chunks(self, request: InsertChunksRequest, ctx: Context) -> None: ...

    async def query_chunks(self, request: QueryChunksRequest, ctx: Context) -> QueryChunksResponse: ...


class VectorIoRouter:
    """The vector_io API over many instances."""

    def __init__(self, *, table: StoreTable) -> None:
        self._table = table

    async def insert_chunks(self, request: InsertChunksRequest, ctx: Context) -> None:
        await self._table.insert_chunks(request, ctx)

    async def query_chunks(self, request: QueryChunksRequest, ctx: Context) -> QueryChunksResponse:
        return await self._table.query_chunks(request, ctx)
