"""The benchmarks table: which benchmarks there are, and who runs each. Read from memory."""

from __future__ import annotations

import difflib
import itertools
from collections.abc import AsyncIterator, Collection, Iterator, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from ...contracts.benchmarks.responses import ListBenchmarksResponse
from ...contracts.shared.benchmark import Benchmark
from ...runtime.context import Context
from ...runtime.errors import NotFound
from .entries import BenchmarkResource, Entry, declared

if TYPE_CHECKING:
    from ...contracts.benchmarks.requests import GetBenchmarkRequest, ListBenchmarksRequest


class BenchmarksTable:
    """Implements the benchmarks API, and tells the router of eval what a benchmark is and who runs it."""

    def __init__(self, instances: Collection[str], resources: Sequence[BenchmarkResource]) -> None:
        self._declared = declared(resources, instances)

    def locate(self, benchmark: str, ctx: Context) -> Benchmark:
        """The benchmark of an id. Raises NotFound."""
        found = self._find(benchmark, ctx)
        if found is None:
            # Within bounds, as comparing names takes its time.
            known = [each.id for each in itertools.islice(self._seen(ctx), 200)]
            near = difflib.get_close_matches(benchmark[:200], known, n=3)
            hint = f"did you mean {', '.join(near)}?" if near else "GET /v1alpha/eval/benchmarks lists what is."
            message = f"there is no benchmark {benchmark[:200]!r} here; {hint}"
            raise NotFound(message, code="benchmark_not_found", param="benchmark_id")
        return present(found)

    async def list_benchmarks(self, request: ListBenchmarksRequest, ctx: Context) -> ListBenchmarksResponse:
        return ListBenchmarksResponse(data=[present(entry) for entry in self._seen(ctx)])

    async def get_benchmark(self, request: GetBenchmarkRequest, ctx: Context) -> Benchmark:
        return self.locate(request.benchmark_id, ctx)

    def _find(self, benchmark: str, ctx: Context) -> Entry | None:
        return self._declared.get(benchmark)

    def _seen(self, ctx: Context) -> Iterator[Entry]:
        """All that the caller may use."""
        return iter(self._declared.values())


@asynccontextmanager
async def open_benchmarks(
    *, sources: Collection[str], resources: Sequence[BenchmarkResource]
) -> AsyncIterator[BenchmarksTable]:
    """The table of the distribution's benchmarks. sources: the instances of eval, by id."""
    yield BenchmarksTable(sources, resources)


def present(entry: Entry) -> Benchmark:
    """A benchmark as Llama Stack's clients know it."""
    return Benchmark(
        identifier=entry.id,
        provider_id=entry.instance,
        provider_resource_id=entry.provider_benchmark_id,
        type="benchmark",
        dataset_id=entry.dataset_id,
        scoring_functions=list(entry.scoring_functions),
        metadata=dict(entry.metadata),
    )
