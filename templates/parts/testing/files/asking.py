"""How the suites upload, list and read."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Protocol, TypeVar

from ...contracts.files import Files
from ...contracts.files.requests import CreateFileRequest, DownloadFileRequest, ListFilesRequest
from ...contracts.files.responses import ListFilesResponse, OpenAIFile
from ...runtime.context import Context
from ...runtime.upload import Upload
from ...runtime.wiring import Checked


class KeepsFiles(Files, Checked, Protocol):
    """The Files API, with what belongs to every provider."""


F = TypeVar("F", bound=KeepsFiles)


def caller(principal: str | None = None) -> Context:
    return Context(request_id="suite", principal=principal)


@asynccontextmanager
async def brought(provider: KeepsFiles, content: bytes, filename: str) -> AsyncIterator[Upload]:
    """A file as a request brings it."""
    with provider.spool.open() as file:
        file.write(content)
        yield Upload(file=file, size=len(content), filename=filename, content_type="text/plain")


async def uploaded(
    provider: KeepsFiles, content: bytes, filename: str = "a.txt", ctx: Context | None = None, **more: Any
) -> OpenAIFile:
    async with brought(provider, content, filename) as upload:
        request = CreateFileRequest.model_validate({"file": upload, "purpose": "assistants", **more})
        return await provider.create_file(request, ctx or caller())


async def content_of(provider: KeepsFiles, id: str, ctx: Context | None = None) -> bytes:
    download = await provider.download_file(DownloadFileRequest(file_id=id), ctx or caller())
    try:
        return b"".join([piece async for piece in download])
    finally:
        await download.aclose()


async def listed(provider: KeepsFiles, ctx: Context | None = None, **asked: Any) -> ListFilesResponse:
    return await provider.list_files(ListFilesRequest.model_validate(asked), ctx or caller())


async def every_page(provider: KeepsFiles, ctx: Context | None = None, **asked: Any) -> list[str]:
    """The ids on all pages, each page having what a page has."""
    found: list[str] = []
    while True:
        page = await listed(provider, ctx, **asked)
        ids = [each.id for each in page.data]
        assert page.object == "list", "a page says that it is one"
        assert (page.first_id, page.last_id) == ((ids[0], ids[-1]) if ids else ("", "")), "a page names its ends"
        assert "limit" not in asked or len(ids) <= asked["limit"], "a page has no more files than were asked for"
        found += ids
        if not page.has_more:
            return found
        assert ids, "an empty page is the last one"
        asked["after"] = page.last_id
