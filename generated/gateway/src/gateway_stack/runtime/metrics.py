"""The accounts of a server process: what was asked, of whom, how it went and what it used, as Prometheus reads it.

Counting a request is a few additions in memory; what has come together is told to the Prometheus library once a second
and before anybody reads it, as each of its own additions takes a lock. With several workers each process counts in
files that all of them share, in the folder that PROMETHEUS_MULTIPROC_DIR names, so that any one can tell the whole.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections import defaultdict
from typing import TYPE_CHECKING

from .context import Context, Usage

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

log = logging.getLogger(__name__)

FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
MAX_MODELS = 1000
LONGEST_MODEL = 256
SETTLE_SECONDS = 1.0
OTHER_MODELS = "(other)"
_SECONDS = (0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600)


class Accounts:
    """One process's. log_requests: also write a line for each request."""

    def __init__(self, *, log_requests: bool = False) -> None:
        # Imported here and not above: the library decides at its import whether it counts in memory or in shared files,
        # and the variable that says so is set when the server starts its workers.
        from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics

        disable_created_metrics()  # type: ignore[no-untyped-call]  # the library has no types here
        self._log_requests = log_requests
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "stack_requests",
            "Requests answered, lines of batches (BATCH) and rows of evaluations (EVAL) too; 499: the client left.",
            ("operation", "instance", "model", "status"),
            registry=self._registry,
        )
        self._tokens = Counter(
            "stack_tokens",
            "Tokens used, as upstreams count them.",
            ("instance", "model", "kind"),
            registry=self._registry,
        )
        self._seconds = Histogram(
            "stack_request_seconds",
            "From a request's headers to the end of its answer.",
            ("operation",),
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._in_flight = Gauge(
            "stack_requests_in_flight",
            "Requests being served, this one aside.",
            multiprocess_mode="livesum",
            registry=self._registry,
        )
        self._models: set[str] = set()
        self._running = 0
        self._new_requests: dict[tuple[str, str, str, int], int] = defaultdict(int)
        self._new_tokens: dict[tuple[str, str, str], int] = defaultdict(int)
        self._new_seconds: dict[str, list[float]] = defaultdict(list)
        self._settling: asyncio.TimerHandle | None = None

    def begin(self) -> None:
        """A request has come."""
        self._running += 1
        if self._settling is None:
            self._settling = asyncio.get_running_loop().call_later(SETTLE_SECONDS, self.settle)

    def end(self, operation: str, ctx: Context, status: int, seconds: float) -> None:
        """It is answered. operation: verb and path of its route. status: 0 where nothing was sent."""
        self._running -= 1
        self.count(operation, ctx, status, seconds)

    def count(self, operation: str, ctx: Context, status: int, seconds: float) -> None:
        """As `end`, of what nobody sent: a request of the server's own, which is none in flight."""
        if self._settling is None:
            self._settling = asyncio.get_running_loop().call_later(SETTLE_SECONDS, self.settle)
        usage = ctx.usage
        model = self._model(usage, status)
        self._new_requests[operation, usage.instance, model, status] += 1
        self._new_seconds[operation].append(seconds)
        if usage.prompt_tokens:
            self._new_tokens[usage.instance, model, "prompt"] += usage.prompt_tokens
        if usage.completion_tokens:
            self._new_tokens[usage.instance, model, "completion"] += usage.completion_tokens
        if self._log_requests:
            log.info(
                "%s %s %d %.3fs instance=%s model=%s prompt_tokens=%s completion_tokens=%s",
                *(ctx.request_id, operation, status, seconds),
                # As written in Python, since a client's name for a model may hold a line break.
                *(usage.instance or "-", repr(usage.model[:LONGEST_MODEL]) if usage.model else "-"),
                *(usage.prompt_tokens, usage.completion_tokens),
            )

    def settle(self, *, besides: int = 0) -> None:
        """Tells the library what has come together. besides: requests in flight that do not count."""
        if self._settling is not None:
            self._settling.cancel()
            self._settling = None
        self._in_flight.set(self._running - besides)
        for (operation, instance, model, status), number in self._new_requests.items():
            self._requests.labels(operation, instance, model, str(status)).inc(number)
        for labels, number in self._new_tokens.items():
            self._tokens.labels(*labels).inc(number)
        for operation, all_seconds in self._new_seconds.items():
            child = self._seconds.labels(operation)
            for seconds in all_seconds:
                child.observe(seconds)
        self._new_requests.clear()
        self._new_tokens.clear()
        self._new_seconds.clear()

    def exposition(self) -> tuple[bytes, str]:
        """The text that Prometheus scrapes, and its content type."""
        from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

        # The question itself is not told: by the time another worker is asked, it is over.
        self.settle(besides=1)
        return generate_latest(self._everyone()), CONTENT_TYPE_LATEST

    def _everyone(self) -> CollectorRegistry:
        folder = os.environ.get(FOLDER_VARIABLE)
        if not folder:
            return self._registry
        from prometheus_client import CollectorRegistry
        from prometheus_client.multiprocess import MultiProcessCollector

        registry = CollectorRegistry()
        MultiProcessCollector(registry, folder)  # type: ignore[no-untyped-call]  # nor here
        return registry

    def _model(self, usage: Usage, status: int) -> str:
        """The label of a model. Clients choose the name, and some instances are asked for any: one that never worked,
        or is long, gets no label of its own, and only so many do.
        """
        if not usage.instance:
            return ""
        if usage.model in self._models:
            return usage.model
        if status != 200 or len(usage.model) > LONGEST_MODEL or len(self._models) >= MAX_MODELS:
            return OTHER_MODELS
        self._models.add(usage.model)
        return usage.model
