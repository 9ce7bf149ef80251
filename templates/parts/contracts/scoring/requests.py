"""What the requests of the scoring API are made of.

Generated from apis/scoring.yaml by `stackgen contracts`; a change belongs there.
"""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias

from pydantic import Field

from ..shared.scoring import ScoringFnParams
from ..wire import WireModel

ScoringFnsToParams: TypeAlias = dict[str, ScoringFnParams | None]
"""Scoring functions by their ids, each with how it is to score; null for as it was registered."""


class ScoreRequest(WireModel):
    """Rows, and what scores them."""

    input_rows: list[dict[str, Any]]
    """Most functions read `generated_answer` and `expected_answer`, some `input_query` or columns of their own."""
    scoring_functions: ScoringFnsToParams


class ScoreBatchRequest(WireModel):
    """A dataset, and what scores it."""

    dataset_id: Annotated[str, Field(min_length=1)]
    """The dataset, as `/v1beta/datasets` lists it."""
    scoring_functions: ScoringFnsToParams
    save_results_dataset: bool | None = False
    """Whether what was found is to be registered as a dataset of its own, a row for each that was scored."""
