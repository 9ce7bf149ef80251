"""The table of scoring functions and the router of scoring: which function is meant, whose it is, and how it scores."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

import pytest
from memory_kv import MemoryKv
from parts.contracts.datasetio.requests import AppendRowsRequest, IterrowsRequest
from parts.contracts.datasetio.responses import PaginatedResponse
from parts.contracts.scoring.requests import ScoreBatchRequest, ScoreRequest
from parts.contracts.scoring_functions.requests import (
    GetScoringFunctionRequest,
    ListScoringFunctionsRequest,
    RegisterScoringFunctionRequest,
    UnregisterScoringFunctionRequest,
)
from parts.contracts.scoring_functions.responses import ScoringFn
from parts.contracts.shared.scoring import (
    BasicScoringFnParams,
    LLMAsJudgeScoringFnParams,
    RegexParserScoringFnParams,
    ScoringFnParams,
    ScoringResult,
)
from parts.providers.scoring_functions.builtin import ScoringFunctionsTable, open_scoring_functions
from parts.providers.scoring_functions.entries import ParamsResource, ScoringFnResource
from parts.providers.scoring_functions.registry import RegisteredScoringFunctions, open_registered_scoring_functions
from parts.routers.scoring import ScoringRouter
from parts.runtime import registry as registry_module
from parts.runtime.context import Context
from parts.runtime.dataset_rows import Row
from parts.runtime.errors import BadRequest, Conflict, NotFound, SettingsError, Unavailable
from parts.runtime.kv import KvBackend
from parts.runtime.scoring import Scorer, ScoringFunction
from parts.runtime.wiring import Health

CTX = Context("r")
ALICE, BOB = Context("r", principal="alice"), Context("r", principal="bob")
ROWS: list[Row] = [{"a": 1}, {"a": 2}]


class Fake:
    """An instance that has functions of each type of params, and takes down how it was asked."""

    def __init__(self, prefix: str = "x") -> None:
        self.prefix = prefix
        self.asked: list[tuple[str, ScoringFnParams | None]] = []

    def functions(self) -> Sequence[ScoringFunction]:
        basic = BasicScoringFnParams(type="basic", aggregation_functions=["accuracy"])
        regex = RegexParserScoringFnParams(type="regex_parser")
        return [
            ScoringFunction(id=f"{self.prefix}::same", description="Same.", returns="number", params=basic),
            ScoringFunction(id=f"{self.prefix}::regex", description="Found.", returns="string", params=regex),
            ScoringFunction(id=f"{self.prefix}::judge", description="Judged.", returns="number", params=None),
        ]

    def check(self, function: str, params: ScoringFnParams | None) -> None:
        kind = {"same": BasicScoringFnParams, "regex": RegexParserScoringFnParams, "judge": LLMAsJudgeScoringFnParams}
        if not isinstance(params, kind[function.partition("::")[2]]):
            raise BadRequest(f"{function} takes other params", param="params")

    async def score(
        self, function: str, params: ScoringFnParams | None, rows: Sequence[Row], ctx: Context
    ) -> ScoringResult:
        self.asked.append((function, params))
        return ScoringResult(score_rows=[{"score": row["a"]} for row in rows], aggregated_results={"n": len(rows)})

    async def health(self) -> Health:
        return Health("OK")


class Rows:
    """A dataset, a fake; and what is kept as one."""

    kept: Sequence[Row] = ()

    async def iterrows(self, request: IterrowsRequest, ctx: Context) -> PaginatedResponse:
        return PaginatedResponse(data=ROWS, has_more=False)

    async def append_rows(self, request: AppendRowsRequest, ctx: Context) -> None:
        raise AssertionError("nobody adds rows here")

    async def keep(self, rows: Sequence[Row], about: Mapping[str, object], ctx: Context) -> str:
        self.kept, self.about = rows, about
        return "dataset_1"


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry_module, "POLL_SECONDS", 0.01)


@asynccontextmanager
async def registering(
    *resources: ScoringFnResource, kv: KvBackend | None = None, scorers: Mapping[str, Scorer] | None = None
) -> AsyncIterator[RegisteredScoringFunctions]:
    sources = {"one": Fake()} if scorers is None else scorers
    async with open_registered_scoring_functions(
        scorers=sources, resources=resources, metadata_store=MemoryKv() if kv is None else kv
    ) as made:
        yield made


async def ids(made: ScoringFunctionsTable, ctx: Context = CTX) -> list[str]:
    return [each.identifier for each in (await made.list_scoring_functions(ListScoringFunctionsRequest(), ctx)).data]


async def register(made: RegisteredScoringFunctions, name: str, ctx: Context = CTX, **said: object) -> ScoringFn:
    body = {"scoring_fn_id": name, "description": "Mine.", "return_type": {"type": "number"}, **said}
    return await made.register_scoring_function(RegisterScoringFunctionRequest.model_validate(body), ctx)


# ── what there is ───────────────────────────────────────────────────────────────────────────────────────────────────


async def test_functions_of_providers_and_of_the_distribution_are_listed() -> None:
    params = ParamsResource(type="regex_parser", parsing_regexes=("x",))
    resources = (
        ScoringFnResource(scoring_fn_id="ours", provider_id="one", provider_scoring_fn_id="x::regex", params=params),
        ScoringFnResource(scoring_fn_id="plain", provider_id="one", provider_scoring_fn_id="x::same"),
        ScoringFnResource(scoring_fn_id="gone", provider_id="away"),
        ScoringFnResource(scoring_fn_id=None, provider_id="one"),
    )
    async with open_scoring_functions(scorers={"one": Fake(), "two": Fake()}, resources=resources) as made:
        assert await ids(made) == ["x::same", "x::regex", "x::judge", "ours", "plain"]
        shown = await made.get_scoring_function(GetScoringFunctionRequest(scoring_fn_id="ours"), CTX)
        assert shown.model_dump(exclude_none=True) == {
            "identifier": "ours",
            "provider_id": "one",
            "provider_resource_id": "x::regex",
            "type": "scoring_function",
            "description": "Found.",
            "metadata": {},
            "return_type": {"type": "string"},
            "params": {"type": "regex_parser", "parsing_regexes": ["x"]},
        }
        with pytest.raises(NotFound, match="did you mean x::same") as refusal:
            made.locate("x::some", CTX)
        assert refusal.value.code == "scoring_function_not_found"


async def test_declared_functions_that_cannot_be_end_the_start() -> None:
    resources = (
        ScoringFnResource(scoring_fn_id="a", provider_id="one", provider_scoring_fn_id="x::none"),
        ScoringFnResource(scoring_fn_id="b", provider_id="one", provider_scoring_fn_id="x::judge"),
        ScoringFnResource(
            scoring_fn_id="c",
            provider_id="one",
            provider_scoring_fn_id="x::judge",
            params=ParamsResource(type="llm_as_judge"),
        ),
    )
    with pytest.raises(SettingsError) as refusal:
        async with open_scoring_functions(scorers={"one": Fake()}, resources=resources):
            pass
    told = refusal.value.problems
    assert [each.split(":")[0] for each in told] == [f"resources.scoring_fns '{name}'" for name in "abc"]
    assert "judge_model" in told[2]


# ── what clients register ───────────────────────────────────────────────────────────────────────────────────────────

JUDGED = {"type": "llm_as_judge", "judge_model": "m"}


async def test_a_registered_function_is_kept_and_used() -> None:
    kv, fake = MemoryKv(), Fake()
    async with registering(kv=kv, scorers={"one": fake}) as made:
        shown = await register(made, "mine", provider_scoring_fn_id="x::judge", params=JUDGED)
        assert (shown.provider_id, shown.provider_resource_id) == ("one", "x::judge")
        assert await register(made, "mine", provider_scoring_fn_id="x::judge", params=JUDGED) == shown
        with pytest.raises(Conflict) as refusal:
            await register(made, "mine", provider_scoring_fn_id="x::judge", params={**JUDGED, "judge_model": "n"})
        assert refusal.value.param == "params"
    async with registering(kv=kv, scorers={"one": fake}) as again:
        router = ScoringRouter(table=again)
        request = ScoreRequest.model_validate({"input_rows": ROWS, "scoring_functions": {"mine": None}})
        results = (await router.score(request, CTX)).results
        assert results["mine"].score_rows == [{"score": 1}, {"score": 2}]
        ((function, params),) = fake.asked
        assert (function, params and params.model_dump(exclude_none=True)) == ("x::judge", JUDGED)
        await again.unregister_scoring_function(UnregisterScoringFunctionRequest(scoring_fn_id="mine"), CTX)
        assert "mine" not in await ids(again)
        with pytest.raises(Conflict, match="declared"):
            await register(again, "x::same", provider_scoring_fn_id="x::same")


async def test_which_function_one_is_made_of() -> None:
    async with registering(scorers={"one": Fake(), "two": Fake("y")}) as made:
        assert (await register(made, "a", params=JUDGED)).provider_resource_id == "x::judge"
        assert (await register(made, "b", params=JUDGED, provider_id="two")).provider_resource_id == "y::judge"
        assert (await register(made, "c", provider_scoring_fn_id="y::same")).provider_id == "two"
        for said, told in (
            ({}, "provider_scoring_fn_id is missing"),
            ({"params": {"type": "basic"}}, "provider_scoring_fn_id is missing"),
            ({"provider_scoring_fn_id": "y::same", "provider_id": "one"}, "of provider 'one'"),
            ({"provider_scoring_fn_id": "z"}, "there is no scoring function 'z' here"),
            ({"provider_scoring_fn_id": "x::same", "params": JUDGED}, "takes other params"),
            ({"provider_scoring_fn_id": "x::same", "provider_id": "three"}, "no provider 'three'"),
            ({"params": {**JUDGED, "prompt_template": "x" * 70_000}}, "more than"),
        ):
            with pytest.raises(BadRequest, match=told):
                await register(made, "d", **said)  # type: ignore[arg-type]


async def test_a_function_is_its_owners_and_goes_with_its_provider() -> None:
    kv = MemoryKv()
    async with registering(kv=kv) as made:
        await register(made, "hers", ALICE, params=JUDGED)
        assert ("hers" in await ids(made, ALICE), "hers" in await ids(made, BOB)) == (True, False)
        with pytest.raises(NotFound):
            made.locate("hers", BOB)
    async with registering(kv=kv, scorers={"two": Fake()}) as made:
        assert "hers" not in await ids(made, ALICE)
    async with registering(kv=MemoryKv(down=True)) as made:
        for call in (ids(made), register(made, "mine", params=JUDGED)):
            with pytest.raises(Unavailable):
                await call
        assert made.locate("x::same", CTX).function == "x::same"


# ── scoring ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def batch(**said: object) -> ScoreBatchRequest:
    functions = {"x::same": None, "x::judge": JUDGED}
    return ScoreBatchRequest.model_validate({"dataset_id": "d", "scoring_functions": functions, **said})


async def test_all_functions_score_and_nothing_does_where_one_is_unknown() -> None:
    fake, rows = Fake(), Rows()
    async with open_scoring_functions(scorers={"one": fake}, resources=()) as table:
        router = ScoringRouter(table=table, datasetio=rows, datasets=rows)
        answer = await router.score_batch(batch(), CTX)
        assert (list(answer.results), answer.dataset_id, rows.kept) == (["x::same", "x::judge"], None, ())
        fake.asked.clear()
        for functions in ({"x::same": None, "x::nobody": None}, {"x::same": None, "x::judge": {"type": "basic"}}):
            with pytest.raises((NotFound, BadRequest)):
                await router.score_batch(batch(scoring_functions=functions), CTX)
        assert fake.asked == []


async def test_results_become_a_dataset() -> None:
    rows = Rows()
    async with open_scoring_functions(scorers={"one": Fake()}, resources=()) as table:
        router = ScoringRouter(table=table, datasetio=rows, datasets=rows)
        assert (await router.score_batch(batch(save_results_dataset=True), CTX)).dataset_id == "dataset_1"
        assert rows.kept[1] == {"a": 2, "scores": {"x::same": {"score": 2}, "x::judge": {"score": 2}}}
        assert rows.about == {"scored_dataset_id": "d"}
        with pytest.raises(BadRequest, match="no datasets"):
            await ScoringRouter(table=table).score_batch(batch(), CTX)
