"""The Datasetio API: what its providers offer and the server calls.

Generated from apis/datasetio.yaml by `stackgen contracts`; a change belongs there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from ...runtime.context import Context
    from .requests import AppendRowsRequest, IterrowsRequest
    from .responses import PaginatedResponse


class Datasetio(Protocol):
    """The rows of datasets, read page by page and added to. The wire format is Llama Stack's."""

    async def iterrows(self, request: IterrowsRequest, ctx: Context) -> PaginatedResponse:
        """Read rows of a dataset."""

    async def append_rows(self, request: AppendRowsRequest, ctx: Context) -> None:
        """Add rows to a dataset."""
