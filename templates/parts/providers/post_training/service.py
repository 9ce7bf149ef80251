"""The Post-training API over jobs of this server."""

from __future__ import annotations

import asyncio
import re
import secrets
from pathlib import Path
from typing import TYPE_CHECKING

from ...contracts.post_training.responses import ListPostTrainingJobsResponse, PostTrainingJob
from ...runtime.context import Context
from ...runtime.errors import NotFound, Unavailable
from ...runtime.jobs import Job, Jobs
from ...runtime.wiring import Health
from .asked import (
    Asked,
    asked_bytes,
    check_what_is_not_done,
    data_of,
    dtype_of,
    folder_below,
    lora_of,
    optimizer_of,
    qat_of,
)
from .data import check_first
from .models import MOST_JOBS, model_of
from .process import ChildFailed, training
from .progress import artifacts, status
from .training.examples import Form
from .training.order import Dpo, Lora, Order, Qat

if TYPE_CHECKING:
    from ...contracts.datasetio import Datasetio
    from ...contracts.post_training.requests import (
        CancelTrainingJobRequest,
        GetTrainingJobArtifactsRequest,
        GetTrainingJobsRequest,
        GetTrainingJobStatusRequest,
        PreferenceOptimizeRequest,
        SupervisedFineTuneRequest,
        TrainingConfig,
    )
    from ...contracts.post_training.responses import PostTrainingJobArtifactsResponse, PostTrainingJobStatusResponse
    from .local import LocalTrainingConfig
    from .running import Running

_NAME = re.compile(r"[\w-][\w.-]{0,80}", re.ASCII)


class LocalTraining:
    """Training on this machine."""

    def __init__(self, config: LocalTrainingConfig, jobs: Jobs, running: Running, datasetio: Datasetio) -> None:
        self._config = config
        self._jobs = jobs
        self._running = running
        self._datasetio = datasetio
        self._turn = asyncio.Lock()
        self._can: bool | None = None
        self._why = ""

    # ── the contract ────────────────────────────────────────────────────────────────────────────────────────────────

    async def supervised_fine_tune(self, request: SupervisedFineTuneRequest, ctx: Context) -> PostTrainingJob:
        check_what_is_not_done(request.training_config, request.hyperparam_search_config)
        data = data_of(request.training_config)
        order = await self._order(
            request.job_uuid,
            request.model,
            request.training_config,
            ctx,
            below=folder_below(request.checkpoint_dir),
            lora=lora_of(request.algorithm_config),
            qat=qat_of(request.algorithm_config),
        )
        return await self._add(request.job_uuid, order, data.data_format, request.training_config, ctx)

    async def preference_optimize(self, request: PreferenceOptimizeRequest, ctx: Context) -> PostTrainingJob:
        check_what_is_not_done(request.training_config, request.hyperparam_search_config)
        algorithm = request.algorithm_config
        dpo = Dpo(beta=algorithm.beta, loss=algorithm.loss_type, reference=self._config.use_reference_model)
        order = await self._order(request.job_uuid, request.finetuned_model, request.training_config, ctx, dpo=dpo)
        return await self._add(request.job_uuid, order, "pairs", request.training_config, ctx)

    async def get_training_jobs(self, request: GetTrainingJobsRequest, ctx: Context) -> ListPostTrainingJobsResponse:
        return ListPostTrainingJobsResponse(
            data=[PostTrainingJob(job_uuid=each.id) for each in await self._jobs.listed(ctx, limit=MOST_JOBS)]
        )

    async def get_training_job_status(
        self, request: GetTrainingJobStatusRequest, ctx: Context
    ) -> PostTrainingJobStatusResponse:
        job = await self._find(request.job_uuid, ctx)
        return status(job, self._running.figures.get(job.id))

    async def get_training_job_artifacts(
        self, request: GetTrainingJobArtifactsRequest, ctx: Context
    ) -> PostTrainingJobArtifactsResponse:
        return artifacts(await self._find(request.job_uuid, ctx))

    async def cancel_training_job(self, request: CancelTrainingJobRequest, ctx: Context) -> None:
        await self._find(request.job_uuid, ctx)
        await self._jobs.cancel(request.job_uuid, ctx)

    async def health(self) -> Health:
        """Whether there is torch is known once somebody has asked for training."""
        return Health("Error", self._why) if self._can is False else Health("OK")

    # ── inside ──────────────────────────────────────────────────────────────────────────────────────────────────────

    async def _find(self, id: str, ctx: Context) -> Job:
        try:
            return await self._jobs.find(id, ctx)
        except NotFound as error:
            raise NotFound(error.message, code="job_not_found", param="job_uuid") from None

    async def _add(
        self, id: str, order: Order, form: Form, training_config: TrainingConfig, ctx: Context
    ) -> PostTrainingJob:
        data = data_of(training_config)
        asked = Asked(order=order, form=form, dataset=data.dataset_id, validation=data.validation_dataset_id)
        for dataset in filter(None, (asked.dataset, asked.validation)):
            await check_first(self._datasetio, dataset, form, ctx)
        await self._check_torch()
        job = await self._jobs.add(id, ctx, subject=order.model, request=asked_bytes(asked))
        return PostTrainingJob(job_uuid=job.id)

    async def _order(
        self,
        id: str,
        model: str | None,
        training_config: TrainingConfig,
        ctx: Context,
        *,
        below: str = "",
        lora: Lora | None = None,
        qat: Qat | None = None,
        dpo: Dpo | None = None,
    ) -> Order:
        """Raises BadRequest, NotFound."""
        config, data, efficiency = self._config, data_of(training_config), training_config.efficiency_config
        optimizer = optimizer_of(training_config.optimizer_config)
        checkpointing = efficiency is not None and bool(efficiency.enable_activation_checkpointing)
        return Order(
            name=id,
            model=await model_of(model, ctx, self._jobs, models_dir=config.models_dir, hub=config.hub),
            folder=str(self._folder(id, below)),
            validate=bool(data.validation_dataset_id),
            epochs=training_config.n_epochs,
            steps=max(training_config.max_steps_per_epoch, 0),
            accumulation=training_config.gradient_accumulation_steps,
            validation_steps=max(training_config.max_validation_steps or 0, 0),
            batch_size=data.batch_size,
            shuffle=data.shuffle,
            packed=bool(data.packed),
            train_on_input=bool(data.train_on_input),
            optimizer=optimizer.optimizer,
            lr=optimizer.lr,
            weight_decay=optimizer.weight_decay,
            warmup_steps=optimizer.warmup_steps,
            dtype=dtype_of(training_config),
            activation_checkpointing=checkpointing or config.gradient_checkpointing,
            activation_offloading=efficiency is not None and bool(efficiency.enable_activation_offloading),
            lora=lora,
            qat=qat,
            dpo=dpo,
            seed=config.torch_seed or 0,
            device=config.device,
            threads=config.threads,
            max_seq_length=config.max_seq_length,
            chat_template=config.chat_template,
            trust_remote_code=config.trust_remote_code,
            keep=config.save_total_limit,
            save_seconds=config.save_seconds,
        )

    def _folder(self, id: str, below: str) -> Path:
        """One that no job had before: what lies in the folder of a job is what it goes on from."""
        name = id if _NAME.fullmatch(id) else "job"
        return Path(self._config.storage_dir).expanduser().resolve() / below / f"{name}-{secrets.token_hex(4)}"

    async def _check_torch(self) -> None:
        """Has a process try what a training process needs, until that has gone well once. Raises Unavailable."""
        async with self._turn:
            if not self._can:
                self._why = await _trouble()
                self._can = not self._why
        if not self._can:
            raise Unavailable(self._why, code="training_unavailable")


async def _trouble() -> str:
    """Why there can be no training here, empty where there can."""
    async with training(None) as process:
        try:
            async for told in process.told():
                if told.event == "failed":
                    return told.message
        except (ChildFailed, Unavailable):
            return "training cannot be done here: the server's log says why"
    return ""
