"""Jobs of NeMo Evaluator, a fake of which answers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from fake_evaluator import RESULTS, FakeEvaluator
from parts.contracts.eval.requests import (
    CancelEvalJobRequest,
    EvalJobResultRequest,
    EvalJobStatusRequest,
    RunEvalRequest,
)
from parts.contracts.models.requests import ListModelsRequest, RetrieveModelRequest
from parts.contracts.models.responses import ListModelsResponse, Model
from parts.contracts.shared.benchmark import Benchmark
from parts.providers.eval.nvidia import NvidiaEval, NvidiaEvalConfig, open_nvidia_eval
from parts.runtime.context import Context
from parts.runtime.errors import BadRequest, Conflict, NotFound, StackError, Unavailable
from parts.runtime.upstream_config import NetworkConfig, TimeoutConfig
from upstreams import Script, answers, drops, fake_upstream, refuses, shows_html, talks_nonsense

CTX = Context("r")
QUICK = NetworkConfig(timeout=TimeoutConfig(connect=1.0, read=1.0), backoff=0.001)
MODEL = {"type": "model", "model": "nvidia/llama"}


class OneModel:
    """The model table of a server that has one model."""

    async def list_models(self, request: ListModelsRequest, ctx: Context) -> ListModelsResponse:
        return ListModelsResponse(object="list", data=[])

    async def retrieve_model(self, request: RetrieveModelRequest, ctx: Context) -> Model:
        if request.model != "nvidia/llama":
            raise NotFound("no such model")
        return Model.model_construct(id="nvidia/llama", provider_resource_id="meta/llama-3.1-8b-instruct")


@asynccontextmanager
async def opened(script: Script, *, models: OneModel | None = None) -> AsyncIterator[NvidiaEval]:
    async with fake_upstream(script) as fake:
        config = NvidiaEvalConfig(base_url=fake.url.removesuffix("/v1"), namespace="nvidia", network=QUICK)
        async with open_nvidia_eval(config, models=models) as made:
            yield made


def wanted(name: str = "mmlu", candidate: object = MODEL, more: object = None, **metadata: object) -> RunEvalRequest:
    benchmark = Benchmark(
        identifier="b",
        provider_id="n",
        provider_resource_id=name,
        type="benchmark",
        dataset_id="",
        scoring_functions=[],
        metadata=metadata,
    )
    config = {"eval_candidate": candidate, "num_examples": more}
    return RunEvalRequest.model_validate({"benchmark_id": "b", "benchmark_config": config, "benchmark": benchmark})


async def status(made: NvidiaEval, job: str) -> str:
    return (await made.eval_job_status(EvalJobStatusRequest(benchmark_id="b", job_id=job), CTX)).status


async def test_a_job_goes_from_its_benchmark_to_its_result() -> None:
    service = FakeEvaluator()
    async with opened(service, models=OneModel()) as made:
        job = await made.run_eval(wanted(type="mmlu"), CTX)
        assert (job.job_id, job.status) == ("eval-0", "scheduled")
        assert service.configs == {"nvidia/mmlu": {"type": "mmlu", "namespace": "nvidia", "name": "mmlu"}}
        target = {"type": "model", "model": "meta/llama-3.1-8b-instruct"}
        assert service.jobs["eval-0"] == {"config": "nvidia/mmlu", "target": target}
        result = EvalJobResultRequest(benchmark_id="b", job_id="eval-0")
        with pytest.raises(Conflict, match="scheduled"):
            await made.eval_job_result(result, CTX)
        assert [await status(made, "eval-0") for _ in range(2)] == ["in_progress", "completed"]
        found = await made.eval_job_result(result, CTX)
        assert found.generations == []
        assert found.scores["b"].aggregated_results == RESULTS


async def test_the_service_has_the_config_as_it_is_registered_now() -> None:
    service = FakeEvaluator()
    async with opened(service) as made:
        await made.run_eval(wanted(config={"type": "mmlu"}), CTX)
        await made.run_eval(wanted(type="gsm8k"), CTX)
        assert service.configs["nvidia/mmlu"]["type"] == "gsm8k"


async def test_without_metadata_a_config_of_the_service_is_meant() -> None:
    service = FakeEvaluator()
    async with opened(service, models=OneModel()) as made:
        agent = {"type": "agent", "config": {"model": "other", "instructions": ""}}
        await made.run_eval(wanted("ours/mine", candidate=agent), CTX)
        assert service.configs == {}
        assert service.jobs["eval-0"] == {"config": "ours/mine", "target": {"type": "model", "model": "other"}}


async def test_a_failed_job_says_why() -> None:
    async with opened(FakeEvaluator(steps=("failed",))) as made:
        job = (await made.run_eval(wanted(), CTX)).job_id
        told = await made.eval_job_status(EvalJobStatusRequest(benchmark_id="b", job_id=job), CTX)
        assert (told.status, told.error) == ("failed", "the job is failed")


async def test_a_job_is_cancelled_once() -> None:
    service = FakeEvaluator(steps=("running",))
    async with opened(service) as made:
        cancel = CancelEvalJobRequest(benchmark_id="b", job_id=(await made.run_eval(wanted(), CTX)).job_id)
        await made.cancel_eval_job(cancel, CTX)
        assert await status(made, cancel.job_id) == "cancelled"
        service.steps = ("completed",)
        await made.cancel_eval_job(cancel, CTX)
        assert await status(made, cancel.job_id) == "completed", "what has ended is left alone"


async def test_what_cannot_be_is_refused() -> None:
    async with opened(FakeEvaluator()) as made:
        with pytest.raises(BadRequest, match="limit_samples"):
            await made.run_eval(wanted(more=3), CTX)
        for job in ("eval-9", "../configs"):
            with pytest.raises(NotFound) as refusal:
                await status(made, job)
            assert refusal.value.code == "eval_job_not_found"


BAD_LUCK: dict[str, tuple[Script, Callable[[StackError], bool]]] = {
    "refuses": (refuses(500), lambda error: error.status == 502),
    "refuses the server": (refuses(401), lambda error: isinstance(error, Unavailable)),
    "shows a page": (shows_html(), lambda error: error.status == 502),
    "answers a list": (answers([]), lambda error: error.status == 502),
    "answers nothing": (answers({}), lambda error: error.status == 502),
    "drops": (drops, lambda error: error.status >= 500),
    "talks nonsense": (talks_nonsense, lambda error: error.status >= 500),
}


@pytest.mark.parametrize("luck", BAD_LUCK)
async def test_bad_luck_of_the_service_is_no_fault_of_the_client(luck: str) -> None:
    script, told = BAD_LUCK[luck]
    async with opened(script) as made:
        for call in (made.run_eval(wanted(), CTX), status(made, "eval-0")):
            with pytest.raises(StackError) as error:
                await call
            assert told(error.value), error.value.message


async def test_health_is_whether_it_answers() -> None:
    async with opened(refuses(404)) as made:
        assert (await made.health()).status == "OK"
    async with opened(refuses(500)) as made:
        assert (await made.health()).status == "Error"
