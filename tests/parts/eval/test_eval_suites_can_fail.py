"""The contract suites are worth what they find: each flaw fails the test that is there for it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest
from parts.contracts.eval.requests import (
    CancelEvalJobRequest,
    EvalJobResultRequest,
    EvalJobStatusRequest,
    EvaluateRowsRequest,
    RunEvalRequest,
)
from parts.contracts.eval.responses import EvalJob, EvaluateResponse
from parts.contracts.shared.scoring import ScoringResult
from parts.runtime.context import Context
from parts.runtime.errors import BadRequest, Conflict, NotFound, UpstreamError
from parts.testing.eval import JobsSuite, RowsSuite


def scored(*scores: float | None) -> dict[str, ScoringResult]:
    rows = [{"score": score} for score in scores]
    return {"basic::equality": ScoringResult(score_rows=rows, aggregated_results={})}


class SoundJobs:
    """Ends a job with the second look at it."""

    def __init__(self) -> None:
        self.looks: dict[str, int] = {}
        self.cancelled: set[str] = set()

    async def run_eval(self, request: RunEvalRequest, ctx: Context) -> EvalJob:
        job = str(len(self.looks))
        self.looks[job] = 0
        return EvalJob(job_id=job, status="scheduled")

    async def eval_job_status(self, request: EvalJobStatusRequest, ctx: Context) -> EvalJob:
        job = self._there(request.job_id)
        self.looks[job] += 1
        if job in self.cancelled:
            return EvalJob(job_id=job, status="cancelled")
        return EvalJob(job_id=job, status="completed" if self.looks[job] > 1 else "in_progress")

    async def cancel_eval_job(self, request: CancelEvalJobRequest, ctx: Context) -> None:
        job = self._there(request.job_id)
        if self.looks[job] < 2:
            self.cancelled.add(job)

    async def eval_job_result(self, request: EvalJobResultRequest, ctx: Context) -> EvaluateResponse:
        if self.looks[self._there(request.job_id)] < 2:
            raise Conflict("it runs")
        return EvaluateResponse(generations=[], scores=scored(1.0))

    def _there(self, job: str) -> str:
        if job not in self.looks:
            raise NotFound("there is no such job")
        return job


class Fails(SoundJobs):
    async def eval_job_status(self, request: EvalJobStatusRequest, ctx: Context) -> EvalJob:
        told = await super().eval_job_status(request, ctx)
        return told.model_copy(update={"status": "failed"})


class ScoresNothing(SoundJobs):
    async def eval_job_result(self, request: EvalJobResultRequest, ctx: Context) -> EvaluateResponse:
        return (await super().eval_job_result(request, ctx)).model_copy(update={"scores": {}})


class HasResultsTooEarly(SoundJobs):
    async def eval_job_result(self, request: EvalJobResultRequest, ctx: Context) -> EvaluateResponse:
        return EvaluateResponse(generations=[], scores=scored(1.0))


class FallsOver(SoundJobs):
    async def eval_job_result(self, request: EvalJobResultRequest, ctx: Context) -> EvaluateResponse:
        raise UpstreamError("what?")


class RunsOneJob(SoundJobs):
    async def run_eval(self, request: RunEvalRequest, ctx: Context) -> EvalJob:
        return (await super().run_eval(request, ctx)).model_copy(update={"job_id": "0"})


class CancelsWhatHasEnded(SoundJobs):
    async def cancel_eval_job(self, request: CancelEvalJobRequest, ctx: Context) -> None:
        job = self._there(request.job_id)
        if self.looks[job]:
            self.cancelled.add(job)


class FailsWhatIsCancelled(SoundJobs):
    async def eval_job_status(self, request: EvalJobStatusRequest, ctx: Context) -> EvalJob:
        told = await super().eval_job_status(request, ctx)
        return told.model_copy(update={"status": "failed"}) if told.status == "cancelled" else told


class KnowsEveryJob(SoundJobs):
    def _there(self, job: str) -> str:
        self.looks.setdefault(job, 0)
        return job


class RefusesUnknownJobs(SoundJobs):
    def _there(self, job: str) -> str:
        if job not in self.looks:
            raise BadRequest("what is this?")
        return job


class SoundRows:
    """Says what it is asked."""

    def answer(self, row: dict[str, object]) -> str | None:
        said = row.get("completion_input", row.get("input_query"))
        if (messages := row.get("chat_completion_input")) is not None:
            said = str(messages).split('"')[-2]
        return None if said is None else str(said)

    async def evaluate_rows(self, request: EvaluateRowsRequest, ctx: Context) -> EvaluateResponse:
        rows = request.input_rows[: request.benchmark_config.num_examples]
        answers = [self.answer(row) for row in rows]
        if not any(answers):
            raise BadRequest("no row could be answered")
        generations = [
            {"generated_answer": answer, **({"error": "what?"} if answer is None else {})} for answer in answers
        ]
        pairs = zip(rows, answers, strict=True)
        scores = [None if said is None else float(said == row["expected_answer"]) for row, said in pairs]
        return EvaluateResponse(generations=generations, scores=scored(*scores))


class Backwards(SoundRows):
    async def evaluate_rows(self, request: EvaluateRowsRequest, ctx: Context) -> EvaluateResponse:
        found = await super().evaluate_rows(request, ctx)
        return found.model_copy(update={"generations": found.generations[::-1]})


class Praises(SoundRows):
    async def evaluate_rows(self, request: EvaluateRowsRequest, ctx: Context) -> EvaluateResponse:
        found = await super().evaluate_rows(request, ctx)
        return found.model_copy(update={"scores": scored(*[1.0] * len(found.generations))})


class LeavesOutWhatFailed(SoundRows):
    async def evaluate_rows(self, request: EvaluateRowsRequest, ctx: Context) -> EvaluateResponse:
        request.input_rows = [row for row in request.input_rows if self.answer(row) is not None]
        return await super().evaluate_rows(request, ctx)


class MakesUpAnswers(SoundRows):
    def answer(self, row: dict[str, object]) -> str | None:
        return super().answer(row) or "something"


class TakesAll(SoundRows):
    async def evaluate_rows(self, request: EvaluateRowsRequest, ctx: Context) -> EvaluateResponse:
        request.benchmark_config.num_examples = None
        return await super().evaluate_rows(request, ctx)


FLAWS: Sequence[tuple[str, type[SoundJobs | SoundRows]]] = (
    ("a_job_ends_and_has_a_result", Fails),
    ("a_job_ends_and_has_a_result", ScoresNothing),
    ("a_job_has_a_result_once_it_is_completed", HasResultsTooEarly),
    ("a_job_has_a_result_once_it_is_completed", FallsOver),
    ("each_run_is_a_job_of_its_own", RunsOneJob),
    ("a_cancelled_job_ends_and_may_be_cancelled_again", FailsWhatIsCancelled),
    ("a_cancelled_job_ends_and_may_be_cancelled_again", CancelsWhatHasEnded),
    ("an_unknown_job_is_not_found", KnowsEveryJob),
    ("an_unknown_job_is_not_found", RefusesUnknownJobs),
    ("rows_are_answered_and_scored_in_their_order", Backwards),
    ("rows_are_answered_and_scored_in_their_order", Praises),
    ("a_row_that_fails_does_not_lose_the_others", MakesUpAnswers),
    ("a_row_that_fails_does_not_lose_the_others", LeavesOutWhatFailed),
    ("where_every_row_fails_the_request_does", MakesUpAnswers),
    ("no_more_rows_are_taken_than_are_asked_for", TakesAll),
)


def suite_of(made: type[SoundJobs | SoundRows]) -> JobsSuite | RowsSuite:
    base: type[JobsSuite | RowsSuite] = JobsSuite if issubclass(made, SoundJobs) else RowsSuite

    class Of(base):  # type: ignore[misc, valid-type]
        @asynccontextmanager
        async def opens(self) -> AsyncIterator[SoundJobs | SoundRows]:
            yield made()

    return Of()


def claims_of(suite: type[JobsSuite | RowsSuite]) -> list[str]:
    return sorted(name.removeprefix("test_") for name in dir(suite) if name.startswith("test_"))


@pytest.mark.parametrize(("test", "flawed"), FLAWS)
def test_a_flaw_fails_its_test(test: str, flawed: type[SoundJobs | SoundRows]) -> None:
    with pytest.raises(AssertionError):
        getattr(suite_of(flawed), f"test_{test}")()


@pytest.mark.parametrize(
    ("test", "sound"),
    [
        *((each, SoundJobs) for each in claims_of(JobsSuite)),
        *((each, SoundRows) for each in claims_of(RowsSuite)),
    ],
)
def test_a_sound_one_passes(test: str, sound: type[SoundJobs | SoundRows]) -> None:
    getattr(suite_of(sound), f"test_{test}")()


def test_every_claim_has_its_flaw() -> None:
    assert {*claims_of(JobsSuite), *claims_of(RowsSuite)} == {name for name, _ in FLAWS}
