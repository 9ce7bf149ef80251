"""The benchmarks table, with benchmarks that clients register.

A registered benchmark is seen and used by its owner, or by all where nobody owns it; what the distribution declares
goes before it.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Collection, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...contracts.benchmarks.responses import ListBenchmarksResponse
from ...contracts.shared.benchmark import Benchmark
from ...runtime.context import Context
from ...runtime.errors import Conflict, NotFound
from ...runtime.kv import Kv, KvBackend
from ...runtime.owner import Owner
from ...runtime.registry import Registry, following
from ...runtime.wiring import Health
from .builtin import BenchmarksTable, present
from .entries import BenchmarkResource, Entry
from .registration import entry_of, fields_of, said_of

if TYPE_CHECKING:
    from ...contracts.benchmarks.requests import (
        ListBenchmarksRequest,
        RegisterBenchmarkRequest,
        UnregisterBenchmarkRequest,
    )

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchmarksConfig:
    """Where they are kept is the wiring's to say."""


@dataclass(frozen=True, slots=True)
class _Own:
    """A registered benchmark of a provider that is there."""

    entry: Entry
    owner: Owner


class RegisteredBenchmarks(BenchmarksTable):
    """Implements the benchmarks API, and tells the router of eval what a benchmark is and who runs it."""

    def __init__(self, instances: Collection[str], resources: Sequence[BenchmarkResource], kv: Kv) -> None:
        super().__init__(instances, resources)
        self._instances = instances
        self._own: dict[str, _Own] = {}
        self.registry = Registry(kv, noun="benchmark", declared=self._declared, changed=self._follow)

    def locate(self, benchmark: str, ctx: Context) -> Benchmark:
        try:
            return super().locate(benchmark, ctx)
        except NotFound:
            self.registry.check_loaded()
            raise

    async def list_benchmarks(self, request: ListBenchmarksRequest, ctx: Context) -> ListBenchmarksResponse:
        self.registry.check_loaded()
        return await super().list_benchmarks(request, ctx)

    async def register_benchmark(self, request: RegisterBenchmarkRequest, ctx: Context) -> Benchmark:
        fields = fields_of(request, self._instances)
        kept = await self.registry.register(request.benchmark_id, fields, ctx, said=said_of(request))
        entry = entry_of(kept)
        if entry is None:
            message = f"what is registered as {request.benchmark_id!r} is no benchmark"
            raise Conflict(message, code="benchmark_exists", param="benchmark_id")
        return present(entry)

    async def unregister_benchmark(self, request: UnregisterBenchmarkRequest, ctx: Context) -> None:
        await self.registry.unregister(request.benchmark_id, ctx)

    async def health(self) -> Health:
        await self.registry.ask()
        return Health("OK")

    def _find(self, benchmark: str, ctx: Context) -> Entry | None:
        own = self._own.get(benchmark)
        if own is not None and own.owner.seen_by(ctx):
            return own.entry
        return super()._find(benchmark, ctx)

    def _seen(self, ctx: Context) -> Iterator[Entry]:
        yield from super()._seen(ctx)
        yield from (own.entry for own in self._own.values() if own.owner.seen_by(ctx))

    def _follow(self, changed: Collection[str]) -> None:
        """The registry's entries of these ids are others now."""
        for identity in changed:
            kept = self.registry.entries.get(identity)
            entry = None if kept is None else entry_of(kept)
            if kept is not None and entry is not None and entry.instance in self._instances:
                self._own[identity] = _Own(entry, kept.owner)
                continue
            self._own.pop(identity, None)
            if entry is not None:
                log.warning("benchmark %r is registered, and its provider %r is not here", identity, entry.instance)
            elif kept is not None:
                log.warning("what is registered as %r is no benchmark that this server knows", identity)


@asynccontextmanager
async def open_registered_benchmarks(
    *,
    sources: Collection[str],
    resources: Sequence[BenchmarkResource],
    metadata_store: KvBackend,
) -> AsyncIterator[RegisteredBenchmarks]:
    """The table of the distribution's benchmarks and of those that clients register. sources: the instances of eval."""
    table = RegisteredBenchmarks(sources, resources, metadata_store.namespace("registry_benchmarks"))
    async with following(table.registry):
        yield table
