"""The first thing done to a batch: its file is looked through, and its lines become rows."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING

from sqlalchemy import insert

from ....contracts.files.requests import DownloadFileRequest
from ....contracts.models.requests import RetrieveModelRequest
from ....runtime.errors import StackError
from .checks import Checker, Fault, Request
from .endpoints import Endpoint
from .faults import is_passing
from .lines import LineTooLong, lines
from .tables import REQUESTS, RESULTS
from .wiping import wipe

if TYPE_CHECKING:
    from ....contracts.files import Files
    from ....contracts.models import Listing
    from .leases import Lease

MOST_LINES = 50_000
LONGEST_LINE = 16 * 1024 * 1024
MOST_FAULTS = 100
"""After so many the rest of a file is not looked at: nobody mends them one by one."""

_ROWS = 200
_ROW_BYTES = 1024 * 1024
"""What is written at once: so many rows, or fewer once they are so large."""

_BREATH = 50
"""Lines after which others have their turn: looking at one takes no waiting."""


class Validating:
    """The step from `validating` to `in_progress` or `failed`."""

    def __init__(self, *, files: Files, models: Listing, endpoints: Mapping[str, Endpoint]) -> None:
        self._files = files
        self._models = models
        self._endpoints = endpoints

    async def look_through(self, lease: Lease) -> bool:
        """Whether there is something to run; without, the batch has failed, or is being cancelled.

        Begins anew where another was in the midst of it. Raises LeaseLost, and StackError where it cannot be done now.
        """
        await wipe(lease, REQUESTS)
        reading = _Reading(lease, self._endpoints[lease.job.endpoint], self._models)
        try:
            async for number, line in self._lines(lease):
                await reading.take(number, line)
                if reading.full or lease.cancelled.is_set():
                    break
        except LineTooLong as error:
            said = f"the line is longer than {LONGEST_LINE} bytes"
            reading.faults.append(Fault("line_too_long", said, None, error.number))
        except StackError as error:
            if is_passing(error):
                raise
            # It was there when the batch was made.
            said = f"the input file cannot be read: {error.message}"
            reading.faults.append(Fault(error.code or "invalid_file", said, "input_file_id"))
        if lease.cancelled.is_set():
            return False
        faults = (
            reading.faults if reading.faults or reading.count else [Fault("empty_file", "the file has no requests")]
        )
        if faults:
            await fail(lease, faults)
            return False
        await reading.flush()
        return await self._begin(lease, reading)

    async def _lines(self, lease: Lease) -> AsyncIterator[tuple[int, bytes]]:
        asked = DownloadFileRequest(file_id=lease.job.input_file_id)
        download = await self._files.download_file(asked, lease.job.context(lease.job.id))
        async with contextlib.aclosing(download):
            async for each in lines(download, LONGEST_LINE):
                yield each

    async def _begin(self, lease: Lease, reading: _Reading) -> bool:
        async with lease.writing() as (connection, status):
            if status != "validating":
                return False
            await lease.set(
                connection,
                status="in_progress",
                in_progress_at=lease.now,
                takeovers=0,
                total=reading.count,
                model=json.dumps(reading.model),
            )
        return True


async def fail(lease: Lease, faults: list[Fault]) -> None:
    """Ends a batch of which nothing can be kept. Raises LeaseLost, Unavailable."""
    await wipe(lease, REQUESTS)
    await wipe(lease, RESULTS)
    told = json.dumps([asdict(fault) for fault in faults])
    async with lease.writing() as (connection, status):
        if status != "cancelling":
            await lease.set(connection, status="failed", failed_at=lease.now, errors=told, lease=None, lease_until=None)


class _Reading:
    """What has been found in the file so far. model: of the first request."""

    def __init__(self, lease: Lease, endpoint: Endpoint, models: Listing) -> None:
        self.faults: list[Fault] = []
        self.count = 0
        self.model = ""
        self._lease = lease
        self._checker = Checker(lease.job.endpoint, endpoint.check)
        self._models = models
        self._ctx = lease.job.context(lease.job.id)
        self._known: dict[str, Fault | None] = {}
        self._rows: list[Request] = []
        self._bytes = 0
        self._lines = 0

    @property
    def full(self) -> bool:
        return len(self.faults) >= MOST_FAULTS or self._lines > MOST_LINES

    async def take(self, number: int, line: bytes) -> None:
        """One line, which is no longer needed then."""
        self._lines += 1
        if self._lines > MOST_LINES:
            self.faults.append(Fault("too_many_requests", f"a batch has at most {MOST_LINES} requests", None, number))
            return
        found = self._checker.look(number, line)
        if isinstance(found, Request):
            found = await self._with_model(found)
        if isinstance(found, Request):
            await self._keep(found)
        else:
            self.faults += found[: MOST_FAULTS - len(self.faults)]
        if self._lines % _BREATH == 0:
            await asyncio.sleep(0)

    async def flush(self) -> None:
        """Writes what has come together."""
        if not self._rows:
            return
        batch = self._lease.job.id
        rows = [{"batch": batch, "line": r.line, "custom_id": r.custom_id, "body": r.body} for r in self._rows]
        async with self._lease.writing() as (connection, _):
            await connection.execute(insert(REQUESTS), rows)
        self._rows.clear()
        self._bytes = 0

    async def _keep(self, request: Request) -> None:
        self.count += 1
        self.model = self.model or request.model
        if self.faults:
            # Nothing of it will be run.
            return
        self._rows.append(request)
        self._bytes += len(request.body)
        if len(self._rows) >= _ROWS or self._bytes >= _ROW_BYTES:
            await self.flush()

    async def _with_model(self, request: Request) -> Request | list[Fault]:
        if request.model not in self._known:
            self._known[request.model] = await self._unknown(request)
        fault = self._known[request.model]
        if fault is None:
            return request
        return [Fault(fault.code, fault.message, fault.param, request.line)]

    async def _unknown(self, request: Request) -> Fault | None:
        try:
            await self._models.retrieve_model(RetrieveModelRequest(model=request.model), self._ctx)
        except StackError as error:
            if is_passing(error):
                raise
            return Fault(error.code or "model_not_available", f"body.model: {error.message}", "body.model")
        return None
