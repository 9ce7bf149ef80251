"""Cancelling a batch, whatever is being done with it."""

from __future__ import annotations

import asyncio

import pytest
from batch_stand_ins import FolderFiles, Upstream, asks, caller, chat_line, open_batches, put, until
from parts.contracts.batches.requests import CancelBatchRequest
from parts.contracts.batches.responses import Batch
from parts.contracts.files.requests import CreateFileRequest
from parts.contracts.files.responses import OpenAIFile
from parts.providers.batches.jobs.checks import Checker, Fault, Request
from parts.providers.batches.jobs.service import BatchesService
from parts.providers.batches.jobs.tables import BATCHES
from parts.runtime.context import Context
from parts.runtime.errors import Conflict
from parts.runtime.sql import Sql
from sqlalchemy import update
from test_batches import rows


async def cancel(batches: BatchesService, id: str) -> Batch:
    return await batches.cancel_batch(CancelBatchRequest(batch_id=id), caller())


async def test_a_batch_that_waits_is_cancelled(sql: Sql, files: FolderFiles, upstream: Upstream) -> None:
    upstream.pause = 10
    async with open_batches(sql, files, upstream) as batches:
        file = await put(files, [chat_line("q")])
        first = await batches.create_batch(asks(file), caller())
        await until(batches, first.id, "in_progress")
        second = await batches.create_batch(asks(file), caller())
        assert (await cancel(batches, second.id)).status == "cancelling"
        done = await until(batches, second.id)
        assert (done.status, done.output_file_id, done.error_file_id) == ("cancelled", None, None)
        assert (await until(batches, first.id, "in_progress")).status == "in_progress"


async def test_a_batch_is_cancelled_while_its_file_is_read(
    sql: Sql, files: FolderFiles, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    def look(self: Checker, number: int, line: bytes) -> Request | list[Fault]:
        if number == 300:
            cancelling.append(asyncio.create_task(cancel(batches, made.id)))
        return original(self, number, line)

    original, cancelling = Checker.look, []
    monkeypatch.setattr(Checker, "look", look)
    async with open_batches(sql, files, upstream) as batches:
        file = await put(files, [chat_line(f"q{n}") for n in range(1000)])
        made = await batches.create_batch(asks(file), caller())
        done = await until(batches, made.id)
        assert (await cancelling[0]).status == "cancelling"
    assert (done.status, done.request_counts.total, done.output_file_id) == ("cancelled", 0, None)
    assert (done.cancelling_at is not None, done.cancelled_at is not None) == (True, True)
    assert upstream.asked() == {}
    assert await rows(sql) == (0, 0)


async def test_a_batch_that_runs_is_cancelled_with_what_was_answered(
    sql: Sql, files: FolderFiles, upstream: Upstream
) -> None:
    upstream.pause = 0.02
    async with open_batches(sql, files, upstream, max_concurrent_requests_per_batch=2) as batches:
        file = await put(files, [chat_line(f"q{n:03}") for n in range(200)])
        made = await batches.create_batch(asks(file), caller())
        await until(batches, made.id, when=lambda batch: batch.request_counts.completed >= 5)
        assert (await cancel(batches, made.id)).status == "cancelling"
        done = await until(batches, made.id)
        assert (await cancel(batches, made.id)).status == "cancelled"
    answered = [line["custom_id"] for line in files.content(done.output_file_id)]
    assert (done.status, len(answered)) == ("cancelled", done.request_counts.completed)
    assert 5 <= len(answered) < 100
    assert answered == sorted(answered)
    assert done.request_counts.total == 200
    assert len(upstream.asked()) <= len(answered) + 2
    assert await rows(sql) == (0, 0)


async def test_a_batch_that_runs_elsewhere_is_cancelled(sql: Sql, files: FolderFiles, upstream: Upstream) -> None:
    upstream.pause = 0.05
    async with open_batches(sql, files, upstream, max_concurrent_requests_per_batch=1) as works:
        file = await put(files, [chat_line(f"q{n}") for n in range(500)])
        made = await works.create_batch(asks(file), caller())
        await until(works, made.id, "in_progress")
        async with open_batches(sql, files, upstream) as asked:
            await cancel(asked, made.id)
            assert (await until(asked, made.id)).status == "cancelled"


async def test_a_batch_whose_files_are_being_made_can_no_longer_be_cancelled(
    sql: Sql, files: FolderFiles, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    going, may_go = asyncio.Event(), asyncio.Event()
    original = files.create_file

    async def slow(request: CreateFileRequest, ctx: Context) -> OpenAIFile:
        going.set()
        await may_go.wait()
        return await original(request, ctx)

    async with open_batches(sql, files, upstream) as batches:
        file = await put(files, [chat_line("q")])
        monkeypatch.setattr(files, "create_file", slow)
        made = await batches.create_batch(asks(file), caller())
        await going.wait()
        with pytest.raises(Conflict) as refusal:
            await cancel(batches, made.id)
        may_go.set()
        assert (await until(batches, made.id)).status == "completed"
    assert "'finalizing'" in refusal.value.message


async def test_a_batch_that_is_over_cannot_be_cancelled(sql: Sql, files: FolderFiles, upstream: Upstream) -> None:
    async with open_batches(sql, files, upstream) as batches:
        for content, state in ((b'{"custom_id": 1}', "failed"), ([chat_line("q")], "completed")):
            made = await batches.create_batch(asks(await put(files, content)), caller())
            assert (await until(batches, made.id)).status == state
            with pytest.raises(Conflict):
                await cancel(batches, made.id)


async def test_a_cancelled_batch_whose_holder_is_gone_is_ended_by_another(
    sql: Sql, files: FolderFiles, upstream: Upstream
) -> None:
    upstream.pause = 0.02
    async with open_batches(sql, files, upstream, max_concurrent_requests_per_batch=1) as batches:
        file = await put(files, [chat_line(f"q{n}") for n in range(100)])
        made = await batches.create_batch(asks(file), caller())
        await until(batches, made.id, when=lambda batch: batch.request_counts.completed >= 3)
    async with sql.writing() as connection:
        await connection.execute(update(BATCHES).values(status="cancelling", lease="of one that was killed"))
    async with open_batches(sql, files, upstream) as batches:
        done = await until(batches, made.id)
    assert (done.status, len(files.content(done.output_file_id))) == ("cancelled", done.request_counts.completed)
