"""Rows that are evaluated at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from ...contracts.eval import Rows
from ...contracts.eval.requests import EvaluateRowsRequest
from ...contracts.eval.responses import EvaluateResponse
from ...runtime.context import Context
from ..suite import Suite, refused

Row = Mapping[str, object]


class RowsSuite(Suite[Rows]):
    """How a provider evaluates rows. candidate: a model that answers `rows` each with what it expects, and nothing else
    so; function: gives 1.0 for each of these. senseless: a row that nobody can answer.
    """

    candidate: ClassVar[str] = "model-1"
    function: ClassVar[str] = "basic::equality"
    rows: ClassVar[Sequence[Row]] = (
        {"input_query": "one", "expected_answer": "one"},
        {"chat_completion_input": '[{"role": "user", "content": "two"}]', "expected_answer": "two"},
        {"completion_input": "three", "expected_answer": "three"},
    )
    senseless: ClassVar[Row] = {"expected_answer": "what?"}

    async def evaluated(self, provider: Rows, *rows: Row, num_examples: int | None = None) -> EvaluateResponse:
        config = {"eval_candidate": {"type": "model", "model": self.candidate}, "num_examples": num_examples}
        said = {"benchmark_id": "b", "input_rows": [dict(row) for row in rows], "benchmark_config": config}
        request = EvaluateRowsRequest.model_validate({**said, "scoring_functions": [self.function]})
        return await provider.evaluate_rows(request, Context("suite"))

    def scores(self, found: EvaluateResponse) -> list[object]:
        return [row.get("score") for row in found.scores[self.function].score_rows]

    def test_rows_are_answered_and_scored_in_their_order(self) -> None:
        async def test(provider: Rows) -> None:
            found = await self.evaluated(provider, *self.rows)
            answers = [each.get("generated_answer") for each in found.generations]
            assert answers == [row["expected_answer"] for row in self.rows], f"the answers are {answers}"
            wrong = [{**row, "expected_answer": "another"} for row in self.rows[1:]]
            mixed = self.scores(await self.evaluated(provider, self.rows[0], *wrong, self.rows[0]))
            assert [score == 1.0 for score in mixed] == [True, *(False for _ in wrong), True], f"the scores are {mixed}"

        self.run(test)

    def test_a_row_that_fails_does_not_lose_the_others(self) -> None:
        async def test(provider: Rows) -> None:
            found = await self.evaluated(provider, self.rows[0], self.senseless, self.rows[1])
            assert found.generations[1].get("error"), "what failed says why"
            assert found.generations[1].get("generated_answer") is None
            assert self.scores(found) == [1.0, None, 1.0], "what failed has no score, and its place"

        self.run(test)

    def test_where_every_row_fails_the_request_does(self) -> None:
        async def test(provider: Rows) -> None:
            await refused(self.evaluated(provider, self.senseless, self.senseless))

        self.run(test)

    def test_no_more_rows_are_taken_than_are_asked_for(self) -> None:
        async def test(provider: Rows) -> None:
            found = await self.evaluated(provider, *self.rows, num_examples=1)
            assert len(found.generations) == len(self.scores(found)) == 1

        self.run(test)
