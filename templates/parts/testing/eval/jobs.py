"""Jobs: a benchmark is run, and has a result once it has been."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import ClassVar

from ...contracts.eval import Jobs
from ...contracts.eval.requests import (
    CancelEvalJobRequest,
    EvalJobResultRequest,
    EvalJobStatusRequest,
    RunEvalRequest,
)
from ...contracts.eval.responses import EvalJob, EvaluateResponse
from ...contracts.shared.benchmark import Benchmark
from ...runtime.context import Context
from ...runtime.errors import Conflict, NotFound, StackError
from ..suite import Suite, refused

CTX = Context("suite")
ENDED = ("completed", "failed", "cancelled")
POLL_SECONDS = 0.02


class JobsSuite(Suite[Jobs]):
    """How a provider runs jobs. dataset, functions, metadata: of a benchmark that candidate, a model that it has, can
    be evaluated by.
    """

    candidate: ClassVar[str] = "model-1"
    dataset: ClassVar[str] = "dataset-1"
    functions: ClassVar[tuple[str, ...]] = ()
    metadata: ClassVar[Mapping[str, object]] = {}

    async def begun(self, provider: Jobs) -> EvalJob:
        benchmark = Benchmark(
            identifier="benchmark-1",
            provider_id="suite",
            provider_resource_id="benchmark-1",
            type="benchmark",
            dataset_id=self.dataset,
            scoring_functions=list(self.functions),
            metadata=dict(self.metadata),
        )
        config = {"eval_candidate": {"type": "model", "model": self.candidate}}
        said = {"benchmark_id": "benchmark-1", "benchmark_config": config, "benchmark": benchmark}
        return await provider.run_eval(RunEvalRequest.model_validate(said), CTX)

    async def status(self, provider: Jobs, job: str) -> EvalJob:
        return await provider.eval_job_status(EvalJobStatusRequest(benchmark_id="benchmark-1", job_id=job), CTX)

    async def result(self, provider: Jobs, job: str) -> EvaluateResponse:
        return await provider.eval_job_result(EvalJobResultRequest(benchmark_id="benchmark-1", job_id=job), CTX)

    async def cancel(self, provider: Jobs, job: str) -> None:
        await provider.cancel_eval_job(CancelEvalJobRequest(benchmark_id="benchmark-1", job_id=job), CTX)

    async def ended(self, provider: Jobs, job: str) -> EvalJob:
        while (told := await self.status(provider, job)).status not in ENDED:
            await asyncio.sleep(POLL_SECONDS)
        return told

    def test_a_job_ends_and_has_a_result(self) -> None:
        async def test(provider: Jobs) -> None:
            job = await self.begun(provider)
            told = await self.ended(provider, job.job_id)
            assert (told.job_id, told.status) == (job.job_id, "completed"), f"it ends as {told}"
            assert (await self.result(provider, job.job_id)).scores, "nothing was scored"

        self.run(test)

    def test_a_job_has_a_result_once_it_is_completed(self) -> None:
        async def test(provider: Jobs) -> None:
            job = (await self.begun(provider)).job_id
            try:
                await self.result(provider, job)
            except Conflict:
                pass
            except StackError as error:
                raise AssertionError(f"a job that runs is no {error.status}") from error
            else:
                assert (await self.status(provider, job)).status == "completed", "a job that runs has a result"
            await self.ended(provider, job)

        self.run(test)

    def test_each_run_is_a_job_of_its_own(self) -> None:
        async def test(provider: Jobs) -> None:
            jobs = [(await self.begun(provider)).job_id for _ in range(3)]
            assert len(set(jobs)) == 3, f"they are {jobs}"
            for job in jobs:
                assert (await self.ended(provider, job)).job_id == job

        self.run(test)

    def test_a_cancelled_job_ends_and_may_be_cancelled_again(self) -> None:
        async def test(provider: Jobs) -> None:
            job = (await self.begun(provider)).job_id
            await self.cancel(provider, job)
            told = await self.ended(provider, job)
            assert told.status in ("cancelled", "completed"), f"it ends as {told}"
            await self.cancel(provider, job)
            assert (await self.status(provider, job)).status == told.status, "what has ended is something else now"

        self.run(test)

    def test_an_unknown_job_is_not_found(self) -> None:
        async def test(provider: Jobs) -> None:
            calls: Sequence[Callable[[Jobs, str], Awaitable[object]]] = (self.status, self.result, self.cancel)
            for call in calls:
                error = await refused(call(provider, "no-such-job"))
                assert isinstance(error, NotFound), f"a job that is not there is a {error.status}"

        self.run(test)
