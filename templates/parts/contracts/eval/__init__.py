"""The Eval API: what its providers offer and the server calls.

Generated from apis/eval.yaml by `stackgen contracts`; a change belongs there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from ...runtime.context import Context
    from .requests import (
        CancelEvalJobRequest,
        EvalJobResultRequest,
        EvalJobStatusRequest,
        EvaluateRowsRequest,
        RunEvalRequest,
    )
    from .responses import EvalJob, EvaluateResponse


class Rows(Protocol):
    """Have rows answered and scored."""

    async def evaluate_rows(self, request: EvaluateRowsRequest, ctx: Context) -> EvaluateResponse:
        """Have rows answered and scored."""


class Jobs(Protocol):
    """Run a benchmark. Tell how far a job is. Cancel a job. Give the result of a job."""

    async def run_eval(self, request: RunEvalRequest, ctx: Context) -> EvalJob:
        """Run a benchmark."""

    async def eval_job_status(self, request: EvalJobStatusRequest, ctx: Context) -> EvalJob:
        """Tell how far a job is."""

    async def cancel_eval_job(self, request: CancelEvalJobRequest, ctx: Context) -> None:
        """Cancel a job."""

    async def eval_job_result(self, request: EvalJobResultRequest, ctx: Context) -> EvaluateResponse:
        """Give the result of a job."""


class Eval(Rows, Jobs, Protocol):
    """How well a model or an agent answers: rows are answered by the candidate and the answers scored, at once or as a
    job. The wire format is Llama Stack's.
    """
