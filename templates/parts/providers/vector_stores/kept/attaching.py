"""Files of stores: attached, listed, labelled, taken out, read."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, insert, select, update

from ....contracts.files.requests import RetrieveFileRequest
from ....contracts.vector_stores.responses import (
    DeleteVectorStoreFileResponse,
    ListVectorStoreFilesResponse,
    VectorStoreFileContent,
    VectorStoreFileContentResponse,
)
from ....runtime.errors import BadRequest, Conflict, NotFound
from ....runtime.ids import new_id
from ....runtime.ownership import owner_of
from .checks import checked_attributes, checked_chunking
from .chunking import Chunking
from .desk import find_file, find_store
from .paging import Asked, page
from .presenting import file_object
from .tables import CHUNKS, FILES, STORES

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Row
    from sqlalchemy.ext.asyncio import AsyncConnection

    from ....contracts.vector_stores.requests import (
        CreateVectorStoreFileRequest,
        DeleteVectorStoreFileRequest,
        ListVectorStoreFilesRequest,
        RetrieveVectorStoreFileContentRequest,
        RetrieveVectorStoreFileRequest,
        UpdateVectorStoreFileRequest,
        VectorStoreFileAttributes,
    )
    from ....contracts.vector_stores.responses import VectorStoreFileObject
    from ....runtime.context import Context
    from .desk import Desk


@dataclass(frozen=True, slots=True)
class Wanted:
    """A file that is to be attached. labels: JSON."""

    file_id: str
    filename: str
    labels: str
    chunking: Chunking


async def wanted_files(
    desk: Desk, said: Sequence[tuple[str, VectorStoreFileAttributes, Chunking]], ctx: Context
) -> list[Wanted]:
    """Files of the server that the caller may see. Raises BadRequest, NotFound. One that is named twice is taken once,
    as it was named last.
    """
    if not said:
        return []
    if desk.files is None:
        raise BadRequest("this server has no files API, so no file can be attached", code="files_unavailable")
    found: dict[str, Wanted] = {}
    for id, attributes, chunking in said:
        labels = checked_attributes(attributes)
        try:
            file = await desk.files.retrieve_file(RetrieveFileRequest(file_id=id), ctx)
        except NotFound as error:
            raise NotFound(error.message, code=error.code, param="file_id") from None
        found[id] = Wanted(id, file.filename, labels, chunking)
    return list(found.values())


async def attach(
    desk: Desk, connection: AsyncConnection, store: str, files: Sequence[Wanted], ctx: Context, batch: str | None = None
) -> None:
    """Files that somebody will take in; what the store had of the same ones is taken out."""
    if not files:
        return
    # Of two who attach one file the second waits for the first here.
    await connection.execute(update(STORES).where(STORES.c.id == store).values(active_at=desk.now))
    again = and_(FILES.c.store == store, FILES.c.file_id.in_([each.file_id for each in files]))
    await connection.execute(update(FILES).where(again).values(gone=True, errand="remove"))
    owner = owner_of(ctx)
    for each in files:
        row = {
            "id": new_id("vsf"),
            "store": store,
            "file_id": each.file_id,
            "batch": batch,
            "owner": owner.principal,
            "attributes": owner.attributes,
            "filename": each.filename,
            "labels": each.labels,
            "chunk_tokens": each.chunking.tokens,
            "overlap_tokens": each.chunking.overlap,
            "status": "in_progress",
            "bytes": 0,
            "created_at": desk.now,
            "errand": "ingest",
            "gone": False,
            "tries": 0,
        }
        await connection.execute(insert(FILES).values(row))


async def create(desk: Desk, request: CreateVectorStoreFileRequest, ctx: Context) -> VectorStoreFileObject:
    async with desk.sql.reading() as connection:
        store = await find_store(desk, connection, request.vector_store_id, ctx, usable=True)
    default = Chunking(store.chunk_tokens, store.overlap_tokens)
    chunking = checked_chunking(request.chunking_strategy, default)
    files = await wanted_files(desk, [(request.file_id, request.attributes, chunking)], ctx)
    async with desk.sql.writing() as connection:
        await find_store(desk, connection, store.id, ctx, usable=True)
        await attach(desk, connection, store.id, files, ctx)
        return file_object(await find_file(connection, store.id, request.file_id))


async def retrieve(desk: Desk, request: RetrieveVectorStoreFileRequest, ctx: Context) -> VectorStoreFileObject:
    async with desk.sql.reading() as connection:
        await find_store(desk, connection, request.vector_store_id, ctx)
        return file_object(await find_file(connection, request.vector_store_id, request.file_id))


async def listed(desk: Desk, request: ListVectorStoreFilesRequest, ctx: Context) -> ListVectorStoreFilesResponse:
    asked = Asked(request.limit, request.order, request.after, request.before)
    async with desk.sql.reading() as connection:
        await find_store(desk, connection, request.vector_store_id, ctx)
        mine = FILES.c.store == request.vector_store_id
        return await files_page(connection, request.vector_store_id, mine, asked, request.filter)


async def files_page(
    connection: AsyncConnection, store: str, which: ColumnElement[bool], asked: Asked, status: str | None
) -> ListVectorStoreFilesResponse:
    async def find(id: str, param: str) -> Row[Any]:
        return await find_file(connection, store, id, param=param)

    query = select(FILES).where(which, FILES.c.gone.is_(False))
    if status:
        query = query.where(FILES.c.status == status)
    rows, more = await page(connection, query, asked, (FILES.c.created_at, FILES.c.id), find)
    data = [file_object(row) for row in rows]
    return ListVectorStoreFilesResponse(
        object="list",
        data=data,
        first_id=data[0].id if data else "",
        last_id=data[-1].id if data else "",
        has_more=more,
    )


async def update_attributes(desk: Desk, request: UpdateVectorStoreFileRequest, ctx: Context) -> VectorStoreFileObject:
    labels = checked_attributes(request.attributes)
    async with desk.sql.reading() as connection:
        store = await find_store(desk, connection, request.vector_store_id, ctx, usable=True)
        file = await find_file(connection, store.id, request.file_id)
    if file.status == "in_progress":
        message = "the file is being taken in; its attributes can be changed once that is done"
        raise Conflict(message, code="vector_store_file_in_progress", param="file_id")
    # Searches look at both, so that between the two steps the chunks are found by neither or by both.
    await desk.index(store.instance).label(store.id, file.id, json.loads(labels))
    async with desk.sql.writing() as connection:
        mine = and_(FILES.c.id == file.id, FILES.c.gone.is_(False))
        await connection.execute(update(FILES).where(mine).values(labels=labels))
        return file_object(await find_file(connection, store.id, request.file_id))


async def delete(desk: Desk, request: DeleteVectorStoreFileRequest, ctx: Context) -> DeleteVectorStoreFileResponse:
    async with desk.sql.writing() as connection:
        await find_store(desk, connection, request.vector_store_id, ctx)
        file = await find_file(connection, request.vector_store_id, request.file_id)
        await connection.execute(update(FILES).where(FILES.c.id == file.id).values(gone=True, errand="remove"))
    return DeleteVectorStoreFileResponse(id=request.file_id, object="vector_store.file.deleted", deleted=True)


async def content(
    desk: Desk, request: RetrieveVectorStoreFileContentRequest, ctx: Context
) -> VectorStoreFileContentResponse:
    async with desk.sql.reading() as connection:
        await find_store(desk, connection, request.vector_store_id, ctx)
        file = await find_file(connection, request.vector_store_id, request.file_id)
        if file.status != "completed":
            message = f"the file is {file.status!r}, so nothing of it can be shown"
            raise Conflict(message, code="vector_store_file_not_completed", param="file_id")
        query = select(CHUNKS.c.text).where(CHUNKS.c.file == file.id).order_by(CHUNKS.c.number)
        texts = (await connection.execute(query)).scalars().all()
    return VectorStoreFileContentResponse(
        object="vector_store.file_content.page",
        data=[VectorStoreFileContent(type="text", text=text) for text in texts],
        has_more=False,
        next_page=None,
    )
