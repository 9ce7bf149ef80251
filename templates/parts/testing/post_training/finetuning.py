"""Jobs that train: asked for, looked at, stopped."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Sequence
from typing import ClassVar

from ...contracts.post_training import Finetuning
from ...contracts.post_training.requests import (
    CancelTrainingJobRequest,
    GetTrainingJobArtifactsRequest,
    GetTrainingJobsRequest,
    GetTrainingJobStatusRequest,
    SupervisedFineTuneRequest,
)
from ...contracts.post_training.responses import (
    PostTrainingJobArtifactsResponse,
    PostTrainingJobStatusResponse,
)
from ...runtime.context import Context
from ...runtime.errors import BadRequest, Conflict, NotFound
from ..suite import Suite, refused

CTX = Context("suite")
ENDED = ("completed", "failed", "cancelled")
POLL_SECONDS = 0.05


class FinetuningSuite(Suite[Finetuning]):
    """How a provider trains. model, dataset: what it has; the dataset's rows are questions and answers (`instruct`)."""

    model: ClassVar[str] = "model-1"
    dataset: ClassVar[str] = "dataset-1"

    async def begun(self, provider: Finetuning) -> str:
        made = await provider.supervised_fine_tune(self.request(), CTX)
        return made.job_uuid

    def request(self, *, data: bool = True) -> SupervisedFineTuneRequest:
        """One epoch of at most two steps. data: whether it names the dataset."""
        named = {"dataset_id": self.dataset, "batch_size": 1, "shuffle": False, "data_format": "instruct"}
        training = {
            "n_epochs": 1,
            "max_steps_per_epoch": 2,
            "gradient_accumulation_steps": 1,
            "data_config": named if data else None,
        }
        said = {
            "job_uuid": f"suite-{secrets.token_hex(4)}",
            "model": self.model,
            "training_config": training,
            "hyperparam_search_config": {},
            "logger_config": {},
        }
        return SupervisedFineTuneRequest.model_validate(said)

    async def status(self, provider: Finetuning, job: str) -> PostTrainingJobStatusResponse:
        return await provider.get_training_job_status(GetTrainingJobStatusRequest(job_uuid=job), CTX)

    async def artifacts(self, provider: Finetuning, job: str) -> PostTrainingJobArtifactsResponse:
        return await provider.get_training_job_artifacts(GetTrainingJobArtifactsRequest(job_uuid=job), CTX)

    async def cancel(self, provider: Finetuning, job: str) -> None:
        await provider.cancel_training_job(CancelTrainingJobRequest(job_uuid=job), CTX)

    async def ended(self, provider: Finetuning, job: str) -> PostTrainingJobStatusResponse:
        while (told := await self.status(provider, job)).status not in ENDED:
            await asyncio.sleep(POLL_SECONDS)
        return told

    def test_a_job_ends_and_leaves_a_checkpoint(self) -> None:
        async def test(provider: Finetuning) -> None:
            job = await self.begun(provider)
            told = await self.ended(provider, job)
            assert (told.job_uuid, told.status) == (job, "completed"), f"it ends as {told}"
            found = (await self.artifacts(provider, job)).checkpoints
            assert found, "nothing has come of it"
            assert found == told.checkpoints, "its status and its artifacts are of two minds"
            assert {each.post_training_job_id for each in found} == {job}, "they are another job's"

        self.run(test)

    def test_every_job_is_listed(self) -> None:
        async def test(provider: Finetuning) -> None:
            jobs = [await self.begun(provider) for _ in range(2)]
            assert len(set(jobs)) == 2, f"they are {jobs}"
            listed = await provider.get_training_jobs(GetTrainingJobsRequest(), CTX)
            assert set(jobs) <= {each.job_uuid for each in listed.data}, "a job is not listed"
            for job in jobs:
                assert (await self.ended(provider, job)).job_uuid == job

        self.run(test)

    def test_a_cancelled_job_ends_and_may_be_cancelled_again(self) -> None:
        async def test(provider: Finetuning) -> None:
            job = await self.begun(provider)
            await self.cancel(provider, job)
            told = await self.ended(provider, job)
            assert told.status == "cancelled", f"it ends as {told}"
            await self.cancel(provider, job)
            assert (await self.status(provider, job)).status == "cancelled", "what has ended is something else now"

        self.run(test)

    def test_a_job_that_is_done_cannot_be_cancelled(self) -> None:
        async def test(provider: Finetuning) -> None:
            job = await self.begun(provider)
            await self.ended(provider, job)
            error = await refused(self.cancel(provider, job))
            assert isinstance(error, Conflict), f"cancelling what is done is a {error.status}"
            assert (await self.status(provider, job)).status == "completed", "what is done is something else now"

        self.run(test)

    def test_an_unknown_job_is_not_found(self) -> None:
        async def test(provider: Finetuning) -> None:
            calls: Sequence[Callable[[Finetuning, str], Awaitable[object]]] = (
                self.status,
                self.artifacts,
                self.cancel,
            )
            for call in calls:
                error = await refused(call(provider, "no-such-job"))
                assert isinstance(error, NotFound), f"a job that is not there is a {error.status}"

        self.run(test)

    def test_training_on_nothing_is_refused(self) -> None:
        async def test(provider: Finetuning) -> None:
            error = await refused(provider.supervised_fine_tune(self.request(data=False), CTX))
            assert isinstance(error, BadRequest), f"a request without data is a {error.status}"

        self.run(test)
