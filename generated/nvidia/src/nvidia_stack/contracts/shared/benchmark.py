"""What several APIs use.

Generated from apis/shared/benchmark.yaml by `stackgen contracts`; a change belongs there.
"""

from __future__ import annotations

from typing import Any, Literal

from ..wire import WireModel


class Benchmark(WireModel):
    """A benchmark, as Llama Stack's clients know it."""

    identifier: str
    """What paths of evaluations say."""
    provider_id: str
    """The instance of eval that runs it."""
    provider_resource_id: str
    """The benchmark's name at the provider."""
    type: Literal["benchmark"]
    dataset_id: str
    """The dataset that it takes its rows from."""
    scoring_functions: list[str]
    """What its answers are scored by."""
    metadata: dict[str, Any]
    """What else the provider knows of it."""
