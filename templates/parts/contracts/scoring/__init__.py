"""The Scoring API: what its providers offer and the server calls.

Generated from apis/scoring.yaml by `stackgen contracts`; a change belongs there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from ...runtime.context import Context
    from .requests import ScoreBatchRequest, ScoreRequest
    from .responses import ScoreBatchResponse, ScoreResponse


class Scoring(Protocol):
    """How good answers are, row by row and all together. A row has what was asked, what was answered and what was
    expected; scoring functions compare. The wire format is Llama Stack's.
    """

    async def score(self, request: ScoreRequest, ctx: Context) -> ScoreResponse:
        """Score rows."""

    async def score_batch(self, request: ScoreBatchRequest, ctx: Context) -> ScoreBatchResponse:
        """Score all rows of a dataset."""
