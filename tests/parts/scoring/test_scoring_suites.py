"""The providers of scoring before the suite that third parties prove theirs with (`stackgen_api.testing.scoring`), and
flawed ones, which the suite finds.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from types import MappingProxyType

import pytest
from parts.contracts.shared.scoring import ScoringFnParams, ScoringResult
from parts.providers.inference.openai_compatible import RemoteConfig, open_openai_compatible
from parts.providers.scoring.basic import BasicScoring, BasicScoringConfig, open_basic_scoring
from parts.providers.scoring.llm_as_judge import LlmAsJudge, LlmAsJudgeConfig, open_llm_as_judge
from parts.runtime.context import Context
from parts.runtime.dataset_rows import Row
from parts.runtime.scoring import ScoringFunction
from parts.runtime.secret import Secret
from parts.testing.scoring import ScoringSuite
from upstreams import Script, Seen, answers, fake_upstream

ROWS: list[Row] = [
    {"input_query": "2+2?", "generated_answer": "It is 4.", "expected_answer": "4"},
    {"input_query": "3+3?", "generated_answer": "7", "expected_answer": "6"},
    {"input_query": "5+5?", "generated_answer": "10", "expected_answer": "10"},
]


class OfBasic(ScoringSuite):
    def opens(self) -> AbstractAsyncContextManager[BasicScoring]:
        return open_basic_scoring(BasicScoringConfig())


class TestEquality(OfBasic):
    function = "basic::equality"
    rows = ROWS
    scores = (0.0, 0.0, 1.0)


class TestSubsetOf(OfBasic):
    function = "basic::subset_of"
    rows = ROWS
    scores = (1.0, 0.0, 1.0)
    missing = "expected_answer"


class TestMultipleChoice(OfBasic):
    function = "basic::regex_parser_multiple_choice_answer"
    rows = (
        {"generated_answer": "I think so.\nAnswer: B", "expected_answer": "B"},
        {"generated_answer": "Antwort: **C**", "expected_answer": "B"},
        {"generated_answer": "none of them", "expected_answer": "A"},
    )
    scores = (1.0, 0.0, 0.0)


class TestMath(OfBasic):
    function = "basic::regex_parser_math_response"
    params = MappingProxyType({"type": "basic"})
    rows = (
        {"generated_answer": r"so \boxed{\frac{1}{2}}.", "expected_answer": "0.5"},
        {"generated_answer": r"so \boxed{3}", "expected_answer": "0.5"},
    )
    scores = (1.0, 0.0)


class TestBfcl(OfBasic):
    function = "basic::bfcl"
    rows = tuple(
        {
            "id": "simple_1",
            "generated_answer": f"[area(base={base}, height=5)]",
            "function": [
                {
                    "name": "area",
                    "parameters": {
                        "type": "dict",
                        "properties": {"base": {"type": "integer"}, "height": {"type": "integer"}},
                        "required": ["base", "height"],
                    },
                }
            ],
            "ground_truth": [{"area": {"base": [10], "height": [5]}}],
        }
        for base in (10, 11)
    )
    scores = (1.0, 0.0)
    missing = "ground_truth"


class TestIfeval(OfBasic):
    function = "basic::ifeval"
    rows = tuple(
        {
            "generated_answer": answer,
            "instruction_id_list": ["punctuation:no_comma", "startend:quotation"],
            "kwargs": [{}, None],
        }
        for answer in ('"no"', "no", "no, no")
    )
    scores = (1.0, 0.5, 0.0)
    missing = "kwargs"


class TestDocvqa(OfBasic):
    function = "basic::docvqa"
    rows = (
        {"generated_answer": "12 May", "expected_answer": '["12 may", "may"]'},
        {"generated_answer": "12 May 1998", "expected_answer": ["12 May 1999"]},
        {"generated_answer": "unknown", "expected_answer": "12 May"},
    )
    scores = (1.0, 1 - 1 / 11, 0.0)


async def judge_model(seen: Seen, writer: asyncio.StreamWriter) -> bool:
    """A fake of a model that judges: what stands in the question as an answer, as often as the expected one does."""
    question = str(seen.json["messages"][0]["content"])  # type: ignore[index]
    expected = question.partition("[Expected answer]\n")[2].partition("\n")[0]
    answer = question.partition("[Answer to be judged]\n")[2].partition("\n")[0]
    said = f"It says so.\nTotal rating: {10 if expected in answer else 0}"
    message = {"role": "assistant", "content": said, "refusal": None}
    choice = {"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}
    usage = {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11}
    body = {"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice], "usage": usage}
    return await answers(body)(seen, writer)


@asynccontextmanager
async def judging(script: Script = judge_model) -> AsyncIterator[LlmAsJudge]:
    async with fake_upstream(script) as fake:
        remote = RemoteConfig(base_url=fake.url, api_key=Secret("sk-not-a-secret"))
        async with (
            open_openai_compatible(remote, instance="openai") as inference,
            open_llm_as_judge(LlmAsJudgeConfig(max_concurrent=2), inference=inference) as judge,
        ):
            yield judge


class TestLlmAsJudge(ScoringSuite):
    function = "llm-as-judge::base"
    params = MappingProxyType({"type": "llm_as_judge", "judge_model": "m"})
    rows = ROWS
    scores = (10.0, 0.0, 10.0)
    refuses = "basic"

    def opens(self) -> AbstractAsyncContextManager[LlmAsJudge]:
        return judging()


# ── a suite that cannot fail proves nothing ─────────────────────────────────────────────────────────────────────────


class Sorts(BasicScoring):
    async def score(
        self, function: str, params: ScoringFnParams | None, rows: Sequence[Row], ctx: Context
    ) -> ScoringResult:
        found = await super().score(function, params, rows, ctx)
        found.score_rows.sort(key=lambda each: float(each["score"]))
        return found


class InventsARow(BasicScoring):
    async def score(
        self, function: str, params: ScoringFnParams | None, rows: Sequence[Row], ctx: Context
    ) -> ScoringResult:
        found = await super().score(function, params, rows, ctx)
        found.score_rows.append({"score": 0.0})
        return found


class HasItsOwnFigures(BasicScoring):
    async def score(
        self, function: str, params: ScoringFnParams | None, rows: Sequence[Row], ctx: Context
    ) -> ScoringResult:
        return await super().score(function, None, rows, ctx)


class LooksAway(BasicScoring):
    """What a row lacks is empty."""

    async def score(
        self, function: str, params: ScoringFnParams | None, rows: Sequence[Row], ctx: Context
    ) -> ScoringResult:
        whole = [{"generated_answer": "", "expected_answer": "", **row} for row in rows]
        return await super().score(function, params, whole, ctx)


class TakesAnyParams(BasicScoring):
    def check(self, function: str, params: ScoringFnParams | None) -> None:
        return None


class WritesIntoRows(BasicScoring):
    async def score(
        self, function: str, params: ScoringFnParams | None, rows: Sequence[Row], ctx: Context
    ) -> ScoringResult:
        found = await super().score(function, params, rows, ctx)
        for row, result in zip(rows, found.score_rows, strict=True):
            row["score"] = result["score"]
        return found


class Doubles(BasicScoring):
    def functions(self) -> Sequence[ScoringFunction]:
        return [*super().functions(), *super().functions()]


@pytest.mark.parametrize(
    ("flawed", "test"),
    [
        (Sorts, "test_each_row_has_its_result_in_its_place"),
        (InventsARow, "test_no_rows_have_no_results"),
        (HasItsOwnFigures, "test_figures_are_those_that_are_asked_for"),
        (LooksAway, "test_a_row_that_lacks_something_is_told_of"),
        (TakesAnyParams, "test_params_of_another_type_are_refused"),
        (WritesIntoRows, "test_rows_are_left_as_they_are"),
        (Doubles, "test_its_functions_have_names_of_their_own"),
    ],
)
def test_it_finds(flawed: type[BasicScoring], test: str) -> None:
    class Suite(TestEquality):
        rows = tuple(dict(each) for each in ROWS)

        @asynccontextmanager
        async def opens(self) -> AsyncIterator[BasicScoring]:  # type: ignore[override]
            yield flawed()

    with pytest.raises(AssertionError):
        getattr(Suite(), test)()
