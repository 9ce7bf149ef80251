"""Evaluations by the server itself: its models and agents answer, its scoring functions score."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ...contracts.agents import Agents
    from ...contracts.datasetio import Datasetio
    from ...contracts.inference import Inference
    from ...contracts.scoring import Scoring
    from ...runtime.metrics import Accounts
    from ...runtime.sql import Sql
    from .runs.service import Evaluations


@dataclass(frozen=True, slots=True, kw_only=True)
class MetaReferenceEvalConfig:
    """max_concurrent_jobs: run at once by one process. max_concurrent_rows: answered at once of a job, or of a request.
    lease_seconds: after which a job whose process shows no life is taken over. poll_seconds: between two looks for
    work. max_tries: of a row of a job whose model is busy.
    """

    max_concurrent_jobs: int = 1
    max_concurrent_rows: int = 8
    lease_seconds: float = 30.0
    poll_seconds: float = 2.0
    max_tries: int = 8


@asynccontextmanager
async def open_meta_reference_eval(
    config: MetaReferenceEvalConfig,
    *,
    store: Sql,
    datasetio: Datasetio,
    scoring: Scoring,
    inference: Inference,
    agents: Agents | None,
    accounts: Accounts,
) -> AsyncIterator[Evaluations]:
    """The jobs of `store`, and this process' share of the work on them, which is told to the accounts."""
    # Imported here: SQLAlchemy, which a server whose evaluations are switched off does not need.
    from ...runtime.job_table import job_table
    from ...runtime.jobs import open_jobs
    from .runs.kept import MIGRATIONS, KeptRows
    from .runs.running import Running
    from .runs.service import Evaluations

    table = job_table("eval_jobs")
    await store.prepare("eval_rows", MIGRATIONS)
    rows = KeptRows(store, table)
    running = Running(
        rows,
        datasetio=datasetio,
        scoring=scoring,
        inference=inference,
        agents=agents,
        accounts=accounts,
        width=config.max_concurrent_rows,
        tries=config.max_tries,
    )
    async with open_jobs(
        store,
        table,
        running.run,
        name="eval_jobs",
        at_once=config.max_concurrent_jobs,
        lease_seconds=config.lease_seconds,
        poll_seconds=config.poll_seconds,
    ) as jobs:
        yield Evaluations(
            jobs,
            rows,
            datasetio=datasetio,
            scoring=scoring,
            inference=inference,
            agents=agents,
            width=config.max_concurrent_rows,
        )
