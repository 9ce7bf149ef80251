"""What the answers of the post_training API are made of.

Generated from apis/post_training.yaml by `stackgen contracts`; a change belongs there.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import AwareDatetime

from ..wire import WireModel


class PostTrainingJob(WireModel):
    """A job."""

    job_uuid: str
    """Its id."""


class ListPostTrainingJobsResponse(WireModel):
    """The jobs."""

    data: list[PostTrainingJob]


class PostTrainingMetric(WireModel):
    """How good it is; there where there is a dataset to measure with."""

    epoch: int
    train_loss: float
    """Of a token on average."""
    validation_loss: float
    """The same, of the dataset to measure with."""
    perplexity: float
    """Between how many tokens the model is undecided on average there."""


class Checkpoint(WireModel):
    """A model as it was after an epoch."""

    identifier: str
    """Its name, by which it can be trained further."""
    created_at: AwareDatetime
    epoch: int
    """From 0 on."""
    post_training_job_id: str
    """The job."""
    path: str
    """The folder that it lies in."""
    training_metrics: PostTrainingMetric | None = None


class PostTrainingJobStatusResponse(WireModel):
    """How far a job is."""

    job_uuid: str
    status: Literal["completed", "in_progress", "failed", "scheduled", "cancelled"]
    scheduled_at: AwareDatetime | None = None
    """When it was asked for."""
    started_at: AwareDatetime | None = None
    """When it was begun."""
    completed_at: AwareDatetime | None = None
    """When it ended, however it did."""
    resources_allocated: dict[str, Any] | None = None
    """What it trains with and how far that is: device, steps, the last loss, …"""
    checkpoints: list[Checkpoint]
    error: str | None = None
    """Why it `failed`; not in Llama Stack."""


class PostTrainingJobArtifactsResponse(WireModel):
    """What has come of a job."""

    job_uuid: str
    checkpoints: list[Checkpoint]
