"""The rules by which a client registers a benchmark, as functions of the request."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import TYPE_CHECKING

from ...runtime.errors import BadRequest
from ...runtime.instances import instance_meant
from ...runtime.registry_records import Registered
from .entries import Entry

if TYPE_CHECKING:
    from ...contracts.benchmarks.requests import RegisterBenchmarkRequest

METADATA_BYTES = 64 * 1024
"""The most that a benchmark's metadata take as JSON: every process has them in memory."""


def fields_of(request: RegisterBenchmarkRequest, instances: Collection[str]) -> dict[str, object]:
    """What is kept of a benchmark. Raises BadRequest for a provider that is not here, for an id that cannot stand
    within a path, and for too much.
    """
    if "/" in request.benchmark_id:
        message = f"benchmark_id {request.benchmark_id[:100]!r} has a slash; paths go on after it, so take another sign"
        raise BadRequest(message, param="benchmark_id")
    instance = instance_meant(request.provider_id, instances, "eval")
    name = request.provider_benchmark_id or request.benchmark_id
    if not name.isprintable() or name != name.strip():
        message = "a provider's name for a benchmark is of printable characters, with blanks only within"
        raise BadRequest(message, param="provider_benchmark_id" if request.provider_benchmark_id else "benchmark_id")
    metadata = request.metadata or {}
    if len(json.dumps(metadata)) > METADATA_BYTES:
        raise BadRequest(f"metadata take more than {METADATA_BYTES} bytes as JSON", param="metadata")
    return {
        "provider_id": instance,
        "provider_benchmark_id": name,
        "dataset_id": request.dataset_id,
        "scoring_functions": request.scoring_functions,
        "metadata": metadata,
    }


def said_of(request: RegisterBenchmarkRequest) -> list[str]:
    """The fields by which a benchmark that is registered already is compared."""
    always = ["provider_id", "provider_benchmark_id", "dataset_id", "scoring_functions"]
    return [*always, *(["metadata"] if request.metadata is not None else [])]


def entry_of(kept: Registered) -> Entry | None:
    """The benchmark as the table has it; None for what is none."""
    instance, name, dataset = (kept.fields.get(key) for key in ("provider_id", "provider_benchmark_id", "dataset_id"))
    functions, metadata = kept.fields.get("scoring_functions"), kept.fields.get("metadata")
    if not isinstance(instance, str) or not isinstance(name, str) or not isinstance(dataset, str):
        return None
    if not isinstance(metadata, dict) or not isinstance(functions, list):
        return None
    texts = [each for each in functions if isinstance(each, str)]
    if len(texts) != len(functions):
        return None
    return Entry(
        id=kept.id,
        instance=instance,
        provider_benchmark_id=name,
        dataset_id=dataset,
        scoring_functions=texts,
        metadata=metadata,
    )
