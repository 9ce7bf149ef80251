"""What the answers of the batches API are made of.

Generated from apis/batches.yaml by `stackgen contracts`; a change belongs there.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

from ..shared.metadata import Metadata
from ..wire import WireModel

BatchStatus: TypeAlias = Literal[
    "validating", "failed", "in_progress", "finalizing", "completed", "expired", "cancelling", "cancelled"
]
"""How far it is."""


class BatchError(WireModel):
    """One thing that is wrong."""

    code: str
    """For a program to read, e.g. `duplicate_custom_id`."""
    message: str
    """For a person to read."""
    param: str | None
    """The property of the line that is at fault."""
    line: int | None
    """The line of the file, from 1 on."""


class BatchErrors(WireModel):
    """Why a batch `failed`, only there. What is wrong with its file, so that nothing was run; or that its requests
    ended the server's process again and again.
    """

    object: Literal["list"]
    data: list[BatchError]


class BatchRequestCounts(WireModel):
    """How many requests there are."""

    total: int
    """In the file; 0 until that has been looked through."""
    completed: int
    """Answered."""
    failed: int
    """Refused or failed."""


class BatchInputTokensDetails(WireModel):
    """What the input tokens were."""

    cached_tokens: int
    """Those that came out of a cache."""


class BatchOutputTokensDetails(WireModel):
    """What the output tokens were."""

    reasoning_tokens: int
    """Those that a model thought with."""


class BatchUsage(WireModel):
    """The tokens of all answers together."""

    input_tokens: int
    input_tokens_details: BatchInputTokensDetails
    output_tokens: int
    output_tokens_details: BatchOutputTokensDetails
    total_tokens: int


class Batch(WireModel):
    """What is known of a batch. Times are Unix time in seconds, null where it has not come to that."""

    id: str
    object: Literal["batch"]
    endpoint: str
    """The operation that its requests ask for."""
    model: str | None = None
    """The model of its first request."""
    errors: BatchErrors | None = None
    input_file_id: str
    """The file of requests."""
    completion_window: str
    """By when it is to be done."""
    status: BatchStatus
    output_file_id: str | None = None
    """The file of answers, in the order of the requests."""
    error_file_id: str | None = None
    """The file of requests that were refused, failed, expired or were not run, in their order."""
    created_at: int
    in_progress_at: int | None = None
    """When the file had been looked through."""
    expires_at: int | None = None
    finalizing_at: int | None = None
    """When the last request had ended."""
    completed_at: int | None = None
    failed_at: int | None = None
    expired_at: int | None = None
    cancelling_at: int | None = None
    cancelled_at: int | None = None
    request_counts: BatchRequestCounts | None = None
    usage: BatchUsage | None = None
    metadata: Metadata | None = None


class ListBatchesResponse(WireModel):
    """A page of batches."""

    object: Literal["list"]
    data: list[Batch]
    first_id: str | None
    """The id of the first batch; null on an empty page."""
    last_id: str | None
    """The id of the last one, for `after`."""
    has_more: bool
    """Whether there is a page after this."""
