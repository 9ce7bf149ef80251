"""What becomes of a batch."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from batch_stand_ins import FolderFiles, Upstream, asks, caller, chat_line, open_batches, put, until
from parts.contracts.batches.requests import CancelBatchRequest, ListBatchesRequest, RetrieveBatchRequest
from parts.contracts.batches.responses import Batch
from parts.contracts.files.requests import DeleteFileRequest, RetrieveFileRequest
from parts.providers.batches.jobs import running, service
from parts.providers.batches.jobs.tables import REQUESTS, RESULTS
from parts.runtime.errors import BadRequest, Conflict, NotFound, RateLimited, Unavailable, UpstreamError
from parts.runtime.metrics import Accounts
from parts.runtime.sql import Sql
from sqlalchemy import func, select


async def test_a_batch_is_answered_in_the_order_of_its_requests(
    sql: Sql, files: FolderFiles, upstream: Upstream
) -> None:
    async with open_batches(sql, files, upstream) as batches:
        file = await put(files, [chat_line(f"q{n}") for n in range(25)])
        made = await batches.create_batch(asks(file, metadata={"for": "us"}), caller())
        assert (made.status, made.request_counts.total, made.output_file_id) == ("validating", 0, None)
        done = await until(batches, made.id)
    assert done.status == "completed", done
    lines = files.content(done.output_file_id)
    assert [line["custom_id"] for line in lines] == [f"q{n}" for n in range(25)]
    assert lines[3]["response"]["status_code"] == 200
    assert lines[3]["response"]["body"]["choices"][0]["message"]["content"] == "you asked q3"
    assert lines[3]["error"] is None
    assert done.error_file_id is None
    assert (done.request_counts.total, done.request_counts.completed, done.request_counts.failed) == (25, 25, 0)
    assert (done.usage.input_tokens, done.usage.output_tokens, done.usage.total_tokens) == (75, 50, 125)
    assert (done.usage.input_tokens_details.cached_tokens, done.usage.output_tokens_details.reasoning_tokens) == (
        25,
        25,
    )
    assert (done.model, done.metadata) == ("m", {"for": "us"})
    assert done.created_at <= done.in_progress_at <= done.finalizing_at <= done.completed_at
    assert upstream.asked() == {f"q{n}": 1 for n in range(25)}
    assert 1 < upstream.most <= 10
    assert await rows(sql) == (0, 0)


@pytest.mark.parametrize(
    ("endpoint", "body", "found"),
    [
        ("/v1/completions", {"model": "m", "prompt": "go on"}, {"choices": [{"text": "you asked go on"}]}),
        ("/v1/embeddings", {"model": "m", "input": "four"}, {"data": [{"embedding": [14]}]}),
    ],
)
async def test_completions_and_embeddings_can_be_asked_for(
    sql: Sql, files: FolderFiles, upstream: Upstream, endpoint: str, body: object, found: dict[str, object]
) -> None:
    async with open_batches(sql, files, upstream) as batches:
        file = await put(files, [{"custom_id": "a", "method": "POST", "url": endpoint, "body": body}])
        done = await until(batches, (await batches.create_batch(asks(file, endpoint), caller())).id)
    (line,) = files.content(done.output_file_id)
    assert found.items() <= line["response"]["body"].items()


async def test_requests_that_fail_stand_in_the_error_file_with_status_and_body(
    sql: Sql, files: FolderFiles, upstream: Upstream
) -> None:
    errors = {
        "q1": BadRequest("no such thing", code="bad_thing", param="messages"),
        "q3": UpstreamError("it broke", code="upstream_failed"),
    }
    upstream.refuse = errors.get
    async with open_batches(sql, files, upstream) as batches:
        file = await put(files, [chat_line(f"q{n}") for n in range(5)])
        made = asks(file, output_expires_after={"anchor": "created_at", "seconds": 3600})
        done = await until(batches, (await batches.create_batch(made, caller())).id)
    assert (done.status, done.request_counts.completed, done.request_counts.failed) == ("completed", 3, 2)
    assert [line["custom_id"] for line in files.content(done.output_file_id)] == ["q0", "q2", "q4"]
    first, second = files.content(done.error_file_id)
    assert (first["custom_id"], first["response"]["status_code"], first["error"]) == ("q1", 400, None)
    assert first["response"]["body"]["error"]["code"] == "bad_thing"
    assert (second["custom_id"], second["response"]["status_code"]) == ("q3", 502)
    known = [await files.retrieve_file(RetrieveFileRequest(file_id=id), caller()) for id in both(done)]
    assert [file.purpose for file in known] == ["batch_output", "batch_output"]
    assert all(file.expires_at - file.created_at == 3600 for file in known)


async def test_a_bug_behind_one_request_fails_that_request_alone(
    sql: Sql, files: FolderFiles, upstream: Upstream
) -> None:
    def stumble(question: str) -> None:
        if question == "q1":
            raise ZeroDivisionError("secret of q1")

    upstream.refuse = stumble
    async with open_batches(sql, files, upstream) as batches:
        file = await put(files, [chat_line(f"q{n}") for n in range(3)])
        done = await until(batches, (await batches.create_batch(asks(file), caller())).id)
    (line,) = files.content(done.error_file_id)
    assert (line["custom_id"], line["response"]["status_code"]) == ("q1", 500)
    assert "secret" not in str(line)


async def test_a_busy_service_is_asked_again_after_the_pause_it_asks_for(
    sql: Sql, files: FolderFiles, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float | None] = []

    def pause(tried: int, asked: float | None) -> float:
        pauses.append(asked)
        return 0.0

    monkeypatch.setattr(running, "_pause", pause)
    times = iter([RateLimited("slower", retry_after=7), Unavailable("loading"), None])
    upstream.refuse = lambda question: next(times)
    async with open_batches(sql, files, upstream) as batches:
        file = await put(files, [chat_line("q")])
        done = await until(batches, (await batches.create_batch(asks(file), caller())).id)
    assert (done.request_counts.completed, pauses) == (1, [7, None])


async def test_a_service_that_stays_busy_fails_the_request_after_so_many_tries(
    sql: Sql, files: FolderFiles, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "_pause", lambda tried, asked: 0.0)
    upstream.refuse = lambda question: RateLimited("slower", code="rate_limit_exceeded")
    async with open_batches(sql, files, upstream, max_tries=3) as batches:
        file = await put(files, [chat_line("q")])
        done = await until(batches, (await batches.create_batch(asks(file), caller())).id)
    (line,) = files.content(done.error_file_id)
    assert (line["response"]["status_code"], upstream.asked()["q"]) == (429, 3)


def test_pauses_grow_and_are_bounded() -> None:
    assert 0.5 <= running._pause(1, None) <= 1
    assert 4 <= running._pause(4, None) <= 8
    assert running._pause(1, 20.0) == 20.0
    assert running._pause(30, None) == running._pause(1, 9999.0) == running.LONGEST_PAUSE_SECONDS


async def test_calls_are_made_as_whoever_made_the_batch(sql: Sql, files: FolderFiles, upstream: Upstream) -> None:
    async with open_batches(sql, files, upstream) as batches:
        file = await put(files, [chat_line("q")], by="ann")
        made = await batches.create_batch(asks(file), caller("ann"))
        done = await until(batches, made.id, by="ann")
        for ask in (batches.retrieve_batch, batches.cancel_batch):
            with pytest.raises(NotFound):
                await ask(RetrieveBatchRequest(batch_id=made.id), caller("bob"))
        with pytest.raises(NotFound):
            await batches.list_batches(ListBatchesRequest(after=made.id), caller("bob"))
        assert (await batches.list_batches(ListBatchesRequest(), caller("bob"))).data == []
        assert (await batches.list_batches(ListBatchesRequest(), caller("ann"))).data == [done]
        with pytest.raises(NotFound) as refusal:
            await batches.create_batch(asks(file), caller("bob"))
        assert refusal.value.param == "input_file_id"
        await files.retrieve_file(RetrieveFileRequest(file_id=done.output_file_id), caller("ann"))
        with pytest.raises(NotFound):
            await files.retrieve_file(RetrieveFileRequest(file_id=done.output_file_id), caller("bob"))
    (ctx,) = upstream.contexts
    assert (ctx.principal, ctx.attributes, dict(ctx.provider_data)) == ("ann", {"teams": ("red",)}, {})


@pytest.mark.parametrize("id", ["batch_1", "", "batch_" + "0" * 48, "batch_" + "0" * 47 + "\0", "x' or '1'='1"])
async def test_an_id_that_is_none_is_not_found(sql: Sql, files: FolderFiles, upstream: Upstream, id: str) -> None:
    async with open_batches(sql, files, upstream) as batches:
        with pytest.raises(NotFound):
            await batches.retrieve_batch(RetrieveBatchRequest(batch_id=id), caller())
        with pytest.raises(NotFound):
            await batches.cancel_batch(CancelBatchRequest(batch_id=id), caller())


async def test_batches_are_listed_page_by_page_the_newest_first(
    sql: Sql, files: FolderFiles, upstream: Upstream
) -> None:
    async with open_batches(sql, files, upstream) as batches:
        file = await put(files, [chat_line("q")])
        made = [(await batches.create_batch(asks(file), caller())).id for _ in range(5)]
        for id in made:
            await until(batches, id)
        first = await batches.list_batches(ListBatchesRequest(limit=2), caller())
        second = await batches.list_batches(ListBatchesRequest(limit=3, after=first.last_id), caller())
        empty = await batches.list_batches(ListBatchesRequest(after=second.last_id), caller())
    assert [batch.id for batch in (*first.data, *second.data)] == made[::-1]
    assert (first.has_more, second.has_more, first.first_id) == (True, False, made[-1])
    assert (empty.data, empty.first_id, empty.last_id, empty.has_more) == ([], None, None, False)


async def test_the_same_idempotency_key_gives_the_same_batch(sql: Sql, files: FolderFiles, upstream: Upstream) -> None:
    async with open_batches(sql, files, upstream) as batches:
        file = await put(files, [chat_line("q")])
        request = asks(file, idempotency_key="once", metadata={"a": "1", "b": "2"})
        made = await asyncio.gather(*(batches.create_batch(request, caller("ann")) for _ in range(8)))
        assert len({batch.id for batch in made}) == 1
        await until(batches, made[0].id, by="ann")
        await files.delete_file(DeleteFileRequest(file_id=file), caller())
        again = asks(file, idempotency_key="once", metadata={"b": "2", "a": "1"})
        assert (await batches.create_batch(again, caller("ann"))).id == made[0].id
        for other in ({"metadata": {"a": "1"}}, {"output_expires_after": {"anchor": "created_at", "seconds": 3600}}):
            with pytest.raises(Conflict) as refusal:
                await batches.create_batch(asks(file, idempotency_key="once", **other), caller("ann"))
            assert refusal.value.code == "idempotency_key_reused"
        with pytest.raises(NotFound):
            await batches.create_batch(request, caller("bob"))  # it is ann's key and ann's file
    assert upstream.asked() == {"q": 1}


@pytest.mark.parametrize(
    ("request_is", "param"),
    [
        ({"endpoint": "/v1/responses"}, "endpoint"),
        ({"endpoint": "/v1/chat/completions/"}, "endpoint"),
        ({"metadata": {str(n): "" for n in range(17)}}, "metadata"),
        ({"metadata": {"k" * 65: ""}}, "metadata"),
    ],
)
async def test_what_cannot_be_a_batch_is_refused(
    sql: Sql, files: FolderFiles, upstream: Upstream, request_is: dict[str, Any], param: str
) -> None:
    async with open_batches(sql, files, upstream) as batches:
        file = await put(files, [chat_line("q")])
        with pytest.raises(BadRequest) as refusal:
            await batches.create_batch(asks(file, **request_is), caller())
    assert refusal.value.param == param


async def test_an_input_file_must_be_there_and_for_batches(sql: Sql, files: FolderFiles, upstream: Upstream) -> None:
    async with open_batches(sql, files, upstream) as batches:
        with pytest.raises(NotFound) as missing:
            await batches.create_batch(asks("file-1"), caller())
        with pytest.raises(BadRequest) as other:
            await batches.create_batch(asks(await put(files, b"", purpose="assistants")), caller())
    assert (missing.value.param, other.value.param) == ("input_file_id", "input_file_id")


async def test_a_batch_that_is_late_expires_with_what_was_answered(
    sql: Sql, files: FolderFiles, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "WINDOW_SECONDS", 1.5)
    upstream.refuse = lambda question: Unavailable("never", retry_after=50) if question > "q2" else None
    async with open_batches(sql, files, upstream) as batches:
        file = await put(files, [chat_line(f"q{n}") for n in range(6)])
        done = await until(batches, (await batches.create_batch(asks(file), caller())).id)
    assert (done.status, done.expired_at is not None, done.completed_at) == ("expired", True, None)
    assert [line["custom_id"] for line in files.content(done.output_file_id)] == ["q0", "q1", "q2"]
    late = files.content(done.error_file_id)
    assert [line["custom_id"] for line in late] == ["q3", "q4", "q5"]
    assert all(line["error"]["code"] == "batch_expired" and line["response"] is None for line in late)
    assert (done.request_counts.completed, done.request_counts.failed) == (3, 0)
    assert await rows(sql) == (0, 0)


async def test_a_batch_that_waited_too_long_expires_unread(
    sql: Sql, files: FolderFiles, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "WINDOW_SECONDS", -1.0)
    async with open_batches(sql, files, upstream) as batches:
        file = await put(files, [chat_line("q")])
        done = await until(batches, (await batches.create_batch(asks(file), caller())).id)
    assert (done.status, done.output_file_id, done.error_file_id) == ("expired", None, None)
    assert upstream.asked() == {}


def both(batch: Batch) -> list[str]:
    return [id for id in (batch.output_file_id, batch.error_file_id) if id is not None]


async def rows(sql: Sql) -> tuple[int, int]:
    """How many lines and results are kept."""
    async with sql.reading() as connection:
        counts = [await connection.scalar(select(func.count()).select_from(table)) for table in (REQUESTS, RESULTS)]
    return counts[0], counts[1]


async def test_each_try_of_a_line_is_counted_as_a_request(sql: Sql, files: FolderFiles, upstream: Upstream) -> None:
    accounts = Accounts()
    busy = iter([RateLimited("later", retry_after=0.0)])
    upstream.refuse = lambda question: next(busy, None) if question == "q1" else None
    lines = [chat_line("q0"), chat_line("q1"), chat_line("q2")]
    async with open_batches(sql, files, upstream, accounts) as batches:
        made = await batches.create_batch(asks(await put(files, lines)), caller())
        assert (await until(batches, made.id)).status == "completed"
        upstream.pause = 10
        made = await batches.create_batch(asks(await put(files, [chat_line("q3")])), caller())
        await until(batches, made.id, "in_progress")
        while not upstream.running:
            await asyncio.sleep(0.01)
    said = accounts.exposition()[0].decode().splitlines()
    operation = 'operation="BATCH /v1/chat/completions"'
    found = {line for line in said if line.startswith(("stack_requests_total", "stack_tokens_total"))}
    assert found == {
        f'stack_requests_total{{instance="fake",model="m",{operation},status="200"}} 3.0',
        f'stack_requests_total{{instance="",model="",{operation},status="429"}} 1.0',
        f'stack_requests_total{{instance="",model="",{operation},status="499"}} 1.0',
        'stack_tokens_total{instance="fake",kind="prompt",model="m"} 9.0',
        'stack_tokens_total{instance="fake",kind="completion",model="m"} 6.0',
    }
