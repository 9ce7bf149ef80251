"""What the requests of the benchmarks API are made of.

Generated from apis/benchmarks.yaml by `stackgen contracts`; a change belongs there.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from ..wire import WireModel


class RegisterBenchmarkRequest(WireModel):
    """A benchmark to be registered."""

    benchmark_id: Annotated[str, Field(max_length=512, min_length=1)]
    """The name clients use. As paths go on after it, it has no slash."""
    dataset_id: Annotated[str, Field(max_length=512)]
    """The dataset that it takes its rows from; it need not be there yet."""
    scoring_functions: Annotated[list[str], Field(max_length=100)]
    """What its answers are scored by."""
    provider_benchmark_id: Annotated[str | None, Field(max_length=512, min_length=1)] = None
    """The benchmark's name at the provider; the same as `benchmark_id` if absent."""
    provider_id: Annotated[str | None, Field(min_length=1)] = None
    """The instance of eval that runs it; may be left out where there is only one."""
    metadata: dict[str, Any] | None = None
    """What the provider is to know beside, at most 64 KiB."""


class ListBenchmarksRequest(WireModel):
    """List the benchmarks."""


class GetBenchmarkRequest(WireModel):
    """Describe one benchmark."""

    benchmark_id: str
    """The benchmark's id."""


class UnregisterBenchmarkRequest(WireModel):
    """Unregister a benchmark."""

    benchmark_id: str
    """The benchmark's id."""
