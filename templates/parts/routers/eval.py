"""Sends each evaluation to the instance that runs its benchmark.

What a benchmark is goes along with the request for a job, in place of whatever the caller said:

    eval = EvalRouter(table=benchmarks, jobs={"meta-reference": meta_reference}, rows={"meta-reference": …})
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol, TypeVar

from ..runtime.context import Context
from ..runtime.errors import BadRequest

if TYPE_CHECKING:
    from ..contracts.eval import Jobs, Rows
    from ..contracts.eval.requests import (
        CancelEvalJobRequest,
        EvalJobResultRequest,
        EvalJobStatusRequest,
        EvaluateRowsRequest,
        RunEvalRequest,
    )
    from ..contracts.eval.responses import EvalJob, EvaluateResponse
    from ..contracts.shared.benchmark import Benchmark

P = TypeVar("P")


class BenchmarkTable(Protocol):
    """What the router asks of the benchmarks table."""

    def locate(self, benchmark: str, ctx: Context) -> Benchmark:
        """The benchmark of an id. Raises NotFound."""


class EvalRouter:
    """The eval API over many instances."""

    def __init__(self, *, table: BenchmarkTable, jobs: Mapping[str, Jobs], rows: Mapping[str, Rows]) -> None:
        self._table = table
        self._jobs = jobs
        self._rows = rows

    async def evaluate_rows(self, request: EvaluateRowsRequest, ctx: Context) -> EvaluateResponse:
        benchmark = self._table.locate(request.benchmark_id, ctx)
        return await _pick(self._rows, benchmark, "evaluating rows", ctx).evaluate_rows(request, ctx)

    async def run_eval(self, request: RunEvalRequest, ctx: Context) -> EvalJob:
        benchmark = self._table.locate(request.benchmark_id, ctx)
        request.benchmark = benchmark
        return await self._runs(benchmark, ctx).run_eval(request, ctx)

    async def eval_job_status(self, request: EvalJobStatusRequest, ctx: Context) -> EvalJob:
        benchmark = self._table.locate(request.benchmark_id, ctx)
        return await self._runs(benchmark, ctx).eval_job_status(request, ctx)

    async def cancel_eval_job(self, request: CancelEvalJobRequest, ctx: Context) -> None:
        benchmark = self._table.locate(request.benchmark_id, ctx)
        await self._runs(benchmark, ctx).cancel_eval_job(request, ctx)

    async def eval_job_result(self, request: EvalJobResultRequest, ctx: Context) -> EvaluateResponse:
        benchmark = self._table.locate(request.benchmark_id, ctx)
        return await self._runs(benchmark, ctx).eval_job_result(request, ctx)

    def _runs(self, benchmark: Benchmark, ctx: Context) -> Jobs:
        return _pick(self._jobs, benchmark, "jobs", ctx)


def _pick(instances: Mapping[str, P], benchmark: Benchmark, operation: str, ctx: Context) -> P:
    """The instance to call, with the request's account opened in its name."""
    ctx.usage.instance = benchmark.provider_id
    provider = instances.get(benchmark.provider_id)
    if provider is None:
        whose = f"benchmark {benchmark.identifier!r} is of provider {benchmark.provider_id!r}"
        message = f"{whose}, which does not offer {operation}"
        raise BadRequest(message, code="unsupported_operation", param="benchmark_id")
    return provider
