"""The VectorIo API: what its providers offer and the server calls.

Generated from apis/vector_io.yaml by `stackgen contracts`; a change belongs there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from ...runtime.context import Context
    from .requests import InsertChunksRequest, QueryChunksRequest
    from .responses import QueryChunksResponse


class VectorIo(Protocol):
    """Chunks put into vector stores and found there, one by one, as Llama Stack has it. Stores are made, and files
    attached to them, by the vector stores API.
    """

    async def insert_chunks(self, request: InsertChunksRequest, ctx: Context) -> None:
        """Put chunks into a store."""

    async def query_chunks(self, request: QueryChunksRequest, ctx: Context) -> QueryChunksResponse:
        """Find the chunks that fit a query."""
