"""The Batches API: what its providers offer and the server calls.

Generated from apis/batches.yaml by `stackgen contracts`; a change belongs there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from ...runtime.context import Context
    from .requests import CancelBatchRequest, CreateBatchRequest, ListBatchesRequest, RetrieveBatchRequest
    from .responses import Batch, ListBatchesResponse


class Batches(Protocol):
    """Many requests in one file, answered in the background within a day, as OpenAI's Batches API has them.
    `idempotency_key` is Llama Stack's.
    """

    async def list_batches(self, request: ListBatchesRequest, ctx: Context) -> ListBatchesResponse:
        """List the batches, the newest first."""

    async def create_batch(self, request: CreateBatchRequest, ctx: Context) -> Batch:
        """Have the requests of a file answered."""

    async def retrieve_batch(self, request: RetrieveBatchRequest, ctx: Context) -> Batch:
        """Describe one batch."""

    async def cancel_batch(self, request: CancelBatchRequest, ctx: Context) -> Batch:
        """Stop a batch."""
