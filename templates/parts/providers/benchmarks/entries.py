"""The benchmarks of the distribution, as the table has them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchmarkResource:
    """A benchmark declared by the distribution.

    benchmark_id, provider_id: None (an empty slot) leaves the benchmark out. provider_benchmark_id: its name at the
    provider, None for the same name.
    """

    benchmark_id: str | None
    provider_id: str | None
    provider_benchmark_id: str | None
    dataset_id: str | None
    scoring_functions: Sequence[str]
    metadata: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One benchmark as clients see it, and which instance of eval runs it."""

    id: str
    instance: str
    provider_benchmark_id: str
    dataset_id: str
    scoring_functions: Sequence[str]
    metadata: Mapping[str, object]


def declared(resources: Sequence[BenchmarkResource], instances: Collection[str]) -> dict[str, Entry]:
    """The distribution's benchmarks, by id. One of a provider that is switched off is absent with it."""
    return {
        each.benchmark_id: Entry(
            id=each.benchmark_id,
            instance=each.provider_id,
            provider_benchmark_id=each.provider_benchmark_id or each.benchmark_id,
            dataset_id=each.dataset_id or "",
            scoring_functions=each.scoring_functions,
            metadata=each.metadata,
        )
        for each in resources
        if each.benchmark_id and each.provider_id and each.provider_id in instances
    }
