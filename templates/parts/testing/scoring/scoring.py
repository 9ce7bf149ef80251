"""How a provider scores."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from pydantic import TypeAdapter
from pydantic_core import to_json

from ...contracts.shared.scoring import AggregationFunctionType, ScoringFnParams, ScoringResult
from ...runtime.context import Context
from ...runtime.dataset_rows import Row
from ...runtime.scoring import Scorer
from ..suite import Suite, refused

CTX = Context("suite")
WRONG_TYPES: Mapping[str, ScoringFnParams] = {
    kind: TypeAdapter(ScoringFnParams).validate_python({"type": kind, "judge_model": "m"})
    for kind in ("llm_as_judge", "regex_parser", "basic")
}


class ScoringSuite(Suite[Scorer]):
    """function: one of the provider's. params: as a request says them, None for the function's own. rows: two at least,
    with different scores. scores: of them. missing: a column that they cannot lack. refuses: a type of params that the
    function does not take, None where it takes all.
    """

    function = ""
    params: Mapping[str, object] | None = None
    rows: Sequence[Row] = ()
    scores: Sequence[float | str | None] = ()
    missing = "generated_answer"
    refuses: str | None = "llm_as_judge"

    def test_its_functions_have_names_of_their_own(self) -> None:
        async def test(scorer: Scorer) -> None:
            names = [each.id for each in scorer.functions()]
            assert self.function in names
            assert len(set(names)) == len(names), "two functions have one name"
            assert all(each.description for each in scorer.functions()), "a function says what it tells"
            for each in scorer.functions():
                if each.params is not None:
                    scorer.check(each.id, each.params)

        self.run(test)

    def test_each_row_has_its_result_in_its_place(self) -> None:
        async def test(scorer: Scorer) -> None:
            assert len(set(self.scores)) > 1, "the suite needs rows with different scores"
            assert await self._scores(scorer, self.rows) == list(self.scores)
            assert await self._scores(scorer, self.rows[::-1]) == list(self.scores)[::-1]

        self.run(test)

    def test_no_rows_have_no_results(self) -> None:
        async def test(scorer: Scorer) -> None:
            assert (await self._result(scorer, ())).score_rows == []

        self.run(test)

    def test_figures_are_those_that_are_asked_for(self) -> None:
        async def test(scorer: Scorer) -> None:
            wanted: list[AggregationFunctionType] = ["categorical_count", "median"]
            params = self._params()
            if params is None:
                params = next(each.params for each in scorer.functions() if each.id == self.function)
            assert params is not None, "the suite needs params where the function has none"
            params = params.model_copy(update={"aggregation_functions": wanted})
            found = (await scorer.score(self.function, params, self.rows, CTX)).aggregated_results
            assert set(found) == set(wanted)
            counts = found["categorical_count"]["categorical_count"]
            assert sum(counts.values()) == len(self.rows), "each row is of one category"

        self.run(test)

    def test_rows_are_left_as_they_are(self) -> None:
        async def test(scorer: Scorer) -> None:
            before = to_json(self.rows)
            await self._scores(scorer, self.rows)
            assert to_json(self.rows) == before

        self.run(test)

    def test_a_row_that_lacks_something_is_told_of(self) -> None:
        async def test(scorer: Scorer) -> None:
            bad = {name: value for name, value in self.rows[0].items() if name != self.missing}
            error = await refused(self._scores(scorer, [self.rows[0], bad]))
            assert error.status == 400, f"the client sent it, and gets a {error.status}"
            assert "row 1" in error.message, "an error says which row"
            assert self.missing in error.message, "an error says what is missing"

        self.run(test)

    def test_params_of_another_type_are_refused(self) -> None:
        async def test(scorer: Scorer) -> None:
            if self.refuses is not None:
                wrong = WRONG_TYPES[self.refuses]
                error = await refused(scorer.score(self.function, wrong, self.rows, CTX))
                assert error.status == 400, f"the client sent them, and gets a {error.status}"

        self.run(test)

    def test_many_at_once_are_kept_apart(self) -> None:
        async def test(scorer: Scorer) -> None:
            turned = (self.rows, self.rows[::-1])
            found = await asyncio.gather(*(self._scores(scorer, turned[number % 2]) for number in range(6)))
            assert found == [list(self.scores), list(self.scores)[::-1]] * 3

        self.run(test)

    async def _scores(self, scorer: Scorer, rows: Sequence[Row]) -> list[object]:
        return [each["score"] for each in (await self._result(scorer, rows)).score_rows]

    async def _result(self, scorer: Scorer, rows: Sequence[Row]) -> ScoringResult:
        """What a client reads of it."""
        found = await scorer.score(self.function, self._params(), rows, CTX)
        return ScoringResult.model_validate_json(to_json(found))

    def _params(self) -> ScoringFnParams | None:
        made: ScoringFnParams | None = TypeAdapter(ScoringFnParams | None).validate_python(
            None if self.params is None else dict(self.params)
        )
        return made
