"""What a dataset is to the table, and how it is shown."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from ...contracts.datasets.requests import RowsDataSource, URIDataSource
from ...contracts.datasets.responses import Dataset
from ...runtime.dataset_rows import DatasetPlace, Row

Purpose: TypeAlias = Literal["post-training/messages", "eval/question-answer", "eval/messages-answer"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceResource:
    """Where the rows of a declared dataset are."""

    uri: str
    type: Literal["uri"] = "uri"


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetResource:
    """A dataset declared by the distribution. dataset_id, provider_id: None (an empty slot) leaves it out."""

    dataset_id: str | None
    provider_id: str | None
    purpose: Purpose
    source: SourceResource
    metadata: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One dataset as clients see it, and whose it is.

    rows: those that it was registered with, as far as they are shown; None for one of a URI.
    """

    instance: str
    purpose: Purpose
    rows: Sequence[Row] | None
    place: DatasetPlace


def declared(resources: Sequence[DatasetResource], instances: Collection[str]) -> dict[str, Entry]:
    """The distribution's datasets, by id. One of a provider that is switched off is absent with it."""
    return {
        each.dataset_id: Entry(
            instance=each.provider_id,
            purpose=each.purpose,
            rows=None,
            place=DatasetPlace(
                id=each.dataset_id,
                key=_declared_key(each.dataset_id, each.source.uri),
                uri=each.source.uri,
                metadata=each.metadata,
                declared=True,
            ),
        )
        for each in resources
        if each.dataset_id and each.provider_id and each.provider_id in instances
    }


def present(entry: Entry) -> Dataset:
    """A dataset as Llama Stack's clients know it."""
    place = entry.place
    source: URIDataSource | RowsDataSource
    if place.uri is not None:
        source = URIDataSource(type="uri", uri=place.uri)
    else:
        source = RowsDataSource(type="rows", rows=list(entry.rows or ()))
    return Dataset(
        identifier=place.id,
        provider_id=entry.instance,
        provider_resource_id=place.id,
        type="dataset",
        purpose=entry.purpose,
        source=source,
        metadata=dict(place.metadata),
    )


def _declared_key(identity: str, uri: str) -> str:
    """The same in every process, and another one once the distribution says another place."""
    return "declared_" + hashlib.sha256(f"{identity}\0{uri}".encode()).hexdigest()[:48]
