"""The rules by which a client registers a dataset, as functions of the request."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, TypeGuard, get_args

from ...contracts.datasets.requests import RowsDataSource
from ...runtime.dataset_rows import DatasetPlace, DatasetShelf, Row
from ...runtime.errors import BadRequest
from ...runtime.instances import instance_meant
from ...runtime.registry_records import Registered
from .entries import Entry, Purpose

if TYPE_CHECKING:
    from ...contracts.datasets.requests import RegisterDatasetRequest

METADATA_BYTES = SHOWN_BYTES = 64 * 1024
"""The most that metadata, and rows that are shown, take as JSON: every process has them in memory."""

URI_BYTES = 512 * 1024
"""The most that a URI takes; one may hold the rows itself (`data:`)."""


def rows_of(request: RegisterDatasetRequest) -> Sequence[Row] | None:
    """The rows that come with the request; None for a URI."""
    return request.source.rows if isinstance(request.source, RowsDataSource) else None


def fields_of(request: RegisterDatasetRequest, shelves: Mapping[str, DatasetShelf], key: str) -> dict[str, object]:
    """What is kept of a dataset. key: for its rows. Raises BadRequest for a provider that is not here, and for too
    much.
    """
    metadata = request.metadata or {}
    if len(json.dumps(metadata)) > METADATA_BYTES:
        raise BadRequest(f"metadata take more than {METADATA_BYTES} bytes as JSON", param="metadata")
    fields: dict[str, object] = {"purpose": request.purpose, "metadata": metadata, "key": key}
    rows = rows_of(request)
    if rows is None:
        uri = request.source.uri  # type: ignore[union-attr]
        if len(uri) > URI_BYTES:
            message = f"the URI has more than {URI_BYTES} characters; register the rows themselves, or a place of them"
            raise BadRequest(message, param="source.uri")
        fields["source"] = {"type": "uri", "uri": uri}
    else:
        uri = None
        text = json.dumps(rows)
        fields["source"] = {"type": "rows", "rows": rows if len(text) <= SHOWN_BYTES else []}
        fields["rows_sha256"] = hashlib.sha256(text.encode()).hexdigest()
    return {**fields, "provider_id": _instance(metadata.get("provider_id"), uri, shelves)}


def said_of(request: RegisterDatasetRequest) -> list[str]:
    """The fields by which a dataset that is registered already is compared."""
    told = ["metadata", "provider_id"] if request.metadata is not None else []
    return ["source", "rows_sha256", "purpose", *told]


def entry_of(kept: Registered) -> Entry | None:
    """The dataset as the table has it; None for what is none."""
    fields = kept.fields
    instance, purpose, key = fields.get("provider_id"), fields.get("purpose"), fields.get("key")
    source, metadata = fields.get("source"), fields.get("metadata")
    if not isinstance(instance, str) or not isinstance(key, str) or not _is_purpose(purpose):
        return None
    if not isinstance(source, dict) or not isinstance(metadata, dict):
        return None
    uri, rows = source.get("uri"), source.get("rows")
    if not (isinstance(uri, str) and rows is None) and not (isinstance(rows, list) and uri is None):
        return None
    place = DatasetPlace(id=kept.id, key=key, uri=uri, metadata=metadata, declared=False)
    return Entry(instance=instance, purpose=purpose, rows=rows, place=place)


def _instance(said: object, uri: str | None, shelves: Mapping[str, DatasetShelf]) -> str:
    """The instance that is to have a dataset: the one that metadata name, or the first that such a source fits."""
    if said is not None and not isinstance(said, str):
        raise BadRequest("metadata.provider_id is no text; expected the id of a provider", param="metadata.provider_id")
    if said is not None:
        return instance_meant(said, shelves, "datasetio")
    for name, shelf in shelves.items():
        if shelf.fits(uri):
            return name
    what = "rows" if uri is None else f"{uri[:100]!r}"
    known = ", ".join(shelves) or "none: no provider of datasetio is switched on"
    message = f"no provider here takes {what}; there are: {known}. metadata.provider_id names one"
    raise BadRequest(message, code="unsupported_source", param="source")


def _is_purpose(value: object) -> TypeGuard[Purpose]:
    return value in get_args(Purpose)
