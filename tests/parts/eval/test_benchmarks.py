"""The benchmarks table and the router of eval: which benchmark is meant, whose it is, and what goes along."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

import pytest
from memory_kv import MemoryKv
from parts.contracts.benchmarks.requests import (
    GetBenchmarkRequest,
    ListBenchmarksRequest,
    RegisterBenchmarkRequest,
    UnregisterBenchmarkRequest,
)
from parts.contracts.eval.requests import EvalJobStatusRequest, EvaluateRowsRequest, RunEvalRequest
from parts.contracts.eval.responses import EvalJob
from parts.contracts.shared.benchmark import Benchmark
from parts.providers.benchmarks.builtin import BenchmarksTable, open_benchmarks
from parts.providers.benchmarks.entries import BenchmarkResource
from parts.providers.benchmarks.registry import RegisteredBenchmarks, open_registered_benchmarks
from parts.routers.eval import EvalRouter
from parts.runtime import registry as registry_module
from parts.runtime.context import Context
from parts.runtime.errors import BadRequest, Conflict, NotFound, Unavailable
from parts.runtime.kv import KvBackend

CTX = Context("r")
ALICE, BOB = Context("r", principal="alice"), Context("r", principal="bob")


def declared(benchmark: str | None, provider: str | None = "a", name: str | None = None) -> BenchmarkResource:
    return BenchmarkResource(
        benchmark_id=benchmark,
        provider_id=provider,
        provider_benchmark_id=name,
        dataset_id="rows",
        scoring_functions=("basic::equality",),
        metadata={"v": "1"},
    )


async def table(*resources: BenchmarkResource) -> BenchmarksTable:
    async with open_benchmarks(sources={"a": None, "b": None}, resources=resources) as made:
        return made


@asynccontextmanager
async def registering(
    *resources: BenchmarkResource, kv: KvBackend | None = None, sources: Sequence[str] = ("a", "b")
) -> AsyncIterator[RegisteredBenchmarks]:
    store = MemoryKv() if kv is None else kv
    async with open_registered_benchmarks(
        sources=dict.fromkeys(sources), resources=resources, metadata_store=store
    ) as made:
        yield made


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry_module, "POLL_SECONDS", 0.01)


async def ids(made: BenchmarksTable, ctx: Context = CTX) -> list[str]:
    return [each.identifier for each in (await made.list_benchmarks(ListBenchmarksRequest(), ctx)).data]


async def register(made: RegisteredBenchmarks, benchmark: str, ctx: Context = CTX, **said: object) -> Benchmark:
    usual = {"benchmark_id": benchmark, "dataset_id": "rows", "scoring_functions": ["f"], "provider_id": "a"}
    return await made.register_benchmark(RegisterBenchmarkRequest.model_validate({**usual, **said}), ctx)


async def unregister(made: RegisteredBenchmarks, benchmark: str, ctx: Context = CTX) -> None:
    await made.unregister_benchmark(UnregisterBenchmarkRequest(benchmark_id=benchmark), ctx)


async def test_declared_benchmarks_are_listed_but_those_of_who_is_absent() -> None:
    made = await table(declared("x", name="mmlu"), declared(None), declared("y", None), declared("z", "c"))
    assert await ids(made) == ["x"]
    assert (await made.get_benchmark(GetBenchmarkRequest(benchmark_id="x"), CTX)).model_dump() == {
        "identifier": "x",
        "provider_id": "a",
        "provider_resource_id": "mmlu",
        "type": "benchmark",
        "dataset_id": "rows",
        "scoring_functions": ["basic::equality"],
        "metadata": {"v": "1"},
    }


async def test_an_unknown_benchmark_is_not_found() -> None:
    made = await table(declared("mmlu"))
    with pytest.raises(NotFound, match="did you mean mmlu") as refusal:
        made.locate("mmul", CTX)
    assert (refusal.value.code, refusal.value.param) == ("benchmark_not_found", "benchmark_id")


async def test_a_registered_benchmark_is_kept_and_used() -> None:
    kv = MemoryKv()
    async with registering(declared("x"), kv=kv) as made:
        shown = await register(made, "mine", metadata={"type": "custom", "n": [1]})
        assert shown.provider_resource_id == "mine"
    async with registering(declared("x"), kv=kv) as again:
        assert await ids(again) == ["x", "mine"]
        assert again.locate("mine", CTX) == shown
        assert await register(again, "mine") == shown, "the same again is no conflict"
        await unregister(again, "mine")
        with pytest.raises(NotFound):
            again.locate("mine", CTX)


async def test_what_cannot_be_registered_is_refused() -> None:
    async with registering(declared("x")) as made:
        await register(made, "mine")
        for said, kind, param in (
            ({"benchmark_id": "x"}, Conflict, "benchmark_id"),
            ({"benchmark_id": "mine", "dataset_id": "others"}, Conflict, "dataset_id"),
            ({"benchmark_id": "mine", "scoring_functions": []}, Conflict, "scoring_functions"),
            ({"provider_id": "c"}, BadRequest, "provider_id"),
            ({"benchmark_id": "a/b"}, BadRequest, "benchmark_id"),
            ({"benchmark_id": ".."}, BadRequest, "benchmark_id"),
            ({"provider_benchmark_id": "a\nb"}, BadRequest, "provider_benchmark_id"),
            ({"metadata": {"x": "y" * 70_000}}, BadRequest, "metadata"),
        ):
            with pytest.raises(kind) as refusal:
                await register(made, "n", **said)
            assert refusal.value.param == param, said
        with pytest.raises(Conflict, match="declared by the distribution"):
            await unregister(made, "x")
        assert await ids(made) == ["x", "mine"]


async def test_a_benchmark_is_its_owners() -> None:
    async with registering() as made:
        await register(made, "hers", ALICE)
        assert (await ids(made, ALICE), await ids(made, BOB)) == (["hers"], [])
        with pytest.raises(NotFound):
            made.locate("hers", BOB)
        with pytest.raises(NotFound):
            await unregister(made, "hers", BOB)


async def test_a_benchmark_of_who_is_not_here_any_more_is_not_served() -> None:
    kv = MemoryKv()
    async with registering(kv=kv) as made:
        await register(made, "mine")
    async with registering(kv=kv, sources=["b"]) as made:
        assert await ids(made) == []


async def test_a_store_that_was_never_reached_is_no_not_found() -> None:
    async with registering(declared("x")) as made:
        made.registry.loaded = False
        assert made.locate("x", CTX).identifier == "x"
        with pytest.raises(Unavailable):
            made.locate("y", CTX)
        with pytest.raises(Unavailable):
            await ids(made)


# ── the router ──────────────────────────────────────────────────────────────────────────────────────────────────────

CONFIG = {"eval_candidate": {"type": "model", "model": "m"}}


class Recorder:
    """Takes down which benchmarks are run; the rest of jobs is not asked for here."""

    def __init__(self) -> None:
        self.ran: list[Benchmark | None] = []

    async def run_eval(self, request: RunEvalRequest, ctx: Context) -> EvalJob:
        self.ran.append(request.benchmark)
        return EvalJob(job_id="1", status="scheduled")

    async def eval_job_status(self, request: EvalJobStatusRequest, ctx: Context) -> EvalJob:
        return EvalJob(job_id=request.job_id, status="completed")


def router(made: BenchmarksTable, jobs: Mapping[str, Recorder]) -> EvalRouter:
    return EvalRouter(table=made, jobs=jobs, rows={})  # type: ignore[arg-type]  # less than a whole provider


async def test_a_benchmark_is_run_by_its_instance_whatever_the_caller_says_it_is() -> None:
    made, a, b, ctx = await table(declared("x", "b")), Recorder(), Recorder(), Context("r")
    request = RunEvalRequest.model_validate(
        {
            "benchmark_id": "x",
            "benchmark_config": CONFIG,
            "benchmark": {**made.locate("x", CTX).model_dump(), "dataset_id": "another's"},
        }
    )
    await router(made, {"a": a, "b": b}).run_eval(request, ctx)
    assert (a.ran, b.ran) == ([], [made.locate("x", CTX)])
    assert ctx.usage.instance == "b"
    status = EvalJobStatusRequest(benchmark_id="x", job_id="7")
    assert (await router(made, {"b": b}).eval_job_status(status, ctx)).job_id == "7"


async def test_what_is_not_there_and_what_is_not_offered_is_told() -> None:
    safe = router(await table(declared("x")), {"a": Recorder()})
    with pytest.raises(NotFound):
        await safe.eval_job_status(EvalJobStatusRequest(benchmark_id="y", job_id="7"), CTX)
    rows = EvaluateRowsRequest.model_validate(
        {"benchmark_id": "x", "benchmark_config": CONFIG, "input_rows": [{}], "scoring_functions": []}
    )
    with pytest.raises(BadRequest, match="does not offer evaluating rows"):
        await safe.evaluate_rows(rows, CTX)
