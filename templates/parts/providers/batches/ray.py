"""Batches that this server keeps and a Ray cluster runs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ...runtime.errors import SettingsError

if TYPE_CHECKING:
    from ...contracts.files import Files
    from ...contracts.inference import Inference
    from ...contracts.models import Listing
    from ...runtime.sql import Sql
    from .jobs.service import BatchesService


@dataclass(frozen=True, slots=True, kw_only=True)
class RayConfig:
    """inference_url: of the servers that answer, as the cluster reaches them, without /v1. address: the cluster's, None
    for one of this process' own. max_tasks: at once, of lines_per_task lines each. cpus_per_task: that a task reserves.
    request_seconds: that a server may be silent. connect_seconds: for the connection with the cluster. The others are
    those of `inline::reference`.
    """

    inference_url: str
    address: str | None = None
    max_tasks: int = 16
    lines_per_task: int = 8
    cpus_per_task: float = 1.0
    request_seconds: float = 600.0
    connect_seconds: float = 60.0
    max_concurrent_batches: int = 1
    lease_seconds: float = 30.0
    poll_seconds: float = 2.0
    max_tries: int = 8


@asynccontextmanager
async def open_ray(
    config: RayConfig, *, store: Sql, inference: Inference, files: Files, models: Listing
) -> AsyncIterator[BatchesService]:
    """The batches of `store`, this process' share of the work on them, and its way to the cluster, which is taken when
    there is something to run.
    """
    _check(config.inference_url)
    # Imported here: SQLAlchemy, which a server whose batches are switched off does not need. Ray itself is imported by
    # a process of its own.
    from .jobs.opening import Pace, open_jobs
    from .on_ray.cluster import Cluster, host_of
    from .on_ray.process import start_driver

    url = config.inference_url
    cluster = Cluster(
        lambda: start_driver((config.address or "local", url, config.request_seconds, config.cpus_per_task)),
        host=host_of(url),
        tasks=config.max_tasks,
        lines_per_task=config.lines_per_task,
        connect_seconds=config.connect_seconds,
    )
    pace = Pace(
        batches=config.max_concurrent_batches,
        lines=config.max_tasks * config.lines_per_task,
        lease_seconds=config.lease_seconds,
        poll_seconds=config.poll_seconds,
        tries=config.max_tries,
    )
    async with (
        cluster.at_work(),
        open_jobs(
            pace, lambda _: cluster.answer, store=store, inference=inference, files=files, models=models
        ) as batches,
    ):
        yield batches


def _check(url: str) -> None:
    """Raises SettingsError. The URL is shipped to each machine of the cluster."""
    at = urlsplit(url)
    if at.scheme not in ("http", "https") or not at.hostname:
        raise SettingsError(["inference_url: expected a URL such as http://balancer:8321"])
    if at.username is not None or at.password is not None or at.query or at.fragment:
        raise SettingsError(["inference_url: it may hold no credential, no query and no fragment"])
    if at.path.rstrip("/").endswith("/v1"):
        raise SettingsError(["inference_url: leave /v1 off; the paths of the requests begin with it"])
