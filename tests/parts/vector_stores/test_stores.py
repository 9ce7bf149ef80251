"""Stores of vectors: what is kept, who sees it, and when it ends."""

from __future__ import annotations

from array import array
from typing import Any

import pytest
from parts.contracts.vector_io.requests import QueryChunksRequest
from parts.contracts.vector_stores import requests as ask
from parts.providers.vector_stores.kept.tables import FILES, STORES
from parts.runtime.errors import BadRequest, NotFound
from sqlalchemy import update
from stores import LONG, ME, TEXT, OneModel, Opened, Place, caller, gone, opened


async def listed(it: Opened, ctx: Any = ME, **said: Any) -> list[str]:
    page = await it.stores.list_vector_stores(ask.ListVectorStoresRequest.model_validate(said), ctx)
    assert (page.first_id, page.last_id) == ((page.data[0].id, page.data[-1].id) if page.data else ("", ""))
    return [each.id for each in page.data]


async def test_a_store_is_kept_as_it_was_asked_for(it: Opened) -> None:
    said = {
        "name": "a",
        "description": "b",
        "metadata": {"k": "v"},
        "expires_after": {"anchor": "last_active_at", "days": 2},
    }
    made = await it.stores.create_vector_store(ask.CreateVectorStoreRequest.model_validate(said), ME)
    assert (made.name, made.description, made.metadata, made.status) == ("a", "b", {"k": "v"}, "completed")
    assert (made.embedding_model, made.embedding_dimension, made.provider_id) == ("words", 16, it.provider)
    assert made.expires_at == made.created_at + 2 * 86400
    told = await it.stores.retrieve_vector_store(ask.RetrieveVectorStoreRequest(vector_store_id=made.id), ME)
    assert told == made
    changes = {"vector_store_id": made.id, "name": "c", "metadata": {}, "expires_after": None}
    told = await it.stores.modify_vector_store(ask.ModifyVectorStoreRequest.model_validate(changes), ME)
    assert (told.name, told.metadata, told.expires_at, told.description) == ("c", {}, None, "b")


async def test_pages_go_both_ways(it: Opened) -> None:
    made = [await it.store(name=str(number)) for number in range(5)]
    assert await listed(it) == made[::-1]
    assert await listed(it, order="asc", limit=2) == made[:2]
    assert await listed(it, order="asc", limit=2, after=made[1]) == made[2:4]
    assert await listed(it, order="asc", limit=2, before=made[4]) == made[2:4]
    assert await listed(it, limit=2, after=made[3]) == [made[2], made[1]]
    assert await listed(it, limit=2, before=made[0]) == [made[2], made[1]]
    with pytest.raises(NotFound) as told:
        await listed(it, after="vs_nobody")
    assert told.value.param == "after"


async def test_what_a_store_is_to_be_made_with_must_be_clear(place: Place) -> None:
    async with opened(place, models=OneModel(("one", "two"))) as it:
        with pytest.raises(BadRequest, match="one, two"):
            await it.store()
        await it.store(embedding_model="two")
        with pytest.raises(BadRequest, match=it.provider):
            await it.store(embedding_model="two", provider_id="faiss")
    async with opened(place, models=OneModel(())) as it:
        with pytest.raises(BadRequest, match="none"):
            await it.store()


async def test_chunks_are_no_longer_than_what_the_model_reads(place: Place) -> None:
    async with opened(place, models=OneModel(metadata={"context_length": 128, "embedding_dimension": 16})) as it:
        store = await it.store()
        file = await it.file(store, await it.taken_in(store, LONG))
        assert file.chunking_strategy is not None
        assert file.chunking_strategy.type == "static"
        assert file.chunking_strategy.static.max_chunk_size_tokens == 128


async def test_another_s_store_is_not_there(it: Opened) -> None:
    alice, bob = caller("alice"), caller("bob")
    mine, all_s = await it.store(alice), await it.store()
    file = await it.taken_in(mine, TEXT, ctx=alice)
    assert set(await listed(it, alice)) == {mine, all_s}
    assert await listed(it, bob) == [all_s]
    theirs = {"vector_store_id": mine}
    for call in (
        it.stores.retrieve_vector_store(ask.RetrieveVectorStoreRequest(**theirs), bob),
        it.stores.modify_vector_store(ask.ModifyVectorStoreRequest(name="x", **theirs), bob),
        it.stores.delete_vector_store(ask.DeleteVectorStoreRequest(**theirs), bob),
        it.found(mine, "cat", bob),
        it.attach(mine, file, bob),
        it.file(mine, file, bob),
        it.stores.list_vector_store_files(ask.ListVectorStoreFilesRequest(**theirs), bob),
        it.stores.query_chunks(QueryChunksRequest(vector_store_id=mine, query="cat"), bob),
        it.attach(all_s, file, bob),
    ):
        with pytest.raises(NotFound):
            await call
    assert await it.found(mine, "cat", alice) == [TEXT.decode()]


async def test_a_deleted_store_leaves_nothing(it: Opened) -> None:
    store = await it.store()
    await it.taken_in(store, TEXT)
    await it.stores.delete_vector_store(ask.DeleteVectorStoreRequest(vector_store_id=store), ME)
    with pytest.raises(NotFound):
        await it.found(store, "cat")
    await gone(it, STORES, STORES.c.id == store)
    await gone(it, FILES, FILES.c.store == store)
    with pytest.raises(NotFound):
        await it.index.near(store, array("f", [1.0] * 16), limit=1, where=None)


async def test_a_store_that_is_not_used_expires(it: Opened) -> None:
    store = await it.store(expires_after={"anchor": "last_active_at", "days": 1})
    file = await it.taken_in(store, TEXT)
    async with it.sql.writing() as connection:
        await connection.execute(update(STORES).values(active_at=STORES.c.active_at - 86400))
    told = await it.stores.retrieve_vector_store(ask.RetrieveVectorStoreRequest(vector_store_id=store), ME)
    assert told.status == "expired"
    with pytest.raises(BadRequest) as refused:
        await it.found(store, "cat")
    assert refused.value.code == "vector_store_expired"
    with pytest.raises(BadRequest):
        await it.attach(store, file)
    await gone(it, FILES, FILES.c.store == store)
    assert await listed(it) == [store]


async def test_a_search_puts_the_end_off(it: Opened) -> None:
    store = await it.store(expires_after={"anchor": "last_active_at", "days": 1})
    async with it.sql.writing() as connection:
        await connection.execute(update(STORES).values(active_at=STORES.c.active_at - 3600))
    before = await it.stores.retrieve_vector_store(ask.RetrieveVectorStoreRequest(vector_store_id=store), ME)
    await it.found(store, "cat")
    after = await it.stores.retrieve_vector_store(ask.RetrieveVectorStoreRequest(vector_store_id=store), ME)
    assert before.expires_at is not None
    assert after.expires_at is not None
    assert after.expires_at - before.expires_at >= 3500
