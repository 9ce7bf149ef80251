"""The scoring API: each function is asked at the instance that has it, all of a request at once.

scoring = ScoringRouter(table=scoring_functions, datasetio=datasetio, datasets=datasets)
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from ..contracts.datasetio.requests import IterrowsRequest
from ..contracts.scoring.responses import ScoreBatchResponse, ScoreResponse
from ..runtime.errors import BadRequest

if TYPE_CHECKING:
    from ..contracts.datasetio import Datasetio
    from ..contracts.scoring.requests import ScoreBatchRequest, ScoreRequest
    from ..contracts.shared.scoring import ScoringFnParams, ScoringResult
    from ..runtime.context import Context
    from ..runtime.dataset_rows import Row


class FunctionTable(Protocol):
    """What the router asks of the scoring functions."""

    def check(self, functions: Mapping[str, ScoringFnParams | None], ctx: Context) -> None:
        """Raises NotFound for one that is not there, BadRequest for params that it does not take."""

    async def score(
        self, function: str, params: ScoringFnParams | None, rows: Sequence[Row], ctx: Context
    ) -> ScoringResult: ...


class DatasetMaker(Protocol):
    """What the router asks of the datasets."""

    async def keep(self, rows: Sequence[Row], about: Mapping[str, object], ctx: Context) -> str:
        """A new dataset of these rows; its id. Raises BadRequest where none can be registered."""


class ScoringRouter:
    """The scoring API over many instances. datasetio, datasets: None where the server has none."""

    def __init__(
        self, *, table: FunctionTable, datasetio: Datasetio | None = None, datasets: DatasetMaker | None = None
    ) -> None:
        self._table = table
        self._datasetio = datasetio
        self._datasets = datasets

    async def score(self, request: ScoreRequest, ctx: Context) -> ScoreResponse:
        return ScoreResponse(results=await self._results(request.scoring_functions, request.input_rows, ctx))

    async def score_batch(self, request: ScoreBatchRequest, ctx: Context) -> ScoreBatchResponse:
        if self._datasetio is None or self._datasets is None:
            message = "this server has no datasets; /v1/scoring/score scores rows that are sent"
            raise BadRequest(message, code="unsupported_operation", param="dataset_id")
        self._table.check(request.scoring_functions, ctx)
        rows = (await self._datasetio.iterrows(IterrowsRequest(dataset_id=request.dataset_id), ctx)).data
        results = await self._results(request.scoring_functions, rows, ctx)
        answer = ScoreBatchResponse(results=results)
        if request.save_results_dataset:
            scored: list[Row] = [
                {**row, "scores": {name: result.score_rows[number] for name, result in results.items()}}
                for number, row in enumerate(rows)
            ]
            answer.dataset_id = await self._datasets.keep(scored, {"scored_dataset_id": request.dataset_id}, ctx)
        return answer

    async def _results(
        self, functions: Mapping[str, ScoringFnParams | None], rows: Sequence[Row], ctx: Context
    ) -> dict[str, ScoringResult]:
        self._table.check(functions, ctx)
        asked = [asyncio.ensure_future(self._table.score(name, how, rows, ctx)) for name, how in functions.items()]
        try:
            return dict(zip(functions, await asyncio.gather(*asked), strict=True))
        finally:
            # Where one fails, nobody has a use for what the others find.
            for each in asked:
                each.cancel()
            await asyncio.gather(*asked, return_exceptions=True)
