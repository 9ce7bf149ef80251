"""The Files API: what its providers offer and the server calls.

Generated from apis/files.yaml by `stackgen contracts`; a change belongs there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from ...runtime.context import Context
    from ...runtime.download import Download
    from ...runtime.upload import Spool
    from .requests import (
        CreateFileRequest,
        DeleteFileRequest,
        DownloadFileRequest,
        ListFilesRequest,
        RetrieveFileRequest,
    )
    from .responses import DeleteFileResponse, ListFilesResponse, OpenAIFile


class Files(Protocol):
    """Files that other operations read or write, uploaded once and named by id, as OpenAI's Files API has them."""

    @property
    def spool(self) -> Spool:
        """Where files lie while they come in, and how large they may be."""

    async def list_files(self, request: ListFilesRequest, ctx: Context) -> ListFilesResponse:
        """List the files."""

    async def create_file(self, request: CreateFileRequest, ctx: Context) -> OpenAIFile:
        """Upload a file."""

    async def retrieve_file(self, request: RetrieveFileRequest, ctx: Context) -> OpenAIFile:
        """Describe one file."""

    async def delete_file(self, request: DeleteFileRequest, ctx: Context) -> DeleteFileResponse:
        """Delete a file."""

    async def download_file(self, request: DownloadFileRequest, ctx: Context) -> Download:
        """Give what a file holds."""
