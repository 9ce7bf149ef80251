"""Scoring functions that compute: they compare texts, choices, numbers, function calls and instructions."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...contracts.shared.scoring import (
    AggregationFunctionType,
    BasicScoringFnParams,
    RegexParserScoringFnParams,
    ScoringResult,
)
from ...runtime.errors import BadRequest
from ...runtime.scoring import ScoringFunction
from ...runtime.wiring import Health
from .rows import EXPECTED, GENERATED, cell, score, text_of, wrong

if TYPE_CHECKING:
    from ...contracts.shared.scoring import ScoringFnParams
    from ...runtime.context import Context
    from ...runtime.dataset_rows import Row


def _basic(id: str, description: str, *figures: AggregationFunctionType) -> ScoringFunction:
    params = BasicScoringFnParams(type="basic", aggregation_functions=list(figures))
    return ScoringFunction(id=f"basic::{id}", description=description, returns="number", params=params)


def _regex(id: str, description: str) -> ScoringFunction:
    params = RegexParserScoringFnParams(type="regex_parser", aggregation_functions=["accuracy"])
    return ScoringFunction(id=f"basic::{id}", description=description, returns="number", params=params)


FUNCTIONS: Sequence[ScoringFunction] = (
    _basic("equality", "1 where the answer is the expected one, letter by letter, else 0.", "accuracy"),
    _basic("subset_of", "1 where the expected answer stands somewhere in the answer, else 0.", "accuracy"),
    _regex(
        "regex_parser_multiple_choice_answer", "1 where the choice found in the answer is the expected letter, else 0."
    ),
    _regex(
        "regex_parser_math_response", "1 where the result found in the answer is, as mathematics, the expected one."
    ),
    _basic("bfcl", "1 where the function calls are right by the rules of BFCL, else 0.", "accuracy"),
    _basic("ifeval", "The share of the instructions of IFEval that the answer follows.", "weighted_average"),
    _basic("docvqa", "How near the answer is to an expected one, letter by letter, as ANLS of DocVQA.", "average"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class BasicScoringConfig:
    """There is nothing to set."""


class BasicScoring:
    """Implements scoring, without any model."""

    def functions(self) -> Sequence[ScoringFunction]:
        return FUNCTIONS

    def check(self, function: str, params: ScoringFnParams | None) -> None:
        takes_patterns = function.startswith("basic::regex_parser")
        if params is None or isinstance(params, BasicScoringFnParams):
            return
        if not takes_patterns or not isinstance(params, RegexParserScoringFnParams):
            expected = "regex_parser or basic" if takes_patterns else "basic"
            message = f"{function} takes no params of the type {params.type}; expected {expected}"
            raise BadRequest(message, param="scoring_functions")
        if params.parsing_regexes:
            from .patterns import check

            check(params.parsing_regexes, "parsing_regexes")

    async def score(
        self, function: str, params: ScoringFnParams | None, rows: Sequence[Row], ctx: Context
    ) -> ScoringResult:
        from .figures import figures

        self.check(function, params)
        own = next(each.params for each in FUNCTIONS if each.id == function)
        patterns = params.parsing_regexes if isinstance(params, RegexParserScoringFnParams) else None
        # In a thread: rows may be many, and long.
        scored = await asyncio.to_thread(_scored, function.removeprefix("basic::"), patterns, rows)
        wanted = params.aggregation_functions if params is not None else None
        if wanted is None and own is not None:
            wanted = own.aggregation_functions
        return ScoringResult(score_rows=scored, aggregated_results=figures(scored, wanted or ()))

    async def health(self) -> Health:
        return Health("OK")


@asynccontextmanager
async def open_basic_scoring(config: BasicScoringConfig) -> AsyncIterator[BasicScoring]:
    yield BasicScoring()


def _scored(function: str, patterns: Sequence[str] | None, rows: Sequence[Row]) -> list[Row]:
    return [_one(function, patterns, row, number) for number, row in enumerate(rows)]


def _one(function: str, patterns: Sequence[str] | None, row: Row, number: int) -> Row:
    """The result of one row. Raises BadRequest for a row that lacks what is compared."""
    match function:
        case "equality":
            return score(cell(row, number, GENERATED) == cell(row, number, EXPECTED))
        case "subset_of":
            return score(text_of(row, number, EXPECTED) in text_of(row, number, GENERATED))
        case "regex_parser_multiple_choice_answer":
            return _choice(patterns, row, number)
        case "regex_parser_math_response":
            return _result(patterns, row, number)
        case "bfcl":
            from .calls.scoring import is_right

            return score(is_right(row, number))
        case "ifeval":
            from .instructions.scoring import share

            return share(row, number)
        case _:
            from .nearness import similarity

            return score(similarity(text_of(row, number, GENERATED), _right_answers(row, number)))


def _choice(patterns: Sequence[str] | None, row: Row, number: int) -> Row:
    from .choices import PATTERNS, letter
    from .patterns import found

    said = found(patterns or PATTERNS, text_of(row, number, GENERATED))
    return score(said is not None and letter(said) == letter(text_of(row, number, EXPECTED)))


def _result(patterns: Sequence[str] | None, row: Row, number: int) -> Row:
    from .maths import PATTERNS, answer_in, same
    from .patterns import found

    text, right = text_of(row, number, GENERATED), text_of(row, number, EXPECTED)
    said = found(patterns, text) if patterns else answer_in(text) or found(PATTERNS, text)
    return score(said is not None and same(answer_in(said) or said, answer_in(right) or right))


def _right_answers(row: Row, number: int) -> list[str]:
    """One text, several, or the JSON of several."""
    value = cell(row, number, EXPECTED)
    if isinstance(value, str) and value.lstrip().startswith("["):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            value = [value]
    value = [value] if isinstance(value, str) else value
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise wrong(number, EXPECTED, "is neither a text nor a list of texts")
    return value
