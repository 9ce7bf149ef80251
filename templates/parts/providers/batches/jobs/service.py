"""The Batches API: what clients ask about batches. The work itself is done elsewhere (`worker.py`)."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection
from typing import TYPE_CHECKING

from sqlalchemy import and_, or_, select, update

from ....contracts.batches.responses import (
    Batch,
    BatchError,
    BatchErrors,
    BatchInputTokensDetails,
    BatchOutputTokensDetails,
    BatchRequestCounts,
    BatchUsage,
    ListBatchesResponse,
)
from ....contracts.files.requests import RetrieveFileRequest
from ....runtime.errors import BadRequest, Conflict, NotFound, StackError
from ....runtime.ids import new_id
from ....runtime.labels import checked
from ....runtime.ownership import owner_of, seen_by
from ....runtime.sql_clock import database_now
from ....runtime.wiring import Health
from .tables import BATCHES

if TYPE_CHECKING:
    from sqlalchemy import Row

    from ....contracts.batches.requests import (
        CancelBatchRequest,
        CreateBatchRequest,
        ListBatchesRequest,
        RetrieveBatchRequest,
    )
    from ....contracts.files import Files
    from ....runtime.context import Context
    from ....runtime.sql import Sql
    from .worker import Worker

WINDOW_SECONDS = 24 * 3600.0

_PAGE = 20
_ID = re.compile(r"batch_[0-9a-f]{48}")


class BatchesService:
    """The batches of a database. endpoints: the paths that a batch may ask for."""

    def __init__(self, sql: Sql, *, files: Files, endpoints: Collection[str], worker: Worker) -> None:
        self._sql = sql
        self._files = files
        self._endpoints = endpoints
        self._worker = worker
        self._now = database_now(sql.dialect)

    async def create_batch(self, request: CreateBatchRequest, ctx: Context) -> Batch:
        metadata = checked(request.metadata)
        if request.endpoint not in self._endpoints:
            known = ", ".join(self._endpoints)
            raise BadRequest(f"endpoint: expected one of {known}", code="unsupported_endpoint", param="endpoint")
        fingerprint = _fingerprint(request)
        key = _key(request.idempotency_key, ctx)
        if key is not None and (row := await self._by_key(key)) is not None:
            return _repeated(row, fingerprint)
        await self._check_file(request.input_file_id, ctx)
        owner = owner_of(ctx)
        values: dict[str, object] = dict.fromkeys(
            (
                "total",
                "completed",
                "failed",
                *(f"{each}_tokens" for each in ("input", "cached", "output", "reasoning")),
            ),
            0,
        )
        after = request.output_expires_after
        values |= {
            "id": new_id("batch"),
            "owner": owner.principal,
            "attributes": owner.attributes,
            "idempotency": key,
            "fingerprint": fingerprint,
            "endpoint": request.endpoint,
            "input_file_id": request.input_file_id,
            "completion_window": request.completion_window,
            "output_seconds": None if after is None else after.seconds,
            "metadata": None if request.metadata is None else json.dumps(metadata),
            "status": "validating",
            "filed": False,
            "created_at": self._now,
            "expires_at": self._now + WINDOW_SECONDS,
        }
        new = self._sql.insert(BATCHES).values(values).on_conflict_do_nothing(index_elements=["idempotency"])
        async with self._sql.writing() as connection:
            row = (await connection.execute(new.returning(BATCHES))).one_or_none()
        if row is not None:
            self._worker.ring()
            return _batch(row)
        # Another process was asked the same at the same time.
        if key is None or (row := await self._by_key(key)) is None:
            raise StackError("the batch was made and is gone")
        return _repeated(row, fingerprint)

    async def retrieve_batch(self, request: RetrieveBatchRequest, ctx: Context) -> Batch:
        return _batch(await self._find(request.batch_id, ctx))

    async def list_batches(self, request: ListBatchesRequest, ctx: Context) -> ListBatchesResponse:
        limit = request.limit or _PAGE
        columns = BATCHES.c
        query = select(BATCHES).where(seen_by(columns.owner, ctx))
        if request.after:
            last = await self._find(request.after, ctx, param="after")
            same_moment = and_(columns.created_at == last.created_at, columns.id < last.id)
            query = query.where(or_(columns.created_at < last.created_at, same_moment))
        query = query.order_by(columns.created_at.desc(), columns.id.desc()).limit(limit + 1)
        async with self._sql.reading() as connection:
            rows = (await connection.execute(query)).all()
        found = [_batch(row) for row in rows[:limit]]
        return ListBatchesResponse(
            object="list",
            data=found,
            first_id=found[0].id if found else None,
            last_id=found[-1].id if found else None,
            has_more=len(rows) > limit,
        )

    async def cancel_batch(self, request: CancelBatchRequest, ctx: Context) -> Batch:
        columns = BATCHES.c
        mine = and_(columns.id == request.batch_id, seen_by(columns.owner, ctx))
        running = and_(mine, columns.status.in_(("validating", "in_progress")))
        stop = update(BATCHES).where(running).values(status="cancelling", cancelling_at=self._now)
        if _ID.fullmatch(request.batch_id):
            async with self._sql.writing() as connection:
                row = (await connection.execute(stop.returning(BATCHES))).one_or_none()
            if row is not None:
                self._worker.cancel(row.id)
                return _batch(row)
        row = await self._find(request.batch_id, ctx)
        if row.status not in ("cancelling", "cancelled"):
            raise Conflict(f"a batch that is {row.status!r} cannot be cancelled", code="batch_not_cancellable")
        return _batch(row)

    async def health(self) -> Health:
        try:
            async with self._sql.reading() as connection:
                await connection.execute(select(BATCHES.c.id).limit(1))
        except StackError as error:
            return Health("Error", error.message)
        return Health("OK")

    async def _find(self, id: str, ctx: Context, *, param: str = "batch_id") -> Row[tuple[object, ...]]:
        """Raises NotFound where there is none that this caller may see."""
        if _ID.fullmatch(id):
            query = select(BATCHES).where(and_(BATCHES.c.id == id, seen_by(BATCHES.c.owner, ctx)))
            async with self._sql.reading() as connection:
                if (row := (await connection.execute(query)).one_or_none()) is not None:
                    return row
        raise NotFound(f"there is no batch {id[:100]!r}", code="batch_not_found", param=param)

    async def _by_key(self, key: str) -> Row[tuple[object, ...]] | None:
        async with self._sql.reading() as connection:
            return (await connection.execute(select(BATCHES).where(BATCHES.c.idempotency == key))).one_or_none()

    async def _check_file(self, id: str, ctx: Context) -> None:
        try:
            file = await self._files.retrieve_file(RetrieveFileRequest(file_id=id), ctx)
        except NotFound as error:
            raise NotFound(error.message, code=error.code, param="input_file_id") from None
        if file.purpose != "batch":
            said = f"input_file_id: expected a file with the purpose 'batch', not {file.purpose!r}"
            raise BadRequest(said, code="invalid_file_purpose", param="input_file_id")


def _fingerprint(request: CreateBatchRequest) -> str:
    """Of all that a request says beside its key."""
    after = request.output_expires_after
    said = [
        request.input_file_id,
        request.endpoint,
        request.completion_window,
        sorted((request.metadata or {}).items()),
        None if after is None else after.seconds,
    ]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()


def _key(key: str | None, ctx: Context) -> str | None:
    """What says which batch it is: callers do not share keys."""
    return None if key is None else hashlib.sha256(json.dumps([ctx.principal, key]).encode()).hexdigest()


def _repeated(row: Row[tuple[object, ...]], fingerprint: str) -> Batch:
    if row.fingerprint != fingerprint:
        raise Conflict(
            "this idempotency_key has been used with other parameters",
            code="idempotency_key_reused",
            param="idempotency_key",
        )
    return _batch(row)


def _batch(row: Row[tuple[object, ...]]) -> Batch:
    told = Batch(
        id=row.id,
        object="batch",
        endpoint=row.endpoint,
        model=None if row.model is None else json.loads(row.model),
        input_file_id=row.input_file_id,
        completion_window=row.completion_window,
        status=row.status,
        output_file_id=row.output_file_id,
        error_file_id=row.error_file_id,
        created_at=int(row.created_at),
        request_counts=BatchRequestCounts(total=row.total, completed=row.completed, failed=row.failed),
        usage=BatchUsage(
            input_tokens=row.input_tokens,
            input_tokens_details=BatchInputTokensDetails(cached_tokens=row.cached_tokens),
            output_tokens=row.output_tokens,
            output_tokens_details=BatchOutputTokensDetails(reasoning_tokens=row.reasoning_tokens),
            total_tokens=row.input_tokens + row.output_tokens,
        ),
        metadata=None if row.metadata is None else json.loads(row.metadata),
        in_progress_at=_seconds(row.in_progress_at),
        expires_at=_seconds(row.expires_at),
        finalizing_at=_seconds(row.finalizing_at),
        completed_at=_seconds(row.completed_at),
        failed_at=_seconds(row.failed_at),
        expired_at=_seconds(row.expired_at),
        cancelling_at=_seconds(row.cancelling_at),
        cancelled_at=_seconds(row.cancelled_at),
    )
    if row.errors is not None:
        told.errors = BatchErrors(object="list", data=[BatchError(**each) for each in json.loads(row.errors)])
    return told


def _seconds(time: float | None) -> int | None:
    return None if time is None else int(time)
