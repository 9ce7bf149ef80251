"""Evaluations that the server runs itself: what becomes of rows, jobs and their models' bad luck."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from eval_stand_ins import QUICK, ROWS, Datasets, Echo, Equality, evaluating
from parts.contracts.eval.requests import (
    CancelEvalJobRequest,
    EvalJobResultRequest,
    EvalJobStatusRequest,
    EvaluateRowsRequest,
    RunEvalRequest,
)
from parts.contracts.eval.responses import EvalJob, EvaluateResponse
from parts.contracts.shared.benchmark import Benchmark
from parts.providers.eval.runs import answering
from parts.providers.eval.runs.service import Evaluations
from parts.runtime.context import Context
from parts.runtime.errors import BadRequest, Conflict, NotFound, RateLimited, Unavailable, UpstreamError
from parts.runtime.metrics import Accounts
from parts.runtime.secret import Secret

CTX = Context("r")
ALICE, BOB = Context("r", principal="alice", attributes={"teams": ("red",)}), Context("r", principal="bob")
MODEL = {"type": "model", "model": "m"}


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answering, "LONGEST_PAUSE_SECONDS", 0.01)


def wanted(dataset: str = "dataset-1", candidate: object = MODEL, **config: object) -> RunEvalRequest:
    benchmark = Benchmark(
        identifier="b",
        provider_id="p",
        provider_resource_id="b",
        type="benchmark",
        dataset_id=dataset,
        scoring_functions=["basic::equality"],
        metadata={},
    )
    said = {"benchmark_id": "b", "benchmark_config": {"eval_candidate": candidate, **config}, "benchmark": benchmark}
    return RunEvalRequest.model_validate(said)


async def status(made: Evaluations, job: str, ctx: Context = CTX) -> EvalJob:
    return await made.eval_job_status(EvalJobStatusRequest(benchmark_id="b", job_id=job), ctx)


async def result(made: Evaluations, job: str, ctx: Context = CTX) -> EvaluateResponse:
    return await made.eval_job_result(EvalJobResultRequest(benchmark_id="b", job_id=job), ctx)


async def cancel(made: Evaluations, job: str, ctx: Context = CTX) -> None:
    await made.cancel_eval_job(CancelEvalJobRequest(benchmark_id="b", job_id=job), ctx)


async def ended(made: Evaluations, job: str, ctx: Context = CTX) -> EvalJob:
    async with asyncio.timeout(30):
        while (told := await status(made, job, ctx)).status in ("scheduled", "in_progress"):
            await asyncio.sleep(0.01)
    return told


def accuracy(found: EvaluateResponse) -> object:
    return found.scores["basic::equality"].aggregated_results["accuracy"]


# ── jobs ────────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_job_reads_answers_and_scores_all_rows(tmp_path: Path) -> None:
    model, scoring = Echo(), Equality()
    async with evaluating(tmp_path, model=model, scoring=scoring) as made:
        params = {"basic::equality": {"type": "basic", "aggregation_functions": ["accuracy"]}}
        told = await ended(made, (await made.run_eval(wanted(scoring_params=params), CTX)).job_id)
        assert told.progress is not None
        assert (told.status, told.progress.model_dump()) == ("completed", {"total": 5, "completed": 5, "failed": 0})
        found = await result(made, told.job_id)
        assert [each["generated_answer"] for each in found.generations] == [row["input_query"] for row in ROWS]
        assert accuracy(found) == {"accuracy": 1.0}
        assert scoring.requests[0].input_rows[0] == {**ROWS[0], "generated_answer": "question 0"}
        given = scoring.requests[0].scoring_functions["basic::equality"]
        assert given is not None
        assert given.aggregation_functions == ["accuracy"]


async def test_a_job_takes_as_many_rows_as_it_is_told(tmp_path: Path) -> None:
    model = Echo()
    async with evaluating(tmp_path, model=model) as made:
        told = await ended(made, (await made.run_eval(wanted(num_examples=3), CTX)).job_id)
        assert len((await result(made, told.job_id)).generations) == len(model.asked) == 3


async def test_a_row_that_fails_does_not_lose_the_others(tmp_path: Path) -> None:
    model = Echo()

    def fails(question: str) -> None:
        if question == "question 1":
            raise BadRequest("too long for me")
        if question == "question 2":
            raise ValueError("a bug")

    model.before = fails
    async with evaluating(tmp_path, model=model) as made:
        told = await ended(made, (await made.run_eval(wanted(), CTX)).job_id)
        assert told.progress is not None
        assert (told.status, told.progress.completed, told.progress.failed) == ("completed", 3, 2)
        found = await result(made, told.job_id)
        assert found.generations[1] == {"generated_answer": None, "error": "too long for me"}
        assert "bug" not in str(found.generations[2]["error"])
        assert [each["score"] for each in found.scores["basic::equality"].score_rows] == [1.0, None, None, 1.0, 1.0]
        assert accuracy(found) == {"accuracy": 1.0}


async def test_where_every_row_fails_the_job_does_and_says_why(tmp_path: Path) -> None:
    model = Echo()

    def fails(question: str) -> None:
        raise NotFound("there is no model 'm' here")

    model.before = fails
    async with evaluating(tmp_path, model=model) as made:
        told = await ended(made, (await made.run_eval(wanted(), CTX)).job_id)
        assert told.status == "failed"
        assert "there is no model 'm' here" in (told.error or "")
        with pytest.raises(Conflict, match="there is no model"):
            await result(made, told.job_id)


async def test_a_model_that_is_busy_is_asked_again(tmp_path: Path) -> None:
    model, busy = Echo(), [RateLimited("later"), Unavailable("soon")]

    def fails(question: str) -> None:
        if question == "question 0" and busy:
            raise busy.pop()

    model.before = fails
    async with evaluating(tmp_path, model=model) as made:
        told = await ended(made, (await made.run_eval(wanted(), CTX)).job_id)
        assert told.progress is not None
        assert (told.status, told.progress.failed, len(model.asked)) == ("completed", 0, 7)


async def test_so_many_rows_are_answered_at_once_and_no_more(tmp_path: Path) -> None:
    model, rows = Echo(), [{"input_query": str(n), "expected_answer": ""} for n in range(40)]
    config = replace(QUICK, max_concurrent_rows=3)
    async with evaluating(tmp_path, model=model, datasets=Datasets({"dataset-1": rows}), config=config) as made:
        await ended(made, (await made.run_eval(wanted(), CTX)).job_id)
        assert model.most_at_once == 3
        assert sorted(model.asked, key=int) == [str(n) for n in range(40)], "each is asked once"


async def test_another_process_goes_on_where_one_ends(tmp_path: Path) -> None:
    first, second, rows = Echo(), Echo(), [{"input_query": str(n), "expected_answer": ""} for n in range(20)]
    datasets = Datasets({"dataset-1": rows})
    stopped, two = asyncio.Event(), replace(QUICK, max_concurrent_rows=2)

    def stops(question: str) -> None:
        if len(first.asked) > 12:
            stopped.set()
            first.open.clear()

    first.before = stops
    async with evaluating(tmp_path, model=first, datasets=datasets, config=two) as made:
        job = (await made.run_eval(wanted(), CTX)).job_id
        await asyncio.wait_for(stopped.wait(), 30)
    async with evaluating(tmp_path, model=second, datasets=datasets) as made:
        assert (await ended(made, job)).status == "completed"
        assert len((await result(made, job)).generations) == 20
    assert 0 < len(second.asked) < 12, "what was answered is not asked again"
    assert set(first.asked) | set(second.asked) == {str(n) for n in range(20)}


async def test_a_job_that_runs_is_stopped_by_cancelling_it(tmp_path: Path) -> None:
    model = Echo()
    model.open.clear()
    async with evaluating(tmp_path, model=model) as made:
        job = (await made.run_eval(wanted(), CTX)).job_id
        async with asyncio.timeout(30):
            while not model.at_once:
                await asyncio.sleep(0.01)
        await cancel(made, job)
        assert (await ended(made, job)).status == "cancelled"
        assert model.at_once == 0, "the model still answers"
        await cancel(made, job)
        with pytest.raises(Conflict, match="cancelled"):
            await result(made, job)


async def test_scoring_that_is_away_is_waited_for_and_nothing_is_asked_twice(tmp_path: Path) -> None:
    model, scoring = Echo(), Equality()
    scoring.faults = [UpstreamError("the judge is away")]
    async with evaluating(tmp_path, model=model, scoring=scoring) as made:
        assert (await ended(made, (await made.run_eval(wanted(), CTX)).job_id)).status == "completed"
        assert len(model.asked) == 5


async def test_scoring_that_cannot_be_fails_the_job(tmp_path: Path) -> None:
    scoring = Equality()
    scoring.faults = [NotFound("there is no scoring function 'f'")]
    async with evaluating(tmp_path, scoring=scoring) as made:
        told = await ended(made, (await made.run_eval(wanted(), CTX)).job_id)
        assert (told.status, told.error) == ("failed", "there is no scoring function 'f'")


async def test_what_cannot_be_run_is_told_at_once(tmp_path: Path) -> None:
    async with evaluating(tmp_path, datasets=Datasets({"empty": []})) as made:
        for request, kind in (
            (wanted("nowhere"), NotFound),
            (wanted("empty"), BadRequest),
            (wanted(""), BadRequest),
            (
                wanted("dataset-1", candidate={"type": "agent", "config": {"model": "m", "instructions": ""}}),
                BadRequest,
            ),
        ):
            with pytest.raises(kind):
                await made.run_eval(request, CTX)


async def test_a_job_is_its_owners_and_runs_in_their_name(tmp_path: Path) -> None:
    model = Echo()
    async with evaluating(tmp_path, model=model) as made:
        asks = Context("r", principal="alice", attributes=ALICE.attributes, provider_data={"key": Secret("sk-1")})
        job = (await made.run_eval(wanted(), asks)).job_id
        assert (await ended(made, job, ALICE)).status == "completed"
        for call in (status, result, cancel):
            with pytest.raises(NotFound):
                await call(made, job, BOB)
        assert {ctx.principal for ctx in model.contexts} == {"alice"}
        assert all(ctx.attributes == ALICE.attributes and not ctx.provider_data for ctx in model.contexts)
        assert b"sk-1" not in b"".join(path.read_bytes() for path in tmp_path.iterdir())
        with pytest.raises(NotFound):
            await made.eval_job_status(EvalJobStatusRequest(benchmark_id="another", job_id=job), ALICE)


async def test_rows_of_jobs_are_counted(tmp_path: Path) -> None:
    accounts = Accounts()
    async with evaluating(tmp_path, accounts=accounts) as made:
        await ended(made, (await made.run_eval(wanted(), CTX)).job_id)
    accounts.settle()
    assert 'operation="EVAL row",status="200"} 5.0' in accounts.exposition()[0].decode()


# ── rows at once ────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_rows_are_answered_with_the_callers_keys_and_on_its_account(tmp_path: Path) -> None:
    model, ctx = Echo(), Context("r", provider_data={"key": Secret("sk-1")})
    said = {"benchmark_id": "b", "benchmark_config": {"eval_candidate": MODEL}, "scoring_functions": []}
    async with evaluating(tmp_path, model=model) as made:
        request = EvaluateRowsRequest.model_validate({**said, "input_rows": [{"input_query": "a"}] * 20})
        found = await made.evaluate_rows(request, ctx)
    assert (len(found.generations), found.scores) == (20, {})
    assert all(each.provider_data == ctx.provider_data for each in model.contexts)
    assert (ctx.usage.prompt_tokens, ctx.usage.completion_tokens) == (40, 20)
    assert model.most_at_once == QUICK.max_concurrent_rows
