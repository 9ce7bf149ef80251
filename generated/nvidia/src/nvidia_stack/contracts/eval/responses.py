"""What the answers of the eval API are made of.

Generated from apis/eval.yaml by `stackgen contracts`; a change belongs there.
"""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

from ..shared.scoring import ScoringResult
from ..wire import WireModel


class EvaluateResponse(WireModel):
    """What was answered, and the scores."""

    generations: list[dict[str, Any]]
    """For each row in its order `generated_answer`; for one that could not be answered `error` says why, and it is
    null.
    """
    scores: dict[str, ScoringResult]
    """For each scoring function a score for each row in its order, and what they are together. A row that was not
    answered is not scored: its score is null, and it does not count in what they are together.
    """


EvalJobStatus: TypeAlias = Literal["scheduled", "in_progress", "completed", "failed", "cancelled"]
"""How far it is."""


class EvalJobProgress(WireModel):
    """How many rows there are."""

    total: int | None
    """In all; null until the dataset has been read."""
    completed: int
    """Answered."""
    failed: int
    """Not to be answered."""


class EvalJob(WireModel):
    """An evaluation that runs on its own. All but `job_id` and `status` is ours."""

    job_id: str
    status: EvalJobStatus
    progress: EvalJobProgress | None = None
    """Null where the provider does not tell."""
    error: str | None = None
    """Why it `failed`."""
