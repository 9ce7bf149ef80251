"""How far a job is, as its row keeps it and as clients read it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime

from pydantic_core import from_json, to_json

from ...contracts.post_training.responses import (
    Checkpoint,
    PostTrainingJobArtifactsResponse,
    PostTrainingJobStatusResponse,
    PostTrainingMetric,
)
from ...runtime.jobs import Job


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A checkpoint, as the training process tells of it."""

    identifier: str
    path: str
    epoch: int
    created_at: str
    train_loss: float | None
    validation_loss: float | None
    perplexity: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """figures: of the training process, as it told them last."""

    checkpoints: tuple[Made, ...] = ()
    figures: Mapping[str, object] = field(default_factory=dict)


def progress_bytes(progress: Progress) -> bytes:
    return to_json(asdict(progress))


def read_progress(data: bytes | None) -> Progress:
    if data is None:
        return Progress()
    found = from_json(data)
    return Progress(checkpoints=tuple(Made(**each) for each in found["checkpoints"]), figures=found["figures"])


def with_checkpoint(progress: Progress, made: Made, keep: int) -> Progress:
    """One more, or the same again; the oldest go."""
    others = [each for each in progress.checkpoints if each.identifier != made.identifier]
    newest = sorted([*others, made], key=lambda each: each.epoch)[-keep:]
    return Progress(checkpoints=tuple(newest), figures=progress.figures)


# ── as clients read it ──────────────────────────────────────────────────────────────────────────────────────────────


def status(job: Job, figures: Mapping[str, object] | None) -> PostTrainingJobStatusResponse:
    """figures: newer than those of the row, where this process has the job."""
    progress = read_progress(job.progress)
    return PostTrainingJobStatusResponse(
        job_uuid=job.id,
        status=job.state,
        scheduled_at=_time(job.created_at),
        started_at=_time(job.started_at),
        completed_at=_time(job.ended_at),
        resources_allocated=dict(figures or progress.figures) or None,
        checkpoints=_checkpoints(job.id, progress),
        error=job.error,
    )


def artifacts(job: Job) -> PostTrainingJobArtifactsResponse:
    return PostTrainingJobArtifactsResponse(
        job_uuid=job.id, checkpoints=_checkpoints(job.id, read_progress(job.progress))
    )


def _checkpoints(id: str, progress: Progress) -> list[Checkpoint]:
    return [
        Checkpoint(
            identifier=each.identifier,
            created_at=datetime.fromisoformat(each.created_at),
            epoch=each.epoch,
            post_training_job_id=id,
            path=each.path,
            training_metrics=_metrics(each),
        )
        for each in progress.checkpoints
    ]


def _metrics(made: Made) -> PostTrainingMetric | None:
    if made.train_loss is None or made.validation_loss is None or made.perplexity is None:
        return None
    return PostTrainingMetric(
        epoch=made.epoch,
        train_loss=made.train_loss,
        validation_loss=made.validation_loss,
        perplexity=made.perplexity,
    )


def _time(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
