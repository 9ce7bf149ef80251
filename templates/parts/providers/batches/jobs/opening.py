"""The batches of a database, whatever runs their lines."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .endpoints import Endpoint, RunLine, endpoints
from .finishing import Finishing
from .leases import Leases
from .running import Running
from .service import BatchesService
from .tables import MIGRATIONS
from .validating import Validating
from .worker import Worker

if TYPE_CHECKING:
    from ....contracts.files import Files
    from ....contracts.inference import Inference
    from ....contracts.models import Listing
    from ....runtime.sql import Sql


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """batches: run at once by this process. lines: of one at once. tries: of a line whose service is busy."""

    batches: int
    lines: int
    lease_seconds: float
    poll_seconds: float
    tries: int


@asynccontextmanager
async def open_jobs(
    pace: Pace,
    answering: Callable[[Mapping[str, Endpoint]], RunLine],
    *,
    store: Sql,
    inference: Inference,
    files: Files,
    models: Listing,
) -> AsyncIterator[BatchesService]:
    """The batches of `store`, and this process' share of the work on them. answering: what runs lines, given what this
    process could run itself.
    """
    await store.prepare("batches", MIGRATIONS)
    known = endpoints(inference)
    worker = Worker(
        Leases(store, pace.lease_seconds),
        validating=Validating(files=files, models=models, endpoints=known),
        running=Running(answering(known), width=pace.lines, tries=pace.tries),
        finishing=Finishing(files),
        lease_seconds=pace.lease_seconds,
        poll_seconds=pace.poll_seconds,
    )
    async with worker.at_work(pace.batches):
        yield BatchesService(store, files=files, endpoints=known, worker=worker)
