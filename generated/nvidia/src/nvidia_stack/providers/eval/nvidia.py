"""Evaluation jobs of a NeMo Evaluator service."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal
from urllib.parse import quote

from pydantic_core import from_json, to_json

from ...contracts.eval.responses import EvalJob, EvaluateResponse
from ...contracts.models.requests import RetrieveModelRequest
from ...contracts.shared.scoring import ScoringResult
from ...runtime.context import Context
from ...runtime.errors import (
    BadRequest,
    Conflict,
    Forbidden,
    NotFound,
    StackError,
    Unauthenticated,
    Unavailable,
    UpstreamError,
)
from ...runtime.upstream import Call, Upstream, open_upstream
from ...runtime.upstream_config import NetworkConfig
from ...runtime.wiring import Health

if TYPE_CHECKING:
    from ...contracts.eval.requests import (
        CancelEvalJobRequest,
        EvalCandidate,
        EvalJobResultRequest,
        EvalJobStatusRequest,
        RunEvalRequest,
    )
    from ...contracts.models import Listing
    from ...contracts.shared.benchmark import Benchmark

HEALTH_SECONDS = 3.0

Status = Literal["scheduled", "in_progress", "completed", "failed", "cancelled"]

STATUSES: Mapping[object, Status] = {
    "created": "scheduled",
    "pending": "scheduled",
    "running": "in_progress",
    "cancelling": "in_progress",
    "completed": "completed",
    "cancelled": "cancelled",
    "failed": "failed",
}
ENDED: frozenset[Status] = frozenset({"completed", "failed", "cancelled"})


@dataclass(frozen=True, slots=True, kw_only=True)
class NvidiaEvalConfig:
    """base_url: what `/v1/evaluation` is appended to. namespace: of the configs that benchmarks are there."""

    base_url: str
    namespace: str
    network: NetworkConfig = field(default_factory=NetworkConfig)


class NvidiaEval:
    """One service. Its jobs are known by their ids, to whoever has one: nothing is kept of them here."""

    def __init__(self, upstream: Upstream, namespace: str, models: Listing | None) -> None:
        self._upstream = upstream
        self._namespace = namespace
        self._models = models

    async def run_eval(self, request: RunEvalRequest, ctx: Context) -> EvalJob:
        benchmark = request.benchmark
        if benchmark is None:
            raise BadRequest("nothing is known of the benchmark", param="benchmark")
        if request.benchmark_config.num_examples is not None:
            message = "num_examples is the evaluation config's to say, in `params` as `limit_samples`"
            raise BadRequest(message, code="unsupported_parameter", param="benchmark_config.num_examples")
        model = await self._model(_model_of(request.benchmark_config.eval_candidate), ctx)
        config = await self._config(benchmark, ctx)
        target = {"type": "model", "model": model}
        said = await self._ask(Call("POST", "v1/evaluation/jobs", retries=0), ctx, {"config": config, "target": target})
        job_id = said.get("id")
        if not isinstance(job_id, str) or not job_id:
            raise self._nonsense()
        return EvalJob(job_id=job_id, status=STATUSES.get(said.get("status"), "scheduled"))

    async def eval_job_status(self, request: EvalJobStatusRequest, ctx: Context) -> EvalJob:
        said = await self._of_job(Call("GET", _job(request.job_id)), request.job_id, ctx)
        status = STATUSES.get(said.get("status"))
        if status is None:
            raise self._nonsense()
        details = said.get("status_details")
        told = details.get("message") if isinstance(details, dict) and status == "failed" else None
        return EvalJob(job_id=request.job_id, status=status, error=told if isinstance(told, str) else None)

    async def cancel_eval_job(self, request: CancelEvalJobRequest, ctx: Context) -> None:
        said = await self._of_job(Call("GET", _job(request.job_id)), request.job_id, ctx)
        if STATUSES.get(said.get("status")) not in ENDED:
            await self._of_job(Call("POST", f"{_job(request.job_id)}/cancel"), request.job_id, ctx, {})

    async def eval_job_result(self, request: EvalJobResultRequest, ctx: Context) -> EvaluateResponse:
        said = await self._of_job(Call("GET", _job(request.job_id)), request.job_id, ctx)
        if said.get("status") != "completed":
            message = f"job {request.job_id!r} has no result: it is {STATUSES.get(said.get('status'), 'unknown')}"
            raise Conflict(message, code="eval_job_not_completed", param="job_id")
        found = await self._of_job(Call("GET", f"{_job(request.job_id)}/results"), request.job_id, ctx)
        scored = ScoringResult(score_rows=[], aggregated_results=found)
        return EvaluateResponse(generations=[], scores={request.benchmark_id: scored})

    async def health(self) -> Health:
        try:
            async with asyncio.timeout(HEALTH_SECONDS):
                await self._upstream.fetch(Call("GET", "health", retries=0))
        except TimeoutError:
            return Health("Error", f"{self._upstream.host} did not answer within {HEALTH_SECONDS:g} s")
        except StackError as error:
            if error.status >= 500:
                return Health("Error", error.message)
        return Health("OK")

    async def _model(self, name: str, ctx: Context) -> str:
        """The model's name at its provider, where this server has it."""
        if self._models is None:
            return name
        try:
            return (await self._models.retrieve_model(RetrieveModelRequest(model=name), ctx)).provider_resource_id
        except NotFound:
            return name

    async def _config(self, benchmark: Benchmark, ctx: Context) -> str:
        """The config that the benchmark is at the service, which has it as it is registered here from then on."""
        space, slash, name = benchmark.provider_resource_id.rpartition("/")
        space = space if slash else self._namespace
        if benchmark.metadata:
            inner = benchmark.metadata.get("config")
            said = inner if isinstance(inner, dict) else benchmark.metadata
            body = {**said, "namespace": space, "name": name}
            configs = "v1/evaluation/configs"
            made = Call("POST", configs, body=to_json(body), headers=_headers(ctx), expected=frozenset({409}))
            reply = await self._upstream.open(made)
            reply.close()
            if reply.status == 409:
                await self._ask(Call("PATCH", f"{configs}/{quote(space, safe='')}/{quote(name, safe='')}"), ctx, body)
        return f"{space}/{name}"

    async def _of_job(
        self, call: Call, job: str, ctx: Context, body: Mapping[str, object] | None = None
    ) -> dict[str, object]:
        try:
            return await self._ask(call, ctx, body)
        except NotFound:
            raise NotFound(f"there is no job {job[:200]!r} here", code="eval_job_not_found", param="job_id") from None

    async def _ask(self, call: Call, ctx: Context, body: Mapping[str, object] | None = None) -> dict[str, object]:
        """The object that the service answers. Raises StackError."""
        data = None if body is None else to_json(body)
        try:
            said = await self._upstream.fetch(replace(call, body=data, headers=_headers(ctx)))
        except (Unauthenticated, Forbidden):
            # No doing of the client's, who has sent no credential.
            message = f"{self._upstream.host} refuses the server"
            raise Unavailable(message, code="evaluator_unavailable") from None
        try:
            document = from_json(said)
        except ValueError:
            document = None
        if not isinstance(document, dict):
            raise self._nonsense()
        return document

    def _nonsense(self) -> UpstreamError:
        message = f"{self._upstream.host} answered what is not to be understood"
        return UpstreamError(message, code="upstream_invalid_answer")


def _headers(ctx: Context) -> dict[str, str]:
    headers = {"Content-Type": "application/json", "X-Request-Id": ctx.request_id}
    return headers if ctx.trace is None else {**headers, "Traceparent": ctx.trace}


def _job(job: str) -> str:
    return f"v1/evaluation/jobs/{quote(job, safe='')}"


def _model_of(candidate: EvalCandidate) -> str:
    """Of an agent, the model that it thinks with."""
    return candidate.model if candidate.type == "model" else candidate.config.model


@asynccontextmanager
async def open_nvidia_eval(config: NvidiaEvalConfig, *, models: Listing | None) -> AsyncIterator[NvidiaEval]:
    """Raises SettingsError for a network that cannot be."""
    async with open_upstream(config.base_url, config.network) as upstream:
        yield NvidiaEval(upstream, config.namespace, models)
