"""A model of the server judges answers, by a question and by where in its answer the score stands."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...contracts.shared.scoring import LLMAsJudgeScoringFnParams, ScoringResult
from ...runtime.errors import BadRequest
from ...runtime.scoring import ScoringFunction
from ...runtime.wiring import Health
from .asking import Judge, filled
from .rows import EXPECTED, GENERATED, QUERY, text_of

if TYPE_CHECKING:
    from ...contracts.inference import Chat
    from ...contracts.shared.scoring import ScoringFnParams
    from ...runtime.context import Context
    from ...runtime.dataset_rows import Row

TEMPLATE = """\
You judge how well an answer does. Compare it with the expected answer, and go by what it says, not by how it says it.

[Question]
{input_query}

[Expected answer]
{expected_answer}

[Answer to be judged]
{generated_answer}

First say in a sentence or two what is right and what is wrong. Then write on a line of its own the rating, a whole
number from 0 (wrong, or no answer) to 10 (all that is expected, and nothing wrong), in this form:
Total rating: 7
"""
REGEXES = (r"(?i)total rating\s*[:：]\s*\**\s*(\d+(?:\.\d+)?)", r"(?i)rating\s*[:：]\s*\**\s*(\d+(?:\.\d+)?)")

SIMPLEQA = """\
A question has one short, factual answer. Grade what somebody has answered as one of these:

A: correct. It says what the expected answer says, in whatever words, and nothing that contradicts it. More detail,
hedges and spelling do not matter as long as the fact is there; a number is right to as many digits as the expected one.
B: incorrect. Something in it contradicts the expected answer, also where it is said with doubt.
C: not attempted. It does not give what is expected, and contradicts nothing: it declines, asks back, or leaves it open.

[Question]
{input_query}

[Expected answer]
{expected_answer}

[Answer to be graded]
{generated_answer}

Answer with the letter alone, A, B or C.
"""

FUNCTIONS: Sequence[ScoringFunction] = (
    ScoringFunction(
        id="llm-as-judge::base",
        description="What a model thinks of an answer; the params say which model, and may say how it is asked.",
        returns="number",
        params=None,
    ),
    ScoringFunction(
        id="llm-as-judge::405b-simpleqa",
        description="A, B or C (correct, incorrect, not attempted), as a model grades short factual answers.",
        returns="string",
        params=LLMAsJudgeScoringFnParams(
            type="llm_as_judge",
            judge_model="meta-llama/Llama-3.1-405B-Instruct",
            prompt_template=SIMPLEQA,
            judge_score_regexes=[r"\b(A|B|C)\b"],
            aggregation_functions=["categorical_count"],
        ),
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LlmAsJudgeConfig:
    """max_concurrent: rows of a request that are judged at once."""

    max_concurrent: int = 8


class LlmAsJudge:
    """Implements scoring, by models."""

    def __init__(self, judge: Judge) -> None:
        self._judge = judge

    def functions(self) -> Sequence[ScoringFunction]:
        return FUNCTIONS

    def check(self, function: str, params: ScoringFnParams | None) -> None:
        _params(function, params)

    async def score(
        self, function: str, params: ScoringFnParams | None, rows: Sequence[Row], ctx: Context
    ) -> ScoringResult:
        from .figures import figures
        from .patterns import found

        how = _params(function, params)
        template, regexes = how.prompt_template or TEMPLATE, how.judge_score_regexes or REGEXES

        async def judged(row: Row, number: int) -> Row:
            names = [name for name in (QUERY, EXPECTED, GENERATED) if f"{{{name}}}" in template]
            question = filled(template, {name: text_of(row, number, name) for name in names})
            said = await self._judge.ask(how.judge_model, question, ctx)
            return {"score": _value(found(regexes, said)), "judge_feedback": said}

        scored = await self._judge.each(rows, judged)
        return ScoringResult(score_rows=scored, aggregated_results=figures(scored, how.aggregation_functions or ()))

    async def health(self) -> Health:
        return Health("Not Implemented", "whether its models answer shows with each request")


@asynccontextmanager
async def open_llm_as_judge(config: LlmAsJudgeConfig, *, inference: Chat) -> AsyncIterator[LlmAsJudge]:
    """inference: where the models are that judge."""
    yield LlmAsJudge(Judge(inference, config.max_concurrent))


def _params(function: str, params: ScoringFnParams | None) -> LLMAsJudgeScoringFnParams:
    """How to judge: what is said, and for the rest what the function has. Raises BadRequest."""
    own = next(each.params for each in FUNCTIONS if each.id == function)
    how = own if params is None else params
    if how is None:
        message = f"{function} does not say which model judges; its params name one, as judge_model"
        raise BadRequest(message, param=f"scoring_functions.{function}")
    if not isinstance(how, LLMAsJudgeScoringFnParams):
        message = f"{function} takes no params of the type {how.type}; expected llm_as_judge"
        raise BadRequest(message, param=f"scoring_functions.{function}")
    if how.judge_score_regexes:
        from .patterns import check

        check(how.judge_score_regexes, "judge_score_regexes")
    if isinstance(own, LLMAsJudgeScoringFnParams) and how is not own:
        said = how.model_dump(exclude_none=True)
        return LLMAsJudgeScoringFnParams.model_validate({**own.model_dump(), **said})
    return how


def _value(said: str | None) -> float | str | None:
    """A number where it is one."""
    try:
        return None if said is None else float(said)
    except ValueError:
        return said
