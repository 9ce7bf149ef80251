"""Training as a server has it, over a real database; only the datasets are lists."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from parts.contracts.datasetio.requests import AppendRowsRequest, IterrowsRequest
from parts.contracts.datasetio.responses import PaginatedResponse
from parts.contracts.post_training.requests import (
    GetTrainingJobStatusRequest,
    PreferenceOptimizeRequest,
    SupervisedFineTuneRequest,
)
from parts.contracts.post_training.responses import PostTrainingJobStatusResponse
from parts.providers.post_training.local import LocalTrainingConfig, open_local_training
from parts.providers.post_training.service import LocalTraining
from parts.providers.storage.sql_sqlite import SqlSqliteConfig, open_sql_sqlite
from parts.runtime.context import Context
from parts.runtime.errors import NotFound

CTX = Context("r")

ROWS: dict[str, list[dict[str, Any]]] = {
    "pings": [{"input": "ping", "output": "pong"}] * 40,
    "pairs": [{"prompt": "ping", "chosen": "pong", "rejected": "hello"}] * 20,
    "empty": [],
    "odd": [{"question": "ping"}],
    "odd later": [{"input": "ping", "output": "pong"}, {"input": "ping"}],
}


class Lists:
    """Datasets that are lists of rows; those of `owned` are seen by one principal alone."""

    def __init__(self, rows: Mapping[str, Sequence[dict[str, Any]]], owned: Mapping[str, str] | None = None) -> None:
        self.rows = dict(rows)
        self.owned = dict(owned or {})

    async def iterrows(self, request: IterrowsRequest, ctx: Context) -> PaginatedResponse:
        id = request.dataset_id
        if id not in self.rows or self.owned.get(id, ctx.principal) != ctx.principal:
            raise NotFound(f"there is no dataset {id!r}", code="dataset_not_found", param="dataset_id")
        start = request.start_index or 0
        end = None if request.limit in (None, -1) else start + (request.limit or 0)
        found = list(self.rows[id][start:end])
        return PaginatedResponse(data=found, has_more=start + len(found) < len(self.rows[id]))

    async def append_rows(self, request: AppendRowsRequest, ctx: Context) -> None:
        self.rows[request.dataset_id] = [*self.rows[request.dataset_id], *request.rows]


@asynccontextmanager
async def opened(folder: Path, lists: Lists | None = None, **config: Any) -> AsyncIterator[LocalTraining]:
    """Training that keeps what it keeps in `folder`, where models lie in `folder`/models."""
    settings = LocalTrainingConfig(
        storage_dir=str(folder / "jobs"),
        models_dir=str(folder / "models"),
        device="cpu",
        threads=1,
        poll_seconds=0.05,
        **config,
    )
    async with (
        open_sql_sqlite(SqlSqliteConfig(db_path=str(folder / "db")), instance="sql_default") as sql,
        open_local_training(settings, store=sql, datasetio=lists or Lists(ROWS)) as training,
    ):
        yield training


def config(dataset: str = "pings", **more: Any) -> dict[str, Any]:
    """A training_config. more: data, optimizer and efficiency add to what those sections say."""
    data, optimizer = more.pop("data", {}), more.pop("optimizer", {})
    return {
        "n_epochs": 2,
        "max_steps_per_epoch": 0,
        "gradient_accumulation_steps": 1,
        "max_validation_steps": 0,
        "data_config": {
            "dataset_id": dataset,
            "batch_size": 2,
            "shuffle": True,
            "data_format": "instruct",
            **data,
        },
        "optimizer_config": {
            "optimizer_type": "adamw",
            "lr": 3e-3,
            "weight_decay": 0.0,
            "num_warmup_steps": 2,
            **optimizer,
        },
        "dtype": "fp32",
        **more,
    }


def fine_tune(id: str = "job", model: str = "tiny", *, training: Any = None, **more: Any) -> SupervisedFineTuneRequest:
    body = {
        "job_uuid": id,
        "model": model,
        "training_config": training or config(),
        "hyperparam_search_config": {},
        "logger_config": {},
        **more,
    }
    return SupervisedFineTuneRequest.model_validate(body)


def prefer(id: str = "job", model: str = "tiny", *, loss: str = "sigmoid", **more: Any) -> PreferenceOptimizeRequest:
    body = {
        "job_uuid": id,
        "finetuned_model": model,
        "algorithm_config": {"beta": 0.1, "loss_type": loss},
        "training_config": config("pairs", **more),
        "hyperparam_search_config": {},
        "logger_config": {},
    }
    return PreferenceOptimizeRequest.model_validate(body)


async def status(training: LocalTraining, id: str = "job", ctx: Context = CTX) -> PostTrainingJobStatusResponse:
    return await training.get_training_job_status(GetTrainingJobStatusRequest(job_uuid=id), ctx)


async def until(
    training: LocalTraining, *states: str, id: str = "job", seconds: float = 120
) -> PostTrainingJobStatusResponse:
    """The job, once it is in one of these states; by default, once it has ended."""
    wanted = states or ("completed", "failed", "cancelled")
    async with asyncio.timeout(seconds):
        while (found := await status(training, id)).status not in wanted:
            await asyncio.sleep(0.05)
    return found
