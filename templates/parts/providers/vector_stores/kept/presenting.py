"""Rows as clients see them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from ....contracts.vector_stores.requests import StaticChunkingStrategy, VectorStoreExpirationAfter
from ....contracts.vector_stores.responses import (
    StaticChunkingStrategyResponseParam,
    VectorStoreFileCounts,
    VectorStoreFileLastError,
    VectorStoreFileObject,
    VectorStoreObject,
)
from .desk import DAY
from .tables import FILES

if TYPE_CHECKING:
    from sqlalchemy import Column, Row
    from sqlalchemy.ext.asyncio import AsyncConnection

_STATUSES = ("in_progress", "completed", "failed", "cancelled")


class Sums:
    """How many files there are by status, and how many bytes."""

    def __init__(self, rows: Iterable[Row[Any]] = ()) -> None:
        self.by_status = dict.fromkeys(_STATUSES, 0)
        self.bytes = 0
        for row in rows:
            self.by_status[row.status] += row.files
            self.bytes += int(row.bytes or 0)

    @property
    def counts(self) -> VectorStoreFileCounts:
        return VectorStoreFileCounts(**self.by_status, total=sum(self.by_status.values()))


async def sums(connection: AsyncConnection, by: Column[Any], ids: Iterable[str]) -> Mapping[str, Sums]:
    """Of the files of stores, or of batches. by: which of their columns says so."""
    wanted = list(ids)
    query = select(
        by.label("whose"), FILES.c.status, func.count().label("files"), func.sum(FILES.c.bytes).label("bytes")
    )
    query = query.where(by.in_(wanted), FILES.c.gone.is_(False)).group_by(by, FILES.c.status)
    rows = (await connection.execute(query)).all() if wanted else ()
    return {id: Sums(row for row in rows if row.whose == id) for id in wanted}


def store_object(row: Row[Any], found: Sums) -> VectorStoreObject:
    """row: with `expired`."""
    status = "in_progress" if found.by_status["in_progress"] else "completed"
    told = VectorStoreObject.model_validate(
        {
            "id": row.id,
            "object": "vector_store",
            "created_at": int(row.created_at),
            "name": row.name,
            "description": row.description,
            "usage_bytes": found.bytes,
            "file_counts": found.counts,
            "status": "expired" if row.expired else status,
            "expires_at": None if row.days is None else int(row.active_at + row.days * DAY),
            "last_active_at": int(row.active_at),
            "metadata": None if row.metadata is None else json.loads(row.metadata),
            "embedding_model": row.model,
            "embedding_dimension": row.dimension,
            "provider_id": row.instance,
        }
    )
    if row.days is not None:
        told.expires_after = VectorStoreExpirationAfter(anchor="last_active_at", days=row.days)
    return told


def file_object(row: Row[Any]) -> VectorStoreFileObject:
    error = None
    if row.error_code is not None:
        error = VectorStoreFileLastError(code=row.error_code, message=row.error_message)
    static = StaticChunkingStrategy(max_chunk_size_tokens=row.chunk_tokens, chunk_overlap_tokens=row.overlap_tokens)
    return VectorStoreFileObject(
        id=row.file_id,
        object="vector_store.file",
        usage_bytes=row.bytes,
        created_at=int(row.created_at),
        vector_store_id=row.store,
        status=row.status,
        last_error=error,
        chunking_strategy=StaticChunkingStrategyResponseParam(type="static", static=static),
        attributes=json.loads(row.labels),
    )
