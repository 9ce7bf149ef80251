"""What stands around the batches in these tests: files in a folder, which several processes can share, and models that
answer what they are asked, each call of which is written down.

    async with open_batches(folder, sql, Upstream(folder / "calls")) as batches: …
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections import Counter, deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from parts.contracts.batches.requests import CreateBatchRequest, RetrieveBatchRequest
from parts.contracts.batches.responses import Batch
from parts.contracts.files.requests import (
    CreateFileRequest,
    DeleteFileRequest,
    DownloadFileRequest,
    ListFilesRequest,
    RetrieveFileRequest,
)
from parts.contracts.files.responses import DeleteFileResponse, ListFilesResponse, OpenAIFile
from parts.contracts.models.requests import RetrieveModelRequest
from parts.providers.batches.jobs.service import BatchesService
from parts.providers.batches.reference import ReferenceConfig, open_reference
from parts.runtime.context import Context
from parts.runtime.download import Download
from parts.runtime.errors import BadRequest, NotFound, StackError
from parts.runtime.ids import new_id
from parts.runtime.metrics import Accounts
from parts.runtime.reply import Answer
from parts.runtime.upload import Spool, Upload

CHAT = "/v1/chat/completions"
OVER = ("failed", "completed", "expired", "cancelled")


class FolderFiles:
    """The Files API over a folder. A file is two: what is known of it, and what it holds."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(exist_ok=True)
        self.spool = Spool(folder=folder, max_file_bytes=1 << 30)
        self.down: StackError | None = None

    async def create_file(self, request: CreateFileRequest, ctx: Context) -> OpenAIFile:
        self._up()
        id = new_id("file")
        size = 0
        with open(self.folder / id, "wb") as file:
            async for piece in request.file.pieces():
                size += file.write(piece)
        seconds = request.expires_after.seconds if request.expires_after else None
        known = OpenAIFile(
            id=id,
            object="file",
            bytes=size,
            created_at=int(time.time()),
            expires_at=None if seconds is None else int(time.time()) + seconds,
            filename=request.file.filename,
            purpose=request.purpose,
            status="processed",
        )
        (self.folder / f"{id}.owner").write_text(json.dumps(ctx.principal))
        half = self.folder / f"{id}.half"
        half.write_text(known.model_dump_json())
        half.rename(self.folder / f"{id}.json")
        return known

    async def retrieve_file(self, request: RetrieveFileRequest, ctx: Context) -> OpenAIFile:
        self._up()
        return self._known(request.file_id, ctx)

    async def delete_file(self, request: DeleteFileRequest, ctx: Context) -> DeleteFileResponse:
        self._known(request.file_id, ctx)
        (self.folder / f"{request.file_id}.json").unlink()
        (self.folder / request.file_id).unlink()
        return DeleteFileResponse(id=request.file_id, object="file", deleted=True)

    async def download_file(self, request: DownloadFileRequest, ctx: Context) -> Download:
        self._up()
        known = self._known(request.file_id, ctx)
        return Download(pieces=self._pieces(known.id), size=known.bytes, filename=known.filename)

    async def list_files(self, request: ListFilesRequest, ctx: Context) -> ListFilesResponse:
        found = [OpenAIFile.model_validate_json(path.read_text()) for path in sorted(self.folder.glob("*.json"))]
        data = [file for file in found if request.purpose in (None, file.purpose) and file.id > (request.after or "")]
        page = data[: request.limit]
        first, last = (page[0].id, page[-1].id) if page else ("", "")
        return ListFilesResponse(object="list", data=page, first_id=first, last_id=last, has_more=len(data) > len(page))

    def content(self, id: str | None) -> list[dict[str, Any]]:
        """The lines of a file, as objects; none where there is no file."""
        return [] if id is None else [json.loads(line) for line in (self.folder / id).read_bytes().splitlines()]

    async def _pieces(self, id: str) -> AsyncGenerator[bytes, None]:
        with open(self.folder / id, "rb") as file:
            while piece := file.read(4096):
                if not (self.folder / id).exists():
                    raise NotFound(f"there is no file {id!r} any more", code="file_not_found")
                yield piece
                await asyncio.sleep(0)

    def _known(self, id: str, ctx: Context) -> OpenAIFile:
        path = self.folder / f"{id}.json"
        if not path.exists():
            raise NotFound(f"there is no file {id!r}", code="file_not_found", param="file_id")
        owner = json.loads((self.folder / f"{id}.owner").read_text())
        if ctx.principal is not None and owner not in (None, ctx.principal):
            raise NotFound(f"there is no file {id!r}", code="file_not_found", param="file_id")
        return OpenAIFile.model_validate_json(path.read_text())

    def _up(self) -> None:
        if self.down is not None:
            raise self.down


@dataclass
class Upstream:
    """Models that answer with what they were asked. Stands for the inference and the models API.

    log: a file that every process appends to, `+`, the question and the process where a call begins, `-` and the same
    where it is answered.
    pause: seconds, of a call. refuse: an error in place of an answer, by question.
    """

    log: Path
    pause: float = 0.0
    refuse: Callable[[str], StackError | None] = lambda question: None
    contexts: deque[Context] = field(default_factory=lambda: deque(maxlen=100))
    running: int = 0
    most: int = 0

    async def create_chat_completion(self, request: Any, ctx: Context) -> Answer[Any]:
        question = request.messages[0].content
        text = await self._answer(question, ctx)
        usage = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
        details = {
            "prompt_tokens_details": {"cached_tokens": 1},
            "completion_tokens_details": {"reasoning_tokens": 1},
        }
        choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}
        body = {"id": f"chat-{question}", "object": "chat.completion", "created": 0, "model": request.model}
        # With line breaks, as some services have them.
        return Answer(json.dumps({**body, "choices": [choice], "usage": {**usage, **details}}, indent=1).encode())

    async def create_completion(self, request: Any, ctx: Context) -> Answer[Any]:
        text = await self._answer(request.prompt, ctx)
        return Answer(json.dumps({"object": "text_completion", "choices": [{"text": text}]}).encode())

    async def create_embedding(self, request: Any, ctx: Context) -> Answer[Any]:
        text = await self._answer(request.input, ctx)
        return Answer(json.dumps({"object": "list", "data": [{"embedding": [len(text)]}]}).encode())

    async def rerank(self, request: Any, ctx: Context) -> Answer[Any]:
        raise BadRequest("nothing is reranked here")

    async def list_models(self, request: Any, ctx: Context) -> Any:
        raise BadRequest("nobody asks for a list here")

    async def retrieve_model(self, request: RetrieveModelRequest, ctx: Context) -> Any:
        if not request.model.startswith("m"):
            raise NotFound(f"model {request.model!r} is not served here", code="model_not_found", param="model")

    async def _answer(self, question: str, ctx: Context) -> str:
        self._write(f"+{question} {os.getpid()}\n")
        self.contexts.append(ctx)
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            await asyncio.sleep(self.pause)
            if (error := self.refuse(question)) is not None:
                raise error
        finally:
            self.running -= 1
        ctx.usage.instance, ctx.usage.model = "fake", "m"
        ctx.usage.prompt_tokens, ctx.usage.completion_tokens = 3, 2
        self._write(f"-{question} {os.getpid()}\n")
        return f"you asked {question}"

    def _write(self, line: str) -> None:
        descriptor = os.open(self.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(descriptor, line.encode())
        finally:
            os.close(descriptor)

    def asked(self) -> Counter[str]:
        """How often each question came."""
        return Counter(line[1:].rpartition(" ")[0] for line in self._lines() if line.startswith("+"))

    def processes(self) -> set[str]:
        """Which processes asked."""
        return {line.rpartition(" ")[2] for line in self._lines()}

    def _lines(self) -> list[str]:
        return self.log.read_text().splitlines() if self.log.exists() else []


def chat_line(question: str, *, long: int = 0, **more: object) -> dict[str, object]:
    """One line of an input file, whose custom_id is the question. long: characters that it has beside."""
    body: dict[str, object] = {"model": "m", "messages": [{"role": "user", "content": question}]}
    if long:
        body["padding"] = "p" * long
    return {"custom_id": question, "method": "POST", "url": CHAT, "body": body, **more}


def caller(principal: str | None = None) -> Context:
    return Context(request_id="test", principal=principal, attributes={"teams": ("red",)} if principal else {})


async def put(
    files: FolderFiles, content: bytes | Iterable[dict[str, object]], *, purpose: str = "batch", by: str | None = None
) -> str:
    """An uploaded file; its id."""
    if not isinstance(content, bytes):
        content = b"".join(json.dumps(line).encode() + b"\n" for line in content)
    with files.spool.open() as file:
        file.write(content)
        upload = Upload(file=file, size=len(content), filename="input.jsonl")
        request = CreateFileRequest.model_validate({"file": upload, "purpose": purpose})
        return (await files.create_file(request, caller(by))).id


def asks(file: str, endpoint: str = CHAT, **more: Any) -> CreateBatchRequest:
    return CreateBatchRequest.model_validate(
        {"input_file_id": file, "endpoint": endpoint, "completion_window": "24h", **more}
    )


async def until(
    batches: BatchesService, id: str, *status: str, by: str | None = None, when: Callable[[Batch], bool] | None = None
) -> Batch:
    """The batch, once it is in one of these states, or over; or once `when` says so of it."""
    async with asyncio.timeout(60):
        while True:
            batch = await batches.retrieve_batch(RetrieveBatchRequest(batch_id=id), caller(by))
            if batch.status in OVER or batch.status in status or (when is not None and when(batch)):
                return batch
            await asyncio.sleep(0.01)


@asynccontextmanager
async def open_batches(
    sql: Any, files: FolderFiles, upstream: Upstream, accounts: Accounts | None = None, **config: Any
) -> AsyncIterator[BatchesService]:
    """The provider, quick to notice."""
    quick = ReferenceConfig(**{"poll_seconds": 0.05, "lease_seconds": 5.0, **config})
    async with open_reference(
        quick, store=sql, inference=upstream, files=files, models=upstream, accounts=accounts or Accounts()
    ) as batches:
        yield batches
