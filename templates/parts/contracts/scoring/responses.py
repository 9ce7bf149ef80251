"""What the answers of the scoring API are made of.

Generated from apis/scoring.yaml by `stackgen contracts`; a change belongs there.
"""

from __future__ import annotations

from ..shared.scoring import ScoringResult
from ..wire import WireModel


class ScoreResponse(WireModel):
    """What was found."""

    results: dict[str, ScoringResult]
    """By the id of the function."""


class ScoreBatchResponse(WireModel):
    """What was found."""

    dataset_id: str | None = None
    """The dataset that holds the results, where they were to be saved."""
    results: dict[str, ScoringResult]
    """By the id of the function."""
