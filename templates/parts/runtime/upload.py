"""Files on their way in: where they lie, and how a contract method gets them.

    async def create_file(self, request: CreateFileRequest, ctx: Context) -> OpenAIFile:
        async for piece in request.file.pieces(): …

A file that a request brings lies on disk and has no name there, so that nothing is left of it when its request ends,
however that ends, kill -9 included. A component that makes a file itself does the same:

    with files.spool.open() as file:
        …                                                                    # write
        upload = Upload(file=file, size=file.tell(), filename="output.jsonl", by_server=True)
        await files.create_file(CreateFileRequest(file=upload, purpose="batch_output"), ctx)
"""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import sys
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from .errors import StackError, Unavailable
from .undisturbed import undisturbed

PIECE = 1024 * 1024

log = logging.getLogger(__name__)

# What open() says where the system or the file system has no files without a name.
_NO_NAMELESS = (errno.EISDIR, errno.ENOENT, errno.EOPNOTSUPP, errno.EINVAL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spool:
    """Where files lie while they come in: a folder that exists, and the size, in bytes, that none may exceed."""

    folder: Path
    max_file_bytes: int

    def open(self) -> IO[bytes]:
        """A new file without a name, for writing and reading, unbuffered. Raises OSError."""
        if sys.platform == "linux":
            try:
                return os.fdopen(os.open(self.folder, os.O_RDWR | os.O_TMPFILE | os.O_CLOEXEC, 0o600), "w+b", 0)
            except OSError as error:
                if error.errno not in _NO_NAMELESS or not self.folder.is_dir():
                    raise
        return tempfile.TemporaryFile(dir=self.folder, buffering=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """One file of a request.

    file: open for reading, unbuffered; whoever made it closes it. filename: as the client named it, without folders,
    and safe to show, though not to open. content_type: as the client said, "" if it did not. by_server: no client has
    sent it; so it may be for what no client's file is, and is as large as it is.
    """

    file: IO[bytes]
    size: int
    filename: str
    content_type: str = ""
    by_server: bool = False

    async def pieces(self, size: int = PIECE) -> AsyncIterator[bytes]:
        """What it holds, from its beginning, `size` bytes at a time; read in a thread."""
        done = 0
        while piece := await undisturbed(asyncio.to_thread(os.pread, self.file.fileno(), size, done)):
            done += len(piece)
            yield piece

    @classmethod
    def __get_pydantic_core_schema__(cls, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(_check)


class StorageFull(StackError):
    """507: there is no room for what was sent."""

    status = 507


def not_written(error: OSError) -> StackError:
    """What a client is told of a file that could not be written."""
    log.error("a file cannot be written: %s", error.strerror)
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return StorageFull("there is no room left for this file", code="storage_full")
    return Unavailable("files cannot be written at present", code="storage_unavailable")


def _check(value: object) -> Upload:
    if not isinstance(value, Upload):
        raise PydanticCustomError("upload", "expected a file: a part of a form that has a filename")
    return value
