"""The Benchmarks API: what its providers offer and the server calls.

Generated from apis/benchmarks.yaml by `stackgen contracts`; a change belongs there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from ...runtime.context import Context
    from ..shared.benchmark import Benchmark
    from .requests import (
        GetBenchmarkRequest,
        ListBenchmarksRequest,
        RegisterBenchmarkRequest,
        UnregisterBenchmarkRequest,
    )
    from .responses import ListBenchmarksResponse


class Listing(Protocol):
    """List the benchmarks. Describe one benchmark."""

    async def list_benchmarks(self, request: ListBenchmarksRequest, ctx: Context) -> ListBenchmarksResponse:
        """List the benchmarks."""

    async def get_benchmark(self, request: GetBenchmarkRequest, ctx: Context) -> Benchmark:
        """Describe one benchmark."""


class Registration(Protocol):
    """Register a benchmark. Unregister a benchmark."""

    async def register_benchmark(self, request: RegisterBenchmarkRequest, ctx: Context) -> Benchmark:
        """Register a benchmark."""

    async def unregister_benchmark(self, request: UnregisterBenchmarkRequest, ctx: Context) -> None:
        """Unregister a benchmark."""


class Benchmarks(Listing, Registration, Protocol):
    """What models and agents can be evaluated by: a dataset, and the functions that score what is answered to its rows.
    The wire format is Llama Stack's.
    """
