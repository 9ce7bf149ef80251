"""The datasetio API: the table of datasets knows which instance has the rows of each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from ..contracts.datasetio.requests import AppendRowsRequest, IterrowsRequest
    from ..contracts.datasetio.responses import PaginatedResponse
    from ..runtime.context import Context


class DatasetTable(Protocol):
    """What the router asks of the datasets."""

    async def iterrows(self, request: IterrowsRequest, ctx: Context) -> PaginatedResponse: ...

    async def append_rows(self, request: AppendRowsRequest, ctx: Context) -> None: ...


class DatasetIoRouter:
    """The datasetio API over many instances."""

    def __init__(self, *, table: DatasetTable) -> None:
        self._table = table

    async def iterrows(self, request: IterrowsRequest, ctx: Context) -> PaginatedResponse:
        return await self._table.iterrows(request, ctx)

    async def append_rows(self, request: AppendRowsRequest, ctx: Context) -> None:
        await self._table.append_rows(request, ctx)
