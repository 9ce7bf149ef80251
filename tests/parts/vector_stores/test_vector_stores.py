"""Vector stores: what is kept, who sees it, what fails, and what becomes of work that was interrupted."""

from __future__ import annotations

import asyncio
from array import array
from collections.abc import AsyncIterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from parts.contracts.vector_io.requests import InsertChunksRequest, QueryChunksRequest
from parts.contracts.vector_stores import requests as ask
from parts.providers.vector_stores.kept.tables import FILES, STORES
from parts.runtime.errors import BadRequest, Conflict, NotFound, RateLimited, Unavailable
from parts.runtime.vector_index import Entry, Hit, VectorIndex
from sqlalchemy import select, update
from stores import ME, OneModel, Opened, WordModel, caller, opened

TEXT = b"The cat sat on the mat. Dogs bark at night."
SMALL = {"type": "static", "static": {"max_chunk_size_tokens": 100, "chunk_overlap_tokens": 20}}
LONG = " ".join(f"word{number}" for number in range(400)).encode()


@pytest.fixture
async def it(tmp_path: Path) -> AsyncIterator[Opened]:
    async with opened(tmp_path) as it:
        yield it


async def listed(it: Opened, ctx: Any = ME, **said: Any) -> list[str]:
    page = await it.stores.list_vector_stores(ask.ListVectorStoresRequest.model_validate(said), ctx)
    assert (page.first_id, page.last_id) == ((page.data[0].id, page.data[-1].id) if page.data else ("", ""))
    return [each.id for each in page.data]


async def insert(it: Opened, store: str, *chunks: dict[str, Any], **said: Any) -> None:
    request = InsertChunksRequest.model_validate({"vector_store_id": store, "chunks": chunks, **said})
    await it.stores.insert_chunks(request, ME)


async def gone(it: Opened, table: Any, what: Any) -> None:
    """Waits until nothing of a table is left."""
    async with asyncio.timeout(10):
        while True:
            async with it.sql.reading() as connection:
                if (await connection.execute(select(table).where(what))).first() is None:
                    return
            await asyncio.sleep(0.05)


# ── stores ──────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_store_is_kept_as_it_was_asked_for(it: Opened) -> None:
    said = {
        "name": "a",
        "description": "b",
        "metadata": {"k": "v"},
        "expires_after": {"anchor": "last_active_at", "days": 2},
    }
    made = await it.stores.create_vector_store(ask.CreateVectorStoreRequest.model_validate(said), ME)
    assert (made.name, made.description, made.metadata, made.status) == ("a", "b", {"k": "v"}, "completed")
    assert (made.embedding_model, made.embedding_dimension, made.provider_id) == ("words", 16, "sqlite-vec")
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


async def test_what_a_store_is_to_be_made_with_must_be_clear(tmp_path: Path) -> None:
    async with opened(tmp_path, models=OneModel(("one", "two"))) as it:
        with pytest.raises(BadRequest, match="one, two"):
            await it.store()
        await it.store(embedding_model="two")
        with pytest.raises(BadRequest, match="sqlite-vec"):
            await it.store(embedding_model="two", provider_id="faiss")
    async with opened(tmp_path, models=OneModel(())) as it:
        with pytest.raises(BadRequest, match="none"):
            await it.store()


async def test_chunks_are_no_longer_than_what_the_model_reads(tmp_path: Path) -> None:
    async with opened(tmp_path, models=OneModel(metadata={"context_length": 128, "embedding_dimension": 16})) as it:
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


# ── files ───────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_file_is_found_once_it_is_taken_in(it: Opened) -> None:
    store = await it.store(chunking_strategy=SMALL)
    file = await it.taken_in(store, LONG, attributes={"kind": "long", "n": 3})
    told = await it.file(store, file)
    assert (told.status, told.last_error, told.attributes) == ("completed", None, {"kind": "long", "n": 3})
    request = ask.RetrieveVectorStoreFileContentRequest(vector_store_id=store, file_id=file)
    texts = [each.text for each in (await it.stores.retrieve_vector_store_file_content(request, ME)).data]
    assert len(texts) > 4
    assert told.usage_bytes == sum(map(len, texts)) + 4 * 16 * len(texts)
    # The words overlap, and none is lost.
    assert {word for text in texts for word in text.split()} >= set(LONG.decode().split())
    assert all(set(one.split()) & set(next_.split()) for one, next_ in pairwise(texts))
    assert any("word7" in text.split() for text in await it.found(store, "word7", search_mode="keyword"))


async def test_a_file_that_is_attached_again_is_taken_in_anew(it: Opened) -> None:
    store = await it.store()
    file = await it.taken_in(store, TEXT, attributes={"v": 1})
    await it.attach(store, file, attributes={"v": 2})
    await it.settled(store, file)
    assert await it.found(store, "cat") == [TEXT.decode()]
    assert await it.found(store, "cat", filters={"type": "eq", "key": "v", "value": 1}) == []
    page = await it.stores.list_vector_store_files(ask.ListVectorStoreFilesRequest(vector_store_id=store), ME)
    assert [each.id for each in page.data] == [file]


async def test_attributes_are_what_filters_go_by(it: Opened) -> None:
    store = await it.store()
    file = await it.taken_in(store, TEXT, attributes={"v": 1})
    change = {"vector_store_id": store, "file_id": file, "attributes": {"v": 2, "w": "x"}}
    told = await it.stores.update_vector_store_file(ask.UpdateVectorStoreFileRequest.model_validate(change), ME)
    assert told.attributes == {"v": 2, "w": "x"}
    both = {
        "type": "and",
        "filters": [{"type": "gt", "key": "v", "value": 1}, {"type": "in", "key": "w", "value": ["x"]}],
    }
    assert await it.found(store, "cat", filters=both) == [TEXT.decode()]
    assert await it.found(store, "cat", filters={"type": "eq", "key": "v", "value": 1}) == []
    for wrong in (
        {"type": "in", "key": "v", "value": 1},
        {"type": "eq", "key": "v", "value": [1]},
        {"type": "gt", "key": "v", "value": True},
        {"type": "or", "filters": []},
    ):
        with pytest.raises(BadRequest):
            await it.found(store, "cat", filters=wrong)
    for said in ({"k" * 65: 1}, {"k": "v" * 513}, {f"k{n}": n for n in range(17)}):
        with pytest.raises(BadRequest):
            await it.attach(store, file, attributes=said)


async def test_a_file_that_cannot_be_read_fails_and_says_why(it: Opened) -> None:
    store = await it.store()
    for content, name, code in (
        (b"PK\x03\x04", "a.docx", "unsupported_file"),
        (b"\xff\xfe\xfa", "a.txt", "unsupported_file"),
        (b"caf\xe9", "a.txt", "unsupported_file"),
        (b"%PDF-1.7 broken", "a.pdf", "invalid_file"),
        (b"  \n ", "a.txt", "invalid_file"),
    ):
        told = await it.file(store, await it.taken_in(store, content, name))
        assert told.status == "failed", name
        assert told.last_error is not None
        assert told.last_error.code == code, name
        request = ask.RetrieveVectorStoreFileContentRequest(vector_store_id=store, file_id=told.id)
        with pytest.raises(Conflict):
            await it.stores.retrieve_vector_store_file_content(request, ME)
    with pytest.raises(NotFound):
        await it.attach(store, "file-nobody")


async def test_a_busy_model_is_asked_again_and_a_wrong_one_is_not(tmp_path: Path) -> None:
    model = WordModel()
    async with opened(tmp_path, model, max_tries=2) as it:
        store = await it.store(embedding_dimension=16)
        model.fails = [RateLimited("slow down")]
        assert (await it.file(store, await it.taken_in(store, TEXT))).status == "completed"
        model.fails = [BadRequest("there is no such model")]
        told = await it.file(store, await it.taken_in(store, TEXT))
        assert told.last_error is not None
        assert (told.last_error.code, told.last_error.message) == ("server_error", "there is no such model")
        model.dimension = 8
        told = await it.file(store, await it.taken_in(store, TEXT))
        assert told.last_error is not None
        assert "8" in told.last_error.message
        assert "16" in told.last_error.message
        with pytest.raises(BadRequest) as refused:
            await it.found(store, "cat")
        assert refused.value.code == "embedding_dimension_mismatch"


async def test_files_that_were_half_done_are_gone_on_with_and_never_seen_half(tmp_path: Path) -> None:
    model, halted = WordModel(), asyncio.Event()

    async def gate() -> None:
        if len(model.asked) == 3:
            halted.set()
            await asyncio.Event().wait()

    texts = " ".join(f"word{number}" for number in range(5000)).encode()
    async with opened(tmp_path, model) as it:
        store = await it.store(chunking_strategy=SMALL, embedding_dimension=16)
        model.gate = gate
        file = await it.upload(texts)
        await it.attach(store, file)
        await asyncio.wait_for(halted.wait(), 20)
        told = await it.file(store, file)
        assert told.status == "in_progress"
        assert told.usage_bytes > 0
        model.gate = None
        assert await it.found(store, "word1 word2", search_mode="keyword", max_num_results=50) == []
        assert await it.found(store, "word1 word2", max_num_results=50) == []
    first = [each for each in model.asked if len(each) > 1]
    again = WordModel()
    async with opened(tmp_path, again) as it:
        await it.settled(store, file)
        request = ask.RetrieveVectorStoreFileContentRequest(vector_store_id=store, file_id=file)
        kept = [each.text for each in (await it.stores.retrieve_vector_store_file_content(request, ME)).data]
        assert await it.found(store, "word1", search_mode="keyword") == [kept[0]]
    # What was kept is not computed again: the two batches before the halt, and the third anew.
    assert [text for batch in [*first[:2], *(each for each in again.asked)] for text in batch] == kept


async def test_batches_count_are_cancelled_and_list_their_files(tmp_path: Path) -> None:
    model, go = WordModel(), asyncio.Event()
    async with opened(tmp_path, model, max_concurrent_files=1) as it:
        store = await it.store(embedding_dimension=16)
        model.gate = go.wait  # type: ignore[assignment]
        ids = [await it.upload(f"text number {number}".encode(), f"{number}.txt") for number in range(4)]
        request = ask.CreateVectorStoreFileBatchRequest(vector_store_id=store, file_ids=ids, attributes={"b": 1})
        made = await it.stores.create_vector_store_file_batch(request, ME)
        assert (made.status, made.file_counts.in_progress, made.file_counts.total) == ("in_progress", 4, 4)
        asked = {"vector_store_id": store, "batch_id": made.id}
        told = await it.stores.cancel_vector_store_file_batch(ask.CancelVectorStoreFileBatchRequest(**asked), ME)
        assert (told.status, told.file_counts.cancelled) == ("cancelled", 4)
        go.set()
        page = await it.stores.list_vector_store_files_in_batch(
            ask.ListVectorStoreFilesInBatchRequest(**asked, filter="cancelled", limit=3), ME
        )
        assert (len(page.data), page.has_more) == (3, True)
        await gone(it, FILES, FILES.c.errand.is_not(None))
        assert await it.found(store, "text number") == []
        one = {"file_id": ids[0], "attributes": {"own": True}}
        both = {"vector_store_id": store, "files": [one, {"file_id": ids[1]}], "attributes": {"b": 2}}
        made = await it.stores.create_vector_store_file_batch(
            ask.CreateVectorStoreFileBatchRequest.model_validate(both), ME
        )
        for id in ids[:2]:
            await it.settled(store, id)
        asked["batch_id"] = made.id
        told = await it.stores.retrieve_vector_store_file_batch(ask.RetrieveVectorStoreFileBatchRequest(**asked), ME)
        assert (told.status, told.file_counts.completed, told.file_counts.total) == ("completed", 2, 2)
        assert (await it.file(store, ids[0])).attributes == {"own": True}
        assert (await it.file(store, ids[1])).attributes == {"b": 2}
        with pytest.raises(BadRequest):
            await it.stores.create_vector_store_file_batch(
                ask.CreateVectorStoreFileBatchRequest(vector_store_id=store), ME
            )


async def test_a_file_that_is_taken_out_is_not_found(it: Opened) -> None:
    store = await it.store()
    file, other = await it.taken_in(store, TEXT), await it.taken_in(store, b"A cat again.")
    request = ask.DeleteVectorStoreFileRequest(vector_store_id=store, file_id=file)
    assert (await it.stores.delete_vector_store_file(request, ME)).deleted
    assert await it.found(store, "cat") == ["A cat again."]
    with pytest.raises(NotFound):
        await it.stores.delete_vector_store_file(request, ME)
    await gone(it, FILES, FILES.c.file_id == file)
    assert (await it.file(store, other)).status == "completed"


# ── searches ────────────────────────────────────────────────────────────────────────────────────────────────────────


class Breaks:
    """An index that fails when it is asked. The rest is the real one's."""

    keywords = True

    def __init__(self, index: VectorIndex, error: Exception) -> None:
        self.index, self.error = index, error

    def __getattr__(self, name: str) -> Any:
        return getattr(self.index, name)

    async def near(self, *_: object, **__: object) -> list[Hit]:
        raise self.error

    matching = near


async def test_a_search_that_fails_says_so(tmp_path: Path) -> None:
    model = WordModel()
    async with opened(tmp_path, model, wrap=lambda index: Breaks(index, Unavailable("no disk"))) as it:  # type: ignore[arg-type, return-value]
        store = await it.store(embedding_dimension=16)
        for mode in ("vector", "keyword", "hybrid"):
            with pytest.raises(Unavailable):
                await it.found(store, "cat", search_mode=mode)
        model.fails = [Unavailable("no model")]
        with pytest.raises(Unavailable, match="no model"):
            await it.found(store, "cat")


async def test_searches_refuse_what_they_cannot_do(it: Opened) -> None:
    store = await it.store()
    for said in ({"query": " "}, {"query": ["", " "]}, {"query": "a", "rewrite_query": True}):
        with pytest.raises(BadRequest):
            await it.found(store, **said)  # type: ignore[arg-type]
    for wrong in ("vs_1", "x' OR '1'='1", "vs_" + "0" * 48):
        with pytest.raises(NotFound):
            await it.found(wrong, "cat")


async def test_hybrid_searches_use_both(it: Opened) -> None:
    store = await it.store()
    for text in (b"apple banana", b"apple cherry", b"banana cherry plum"):
        await it.taken_in(store, text)
    for options in (
        {"ranker": "rrf", "impact_factor": 1},
        {"ranker": "weighted", "alpha": 0.3},
        {"ranker": "normalized"},
    ):
        found = await it.found(store, "apple cherry", search_mode="hybrid", ranking_options=options)
        assert found[0] == "apple cherry"
        assert len(found) == 3
    found = await it.found(
        store, "apple cherry", search_mode="hybrid", ranking_options={"ranker": "weighted", "alpha": 0}
    )
    assert found[0] == "apple cherry"
    assert await it.found(store, "apple", ranking_options={"score_threshold": 1.0}) == []
    assert len(await it.found(store, "apple", max_num_results=1)) == 1


async def test_what_nobody_may_see_takes_no_places(it: Opened) -> None:
    """The index has much that is nearer and is in no row."""
    store = await it.store()
    await it.taken_in(store, b"cat dog")
    vector = array("f", it.model.vector("cat"))
    stray = [Entry(id=f"stray{n}", group="stray", text="cat", vector=vector, attributes={}) for n in range(300)]
    await it.index.add(store, stray)
    for mode in ("vector", "keyword", "hybrid"):
        assert await it.found(store, "cat", search_mode=mode, max_num_results=3) == ["cat dog"]


# ── chunks ──────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_chunks_are_inserted_replaced_and_found(it: Opened) -> None:
    store = await it.store()
    await insert(
        it,
        store,
        {"content": "the cat", "chunk_id": "1", "metadata": {"document_id": "d", "year": 2020, "tags": ["x"]}},
        {"content": [{"type": "text", "text": "the"}, {"text": "dog"}], "embedding": it.model.vector("dog")},
    )
    found = await it.stores.query_chunks(QueryChunksRequest(vector_db_id=store, query="cat"), ME)
    assert [each.content for each in found.chunks] == ["the cat", "the\ndog"]
    assert found.chunks[0].metadata == {"document_id": "d", "year": 2020, "tags": ["x"]}
    assert found.chunks[0].chunk_id == "1"
    assert len(found.scores) == 2
    await insert(it, store, {"content": "the cow", "chunk_id": "1"})
    found = await it.stores.query_chunks(QueryChunksRequest(vector_store_id=store, query={"text": "cow"}), ME)
    assert [each.content for each in found.chunks] == ["the cow", "the\ndog"]
    where = {"filters": {"type": "eq", "key": "year", "value": 2020}, "max_chunks": 1}
    asked = {"vector_store_id": store, "query": "cat", "params": where}
    assert (await it.stores.query_chunks(QueryChunksRequest.model_validate(asked), ME)).chunks == []
    with pytest.raises(BadRequest, match="16 numbers"):
        await insert(it, store, {"content": "a", "embedding": [1.0]})
    with pytest.raises(BadRequest):
        await insert(it, store, {"content": " "})
    with pytest.raises(BadRequest):
        await it.stores.query_chunks(QueryChunksRequest(query="cat"), ME)


async def test_chunks_with_an_end_are_gone_then(it: Opened) -> None:
    store = await it.store()
    await insert(it, store, {"content": "short cat"}, ttl_seconds=1)
    await insert(it, store, {"content": "long cat"}, ttl_seconds=1000)
    async with asyncio.timeout(10):
        while len(await it.found(store, "cat")) == 2:
            await asyncio.sleep(0.1)
    assert await it.found(store, "cat") == ["long cat"]

    async def left() -> Sequence[Hit]:
        return await it.index.matching(store, ["short"], limit=5, where=None)

    async with asyncio.timeout(10):
        while await left():
            await asyncio.sleep(0.05)
