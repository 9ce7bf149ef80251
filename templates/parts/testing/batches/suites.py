"""What every provider of the Batches API does, in front of a model that answers chats."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from ...contracts.batches import Batches
from ...contracts.batches.requests import (
    CancelBatchRequest,
    CreateBatchRequest,
    ListBatchesRequest,
    RetrieveBatchRequest,
)
from ...contracts.batches.responses import Batch
from ...contracts.files import Files
from ...contracts.files.requests import CreateFileRequest, DownloadFileRequest
from ...runtime.context import Context
from ...runtime.upload import Upload
from ..suite import Suite, refused

_CHAT = "/v1/chat/completions"
_OVER = ("failed", "completed", "expired", "cancelled")
_PAUSE_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class Bureau:
    """The provider, and the files that it reads and writes."""

    batches: Batches
    files: Files


class BatchesSuite(Suite[Bureau]):
    """chat_model: a model that answers whatever it is asked, as requests name it."""

    chat_model: ClassVar[str]

    def test_requests_are_answered_in_their_order(self) -> None:
        async def test(bureau: Bureau) -> None:
            names = [f"request {number}" for number in range(12)]
            done = await _over(bureau, await self._made(bureau, [self._line(name) for name in names]))
            assert done.status == "completed", f"it is {done.status}"
            counts = done.request_counts
            assert counts is not None, "a batch says how many requests it has"
            assert (counts.total, counts.completed, counts.failed) == (12, 12, 0), "they are counted"
            output = await _content(bureau, done.output_file_id)
            assert [line["custom_id"] for line in output] == names, "the order is that of the requests"
            assert all(line["response"]["body"]["choices"] for line in output), "each has its answer"
            assert done.error_file_id is None, "without errors there is no file of them"

        self.run(test)

    def test_a_file_with_a_fault_is_not_run(self) -> None:
        async def test(bureau: Bureau) -> None:
            good = self._line("a")
            for line, code in (
                ({**good, "custom_id": "first"}, "duplicate_custom_id"),
                ({**good, "url": "/v1/embeddings"}, "invalid_url"),
                ({**good, "method": "GET"}, "invalid_method"),
                ({"custom_id": "a"}, "missing_required_parameter"),
                ({**good, "body": {**good["body"], "stream": True}}, "streaming_unsupported"),
                ({**good, "body": {**good["body"], "model": "no-such-model"}}, "model_not_found"),
            ):
                done = await _over(bureau, await self._made(bureau, [self._line("first"), line]))
                assert done.status == "failed", f"it is {done.status} in spite of {code}"
                assert done.errors is not None, "a batch that failed says why"
                told = {(error.line, error.code) for error in done.errors.data}
                assert (2, code) in told, f"expected {code} of line 2, found {told}"
                assert done.output_file_id is None, "nothing of it is run"

        self.run(test)

    def test_a_file_without_requests_fails(self) -> None:
        async def test(bureau: Bureau) -> None:
            done = await _over(bureau, await self._made(bureau, []))
            assert done.errors is not None, "a batch that failed says why"
            assert [error.code for error in done.errors.data] == ["empty_file"]

        self.run(test)

    def test_what_cannot_be_a_batch_is_refused(self) -> None:
        async def test(bureau: Bureau) -> None:
            other = await _put(bureau, [self._line("a")], _caller(), purpose="assistants")
            error = await refused(bureau.batches.create_batch(_asks(other), _caller()))
            assert (error.status, error.param) == (400, "input_file_id"), "the file is for something else"
            error = await refused(bureau.batches.create_batch(_asks("file-of-nobody"), _caller()))
            assert error.status in (400, 404), f"there is no such file, and the answer is {error.status}"
            file = await _put(bureau, [self._line("a")], _caller())
            request = _asks(file, endpoint="/v1/models")
            error = await refused(bureau.batches.create_batch(request, _caller()))
            assert (error.status, error.param) == (400, "endpoint"), "that is no operation for batches"

        self.run(test)

    def test_a_key_stands_for_one_batch(self) -> None:
        async def test(bureau: Bureau) -> None:
            file = await _put(bureau, [self._line("a")], _caller())
            first = await bureau.batches.create_batch(_asks(file, idempotency_key="key"), _caller())
            again = await bureau.batches.create_batch(_asks(file, idempotency_key="key"), _caller())
            assert first.id == again.id, "the same request with the same key is the same batch"
            other = _asks(file, idempotency_key="key", metadata={"a": "b"})
            error = await refused(bureau.batches.create_batch(other, _caller()))
            assert error.status == 409, f"another request with the same key is a conflict, not a {error.status}"
            await _over(bureau, first)

        self.run(test)

    def test_one_user_asking_for_anothers_batch(self) -> None:
        async def test(bureau: Bureau) -> None:
            ann, bob = _caller("ann"), _caller("bob")
            hers = await self._made(bureau, [self._line("a")], ann)
            errors = [
                await refused(bureau.batches.retrieve_batch(RetrieveBatchRequest(batch_id=hers.id), bob)),
                await refused(bureau.batches.cancel_batch(CancelBatchRequest(batch_id=hers.id), bob)),
                await refused(bureau.batches.create_batch(_asks(hers.input_file_id), bob)),
            ]
            for error in errors:
                assert error.status == 404, f"for bob it is not there, and the answer is {error.status}"
            found = await bureau.batches.list_batches(ListBatchesRequest(), bob)
            assert found.data == [], "a list has one's own"
            done = await _over(bureau, hers, ann)
            assert await _content(bureau, done.output_file_id, ann), "her file is hers"

        self.run(test)

    def test_batches_are_listed_page_by_page(self) -> None:
        async def test(bureau: Bureau) -> None:
            made = [await self._made(bureau, [self._line("a")]) for _ in range(3)]
            first = await bureau.batches.list_batches(ListBatchesRequest(limit=2), _caller())
            rest = await bureau.batches.list_batches(ListBatchesRequest(limit=2, after=first.last_id), _caller())
            found = [batch.id for batch in (*first.data, *rest.data)]
            assert found == [batch.id for batch in reversed(made)], "the newest comes first, each once"
            assert (first.has_more, rest.has_more) == (True, False), "a page says whether there is another"
            error = await refused(bureau.batches.list_batches(ListBatchesRequest(after="batch_none"), _caller()))
            assert (error.status, error.param) == (404, "after"), "what the list is to go on after is not there"
            for batch in made:
                await _over(bureau, batch)

        self.run(test)

    def test_a_batch_can_be_cancelled(self) -> None:
        async def test(bureau: Bureau) -> None:
            made = await self._made(bureau, [self._line(f"{number}") for number in range(2000)])
            told = await bureau.batches.cancel_batch(CancelBatchRequest(batch_id=made.id), _caller())
            assert told.status in ("cancelling", "cancelled"), f"it is {told.status}"
            done = await _over(bureau, made)
            assert done.status == "cancelled", f"it is {done.status}"
            counts = done.request_counts
            completed = 0 if counts is None else counts.completed
            output = [] if done.output_file_id is None else await _content(bureau, done.output_file_id)
            assert len(output) == completed, "what was answered by then is in the file"

        self.run(test)

    def _line(self, name: str) -> dict[str, Any]:
        body = {"model": self.chat_model, "messages": [{"role": "user", "content": "Say hello."}], "max_tokens": 8}
        return {"custom_id": name, "method": "POST", "url": _CHAT, "body": body}

    async def _made(self, bureau: Bureau, lines: Sequence[dict[str, Any]], ctx: Context | None = None) -> Batch:
        file = await _put(bureau, lines, ctx or _caller())
        batch = await bureau.batches.create_batch(_asks(file), ctx or _caller())
        assert batch.status in ("validating", "in_progress", *_OVER), f"it is {batch.status}"
        return batch


def _caller(principal: str | None = None) -> Context:
    return Context(request_id="suite", principal=principal)


def _asks(file: str, endpoint: str = _CHAT, **more: Any) -> CreateBatchRequest:
    said = {"input_file_id": file, "endpoint": endpoint, "completion_window": "24h", **more}
    return CreateBatchRequest.model_validate(said)


async def _put(bureau: Bureau, lines: Sequence[dict[str, Any]], ctx: Context, purpose: str = "batch") -> str:
    content = b"".join(json.dumps(line).encode() + b"\n" for line in lines) or b"\n"
    with bureau.files.spool.open() as file:
        file.write(content)
        upload = Upload(file=file, size=len(content), filename="input.jsonl")
        request = CreateFileRequest.model_validate({"file": upload, "purpose": purpose})
        return (await bureau.files.create_file(request, ctx)).id


async def _over(bureau: Bureau, batch: Batch, ctx: Context | None = None) -> Batch:
    """The batch, once it has ended."""
    while batch.status not in _OVER:
        await asyncio.sleep(_PAUSE_SECONDS)
        batch = await bureau.batches.retrieve_batch(RetrieveBatchRequest(batch_id=batch.id), ctx or _caller())
    return batch


async def _content(bureau: Bureau, id: str | None, ctx: Context | None = None) -> list[dict[str, Any]]:
    assert id is not None, "there is a file of what was answered"
    download = await bureau.files.download_file(DownloadFileRequest(file_id=id), ctx or _caller())
    content = b"".join([piece async for piece in download])
    return [json.loads(line) for line in content.splitlines()]
