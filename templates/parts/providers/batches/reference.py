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
    config: ReferenceConfig, *, store: Sql, inference: Inference, files: Files, models: Listing
) -> AsyncIterator[BatchesService]:
    """The batches of `store`, and this process' share of the work on them."""
    # Imported here: SQLAlchemy, which a server whose batches are switched off does not need.
    from .jobs.endpoints import endpoints
    from .jobs.finishing import Finishing
    from .jobs.leases import Leases
    from .jobs.running import Running
    from .jobs.service import BatchesService
    from .jobs.tables import MIGRATIONS
    from .jobs.validating import Validating
    from .jobs.worker import Worker

    await store.prepare("batches", MIGRATIONS)
    known = endpoints(inference)
    worker = Worker(
        Leases(store, config.lease_seconds),
        validating=Validating(files=files, models=models, endpoints=known),
        running=Running(known, width=config.max_concurrent_requests_per_batch, tries=config.max_tries),
        finishing=Finishing(files),
        lease_seconds=config.lease_seconds,
        poll_seconds=config.poll_seconds,
    )
    async with worker.at_work(config.max_concurrent_batches):
        yield BatchesService(store, files=files, endpoints=known, worker=worker)
