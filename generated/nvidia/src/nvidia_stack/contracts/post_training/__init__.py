"""The PostTraining API: what its providers offer and the server calls.

Generated from apis/post_training.yaml by `stackgen contracts`; a change belongs there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from ...runtime.context import Context
    from .requests import (
        CancelTrainingJobRequest,
        GetTrainingJobArtifactsRequest,
        GetTrainingJobsRequest,
        GetTrainingJobStatusRequest,
        PreferenceOptimizeRequest,
        SupervisedFineTuneRequest,
    )
    from .responses import (
        ListPostTrainingJobsResponse,
        PostTrainingJob,
        PostTrainingJobArtifactsResponse,
        PostTrainingJobStatusResponse,
    )


class Finetuning(Protocol):
    """Train a model on examples of what it is to say. List the jobs, the newest first. Say how far a job is. Stop a
    job. List the checkpoints of a job.
    """

    async def supervised_fine_tune(self, request: SupervisedFineTuneRequest, ctx: Context) -> PostTrainingJob:
        """Train a model on examples of what it is to say."""

    async def get_training_jobs(self, request: GetTrainingJobsRequest, ctx: Context) -> ListPostTrainingJobsResponse:
        """List the jobs, the newest first."""

    async def get_training_job_status(
        self, request: GetTrainingJobStatusRequest, ctx: Context
    ) -> PostTrainingJobStatusResponse:
        """Say how far a job is."""

    async def cancel_training_job(self, request: CancelTrainingJobRequest, ctx: Context) -> None:
        """Stop a job."""

    async def get_training_job_artifacts(
        self, request: GetTrainingJobArtifactsRequest, ctx: Context
    ) -> PostTrainingJobArtifactsResponse:
        """List the checkpoints of a job."""


class Preferences(Protocol):
    """Train a model on pairs of answers, of which one is better."""

    async def preference_optimize(self, request: PreferenceOptimizeRequest, ctx: Context) -> PostTrainingJob:
        """Train a model on pairs of answers, of which one is better."""


class PostTraining(Finetuning, Preferences, Protocol):
    """Models trained further, on examples or on preferences. Training is a job, which goes on after its request is
    answered; what comes of it are checkpoints. The wire format is Llama Stack's.
    """
