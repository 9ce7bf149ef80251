"""The last thing done to a batch: its results become files, and its lines are deleted."""

from __future__ import annotations

import asyncio
import errno
import json
import logging
import os
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Literal

from sqlalchemy import and_, or_, select

from ....contracts.files.requests import CreateFileRequest, DeleteFileRequest, FileExpirationAfter, ListFilesRequest
from ....runtime.errors import StackError, Unavailable
from ....runtime.shift import LeaseLost
from ....runtime.upload import Upload
from .checks import Fault
from .results import NOT_RUN, not_run
from .tables import BATCHES, REQUESTS, RESULTS
from .wiping import wipe

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Row

    from ....contracts.files import Files
    from .leases import Lease

log = logging.getLogger(__name__)

Kind = Literal["output", "error"]

_ROWS = 50
_PAGE = 1000
_DISK_FULL = (errno.ENOSPC, errno.EDQUOT)


@dataclass(frozen=True, slots=True)
class _End:
    """How a batch ends, and what has been made of it so far. filed: its files are made, or it has none."""

    state: str
    filed: bool
    output: str | None
    error: str | None


class Finishing:
    """The step from the end of the last line to `completed`, `expired`, `cancelled`, or `failed` with results."""

    def __init__(self, files: Files) -> None:
        self._files = files

    async def finish(self, lease: Lease) -> None:
        """Raises LeaseLost, and StackError where it cannot be done now."""
        end = await self._begin(lease)
        if not end.filed:
            if end.output is None:
                await self._make(lease, "output", end.state)
            if end.error is None:
                await self._make(lease, "error", end.state)
            async with lease.writing() as (connection, _):
                await lease.set(connection, filed=True)
        await wipe(lease, REQUESTS)
        await wipe(lease, RESULTS)
        async with lease.writing() as (connection, status):
            state = "cancelled" if status == "cancelling" else end.state
            ended = {"status": state, f"{state}_at": lease.now}
            await lease.set(connection, **ended, lease=None, lease_until=None)

    async def give_up(self, lease: Lease, fault: Fault) -> None:
        """A batch that could not end otherwise is to fail, and `finish` to keep its results. Raises LeaseLost."""
        async with lease.writing() as (connection, status):
            mine = select(BATCHES).where(BATCHES.c.id == lease.job.id)
            row = (await connection.execute(mine)).one()
            if status in ("validating", "in_progress") and not _is_done(row):
                told = json.dumps([asdict(fault)])
                # As for one that has expired: of a file that was not looked through there is nothing to tell.
                filed = status == "validating"
                begun = {"status": "finalizing", "finalizing_at": lease.now}
                await lease.set(connection, **begun, ending="failed", errors=told, filed=filed)

    async def _begin(self, lease: Lease) -> _End:
        async with lease.writing() as (connection, status):
            mine = select(BATCHES).where(BATCHES.c.id == lease.job.id)
            row = (await connection.execute(mine)).one()
            state, filed = row.ending, row.filed
            if status == "cancelling":
                state = "cancelled"
            elif status != "finalizing":
                state = "completed" if _is_done(row) else "expired"
                # Of a file that was not looked through to its end, some lines are there: they would tell nothing.
                filed = status == "validating"
                begun = {"status": "finalizing", "finalizing_at": lease.now}
                await lease.set(connection, **begun, ending=state, filed=filed)
        return _End(state, filed, row.output_file_id, row.error_file_id)

    async def _make(self, lease: Lease, kind: Kind, state: str) -> None:
        """The file of a kind, if it has a line, and its id in the batch's row."""
        id = await self._left_behind(lease, kind) or await self._upload(lease, kind, state)
        if id is None:
            return
        try:
            async with lease.writing() as (connection, _):
                await lease.set(connection, **{f"{kind}_file_id": id})
        except LeaseLost:
            await self._discard(lease, kind, id)
            raise

    async def _left_behind(self, lease: Lease, kind: Kind) -> str | None:
        """The file that a holder before this one made and had no time to name. Its content would be the same."""
        if lease.job.status not in ("finalizing", "cancelling"):
            return None
        asked = ListFilesRequest(purpose="batch_output", limit=_PAGE)
        while True:
            page = await self._files.list_files(asked, lease.job.context(lease.job.id))
            for file in page.data:
                if file.filename == _filename(lease, kind):
                    return file.id
            if not page.has_more or not page.data:
                return None
            asked = ListFilesRequest(purpose="batch_output", limit=_PAGE, after=page.data[-1].id)

    async def _upload(self, lease: Lease, kind: Kind, state: str) -> str | None:
        try:
            with self._files.spool.open() as file:
                size = 0
                async for block in _blocks(lease, kind, state):
                    await asyncio.to_thread(_write, file.fileno(), block)
                    size += len(block)
                if not size:
                    return None
                name = _filename(lease, kind)
                upload = Upload(file=file, size=size, filename=name, content_type="application/jsonl", by_server=True)
                request = CreateFileRequest(file=upload, purpose="batch_output", expires_after=_expiry(lease))
                return (await self._files.create_file(request, lease.job.context(lease.job.id))).id
        except OSError as error:
            if error.errno not in _DISK_FULL:
                raise
            raise Unavailable("the disk on which files are put together is full", code="storage_unavailable") from error

    async def _discard(self, lease: Lease, kind: Kind, id: str) -> None:
        """Deletes a file that this holder made and could not name, unless it did: an answer may have been lost."""
        column = BATCHES.c[f"{kind}_file_id"]
        try:
            async with lease.sql.reading() as connection:
                named = (await connection.execute(select(column).where(BATCHES.c.id == lease.job.id))).scalar()
            if named != id:
                await self._files.delete_file(DeleteFileRequest(file_id=id), lease.job.context(lease.job.id))
        except StackError as error:
            log.warning("file %s, which batch %s does not need, stays: %s", id, lease.job.id, error.message)


def _is_done(row: Row[tuple[object, ...]]) -> bool:
    """Whether every request of a batch has a result."""
    return bool(row.status == "in_progress" and row.completed + row.failed == row.total)


async def _blocks(lease: Lease, kind: Kind, state: str) -> AsyncIterator[bytes]:
    """The lines of a file, some together, in the order of the requests."""
    batch, after = lease.job.id, 0
    belongs: ColumnElement[bool] = RESULTS.c.good.is_(kind == "output")
    if kind == "error" and state in NOT_RUN:
        belongs = or_(belongs, RESULTS.c.line.is_(None))
    both = and_(RESULTS.c.batch == REQUESTS.c.batch, RESULTS.c.line == REQUESTS.c.line)
    query = (
        select(REQUESTS.c.line, REQUESTS.c.custom_id, RESULTS.c.text)
        .select_from(REQUESTS.outerjoin(RESULTS, both))
        .order_by(REQUESTS.c.line)
        .limit(_ROWS)
    )
    while True:
        page = query.where(and_(REQUESTS.c.batch == batch, REQUESTS.c.line > after, belongs))
        async with lease.sql.reading() as connection:
            rows = (await connection.execute(page)).all()
        if not rows:
            return
        after = rows[-1].line
        yield b"".join((row.text or not_run(batch, row.line, row.custom_id, state)) + b"\n" for row in rows)


def _filename(lease: Lease, kind: Kind) -> str:
    return f"{lease.job.id}_{kind}.jsonl"


def _expiry(lease: Lease) -> FileExpirationAfter | None:
    seconds = lease.job.output_seconds
    return None if seconds is None else FileExpirationAfter(anchor="created_at", seconds=seconds)


def _write(descriptor: int, block: bytes) -> None:
    rest = memoryview(block)
    while rest:
        rest = rest[os.write(descriptor, rest) :]
