"""What the requests of the batches API are made of.

Generated from apis/batches.yaml by `stackgen contracts`; a change belongs there.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from ..shared.metadata import Metadata
from ..wire import WireModel


class BatchFileExpirationAfter(WireModel):
    """When output and error file are to be deleted."""

    anchor: Literal["created_at"]
    """The seconds count from when the file is made."""
    seconds: Annotated[int, Field(ge=3600, le=2592000)]
    """One hour to 30 days."""


class CreateBatchRequest(WireModel):
    """What is to be answered."""

    input_file_id: Annotated[str, Field(min_length=1)]
    """A file with the purpose `batch` that has one request on each line: `{"custom_id": …, "method": "POST", "url": …,
    "body": {…}}`; at most 50,000.
    """
    endpoint: str
    """The operation that all of them ask for: /v1/chat/completions, /v1/completions or /v1/embeddings."""
    completion_window: Literal["24h"]
    """By when it is to be done; what is not answered by then is expired."""
    metadata: Metadata | None = None
    output_expires_after: BatchFileExpirationAfter | None = None
    idempotency_key: Annotated[str | None, Field(max_length=512, min_length=1)] = None
    """A text that says which batch this is. The same one again gives the batch that is there already; with other
    parameters it is refused (409).
    """


class ListBatchesRequest(WireModel):
    """List the batches, the newest first."""

    after: str | None = None
    """The id of the batch that the list goes on after: `last_id` of the page before."""
    limit: Annotated[int | None, Field(ge=1, le=100)] = 20
    """How many batches a page has at most."""


class RetrieveBatchRequest(WireModel):
    """Describe one batch."""

    batch_id: str
    """The batch's id."""


class CancelBatchRequest(WireModel):
    """Stop a batch."""

    batch_id: str
    """The batch's id."""
