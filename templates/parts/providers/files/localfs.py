"""Files in a folder of this machine, or of a file system that several share."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ...runtime.errors import NotFound, SettingsError, Unavailable
from ...runtime.undisturbed import undisturbed
from ...runtime.upload import Spool, Upload, not_written
from ...runtime.wiring import Health
from .settings import FilesConfig

if TYPE_CHECKING:
    from ...contracts.files.requests import CreateFileRequest
    from ...runtime.sql import Sql
    from .keeping import KeptFiles, Placed

log = logging.getLogger(__name__)

PIECE = 256 * 1024
_HALF = ".half"


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalFsConfig(FilesConfig):
    """storage_dir: the folder; made where there is none."""

    storage_dir: str


@asynccontextmanager
async def open_localfs(config: LocalFsConfig, *, metadata_store: Sql) -> AsyncIterator[KeptFiles]:
    """Raises SettingsError where there can be no such folder, or nothing be written in it."""
    from .keeping import keeping

    folder = Path(config.storage_dir)
    try:
        await asyncio.to_thread(folder.mkdir, 0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsError([f"storage_dir: {folder} cannot be made: {error.strerror}"]) from None
    if not await asyncio.to_thread(_is_open, folder):
        raise SettingsError([f"storage_dir: {folder} cannot be read and written by this process"])
    # In the same file system: what has come in becomes a file without being copied.
    spool = Spool(folder=folder, max_file_bytes=config.max_file_bytes)
    async with keeping(metadata_store, LocalBlobs(folder), config, place="localfs", spool=spool) as files:
        yield files


class LocalBlobs:
    """One file for each, named by its id (`keeping.Blobs`)."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def put(self, id: str, request: CreateFileRequest) -> Placed:
        from .keeping import Placed

        try:
            await undisturbed(asyncio.to_thread(_keep, request.file, self._folder, id))
        except OSError as error:
            raise not_written(error) from error
        return Placed(id)

    def get(self, id: str) -> AsyncGenerator[bytes, None]:
        return self.part(id, 0, sys.maxsize)

    async def part(self, id: str, start: int, stop: int) -> AsyncGenerator[bytes, None]:
        try:
            descriptor = await undisturbed(asyncio.to_thread(os.open, self._folder / id, os.O_RDONLY | os.O_CLOEXEC))
        except FileNotFoundError:
            raise NotFound(f"the content of {id} is gone", code="file_not_found") from None
        except OSError as error:
            log.error("a file cannot be read: %s", error.strerror)
            raise Unavailable("the file cannot be read at present", code="storage_unavailable") from error
        try:
            done = start
            while done < stop and (piece := await _piece(descriptor, min(PIECE, stop - done), done)):
                done += len(piece)
                yield piece
        finally:
            os.close(descriptor)

    async def delete(self, id: str) -> None:
        try:
            await undisturbed(asyncio.to_thread(_remove, self._folder, id))
        except OSError as error:
            log.error("a file cannot be removed: %s", error.strerror)
            raise Unavailable("files cannot be removed at present", code="storage_unavailable") from error

    async def health(self) -> Health:
        if not await asyncio.to_thread(_is_open, self._folder):
            return Health("Error", "storage_dir cannot be written")
        return Health("OK")


async def _piece(descriptor: int, size: int, start: int) -> bytes:
    return await undisturbed(asyncio.to_thread(os.pread, descriptor, size, start))


def _is_open(folder: Path) -> bool:
    return os.access(folder, os.R_OK | os.W_OK | os.X_OK)


def _keep(upload: Upload, folder: Path, id: str) -> None:
    """Gives the bytes their name, on the disk before this returns. Raises OSError."""
    directory = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        if not _name(upload.file.fileno(), directory, id):
            _copy(upload.file.fileno(), directory, id)
        os.fsync(directory)
    finally:
        os.close(directory)


def _name(descriptor: int, directory: int, id: str) -> bool:
    """Whether the nameless file could be given a name; only some file systems of Linux can."""
    os.fsync(descriptor)
    try:
        # With a directory given, Python calls linkat, which follows /proc's link to the file itself.
        os.link(f"/proc/self/fd/{descriptor}", id, src_dir_fd=directory, dst_dir_fd=directory, follow_symlinks=True)
    except OSError:
        return False
    return True


def _copy(descriptor: int, directory: int, id: str) -> None:
    half = id + _HALF
    opened = os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600, dir_fd=directory)
    try:
        with os.fdopen(opened, "wb") as target:
            done = 0
            while piece := os.pread(descriptor, PIECE, done):
                done += target.write(piece)
            target.flush()
            os.fsync(target.fileno())
        os.rename(half, id, src_dir_fd=directory, dst_dir_fd=directory)
    except OSError:
        with suppress(OSError):
            os.unlink(half, dir_fd=directory)
        raise


def _remove(folder: Path, id: str) -> None:
    directory = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for name in (id, id + _HALF):
            with suppress(FileNotFoundError):
                os.unlink(name, dir_fd=directory)
        # Before the row goes: a power cut must not bring the bytes back without it.
        os.fsync(directory)
    finally:
        os.close(directory)
