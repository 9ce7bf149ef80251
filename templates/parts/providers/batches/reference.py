"""Batches that this server runs itself: rows of a SQL database, worked on by all its processes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ...contracts.files import Files
    from ...contracts.inference import Inference
    from ...contracts.models import Listing
    from ...runtime.metrics import Accounts
    from ...runtime.sql import Sql
    from .jobs.service import BatchesService


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceConfig:
    """max_concurrent_batches: run at once by one process. max_concurrent_requests_per_batch: lines of one at once.
    lease_seconds: after which a batch whose process shows no life is taken over. poll_seconds: between two looks for
    work. max_tries: of a line whose service is busy.
    """

    max_concurrent_batches: int = 1
    max_concurrent_requests_per_batch: int = 10
    lease_seconds: float = 30.0
    poll_seconds: float = 2.0
    max_tries: int = 8


@asynccontextmanager
async def open_reference(
    config: ReferenceConfig, *, store: Sql, inference: Inference, files: Files, models: Listing, accounts: Accounts
) -> AsyncIterator[BatchesService]:
    """The batches of `store`, and this process' share of the work on them, which is told to the accounts."""
    # Imported here: SQLAlchemy, which a server whose batches are switched off does not need.
    from .jobs.endpoints import in_process
    from .jobs.opening import Pace, open_jobs

    pace = Pace(
        batches=config.max_concurrent_batches,
        lines=config.max_concurrent_requests_per_batch,
        lease_seconds=config.lease_seconds,
        poll_seconds=config.poll_seconds,
        tries=config.max_tries,
    )
    async with open_jobs(
        pace,
        lambda known: in_process(known, accounts),
        store=store,
        inference=inference,
        files=files,
        models=models,
    ) as batches:
        yield batches
