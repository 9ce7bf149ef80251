"""What the answers of the benchmarks API are made of.

Generated from apis/benchmarks.yaml by `stackgen contracts`; a change belongs there.
"""

from __future__ import annotations

from ..shared.benchmark import Benchmark
from ..wire import WireModel


class ListBenchmarksResponse(WireModel):
    """Benchmarks, all on one page."""

    data: list[Benchmark]
