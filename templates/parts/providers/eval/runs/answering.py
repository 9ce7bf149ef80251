"""Answers to rows, by a model of the server's inference or by an agent."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from ....contracts.inference.requests import CreateChatCompletionRequest, CreateCompletionRequest
from ....contracts.inference.responses import CreateChatCompletionResponse, CreateCompletionResponse
from ....runtime.errors import RateLimited, StackError, Unavailable
from ....runtime.http_request import validate
from .agents import by_agent
from .asking import Row, asked
from .replies import AnswerRow, Generation, nonsense, whole

if TYPE_CHECKING:
    from ....contracts.agents import Agents
    from ....contracts.eval.requests import BenchmarkConfig, ModelCandidate
    from ....contracts.inference import Inference
    from ....runtime.context import Context
    from ....runtime.metrics import Accounts

log = logging.getLogger(__name__)

LONGEST_PAUSE_SECONDS = 60.0
"""Between two tries of a row, whatever was asked for."""

_OK, _LEFT, _FAULT = 200, 499, 500

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Outcome:
    """Of one row. error: why it could not be answered."""

    generation: Generation
    error: StackError | None = None


def answering(config: BenchmarkConfig, inference: Inference, agents: Agents | None) -> AnswerRow:
    """Whoever is evaluated. Raises BadRequest for a candidate that is not to be had here."""
    candidate = config.eval_candidate
    if candidate.type == "agent":
        return by_agent(candidate.config, agents)

    async def answer(row: Row, ctx: Context) -> Generation:
        return {"generated_answer": await _said(inference, row, candidate, ctx)}

    return answer


def counted(answer: AnswerRow, accounts: Accounts) -> AnswerRow:
    """The same, each row counted as a request of a client's would be, under the operation `EVAL row`."""

    async def counting(row: Row, ctx: Context) -> Generation:
        started, status = time.perf_counter(), _FAULT
        try:
            generation = await answer(row, ctx)
            status = _OK
            return generation
        except asyncio.CancelledError:
            status = _LEFT
            raise
        except StackError as error:
            status = error.status
            raise
        finally:
            accounts.count("EVAL row", ctx, status, time.perf_counter() - started)

    return counting


async def together(calls: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """What they return, in their order. Raises what the first that fails raises; the others are stopped then."""
    tasks = [asyncio.ensure_future(call) for call in calls]
    try:
        return list(await asyncio.gather(*tasks))
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def outcome(answer: AnswerRow, row: Row, context: Callable[[], Context], *, tries: int) -> Outcome:
    """What becomes of a row in any case. context: a new one for each try. tries: while the service is busy."""
    tried = 0
    while True:
        try:
            return Outcome(await answer(row, context()))
        except StackError as error:
            tried += 1
            if not isinstance(error, RateLimited | Unavailable) or tried >= tries:
                return _failed(error)
            await asyncio.sleep(_pause(tried, error.retry_after))
        except Exception:
            log.exception("a row of an evaluation failed")
            return _failed(StackError("the server made an error; its log has more"))


def _failed(error: StackError) -> Outcome:
    return Outcome({"generated_answer": None, "error": error.message}, error)


async def _said(inference: Inference, row: Row, candidate: ModelCandidate, ctx: Context) -> str:
    question = asked(row, candidate)
    ctx.body = question.body
    if question.kind == "completion":
        completed = await inference.create_completion(validate(CreateCompletionRequest, question.body), ctx)
        texts = [each.text for each in (await whole(completed, CreateCompletionResponse)).choices]
    else:
        chatted = await inference.create_chat_completion(validate(CreateChatCompletionRequest, question.body), ctx)
        choices = (await whole(chatted, CreateChatCompletionResponse)).choices
        texts = [each.message.content or each.message.refusal or "" for each in choices]
    if not texts:
        raise nonsense("the model answered no choice")
    return texts[0]


def _pause(tried: int, asked_for: float | None) -> float:
    """Seconds: longer each time, not all rows at once, and as long as the service asked for."""
    return min(LONGEST_PAUSE_SECONDS, max(asked_for or 0.0, 2.0 ** (tried - 1) * random.uniform(0.5, 1.0)))
