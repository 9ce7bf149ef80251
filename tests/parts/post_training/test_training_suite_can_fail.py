"""The contract suite is worth what it finds: each flaw fails the test that is there for it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime
from typing import Literal

import pytest
from fake_customizer import FakeCustomizer
from parts.contracts.post_training.requests import (
    CancelTrainingJobRequest,
    GetTrainingJobArtifactsRequest,
    GetTrainingJobsRequest,
    GetTrainingJobStatusRequest,
    SupervisedFineTuneRequest,
)
from parts.contracts.post_training.responses import (
    Checkpoint,
    ListPostTrainingJobsResponse,
    PostTrainingJob,
    PostTrainingJobArtifactsResponse,
    PostTrainingJobStatusResponse,
)
from parts.providers.post_training.nvidia import NvidiaTraining, NvidiaTrainingConfig, open_nvidia_training
from parts.runtime.context import Context
from parts.runtime.errors import BadRequest, Conflict, NotFound
from parts.testing.post_training import FinetuningSuite
from upstreams import fake_upstream

State = Literal["in_progress", "completed", "failed", "cancelled"]


class Sound:
    """Ends a job with the second look at it."""

    end: State = "completed"

    def __init__(self) -> None:
        self.looks: dict[str, int] = {}
        self.cancelled: set[str] = set()

    async def supervised_fine_tune(self, request: SupervisedFineTuneRequest, ctx: Context) -> PostTrainingJob:
        if request.training_config.data_config is None:
            raise BadRequest("on what?")
        job = str(len(self.looks))
        self.looks[job] = 0
        return PostTrainingJob(job_uuid=job)

    async def get_training_jobs(self, request: GetTrainingJobsRequest, ctx: Context) -> ListPostTrainingJobsResponse:
        return ListPostTrainingJobsResponse(data=[PostTrainingJob(job_uuid=job) for job in self.looks])

    async def get_training_job_status(
        self, request: GetTrainingJobStatusRequest, ctx: Context
    ) -> PostTrainingJobStatusResponse:
        job = self.there(request.job_uuid)
        self.looks[job] += 1
        return PostTrainingJobStatusResponse(
            job_uuid=job, status=self.state(job), checkpoints=self.made(job) if self.state(job) == self.end else []
        )

    async def get_training_job_artifacts(
        self, request: GetTrainingJobArtifactsRequest, ctx: Context
    ) -> PostTrainingJobArtifactsResponse:
        job = self.there(request.job_uuid)
        return PostTrainingJobArtifactsResponse(job_uuid=job, checkpoints=self.made(job))

    async def cancel_training_job(self, request: CancelTrainingJobRequest, ctx: Context) -> None:
        job = self.there(request.job_uuid)
        if self.state(job) == "completed":
            raise Conflict("it is done")
        self.cancelled.add(job)

    def state(self, job: str) -> State:
        if job in self.cancelled:
            return "cancelled"
        return self.end if self.looks[job] > 1 else "in_progress"

    def made(self, job: str) -> list[Checkpoint]:
        at = datetime(2026, 1, 1, tzinfo=UTC)
        return [Checkpoint(identifier="a", created_at=at, epoch=0, post_training_job_id=self.owner(job), path="a")]

    def owner(self, job: str) -> str:
        return job

    def there(self, job: str) -> str:
        if job not in self.looks:
            raise NotFound("there is no such job")
        return job


class Fails(Sound):
    end: State = "failed"


class LeavesNothing(Sound):
    def made(self, job: str) -> list[Checkpoint]:
        return []


class Forgets(Sound):
    async def get_training_job_artifacts(
        self, request: GetTrainingJobArtifactsRequest, ctx: Context
    ) -> PostTrainingJobArtifactsResponse:
        found = await super().get_training_job_artifacts(request, ctx)
        return found.model_copy(update={"checkpoints": found.checkpoints * 2})


class MixesUp(Sound):
    def owner(self, job: str) -> str:
        return "another"


class ListsNothing(Sound):
    async def get_training_jobs(self, request: GetTrainingJobsRequest, ctx: Context) -> ListPostTrainingJobsResponse:
        return ListPostTrainingJobsResponse(data=[])


class TrainsOnce(Sound):
    async def supervised_fine_tune(self, request: SupervisedFineTuneRequest, ctx: Context) -> PostTrainingJob:
        await super().supervised_fine_tune(request, ctx)
        return PostTrainingJob(job_uuid="0")


class GoesOn(Sound):
    def state(self, job: str) -> State:
        return "completed" if self.looks[job] > 1 else "in_progress"


class CancelsWhatIsDone(Sound):
    async def cancel_training_job(self, request: CancelTrainingJobRequest, ctx: Context) -> None:
        self.cancelled.add(self.there(request.job_uuid))


class KnowsEveryJob(Sound):
    def there(self, job: str) -> str:
        self.looks.setdefault(job, 0)
        return job


class TrainsOnNothing(Sound):
    async def supervised_fine_tune(self, request: SupervisedFineTuneRequest, ctx: Context) -> PostTrainingJob:
        return PostTrainingJob(job_uuid="0")


FLAWS: Sequence[tuple[str, type[Sound]]] = (
    ("a_job_ends_and_leaves_a_checkpoint", Fails),
    ("a_job_ends_and_leaves_a_checkpoint", LeavesNothing),
    ("a_job_ends_and_leaves_a_checkpoint", Forgets),
    ("a_job_ends_and_leaves_a_checkpoint", MixesUp),
    ("every_job_is_listed", ListsNothing),
    ("every_job_is_listed", TrainsOnce),
    ("a_cancelled_job_ends_and_may_be_cancelled_again", GoesOn),
    ("a_job_that_is_done_cannot_be_cancelled", CancelsWhatIsDone),
    ("an_unknown_job_is_not_found", KnowsEveryJob),
    ("training_on_nothing_is_refused", TrainsOnNothing),
)


def suite_of(made: type[Sound]) -> FinetuningSuite:
    class Of(FinetuningSuite):
        @asynccontextmanager
        async def opens(self) -> AsyncIterator[Sound]:
            yield made()

    return Of()


CLAIMS = sorted(name.removeprefix("test_") for name in dir(FinetuningSuite) if name.startswith("test_"))


@pytest.mark.parametrize(("claim", "flawed"), FLAWS)
def test_a_flaw_is_found(claim: str, flawed: type[Sound]) -> None:
    with pytest.raises(AssertionError):
        vars(FinetuningSuite)[f"test_{claim}"](suite_of(flawed))


@pytest.mark.parametrize("claim", CLAIMS)
def test_a_sound_provider_passes(claim: str) -> None:
    vars(FinetuningSuite)[f"test_{claim}"](suite_of(Sound))


def test_every_claim_has_a_flaw() -> None:
    assert {claim for claim, _ in FLAWS} == set(CLAIMS)


class TestNvidia(FinetuningSuite):
    """In front of a fake of the service."""

    def opens(self) -> AbstractAsyncContextManager[NvidiaTraining]:
        return opened()


@asynccontextmanager
async def opened() -> AsyncIterator[NvidiaTraining]:
    async with (
        fake_upstream(FakeCustomizer()) as fake,
        open_nvidia_training(NvidiaTrainingConfig(base_url=fake.url.removesuffix("/v1"))) as training,
    ):
        yield training
