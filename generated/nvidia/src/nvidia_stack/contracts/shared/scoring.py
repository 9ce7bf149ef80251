"""What several APIs use.

Generated from apis/shared/scoring.yaml by `stackgen contracts`; a change belongs there.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field

from ..wire import WireModel

AggregationFunctionType: TypeAlias = Literal["average", "weighted_average", "median", "categorical_count", "accuracy"]
"""How the scores of all rows become one figure."""


class LLMAsJudgeScoringFnParams(WireModel):
    """A model judges."""

    type: Literal["llm_as_judge"]
    judge_model: Annotated[str, Field(min_length=1)]
    """The model that judges, as `/v1/models` lists it."""
    prompt_template: str | None = None
    """What the model is asked. `{input_query}`, `{expected_answer}` and `{generated_answer}` stand for those of a row;
    the function's own if absent.
    """
    judge_score_regexes: list[str] | None = None
    """Where in what it says the score stands. The first group of the first that is found counts; the function's own if
    absent.
    """
    aggregation_functions: list[AggregationFunctionType] | None = None
    """Which figures are made of the scores."""


class RegexParserScoringFnParams(WireModel):
    """The answer is taken out of a text by patterns."""

    type: Literal["regex_parser"]
    parsing_regexes: list[str] | None = None
    """Patterns of which the first that is found gives the answer, by its first group; the function's own if absent."""
    aggregation_functions: list[AggregationFunctionType] | None = None
    """Which figures are made of the scores."""


class BasicScoringFnParams(WireModel):
    """Nothing but which figures are wanted."""

    type: Literal["basic"]
    aggregation_functions: list[AggregationFunctionType] | None = None
    """Which figures are made of the scores."""


ScoringFnParams: TypeAlias = Annotated[
    LLMAsJudgeScoringFnParams | RegexParserScoringFnParams | BasicScoringFnParams, Field(discriminator="type")
]
"""How a scoring function is to score; which of the three it takes depends on the function."""


class ScoringResult(WireModel):
    """What one function found."""

    score_rows: list[dict[str, Any]]
    """A result for each row, in their order; its `score` is what is aggregated."""
    aggregated_results: dict[str, Any]
    """The figures, by the function that made them."""
