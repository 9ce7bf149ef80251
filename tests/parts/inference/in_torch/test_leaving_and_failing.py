"""Clients that leave, company, and what happens when memory or luck runs out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

torch = pytest.importorskip("torch")

from asking import Model, content
from parts.providers.inference.refusals import is_out_of_memory
from parts.providers.inference.torch_text import engine
from parts.providers.inference.transformers import TransformersConfig, open_transformers
from parts.runtime.context import Context
from parts.runtime.errors import BadRequest, StackError

pytestmark = pytest.mark.torch
on_the_loop = pytest.mark.asyncio(loop_scope="module")

LONG: dict[str, Any] = {"prompt": "ping", "max_tokens": 900, "ignore_eos": True}


@pytest_asyncio.fixture(loop_scope="module")
async def two(folders: dict[str, Path]) -> AsyncIterator[Model]:
    """A model with places for two."""
    config = TransformersConfig(model=str(folders["llama"]), max_batch_size=2)
    async with open_transformers(config, instance="here") as provider:
        yield Model(provider)


async def is_idle(model: Model) -> bool:
    """Whether the engine soon makes no more tokens: long before LONG would have come to its end."""
    before = -1
    for _ in range(20):
        if model.generated == before:
            return True
        before = model.generated
        await asyncio.sleep(0.1)
    return False


@on_the_loop
async def test_a_stream_that_is_left_stops_the_generation(two: Model) -> None:
    ctx = Context("r")
    stream = await two.stream(ctx=ctx, **LONG)
    async for _ in stream:
        break
    await stream.aclose()
    assert await is_idle(two)
    assert two.generated < 300
    assert 1 <= (ctx.usage.completion_tokens or 0) <= two.generated


@on_the_loop
async def test_a_whole_answer_that_is_left_stops_the_generation(two: Model) -> None:
    ctx = Context("r")
    task = asyncio.create_task(two.complete(ctx=ctx, **LONG))
    while not ctx.usage.completion_tokens:
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await is_idle(two)
    assert two.generated < 600


@on_the_loop
async def test_one_that_is_left_while_it_waits_never_begins(two: Model) -> None:
    busy = [await two.stream(**LONG) for _ in range(2)]
    waiting = asyncio.create_task(two.complete(ctx=(ctx := Context("r")), **LONG))
    await asyncio.sleep(0.1)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    for stream in busy:
        await stream.aclose()
    assert await is_idle(two)
    assert ctx.usage.completion_tokens is None
    assert (await two.complete("x", max_tokens=2))["usage"]["completion_tokens"] == 2


@on_the_loop
async def test_more_than_there_are_places_for_all_answer(two: Model) -> None:
    answers = await asyncio.gather(*(two.complete("ping", max_tokens=5, n=3) for _ in range(6)))
    assert [len(answer["choices"]) for answer in answers] == [3] * 6
    assert len({str(answer["choices"]) for answer in answers}) == 1


# ── trouble ─────────────────────────────────────────────────────────────────────────────────────────────────────────

MEMORY = [
    RuntimeError("[enforce fail at alloc_cpu.cpp:121] err == 0. DefaultCPUAllocator: can't allocate memory"),
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
    MemoryError(),
]


def breaking(running: Any, monkeypatch: pytest.MonkeyPatch, method: str, error: Exception) -> None:
    """Lets the model's next call of this kind fail."""
    whole = getattr(running, method)

    def once(*args: Any) -> Any:
        monkeypatch.setattr(running, method, whole)
        raise error

    monkeypatch.setattr(running, method, once)


def running(model: Model) -> Any:
    assert model.provider.text is not None
    return model.provider.text.engine._worker._running


@on_the_loop
@pytest.mark.parametrize("error", MEMORY, ids=["cpu", "cuda", "python"])
@pytest.mark.parametrize("method", ["read", "join", "step"])
async def test_want_of_memory_is_503_and_the_server_goes_on(
    two: Model, monkeypatch: pytest.MonkeyPatch, method: str, error: Exception
) -> None:
    breaking(running(two), monkeypatch, method, error)
    with pytest.raises(StackError, match="memory") as caught:
        await two.complete("ping", max_tokens=5, ignore_eos=True)
    assert (caught.value.status, caught.value.code) == (503, "out_of_memory")
    assert (await two.complete("ping", max_tokens=5, ignore_eos=True))["usage"]["completion_tokens"] == 5


@on_the_loop
async def test_want_of_memory_for_one_that_begins_leaves_the_others(
    two: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = await two.complete("ping", max_tokens=300, ignore_eos=True)
    first = asyncio.create_task(two.complete("ping", max_tokens=300, ignore_eos=True, ctx=(ctx := Context("r"))))
    while not ctx.usage.completion_tokens:
        await asyncio.sleep(0.005)
    breaking(running(two), monkeypatch, "read", MEMORY[0])
    with pytest.raises(StackError, match="memory"):
        await two.complete("hello", max_tokens=5)
    assert (await first)["choices"] == alone["choices"]


@on_the_loop
@pytest.mark.parametrize("method", ["read", "join", "step", "keep"])
async def test_a_fault_is_told_to_those_in_flight_and_the_server_goes_on(
    two: Model, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, method: str
) -> None:
    breaking(running(two), monkeypatch, method, ZeroDivisionError("secret"))
    # The long one comes first: the short one, however late it joins, ends beside it, and only then rows are kept.
    answers = await asyncio.gather(
        *(two.complete("ping", max_tokens=count, ignore_eos=True) for count in (300, 5)), return_exceptions=True
    )
    failed = [answer for answer in answers if isinstance(answer, StackError)]
    assert failed
    assert all((error.status, error.code) == (500, "inference_failed") for error in failed)
    assert not any("secret" in error.message for error in failed)
    assert "end with a fault" in caplog.text
    assert (await two.complete("ping", max_tokens=5, ignore_eos=True))["usage"]["completion_tokens"] == 5


@on_the_loop
@pytest.mark.parametrize("sampling", [{"temperature": 0}, {"temperature": 1, "seed": 7}], ids=["greedy", "sampled"])
@pytest.mark.parametrize("value", [float("nan"), float("inf")])
async def test_scores_that_are_no_numbers_end_their_own_request_alone(
    two: Model, monkeypatch: pytest.MonkeyPatch, value: float, sampling: dict[str, Any]
) -> None:
    alone = await two.complete("ping", max_tokens=60, ignore_eos=True, **sampling)
    model = running(two)
    whole = model.step

    def step(*args: Any) -> Any:
        scores = whole(*args)
        if len(scores) == 2:
            monkeypatch.setattr(model, "step", whole)
            scores[1, 5] = value
        return scores

    monkeypatch.setattr(model, "step", step)
    asked = (two.complete("ping", max_tokens=60, ignore_eos=True, **sampling) for _ in range(2))
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert isinstance(answers[1], StackError)
    assert "not finite" in answers[1].message
    assert not isinstance(answers[0], BaseException)
    assert answers[0]["choices"] == alone["choices"]


@on_the_loop
async def test_a_request_that_asks_for_the_impossible_fails_nobody_else(two: Model) -> None:
    """Scores divided by next to nothing are infinite, and of those no token can be drawn."""
    alone = await two.complete("ping", max_tokens=60, ignore_eos=True)
    cold = {"max_tokens": 5, "temperature": 1e-40, "seed": 1}
    answers = await asyncio.gather(two.complete("ping", max_tokens=60, ignore_eos=True), two.complete("ping", **cold))
    assert answers[0]["choices"] == alone["choices"]
    greedy = await two.complete("ping", max_tokens=5, temperature=0)
    assert answers[1]["choices"][0]["text"] == greedy["choices"][0]["text"]


@on_the_loop
async def test_too_many_answers_are_refused_before_any_is_prepared(two: Model) -> None:
    with pytest.raises(BadRequest, match="asks for 25600 answers, and 2048 is the most"):
        await two.complete(["x"] * 200, n=128)


@on_the_loop
async def test_more_than_may_wait_are_refused_and_the_others_answer(
    two: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "MOST_WAITING", 4)
    asked = (two.complete("ping", max_tokens=50, n=3, ignore_eos=True) for _ in range(3))
    answers = await asyncio.gather(*asked, return_exceptions=True)
    refused = [each for each in answers if isinstance(each, StackError)]
    assert [(each.status, each.code) for each in refused] == [(503, "model_overloaded")]
    assert (await two.complete("ping", max_tokens=5, ignore_eos=True))["usage"]["completion_tokens"] == 5


@on_the_loop
async def test_the_parameter_that_was_given_is_the_one_that_is_named(two: Model) -> None:
    with pytest.raises(BadRequest) as caught:
        await two.chat("ping", max_tokens=0)
    assert caught.value.param == "max_tokens"


@on_the_loop
async def test_closing_ends_what_runs_and_what_waits(folders: dict[str, Path]) -> None:
    config = TransformersConfig(model=str(folders["llama"]), max_batch_size=1)
    async with open_transformers(config, instance="here") as provider:
        model = Model(provider)
        tasks = [asyncio.create_task(model.complete(**LONG)) for _ in range(3)]
        await asyncio.sleep(0.2)
    answers = await asyncio.gather(*tasks, return_exceptions=True)
    assert [getattr(answer, "code", None) for answer in answers] == ["server_stopping"] * 3


@on_the_loop
async def test_many_at_once_all_answer(ponger: Model) -> None:
    answers = await asyncio.gather(*(ponger.chat("ping") for _ in range(20)))
    assert {content(answer) for answer in answers} == {"pong"}


def test_other_faults_are_not_taken_for_want_of_memory() -> None:
    assert not is_out_of_memory(RuntimeError("mat1 and mat2 shapes cannot be multiplied"))
