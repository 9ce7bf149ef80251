"""Training on the machine of the server, with torch: a process for each job, so the server itself needs no torch."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ...contracts.datasetio import Datasetio
    from ...runtime.sql import Sql
    from .service import LocalTraining


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalTrainingConfig:
    """storage_dir: the folder of data and checkpoints. models_dir: of models that requests may name, None for none.
    hub: whether they may name those of the Hugging Face hub. threads: None for torch's choice. torch_seed: None for 0.
    chat_template: for models without their own. gradient_checkpointing: also for jobs that do not ask for it.
    save_total_limit: checkpoints of a job. save_seconds: between two states that a job could go on from.
    """

    storage_dir: str = "~/.stackgen/post_training"
    models_dir: str | None = None
    hub: bool = True
    device: str = "auto"
    threads: int | None = None
    torch_seed: int | None = None
    max_seq_length: int = 2048
    chat_template: str = "<|user|>\n{input}\n<|assistant|>\n{output}"
    gradient_checkpointing: bool = False
    use_reference_model: bool = True
    save_total_limit: int = 3
    save_seconds: float = 60.0
    max_concurrent_jobs: int = 1
    lease_seconds: float = 30.0
    poll_seconds: float = 2.0
    trust_remote_code: bool = False


@asynccontextmanager
async def open_local_training(
    config: LocalTrainingConfig, *, store: Sql, datasetio: Datasetio
) -> AsyncIterator[LocalTraining]:
    """The training jobs of `store`, and this process' share of the work on them."""
    # Imported here: SQLAlchemy, which a server whose training is switched off does not need.
    from ...runtime.job_table import job_table
    from ...runtime.jobs import open_jobs
    from .running import Running
    from .service import LocalTraining

    running = Running(datasetio)
    opened = open_jobs(
        store,
        job_table("post_training_jobs"),
        running.run,
        name="post-training jobs",
        at_once=config.max_concurrent_jobs,
        lease_seconds=config.lease_seconds,
        poll_seconds=config.poll_seconds,
    )
    async with opened as jobs:
        yield LocalTraining(config, jobs, running, datasetio)
