"""What becomes of a job: its rows are read, answered, scored."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from pydantic import BaseModel

from ....contracts.datasetio.requests import IterrowsRequest
from ....contracts.eval.requests import BenchmarkConfig
from ....contracts.eval.responses import EvalJobProgress, EvaluateResponse
from ....runtime.errors import Unprocessable
from .answering import answering, counted, outcome, together
from .kept import KeptRows, Numbered
from .replies import AnswerRow
from .scores import scores

if TYPE_CHECKING:
    from ....contracts.agents import Agents
    from ....contracts.datasetio import Datasetio
    from ....contracts.inference import Inference
    from ....contracts.scoring import Scoring
    from ....runtime.context import Context
    from ....runtime.jobs import Work
    from ....runtime.metrics import Accounts

PAGE = 100
"""Rows of a dataset that are read at once."""

ROUNDS = 8
"""How often each of the rows that are answered at once is followed by another before the job is noted to get on."""


class Wanted(BaseModel):
    """What a job is kept as."""

    dataset_id: str
    scoring_functions: list[str]
    config: BenchmarkConfig


class Running:
    """Does jobs. width: rows of one that are answered at once. tries: of a row whose model is busy."""

    def __init__(
        self,
        rows: KeptRows,
        *,
        datasetio: Datasetio,
        scoring: Scoring,
        inference: Inference,
        agents: Agents | None,
        accounts: Accounts,
        width: int,
        tries: int,
    ) -> None:
        self._rows = rows
        self._datasetio = datasetio
        self._scoring = scoring
        self._inference = inference
        self._agents = agents
        self._accounts = accounts
        self._width = width
        self._tries = tries

    async def run(self, work: Work) -> bytes:
        """The JSON of an EvaluateResponse. Raises StackError where there can be none, and LeaseLost."""
        wanted = Wanted.model_validate_json(work.job.request)
        answer = counted(answering(wanted.config, self._inference, self._agents), self._accounts)
        if work.job.progress is None:
            await self._rows.sweep()
            await self._read(work, wanted)
        while rows := await self._rows.unanswered(work.job.id, self._width * ROUNDS):
            await self._answer_all(work, answer, rows)
            await self._note(work)
        return await self._score(work, wanted)

    async def _read(self, work: Work, wanted: Wanted) -> None:
        """Copies the dataset's rows, going on behind those that are there."""
        id, most = work.job.id, wanted.config.num_examples
        at = (await self._rows.count(id)).total
        more = True
        while more and (most is None or at < most):
            limit = PAGE if most is None else min(PAGE, most - at)
            request = IterrowsRequest(dataset_id=wanted.dataset_id, start_index=at, limit=limit)
            page = await self._datasetio.iterrows(request, work.job.context())
            if page.data:
                await self._rows.add(id, at, page.data)
            at += len(page.data)
            more = page.has_more and bool(page.data)
        if not at:
            raise Unprocessable(f"dataset {wanted.dataset_id!r} has no rows")
        await self._note(work)

    async def _answer_all(self, work: Work, answer: AnswerRow, rows: list[Numbered]) -> None:
        room = asyncio.Semaphore(self._width)

        async def one(each: Numbered) -> None:
            async with room:
                found = await outcome(answer, each.row, lambda: _context(work, each.number), tries=self._tries)
                await self._rows.answer(work.job.id, each.number, found.generation)

        await together(one(each) for each in rows)

    async def _score(self, work: Work, wanted: Wanted) -> bytes:
        rows, generations = await self._rows.all(work.job.id)
        if all("error" in each for each in generations):
            raise Unprocessable(f"no row could be answered; of the first: {generations[0].get('error')}")
        found = await scores(
            self._scoring, wanted.scoring_functions, wanted.config, rows, generations, work.job.context()
        )
        done = EvaluateResponse(generations=[dict(each) for each in generations], scores=found)
        return done.model_dump_json().encode()

    async def _note(self, work: Work) -> None:
        count = await self._rows.count(work.job.id)
        told = EvalJobProgress(total=count.total, completed=count.completed, failed=count.failed)
        await work.note(told.model_dump_json().encode())


def _context(work: Work, number: int) -> Context:
    ctx = work.job.context()
    ctx.request_id = f"{ctx.request_id}-{number}"
    return ctx
