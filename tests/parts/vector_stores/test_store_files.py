"""Files of vector stores: what is taken in, what fails, and what becomes of work that was interrupted."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import pytest
from parts.contracts.vector_stores import requests as ask
from parts.providers.vector_stores.kept.tables import FILES
from parts.runtime.errors import BadRequest, Conflict, NotFound, RateLimited
from stores import LONG, ME, SMALL, TEXT, Opened, Place, WordModel, gone, opened


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


async def test_a_busy_model_is_asked_again_and_a_wrong_one_is_not(place: Place) -> None:
    model = WordModel()
    async with opened(place, model, max_tries=2) as it:
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


async def test_files_that_were_half_done_are_gone_on_with_and_never_seen_half(place: Place) -> None:
    model, halted = WordModel(), asyncio.Event()

    async def gate() -> None:
        if len(model.asked) == 3:
            halted.set()
            await asyncio.Event().wait()

    texts = " ".join(f"word{number}" for number in range(5000)).encode()
    async with opened(place, model) as it:
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
    async with opened(place, again) as it:
        await it.settled(store, file)
        request = ask.RetrieveVectorStoreFileContentRequest(vector_store_id=store, file_id=file)
        kept = [each.text for each in (await it.stores.retrieve_vector_store_file_content(request, ME)).data]
        assert await it.found(store, "word1", search_mode="keyword") == [kept[0]]
    # What was kept is not computed again: the two batches before the halt, and the third anew.
    assert [text for batch in [*first[:2], *(each for each in again.asked)] for text in batch] == kept


async def test_batches_count_are_cancelled_and_list_their_files(place: Place) -> None:
    model, go = WordModel(), asyncio.Event()
    async with opened(place, model, max_concurrent_files=1) as it:
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
