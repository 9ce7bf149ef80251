"""Training jobs of a NeMo Customizer service."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal
from urllib.parse import quote

from pydantic_core import from_json, to_json

from ...contracts.post_training.responses import (
    Checkpoint,
    ListPostTrainingJobsResponse,
    PostTrainingJob,
    PostTrainingJobArtifactsResponse,
    PostTrainingJobStatusResponse,
)
from ...runtime.context import Context
from ...runtime.errors import Conflict, Forbidden, NotFound, StackError, Unauthenticated, Unavailable, UpstreamError
from ...runtime.secret import Secret
from ...runtime.upstream import Call, Upstream, open_upstream
from ...runtime.upstream_config import NetworkConfig
from ...runtime.wiring import Health
from .nvidia_job import customization

if TYPE_CHECKING:
    from ...contracts.post_training.requests import (
        CancelTrainingJobRequest,
        GetTrainingJobArtifactsRequest,
        GetTrainingJobsRequest,
        GetTrainingJobStatusRequest,
        SupervisedFineTuneRequest,
    )

HEALTH_SECONDS = 3.0
PAGE = 100

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
_FIGURES = ("percentage_done", "epochs_completed", "steps_completed", "elapsed_time", "best_epoch", "metrics")


@dataclass(frozen=True, slots=True, kw_only=True)
class NvidiaTrainingConfig:
    """base_url: what `/v1/customization` is appended to. output_model_dir: what trained models are called there."""

    base_url: str
    api_key: Secret | None = None
    dataset_namespace: str = "default"
    project_id: str | None = None
    output_model_dir: str = "test-example-model@v1"
    network: NetworkConfig = field(default_factory=NetworkConfig)


class NvidiaTraining:
    """One service. Its jobs are known by their ids, to whoever has one: nothing is kept of them here."""

    def __init__(self, upstream: Upstream, config: NvidiaTrainingConfig) -> None:
        self._upstream = upstream
        self._config = config

    async def supervised_fine_tune(self, request: SupervisedFineTuneRequest, ctx: Context) -> PostTrainingJob:
        config = self._config
        body = customization(
            request,
            namespace=config.dataset_namespace,
            project=config.project_id,
            output=config.output_model_dir,
        )
        said = await self._ask(Call("POST", "v1/customization/jobs", retries=0), ctx, body)
        return PostTrainingJob(job_uuid=self._text(said, "id"))

    async def get_training_jobs(self, request: GetTrainingJobsRequest, ctx: Context) -> ListPostTrainingJobsResponse:
        found: list[PostTrainingJob] = []
        pages = page = 1
        while page <= pages:
            query = {"page": str(page), "page_size": str(PAGE), "sort": "-created_at"}
            said = await self._ask(Call("GET", "v1/customization/jobs", query=query), ctx)
            data = said.get("data")
            if not isinstance(data, list):
                raise self._nonsense()
            found += [PostTrainingJob(job_uuid=self._text(each, "id")) for each in data]
            more = said.get("pagination")
            total = more.get("total_pages") if isinstance(more, dict) else None
            pages, page = total if isinstance(total, int) and data else page, page + 1
        return ListPostTrainingJobsResponse(data=found)

    async def get_training_job_status(
        self, request: GetTrainingJobStatusRequest, ctx: Context
    ) -> PostTrainingJobStatusResponse:
        id = request.job_uuid
        said = await self._of_job(Call("GET", f"{_job(id)}/status"), id, ctx)
        status = self._status(said)
        ended = status in ("completed", "failed", "cancelled")
        checkpoints = (await self._artifacts(id, ctx)) if status == "completed" else []
        return PostTrainingJobStatusResponse(
            job_uuid=id,
            status=status,
            scheduled_at=_time(said.get("created_at")),
            completed_at=_time(said.get("updated_at")) if ended else None,
            resources_allocated={name: said[name] for name in _FIGURES if said.get(name) is not None} or None,
            checkpoints=checkpoints,
            error=_why(said) if status == "failed" else None,
        )

    async def get_training_job_artifacts(
        self, request: GetTrainingJobArtifactsRequest, ctx: Context
    ) -> PostTrainingJobArtifactsResponse:
        id = request.job_uuid
        return PostTrainingJobArtifactsResponse(job_uuid=id, checkpoints=await self._artifacts(id, ctx))

    async def cancel_training_job(self, request: CancelTrainingJobRequest, ctx: Context) -> None:
        id = request.job_uuid
        status = self._status(await self._of_job(Call("GET", f"{_job(id)}/status"), id, ctx))
        if status in ("completed", "failed"):
            raise Conflict(f"a job that is {status!r} cannot be cancelled", code="job_not_cancellable")
        if status != "cancelled":
            await self._of_job(Call("POST", f"{_job(id)}/cancel"), id, ctx, {})

    async def health(self) -> Health:
        try:
            async with asyncio.timeout(HEALTH_SECONDS):
                await self._upstream.fetch(Call("GET", "health/ready", headers=self._headers(None), retries=0))
        except TimeoutError:
            return Health("Error", f"{self._upstream.host} did not answer within {HEALTH_SECONDS:g} s")
        except StackError as error:
            # A refusal shows that it is there.
            if error.status >= 500:
                return Health("Error", error.message)
        return Health("OK")

    # ── inside ──────────────────────────────────────────────────────────────────────────────────────────────────────

    async def _artifacts(self, id: str, ctx: Context) -> list[Checkpoint]:
        """The one model that a job comes to, once it has."""
        said = await self._of_job(Call("GET", _job(id)), id, ctx)
        if self._status(said) != "completed":
            return []
        model = self._text(said, "output_model")
        asked = said.get("hyperparameters")
        epochs = asked.get("epochs") if isinstance(asked, dict) else None
        return [
            Checkpoint(
                identifier=model,
                created_at=_time(said.get("updated_at")) or datetime.fromtimestamp(0, UTC),
                epoch=epochs - 1 if isinstance(epochs, int) else 0,
                post_training_job_id=id,
                path=model,
            )
        ]

    def _status(self, said: Mapping[str, object]) -> Status:
        found = STATUSES.get(said.get("status"))
        if found is None:
            raise self._nonsense()
        return found

    def _text(self, said: object, name: str) -> str:
        found = said.get(name) if isinstance(said, dict) else None
        if not isinstance(found, str) or not found:
            raise self._nonsense()
        return found

    async def _of_job(
        self, call: Call, id: str, ctx: Context, body: Mapping[str, object] | None = None
    ) -> dict[str, object]:
        try:
            return await self._ask(call, ctx, body)
        except NotFound:
            raise NotFound(f"there is no job {id[:200]!r}", code="job_not_found", param="job_uuid") from None

    async def _ask(self, call: Call, ctx: Context, body: Mapping[str, object] | None = None) -> dict[str, object]:
        """The object that the service answers. Raises StackError."""
        data = None if body is None else to_json(body)
        secrets = () if self._config.api_key is None else (self._config.api_key,)
        try:
            said = await self._upstream.fetch(replace(call, body=data, headers=self._headers(ctx), secrets=secrets))
        except (Unauthenticated, Forbidden):
            # No doing of the client's, who has sent no credential.
            raise Unavailable(f"{self._upstream.host} refuses the server", code="customizer_unavailable") from None
        try:
            document = from_json(said)
        except ValueError:
            document = None
        if not isinstance(document, dict):
            raise self._nonsense()
        return document

    def _headers(self, ctx: Context | None) -> dict[str, str]:
        headers = {"Content-Type": "application/json"}
        if self._config.api_key is not None:
            headers["Authorization"] = f"Bearer {self._config.api_key.reveal()}"
        if ctx is not None:
            headers["X-Request-Id"] = ctx.request_id
            headers |= {} if ctx.trace is None else {"Traceparent": ctx.trace}
        return headers

    def _nonsense(self) -> UpstreamError:
        message = f"{self._upstream.host} answered what is not to be understood"
        return UpstreamError(message, code="upstream_invalid_answer")


def _job(id: str) -> str:
    return f"v1/customization/jobs/{quote(id, safe='')}"


def _time(text: object) -> datetime | None:
    """The service's times are UTC, and do not say so."""
    try:
        found = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return found.replace(tzinfo=UTC) if found is not None and found.tzinfo is None else found


def _why(said: Mapping[str, object]) -> str | None:
    """The last line of the service's log of the job."""
    logs = said.get("status_logs")
    last = logs[-1] if isinstance(logs, list) and logs else None
    told = (last.get("detail") or last.get("message")) if isinstance(last, dict) else None
    return told if isinstance(told, str) else None


@asynccontextmanager
async def open_nvidia_training(config: NvidiaTrainingConfig) -> AsyncIterator[NvidiaTraining]:
    """Raises SettingsError for a network that cannot be."""
    async with open_upstream(config.base_url, config.network) as upstream:
        yield NvidiaTraining(upstream, config)
