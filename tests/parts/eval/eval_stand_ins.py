"""What evaluations work with, in this process: rows, a model that says what it is told, and a score for equality.

Each stands in for an API of the server; `tests/built/test_eval.py` has the real ones.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypedDict, Unpack

from parts.contracts.agents import Agents
from parts.contracts.datasetio.requests import AppendRowsRequest, IterrowsRequest
from parts.contracts.datasetio.responses import PaginatedResponse
from parts.contracts.inference.requests import CreateChatCompletionRequest, CreateCompletionRequest
from parts.contracts.inference.responses import CreateChatCompletionResponse, CreateCompletionResponse
from parts.contracts.scoring.requests import ScoreBatchRequest, ScoreRequest
from parts.contracts.scoring.responses import ScoreBatchResponse, ScoreResponse
from parts.contracts.shared.scoring import ScoringResult
from parts.providers.eval.meta_reference import MetaReferenceEvalConfig, open_meta_reference_eval
from parts.providers.eval.runs.service import Evaluations
from parts.providers.storage.sql_sqlite import SqlSqliteConfig, open_sql_sqlite
from parts.runtime.context import Context
from parts.runtime.errors import NotFound, StackError
from parts.runtime.metrics import Accounts
from parts.runtime.reply import Answer
from parts.runtime.sql import Sql

QUICK = MetaReferenceEvalConfig(poll_seconds=0.1, lease_seconds=1.0)
ROWS = [{"input_query": f"question {n}", "expected_answer": f"question {n}"} for n in range(5)]


class Datasets:
    """Datasets in memory, read in pages. page: rows of one at most."""

    def __init__(self, datasets: Mapping[str, Sequence[Mapping[str, object]]], page: int = 2) -> None:
        self._datasets = datasets
        self._page = page
        self.faults: list[StackError] = []

    async def iterrows(self, request: IterrowsRequest, ctx: Context) -> PaginatedResponse:
        if self.faults:
            raise self.faults.pop(0)
        if request.dataset_id not in self._datasets:
            raise NotFound("there is no such dataset", code="dataset_not_found")
        rows = self._datasets[request.dataset_id]
        first = request.start_index or 0
        limit = min(self._page, self._page if request.limit is None else request.limit)
        data = [dict(row) for row in rows[first : first + limit]]
        return PaginatedResponse(data=data, has_more=first + limit < len(rows))

    async def append_rows(self, request: AppendRowsRequest, ctx: Context) -> None:
        raise AssertionError("nobody adds rows here")


class Echo:
    """A model that says what it was asked. asked: all questions. before: called with each, and may raise."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.contexts: list[Context] = []
        self.at_once = 0
        self.most_at_once = 0
        self.before: Callable[[str], None] = lambda question: None
        self.open = asyncio.Event()
        self.open.set()

    async def create_chat_completion(
        self, request: CreateChatCompletionRequest, ctx: Context
    ) -> Answer[CreateChatCompletionResponse]:
        question = request.messages[-1].content
        message = {"role": "assistant", "content": await self._said(str(question), ctx)}
        choice = {"index": 0, "finish_reason": "stop", "message": message}
        said = {"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]}
        return Answer.of(CreateChatCompletionResponse.model_validate(said))

    async def create_completion(
        self, request: CreateCompletionRequest, ctx: Context
    ) -> Answer[CreateCompletionResponse]:
        choice = {"index": 0, "finish_reason": "stop", "text": await self._said(str(request.prompt), ctx)}
        said = {"id": "c", "object": "text_completion", "created": 1, "model": "m", "choices": [choice]}
        return Answer.of(CreateCompletionResponse.model_validate(said))

    async def _said(self, question: str, ctx: Context) -> str:
        self.asked.append(question)
        self.contexts.append(ctx)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await asyncio.sleep(0)
            await self.open.wait()
            self.before(question)
            ctx.usage.prompt_tokens, ctx.usage.completion_tokens = 2, 1
            return question
        finally:
            self.at_once -= 1


class Equality:
    """Scoring of one function. scored: the rows that it has seen."""

    def __init__(self) -> None:
        self.requests: list[ScoreRequest] = []
        self.faults: list[StackError] = []

    async def score(self, request: ScoreRequest, ctx: Context) -> ScoreResponse:
        if self.faults:
            raise self.faults.pop(0)
        self.requests.append(request)
        scores = [float(row["generated_answer"] == row["expected_answer"]) for row in request.input_rows]
        found = ScoringResult(
            score_rows=[{"score": score} for score in scores],
            aggregated_results={"accuracy": {"accuracy": sum(scores) / len(scores)}},
        )
        return ScoreResponse(results=dict.fromkeys(request.scoring_functions, found))

    async def score_batch(self, request: ScoreBatchRequest, ctx: Context) -> ScoreBatchResponse:
        raise AssertionError("nobody scores datasets here")


@asynccontextmanager
async def evaluating(path: Path, **more: Unpack[With]) -> AsyncIterator[Evaluations]:
    """The provider over a database in this folder."""
    config = SqlSqliteConfig(db_path=str(path / "eval.db"))
    async with open_sql_sqlite(config, instance="sql_default") as sql, evaluating_in(sql, **more) as made:
        yield made


class With(TypedDict, total=False):
    """What the provider works with; a stand-in of its own where nothing is said."""

    datasets: Datasets
    model: Echo
    scoring: Equality
    config: MetaReferenceEvalConfig
    accounts: Accounts
    agents: Agents


@asynccontextmanager
async def evaluating_in(sql: Sql, **more: Unpack[With]) -> AsyncIterator[Evaluations]:
    """The provider over this database."""
    async with open_meta_reference_eval(
        more.get("config", QUICK),
        store=sql,
        datasetio=more.get("datasets", Datasets({"dataset-1": ROWS})),
        scoring=more.get("scoring", Equality()),
        inference=more.get("model", Echo()),  # type: ignore[arg-type]  # of inference it has what is asked for
        agents=more.get("agents"),
        accounts=more.get("accounts", Accounts()),
    ) as made:
        yield made
