"""The Files API over any place that keeps bytes: rows say what there is, `Blobs` has what it holds."""

from __future__ import annotations

import asyncio
import logging
import re
import secrets
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Protocol, get_args

from ...contracts.files.requests import FilePurpose
from ...contracts.files.responses import DeleteFileResponse, ListFilesResponse, OpenAIFile
from ...runtime.download import Download
from ...runtime.errors import BadRequest, NotFound, StackError, TooLarge, Unavailable
from ...runtime.undisturbed import undisturbed
from ...runtime.wiring import Health
from .rows import LEASE, MIGRATIONS, SECOND, FileRows, Known, now
from .sweeping import remove, sweeping

if TYPE_CHECKING:
    from ...contracts.files.requests import (
        CreateFileRequest,
        DeleteFileRequest,
        DownloadFileRequest,
        ListFilesRequest,
        RetrieveFileRequest,
    )
    from ...runtime.context import Context
    from ...runtime.sql import Sql
    from ...runtime.upload import Spool
    from .settings import FilesConfig

log = logging.getLogger(__name__)

MOST_ON_A_PAGE = 10_000

OUTPUTS = ("assistants_output", "batch_output", "fine-tune-results")
"""Purposes of what a server makes, which OpenAI and Llama Stack take from no client either."""

_ID = re.compile(r"[A-Za-z0-9_-]{1,200}")


@dataclass(frozen=True, slots=True)
class Placed:
    """Where bytes are kept. id: of the file from now on. expires: microseconds, where the place decides, else None."""

    id: str
    expires: int | None = None


class Blobs(Protocol):
    """A place that keeps bytes by the id of their file. Every method raises StackError where it cannot."""

    async def put(self, id: str, request: CreateFileRequest) -> Placed:
        """Keeps the bytes: durable once it has returned, and not to be seen before."""

    def get(self, id: str) -> AsyncGenerator[bytes, None]:
        """What is kept; NotFound with the first piece where it is not there any more."""

    @property
    def part(self) -> Callable[[str, int, int], AsyncGenerator[bytes, None]] | None:
        """As `get`, from one byte to another, that one excluded; None where that would cost what all does."""

    async def delete(self, id: str) -> None:
        """Removes whatever there is under this id, half written or nothing at all; durable once it has returned."""

    async def health(self) -> Health:
        """Whether bytes can be kept at present."""


class KeptFiles:
    """The Files API (`contracts.files.Files`). spool: where uploads come in."""

    def __init__(self, rows: FileRows, blobs: Blobs, spool: Spool, config: FilesConfig) -> None:
        self.spool = spool
        self._rows = rows
        self._blobs = blobs
        self._config = config

    async def create_file(self, request: CreateFileRequest, ctx: Context) -> OpenAIFile:
        upload = request.file
        # What the server makes itself is as large as it is; what comes over HTTP has met the limit on its way.
        if request.purpose in OUTPUTS and not upload.by_server:
            known = ", ".join(each for each in get_args(FilePurpose) if each not in OUTPUTS)
            said = f"purpose: files of the purpose {request.purpose!r} are made by the server; expected one of {known}"
            raise BadRequest(said, code="invalid_file_purpose", param="purpose")
        if upload.size > self.spool.max_file_bytes and not upload.by_server:
            most = self.spool.max_file_bytes
            raise TooLarge(f"the file is larger than {most} bytes", param="file", code="request_too_large")
        created = now()
        seconds = request.expires_after.seconds if request.expires_after else self._config.ttl_secs
        expires = None if seconds is None else created + seconds * SECOND
        file = Known(_new_id(), upload.filename, request.purpose, upload.size, created, expires)
        await self._rows.add(file, ctx)
        try:
            async with self._held(file.id):
                placed = await self._blobs.put(file.id, request)
            if not await self._rows.ready(file.id, placed.id, placed.expires or expires):
                # It took so long that the row was swept up as abandoned, and the bytes perhaps before they were there.
                await self._blobs.delete(placed.id)
                raise Unavailable("keeping the file took too long; try again", code="storage_unavailable")
        except BaseException:
            await undisturbed(self._take_back(file.id))
            raise
        return _described(Known(placed.id, file.filename, file.purpose, file.bytes, created, placed.expires or expires))

    async def list_files(self, request: ListFilesRequest, ctx: Context) -> ListFilesResponse:
        limit = MOST_ON_A_PAGE if request.limit is None else request.limit
        after = None
        if request.after is not None:
            after = await self._find(request.after, ctx)
            if after is None:
                raise _unknown(request.after, param="after")
        found: list[Known] = []
        if request.purpose is None or request.purpose in get_args(FilePurpose):
            newest_first = request.order != "asc"
            found = await self._rows.page(
                ctx, after=after, limit=limit + 1, newest_first=newest_first, purpose=request.purpose
            )
        page = found[:limit]
        return ListFilesResponse(
            object="list",
            data=[_described(each) for each in page],
            first_id=page[0].id if page else "",
            last_id=page[-1].id if page else "",
            has_more=len(found) > limit,
        )

    async def retrieve_file(self, request: RetrieveFileRequest, ctx: Context) -> OpenAIFile:
        return _described(await self._known(request.file_id, ctx))

    async def download_file(self, request: DownloadFileRequest, ctx: Context) -> Download:
        file = await self._known(request.file_id, ctx)
        part = None if self._blobs.part is None else partial(self._blobs.part, file.id)
        return Download(pieces=self._blobs.get(file.id), size=file.bytes, filename=file.filename, part=part)

    async def delete_file(self, request: DeleteFileRequest, ctx: Context) -> DeleteFileResponse:
        file = await self._known(request.file_id, ctx)
        if not await self._rows.give_up(file.id, ctx):
            raise _unknown(file.id)
        # From here on it is gone for everybody. What cannot be removed now is removed by whoever sweeps next.
        with suppress(StackError):
            await remove(self._rows, self._blobs, file.id)
        return DeleteFileResponse(id=file.id, object="file", deleted=True)

    async def health(self) -> Health:
        return await self._blobs.health()

    async def _known(self, id: str, ctx: Context) -> Known:
        """Raises NotFound."""
        file = await self._find(id, ctx)
        if file is None:
            raise _unknown(id)
        return file

    async def _find(self, id: str, ctx: Context) -> Known | None:
        return await self._rows.find(id, ctx) if _ID.fullmatch(id) else None

    @asynccontextmanager
    async def _held(self, id: str) -> AsyncIterator[None]:
        """Keeps others from taking the row for abandoned, however long the block takes."""

        async def hold() -> None:
            while True:
                await asyncio.sleep(LEASE / SECOND / 4)
                with suppress(StackError):
                    await self._rows.hold(id)

        task = asyncio.create_task(hold())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _take_back(self, id: str) -> None:
        """Removes what has not become a file; what is in the way of it is left to whoever sweeps."""
        with suppress(StackError):
            if await self._rows.take_back(id):
                await remove(self._rows, self._blobs, id)


@asynccontextmanager
async def keeping(sql: Sql, blobs: Blobs, config: FilesConfig, *, place: str, spool: Spool) -> AsyncIterator[KeptFiles]:
    """The API over a database and a place, swept for as long as the block lasts. Raises StackError, SettingsError.

    place: the name of it, by which its rows are told from those of others in the same database.
    """
    await sql.prepare("files", MIGRATIONS)
    rows = FileRows(sql, place)
    sweeper = asyncio.create_task(sweeping(rows, blobs, config.sweep_interval_seconds))
    try:
        yield KeptFiles(rows, blobs, spool, config)
    finally:
        sweeper.cancel()
        with suppress(asyncio.CancelledError):
            await sweeper


def _new_id() -> str:
    # As OpenAI's look, since some clients tell kinds of ids apart by their beginning.
    return f"file-{secrets.token_hex(24)}"


def _unknown(id: str, param: str = "file_id") -> NotFound:
    return NotFound(f"there is no file {id[:200]!r}", code="file_not_found", param=param)


def _described(file: Known) -> OpenAIFile:
    return OpenAIFile(
        id=file.id,
        object="file",
        bytes=file.bytes,
        created_at=file.created // SECOND,
        expires_at=None if file.expires is None else file.expires // SECOND,
        filename=file.filename,
        purpose=file.purpose,
        status="processed",
    )
