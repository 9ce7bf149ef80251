"""Responses in the background: answered at once as `queued`, made later by any process, kept as others are then.

A job has what was asked, and the response as it was begun. Once that is kept, the job is of no more interest.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from pydantic_core import from_json, to_json

from ...runtime.errors import BadRequest, Conflict, NotFound
from ...runtime.job_table import job_table
from ...runtime.jobs import Job, Jobs, Work, open_jobs
from .asked import Asked, asked_of
from .draft import Draft
from .history import history
from .ids import Ids, is_response_id
from .work import Work as Making

if TYPE_CHECKING:
    from ...runtime.context import Context
    from ...runtime.sql import Sql
    from .desk import Desk

Item = dict[str, Any]
"""JSON."""

TABLE = job_table("stackgen_background_responses")

_STATES = {"scheduled": "queued", "in_progress": "in_progress", "failed": "failed", "cancelled": "cancelled"}
_CANCELLING_SECONDS = 5.0
_LOOK_SECONDS = 0.1


class Background:
    """Those that are not kept yet."""

    def __init__(self, jobs: Jobs, desk: Desk) -> None:
        self._jobs = jobs
        self._desk = desk

    async def add(self, asked: Asked, ctx: Context) -> Item:
        """The response, which is made from now on. Raises BadRequest, NotFound."""
        if not asked.stored:
            message = "a response in the background is read later, and so has to be kept; expected `store` to be true"
            raise BadRequest(message, code="background_needs_store", param="store")
        if any(each.get("authorization") or each.get("headers") for each in asked.said.get("tools", ())):
            message = "credentials of tools are not kept, as a response in the background would need"
            raise BadRequest(message, code="background_credentials", param="tools")
        draft = Draft(asked, told=False)
        # What is named and not there is told now.
        await history(asked, draft.ids, self._desk.store, self._desk.conversations, ctx)
        Making(self._desk, asked, ctx, streamed=False)
        draft.response |= {"status": "queued", "background": True}
        kept = to_json({"said": asked.said, "response": draft.response})
        await self._jobs.add(draft.response["id"], ctx, subject=asked.said["model"], request=kept)
        return draft.response

    async def find(self, response_id: str, ctx: Context) -> Item | None:
        """The response as it is, None where there is none here."""
        job = await self._job(response_id, ctx)
        return None if job is None else _shown(job)

    async def input(self, response_id: str, ctx: Context) -> list[Item] | None:
        """What it answers."""
        if (job := await self._job(response_id, ctx)) is None:
            return None
        asked, response = _read(job)
        past = await history(asked, Ids(response["id"]), self._desk.store, self._desk.conversations, ctx)
        return list(past.own)

    async def cancel(self, response_id: str, ctx: Context) -> Item:
        """The response once it has stopped; as it is where that takes long, and where it has ended. Raises NotFound."""
        with contextlib.suppress(Conflict):
            # Where it has ended meanwhile.
            await self._jobs.cancel(response_id, ctx)
        for _ in range(int(_CANCELLING_SECONDS / _LOOK_SECONDS)):
            job = await self._jobs.find(response_id, ctx)
            if job.state != "in_progress":
                break
            await asyncio.sleep(_LOOK_SECONDS)
        return _shown(job)

    async def remove(self, response_id: str, ctx: Context) -> bool:
        """Whether there was one. Raises Conflict where it is being made."""
        if await self._job(response_id, ctx) is None:
            return False
        await self._jobs.remove(response_id, ctx)
        return True

    async def _job(self, response_id: str, ctx: Context) -> Job | None:
        # A database is asked for nothing that could be no id.
        if not is_response_id(response_id):
            return None
        try:
            return await self._jobs.find(response_id, ctx)
        except NotFound:
            return None


@asynccontextmanager
async def open_background(sql: Sql, desk: Desk, at_once: int) -> AsyncIterator[Background]:
    """at_once: responses that this process makes."""

    async def run(work: Work) -> bytes:
        asked, response = _read(work.job)
        ctx = work.job.context()
        if not await desk.store.has(response["id"], ctx):
            await Making(desk, asked, ctx, streamed=False, begun={**response, "status": "in_progress"}).whole()
        return b""

    async with open_jobs(sql, TABLE, run, name="background responses", at_once=at_once) as jobs:
        yield Background(jobs, desk)


def _read(job: Job) -> tuple[Asked, Item]:
    kept = from_json(job.request)
    return asked_of(kept["said"]), kept["response"]


def _shown(job: Job) -> Item:
    _, response = _read(job)
    response["status"] = _STATES.get(job.state, "in_progress")
    if job.error is not None:
        response["error"] = {"code": "server_error", "message": job.error}
    return response
