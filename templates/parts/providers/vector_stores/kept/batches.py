"""Files that are attached together."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, insert, select, update

from ....contracts.vector_stores.responses import VectorStoreFileBatchObject
from ....runtime.errors import BadRequest, NotFound
from ....runtime.ids import new_id
from .attaching import attach, files_page, wanted_files
from .checks import checked_chunking
from .chunking import Chunking
from .desk import find_store
from .paging import Asked
from .presenting import Sums, sums
from .tables import BATCHES, FILES

if TYPE_CHECKING:
    from sqlalchemy import Row
    from sqlalchemy.ext.asyncio import AsyncConnection

    from ....contracts.vector_stores.requests import (
        CancelVectorStoreFileBatchRequest,
        CreateVectorStoreFileBatchRequest,
        ListVectorStoreFilesInBatchRequest,
        RetrieveVectorStoreFileBatchRequest,
    )
    from ....contracts.vector_stores.responses import ListVectorStoreFilesResponse
    from ....runtime.context import Context
    from .desk import Desk

_ID = re.compile(r"vsfb_[0-9a-f]{48}")


async def create(desk: Desk, request: CreateVectorStoreFileBatchRequest, ctx: Context) -> VectorStoreFileBatchObject:
    if (request.file_ids is None) is (request.files is None):
        raise BadRequest("expected file_ids or files, one of the two", code="invalid_batch", param="file_ids")
    async with desk.sql.reading() as connection:
        store = await find_store(desk, connection, request.vector_store_id, ctx, usable=True)
    chunking = checked_chunking(request.chunking_strategy, Chunking(store.chunk_tokens, store.overlap_tokens))
    said = [(id, request.attributes, chunking) for id in request.file_ids or ()]
    for each in request.files or ():
        own = request.attributes if each.attributes is None else each.attributes
        said.append((each.file_id, own, checked_chunking(each.chunking_strategy, chunking)))
    files = await wanted_files(desk, said, ctx)
    id = new_id("vsfb")
    async with desk.sql.writing() as connection:
        await find_store(desk, connection, store.id, ctx, usable=True)
        row = {"id": id, "store": store.id, "created_at": desk.now, "cancelled": False}
        await connection.execute(insert(BATCHES).values(row))
        await attach(desk, connection, store.id, files, ctx, batch=id)
        return await _told(connection, await _find(desk, connection, store.id, id, ctx))


async def retrieve(
    desk: Desk, request: RetrieveVectorStoreFileBatchRequest, ctx: Context
) -> VectorStoreFileBatchObject:
    async with desk.sql.reading() as connection:
        return await _told(connection, await _find(desk, connection, request.vector_store_id, request.batch_id, ctx))


async def cancel(desk: Desk, request: CancelVectorStoreFileBatchRequest, ctx: Context) -> VectorStoreFileBatchObject:
    async with desk.sql.writing() as connection:
        batch = await _find(desk, connection, request.vector_store_id, request.batch_id, ctx)
        left = and_(FILES.c.batch == batch.id, FILES.c.status == "in_progress", FILES.c.gone.is_(False))
        stopped = update(FILES).where(left).values(status="cancelled", errand="wipe")
        if (await connection.execute(stopped)).rowcount:
            await connection.execute(update(BATCHES).where(BATCHES.c.id == batch.id).values(cancelled=True))
        return await _told(connection, await _find(desk, connection, request.vector_store_id, request.batch_id, ctx))


async def listed(desk: Desk, request: ListVectorStoreFilesInBatchRequest, ctx: Context) -> ListVectorStoreFilesResponse:
    asked = Asked(request.limit, request.order, request.after, request.before)
    async with desk.sql.reading() as connection:
        batch = await _find(desk, connection, request.vector_store_id, request.batch_id, ctx)
        return await files_page(connection, request.vector_store_id, FILES.c.batch == batch.id, asked, request.filter)


async def _find(desk: Desk, connection: AsyncConnection, store: str, id: str, ctx: Context) -> Row[Any]:
    """Raises NotFound."""
    await find_store(desk, connection, store, ctx)
    row = None
    if _ID.fullmatch(id):
        query = select(BATCHES).where(and_(BATCHES.c.id == id, BATCHES.c.store == store))
        row = (await connection.execute(query)).one_or_none()
    if row is None:
        message = f"the vector store has no batch of files {id[:100]!r}"
        raise NotFound(message, code="vector_store_file_batch_not_found", param="batch_id")
    return row


async def _told(connection: AsyncConnection, row: Row[Any]) -> VectorStoreFileBatchObject:
    found = (await sums(connection, FILES.c.batch, [row.id])).get(row.id, Sums())
    counts = found.counts
    if row.cancelled:
        status = "cancelled"
    elif counts.in_progress:
        status = "in_progress"
    else:
        status = "failed" if counts.failed and counts.failed == counts.total else "completed"
    return VectorStoreFileBatchObject.model_validate(
        {
            "id": row.id,
            "object": "vector_store.files_batch",
            "created_at": int(row.created_at),
            "vector_store_id": row.store,
            "status": status,
            "file_counts": counts,
        }
    )
