"""What scoring functions make of answers, row by row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ....contracts.scoring.requests import ScoreRequest
from ....contracts.shared.scoring import ScoringResult
from ....runtime.errors import UpstreamError
from .asking import Row
from .replies import Generation

if TYPE_CHECKING:
    from ....contracts.eval.requests import BenchmarkConfig
    from ....contracts.scoring import Scoring
    from ....runtime.context import Context


async def scores(
    scoring: Scoring,
    functions: Sequence[str],
    config: BenchmarkConfig,
    rows: Sequence[Row],
    generations: Sequence[Generation],
    ctx: Context,
) -> dict[str, ScoringResult]:
    """By function, a score for each row: null for those that were not answered, which count in no figure.

    Raises StackError, also where a function does not give as many scores as there are rows.
    """
    answered = [number for number, generation in enumerate(generations) if "error" not in generation]
    if not functions or not answered:
        return {}
    params = config.scoring_params or {}
    request = ScoreRequest(
        input_rows=[{**rows[number], **generations[number]} for number in answered],
        scoring_functions={function: params.get(function) for function in functions},
    )
    found = (await scoring.score(request, ctx)).results
    return {function: _spread(function, result, answered, len(rows)) for function, result in found.items()}


def _spread(function: str, result: ScoringResult, answered: Sequence[int], total: int) -> ScoringResult:
    """The same with a place for each row."""
    if len(result.score_rows) != len(answered):
        message = f"scoring function {function!r} gave {len(result.score_rows)} scores for {len(answered)} rows"
        raise UpstreamError(message, code="upstream_invalid_answer")
    given: Mapping[int, dict[str, object]] = dict(zip(answered, result.score_rows, strict=True))
    score_rows = [given.get(number, {"score": None}) for number in range(total)]
    return ScoringResult(score_rows=score_rows, aggregated_results=result.aggregated_results)
