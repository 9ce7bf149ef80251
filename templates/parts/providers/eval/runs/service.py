"""The eval API over jobs that this server runs itself."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from ....contracts.datasetio.requests import IterrowsRequest
from ....contracts.eval.responses import EvalJob, EvalJobProgress, EvaluateResponse
from ....runtime.context import Context, Usage
from ....runtime.errors import BadRequest, Conflict
from ....runtime.ids import new_id
from ....runtime.wiring import Health
from .answering import Outcome, answering, outcome, together
from .asking import Row
from .kept import KeptRows
from .running import Wanted
from .scores import scores

if TYPE_CHECKING:
    from ....contracts.agents import Agents
    from ....contracts.datasetio import Datasetio
    from ....contracts.eval.requests import (
        CancelEvalJobRequest,
        EvalJobResultRequest,
        EvalJobStatusRequest,
        EvaluateRowsRequest,
        RunEvalRequest,
    )
    from ....contracts.inference import Inference
    from ....contracts.scoring import Scoring
    from ....runtime.jobs import Job, Jobs

OPEN = ("scheduled", "in_progress")


class Evaluations:
    """Implements the eval API. width: rows of a request that are answered at once."""

    def __init__(
        self,
        jobs: Jobs,
        rows: KeptRows,
        *,
        datasetio: Datasetio,
        scoring: Scoring,
        inference: Inference,
        agents: Agents | None,
        width: int,
    ) -> None:
        self._jobs = jobs
        self._rows = rows
        self._datasetio = datasetio
        self._scoring = scoring
        self._inference = inference
        self._agents = agents
        self._width = width

    async def evaluate_rows(self, request: EvaluateRowsRequest, ctx: Context) -> EvaluateResponse:
        config, rows = request.benchmark_config, request.input_rows[: request.benchmark_config.num_examples]
        answer, room = answering(config, self._inference, self._agents), asyncio.Semaphore(self._width)

        async def one(row: Row) -> Outcome:
            inner = _inner(ctx)
            async with room:
                found = await outcome(answer, row, lambda: inner, tries=1)
            _count(ctx.usage, inner.usage)
            return found

        outcomes = await together(one(row) for row in rows)
        errors = [each.error for each in outcomes if each.error is not None]
        if errors and len(errors) == len(outcomes):
            raise errors[0]
        generations = [each.generation for each in outcomes]
        found = await scores(self._scoring, request.scoring_functions, config, rows, generations, _inner(ctx))
        return EvaluateResponse(generations=[dict(each) for each in generations], scores=found)

    async def run_eval(self, request: RunEvalRequest, ctx: Context) -> EvalJob:
        benchmark, config = request.benchmark, request.benchmark_config
        if benchmark is None or not benchmark.dataset_id:
            message = f"benchmark {request.benchmark_id!r} names no dataset"
            raise BadRequest(message, code="benchmark_without_dataset", param="benchmark_id")
        answering(config, self._inference, self._agents)
        # What cannot be read is better told now than by a job that fails.
        first = IterrowsRequest(dataset_id=benchmark.dataset_id, start_index=0, limit=1)
        if not (await self._datasetio.iterrows(first, ctx)).data:
            message = f"dataset {benchmark.dataset_id!r} of benchmark {request.benchmark_id!r} has no rows"
            raise BadRequest(message, code="dataset_empty", param="benchmark_id")
        wanted = Wanted(
            dataset_id=benchmark.dataset_id, scoring_functions=list(benchmark.scoring_functions), config=config
        )
        kept = wanted.model_dump_json(exclude_none=True).encode()
        return await self._shown(await self._jobs.add(new_id("eval"), ctx, subject=request.benchmark_id, request=kept))

    async def eval_job_status(self, request: EvalJobStatusRequest, ctx: Context) -> EvalJob:
        return await self._shown(await self._jobs.find(request.job_id, ctx, subject=request.benchmark_id))

    async def cancel_eval_job(self, request: CancelEvalJobRequest, ctx: Context) -> None:
        job = await self._jobs.find(request.job_id, ctx, subject=request.benchmark_id)
        if job.state in OPEN:
            try:
                await self._jobs.cancel(job.id, ctx, subject=request.benchmark_id)
            except Conflict:
                return  # it has ended meanwhile

    async def eval_job_result(self, request: EvalJobResultRequest, ctx: Context) -> EvaluateResponse:
        job = await self._jobs.find(request.job_id, ctx, subject=request.benchmark_id)
        if job.result is None:
            why = f": {job.error}" if job.error else ""
            message = f"job {job.id!r} has no result: it is {job.state}{why}"
            raise Conflict(message, code=f"eval_job_{job.state}", param="job_id")
        return EvaluateResponse.model_validate_json(job.result)

    async def health(self) -> Health:
        await self._jobs.listed(Context("health"), limit=1)
        return Health("OK")

    async def _shown(self, job: Job) -> EvalJob:
        """Its rows tell how far it is, and once they are swept away what it noted last."""
        progress = None if job.progress is None else EvalJobProgress.model_validate_json(job.progress)
        if progress is not None and (count := await self._rows.count(job.id)).total:
            progress = EvalJobProgress(total=count.total, completed=count.completed, failed=count.failed)
        return EvalJob(job_id=job.id, status=job.state, progress=progress, error=job.error)


def _inner(ctx: Context) -> Context:
    """The request's own, with its keys; but the body, and who served it, are this call's."""
    return Context(
        request_id=ctx.request_id,
        provider_data=ctx.provider_data,
        principal=ctx.principal,
        attributes=ctx.attributes,
        trace=ctx.trace,
    )


def _count(usage: Usage, used: Usage) -> None:
    """Adds the tokens of a call to the request's account."""
    if used.prompt_tokens is not None:
        usage.prompt_tokens = (usage.prompt_tokens or 0) + used.prompt_tokens
    if used.completion_tokens is not None:
        usage.completion_tokens = (usage.completion_tokens or 0) + used.completion_tokens
