"""Taking a file in: its text is read, cut, turned into vectors and kept, a few chunks at a time.

Each step is kept before the next begins: vectors in the index first, then the rows of their chunks. A file is cut the
same way each time, so whoever goes on after a crash goes on behind the last chunk that has a row.
"""

from __future__ import annotations

import asyncio
import json
import logging
from typing import TYPE_CHECKING

from sqlalchemy import func, insert, select

from ....contracts.files.requests import DownloadFileRequest
from ....runtime.errors import StackError
from ....runtime.vector_index import Entry
from .chunking import Chunking, chunks
from .reading import Unreadable, text_of
from .tables import CHUNKS, FILES

if TYPE_CHECKING:
    from ....contracts.files import Files
    from .desk import Desk
    from .leases import Lease

log = logging.getLogger(__name__)

AT_ONCE = 32
"""Chunks of one step."""

_FLOAT_BYTES = 4
_BUSY = frozenset((408, 429, 500, 502, 503, 504))


async def take_in(desk: Desk, lease: Lease, *, tries: int) -> None:
    """Until the file is `completed` or `failed`. tries: of one whose model is busy, or away.

    Raises LeaseLost, and StackError where it is to be tried again later.
    """
    try:
        await _take_in(desk, lease)
    except Unreadable as error:
        await _fail(lease, error.code, error.message)
    except StackError as error:
        if error.code == "storage_unavailable" or (error.status in _BUSY and lease.file.tries < tries):
            raise
        await _fail(lease, "server_error", error.message)


async def _take_in(desk: Desk, lease: Lease) -> None:
    file, store, index = lease.file, lease.store, desk.index(lease.store.instance)
    if desk.files is None:
        raise Unreadable("server_error", "this server has no files API any more")
    content = await _content(desk.files, lease)
    chunking = Chunking(file.chunk_tokens, file.overlap_tokens)
    cut = await asyncio.to_thread(_cut, content, file.filename, chunking)
    del content
    labels = json.loads(file.labels)
    for start in range(await _kept(desk, file.id), len(cut), AT_ONCE):
        some = cut[start : start + AT_ONCE]
        vectors = await desk.embedder.vectors(store.model, some, lease.context)
        if any(len(vector) != store.dimension for vector in vectors):
            found = sorted({len(vector) for vector in vectors})
            message = f"the model {store.model!r} gives vectors of {found} numbers, and the store has {store.dimension}"
            raise Unreadable("server_error", message)
        ids = [f"{file.id}-{start + number}" for number in range(len(some))]
        await lease.renew()
        await index.add(
            store.id,
            [
                Entry(id=id, group=file.id, text=text, vector=vector, attributes=labels)
                for id, text, vector in zip(ids, some, vectors, strict=True)
            ],
        )
        rows = [
            {"id": id, "store": store.id, "file": file.id, "number": start + number, "text": text}
            for number, (id, text) in enumerate(zip(ids, some, strict=True))
        ]
        size = sum(len(text.encode()) for text in some) + len(some) * store.dimension * _FLOAT_BYTES
        async with lease.writing(bytes=FILES.c.bytes + size) as connection:
            await connection.execute(insert(CHUNKS), rows)
    async with lease.writing(status="completed", errand=None, lease=None, lease_until=None):
        pass
    log.info("%s: %s is taken in, %d chunks", store.id, file.file_id, len(cut))


def _cut(content: bytes, filename: str, chunking: Chunking) -> list[str]:
    return list(chunks(text_of(content, filename), chunking))


async def _content(files: Files, lease: Lease) -> bytes:
    try:
        download = await files.download_file(DownloadFileRequest(file_id=lease.file.file_id), lease.context)
        try:
            return b"".join([piece async for piece in download])
        finally:
            await download.aclose()
    except StackError as error:
        if error.status == 404:
            raise Unreadable("invalid_file", "the file was deleted before it was taken in") from error
        raise


async def _kept(desk: Desk, file: str) -> int:
    async with desk.sql.reading() as connection:
        count = await connection.execute(select(func.count()).select_from(CHUNKS).where(CHUNKS.c.file == file))
        return int(count.scalar_one())


async def _fail(lease: Lease, code: str, message: str) -> None:
    values = {"status": "failed", "error_code": code, "error_message": message, "bytes": 0, "errand": "wipe"}
    async with lease.writing(**values, lease=None, lease_until=None):
        pass
    log.info("%s: %s failed: %s", lease.store.id, lease.file.file_id, message)
