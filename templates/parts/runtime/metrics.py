"""The accounts of a server process: what was asked, of whom, how it went and what it used, as Prometheus reads it.

Counting a request is a few additions in memory. With several workers each process counts in files that all of them
share, in the folder that PROMETHEUS_MULTIPROC_DIR names, so that any one can tell the whole.
"""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING

from .context import Context, Usage

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry, Counter, Histogram

log = logging.getLogger(__name__)

FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
MAX_MODELS = 1000
LONGEST_MODEL = 256
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
            "Requests answered; status 499: the client left first.",
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
            "stack_requests_in_flight", "Requests being served.", multiprocess_mode="livesum", registry=self._registry
        )
        self._models: set[str] = set()
        # A metric's child is looked up under a lock with its labels turned to text: kept, it is one dictionary away.
        self._request_children: dict[tuple[str, str, str, int], Counter] = {}
        self._token_children: dict[tuple[str, str, str], Counter] = {}
        self._seconds_children: dict[str, Histogram] = {}

    def begin(self) -> None:
        """A request has come."""
        self._in_flight.inc()

    def end(self, operation: str, ctx: Context, status: int, seconds: float) -> None:
        """It is answered. operation: verb and path of its route. status: 0 where nothing was sent."""
        self._in_flight.dec()
        usage = ctx.usage
        model = self._model(usage, status)
        self._request_child(operation, usage.instance, model, status).inc()
        self._seconds_child(operation).observe(seconds)
        if usage.prompt_tokens:
            self._token_child(usage.instance, model, "prompt").inc(usage.prompt_tokens)
        if usage.completion_tokens:
            self._token_child(usage.instance, model, "completion").inc(usage.completion_tokens)
        if self._log_requests:
            log.info(
                "%s %s %d %.3fs instance=%s model=%s prompt_tokens=%s completion_tokens=%s",
                *(ctx.request_id, operation, status, seconds),
                # As written in Python, since a client's name for a model may hold a line break.
                *(usage.instance or "-", repr(usage.model[:LONGEST_MODEL]) if usage.model else "-"),
                *(usage.prompt_tokens, usage.completion_tokens),
            )

    def exposition(self) -> tuple[bytes, str]:
        """The text that Prometheus scrapes, and its content type."""
        from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

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

    def _request_child(self, operation: str, instance: str, model: str, status: int) -> Counter:
        key = (operation, instance, model, status)
        child = self._request_children.get(key)
        if child is None:
            child = self._request_children[key] = self._requests.labels(operation, instance, model, str(status))
        return child

    def _token_child(self, instance: str, model: str, kind: str) -> Counter:
        key = (instance, model, kind)
        child = self._token_children.get(key)
        if child is None:
            child = self._token_children[key] = self._tokens.labels(instance, model, kind)
        return child

    def _seconds_child(self, operation: str) -> Histogram:
        child = self._seconds_children.get(operation)
        if child is None:
            child = self._seconds_children[operation] = self._seconds.labels(operation)
        return child
