"""Stores: made, listed, changed, deleted."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select, update

from ....contracts.vector_stores.responses import DeleteVectorStoreResponse, ListVectorStoresResponse
from ....runtime.ids import new_id
from ....runtime.labels import checked
from ....runtime.ownership import owner_of, seen_by
from .attaching import attach, wanted_files
from .checks import checked_chunking
from .chunking import fitting
from .desk import expired, find_store, is_store, no_store
from .paging import Asked, page
from .presenting import Sums, store_object, sums
from .tables import FILES, STORES

if TYPE_CHECKING:
    from sqlalchemy import Row
    from sqlalchemy.ext.asyncio import AsyncConnection

    from ....contracts.vector_stores.requests import (
        CreateVectorStoreRequest,
        DeleteVectorStoreRequest,
        ListVectorStoresRequest,
        ModifyVectorStoreRequest,
        RetrieveVectorStoreRequest,
    )
    from ....contracts.vector_stores.responses import VectorStoreObject
    from ....runtime.context import Context
    from .desk import Desk

NOT_USED_SECONDS = 60.0
"""How exactly it is known when a store was used last: a search does not write each time."""


async def create(desk: Desk, request: CreateVectorStoreRequest, ctx: Context) -> VectorStoreObject:
    metadata = checked(request.metadata)
    instance = desk.instance(request.provider_id)
    model = await desk.embedder.model(request.embedding_model, ctx)
    usual = fitting(desk.chunking, await desk.embedder.most_tokens(model, ctx))
    chunking = checked_chunking(request.chunking_strategy, usual)
    dimension = request.embedding_dimension or await desk.embedder.dimension(model, ctx)
    files = await wanted_files(desk, [(id, None, chunking) for id in request.file_ids or ()], ctx)
    owner = owner_of(ctx)
    row = {
        "id": new_id("vs"),
        "owner": owner.principal,
        "attributes": owner.attributes,
        "name": request.name or "",
        "description": request.description,
        "metadata": None if request.metadata is None else json.dumps(metadata),
        "instance": instance,
        "model": model,
        "dimension": dimension,
        "chunk_tokens": chunking.tokens,
        "overlap_tokens": chunking.overlap,
        "created_at": desk.now,
        "active_at": desk.now,
        "days": None if request.expires_after is None else request.expires_after.days,
        "state": "live",
        "emptied": False,
    }
    # The index first: a store without one would be there and fail, one of which nobody knows is nobody's.
    await desk.index(instance).create(str(row["id"]), dimension)
    async with desk.sql.writing() as connection:
        await connection.execute(insert(STORES).values(row))
        await attach(desk, connection, str(row["id"]), files, ctx)
        return await _told(desk, connection, str(row["id"]), ctx)


async def retrieve(desk: Desk, request: RetrieveVectorStoreRequest, ctx: Context) -> VectorStoreObject:
    async with desk.sql.reading() as connection:
        return await _told(desk, connection, request.vector_store_id, ctx)


async def listed(desk: Desk, request: ListVectorStoresRequest, ctx: Context) -> ListVectorStoresResponse:
    query = select(STORES, expired(desk).label("expired"))
    query = query.where(STORES.c.state != "gone", seen_by(STORES.c.owner, ctx))
    asked = Asked(request.limit, request.order, request.after, request.before)
    async with desk.sql.reading() as connection:

        async def find(id: str, param: str) -> Row[Any]:
            return await find_store(desk, connection, id, ctx, param=param)

        rows, more = await page(connection, query, asked, (STORES.c.created_at, STORES.c.id), find)
        found = await sums(connection, FILES.c.store, [row.id for row in rows])
    data = [store_object(row, found[row.id]) for row in rows]
    return ListVectorStoresResponse(
        object="list",
        data=data,
        first_id=data[0].id if data else "",
        last_id=data[-1].id if data else "",
        has_more=more,
    )


async def modify(desk: Desk, request: ModifyVectorStoreRequest, ctx: Context) -> VectorStoreObject:
    said = request.model_fields_set
    values: dict[str, object] = {}
    if "name" in said and request.name is not None:
        values["name"] = request.name
    if "metadata" in said:
        metadata = checked(request.metadata)
        values["metadata"] = None if request.metadata is None else json.dumps(metadata)
    if "expires_after" in said:
        values["days"] = None if request.expires_after is None else request.expires_after.days
    async with desk.sql.writing() as connection:
        await find_store(desk, connection, request.vector_store_id, ctx, usable=True)
        if values:
            values["active_at"] = desk.now
            await connection.execute(update(STORES).where(STORES.c.id == request.vector_store_id).values(values))
        return await _told(desk, connection, request.vector_store_id, ctx)


async def delete(desk: Desk, request: DeleteVectorStoreRequest, ctx: Context) -> DeleteVectorStoreResponse:
    """It is nobody's from here on; what was in it is removed by whoever tidies up."""
    id = request.vector_store_id
    async with desk.sql.writing() as connection:
        gone = update(STORES).where(is_store(id, ctx)).values(state="gone", emptied=False)
        if not (await connection.execute(gone)).rowcount:
            raise no_store(id)
        await abandon(connection, id)
    return DeleteVectorStoreResponse(id=id, object="vector_store.deleted", deleted=True)


async def abandon(connection: AsyncConnection, store: str) -> None:
    """All files of a store are taken out: whoever takes one in stops."""
    mine = update(FILES).where(FILES.c.store == store).values(gone=True, errand="remove")
    await connection.execute(mine)


async def used(desk: Desk, store: Row[Any]) -> None:
    """A store has been searched, which puts off its end."""
    if store.now - store.active_at < NOT_USED_SECONDS:
        return
    async with desk.sql.writing() as connection:
        await connection.execute(update(STORES).where(STORES.c.id == store.id).values(active_at=desk.now))


async def _told(desk: Desk, connection: AsyncConnection, id: str, ctx: Context) -> VectorStoreObject:
    row = await find_store(desk, connection, id, ctx)
    return store_object(row, (await sums(connection, FILES.c.store, [id])).get(id, Sums()))
