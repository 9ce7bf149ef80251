"""The transport of the protocol's first revision: one stream of events for all answers, and a URL to POST messages to,
which the first event names.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from ....runtime.errors import StackError, UpstreamError
from ....runtime.sse import Splitter, data, events
from ....runtime.upstream import Call, Upstream
from ....runtime.upstream_reply import Reply
from .credentials import Credential
from .endpoints import same_place
from .protocol import Json, SessionLost, field, is_answer, read, reply_to

log = logging.getLogger(__name__)

SILENCE = 24 * 3600.0
"""Seconds that the stream may be silent: a server need not say anything while it is asked nothing, and an idle session
is closed long before.
"""


class OldSse:
    """One session over it. Made by `open_old_sse`."""

    def __init__(self, upstream: Upstream, url: str, host: str, credential: Credential, reply: Reply) -> None:
        loop = asyncio.get_running_loop()
        self._upstream = upstream
        self._url = url
        self._host = host
        self._credential = credential
        self._reply = reply
        self._target: asyncio.Future[str] = loop.create_future()
        self._waiting: dict[int, asyncio.Future[Json]] = {}
        self._answering: set[asyncio.Task[None]] = set()
        self._reader = asyncio.create_task(self._read())
        self.version: str | None = None
        self.alive = True

    async def hello(self, message: bytes, number: int) -> Json:
        """The answer to `initialize`."""
        await asyncio.shield(self._target)
        return await self.ask(message, number)

    async def ask(self, message: bytes, number: int) -> Json:
        """The answer to a request. Raises SessionLost where it was not sent, StackError."""
        if not self.alive:
            raise SessionLost
        answer: asyncio.Future[Json] = asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        try:
            await self.tell(message)
            return await answer
        finally:
            self._waiting.pop(number, None)
            answer.cancel()

    async def tell(self, message: bytes) -> None:
        target = await asyncio.shield(self._target)
        headers = {"Content-Type": "application/json", **self._credential.revealed()}
        reply = await self._upstream.open(
            Call("POST", target, message, headers, secrets=self._credential.secrets(), retries=0)
        )
        reply.close()

    async def close(self) -> None:
        self.alive = False
        for each in (self._reader, *self._answering):
            each.cancel()
        await asyncio.gather(self._reader, *self._answering, return_exceptions=True)
        self._reply.close()

    async def _read(self) -> None:
        """Takes events until the stream ends, which ends the session."""
        error: StackError = UpstreamError(f"{self._host} closed its stream of events")
        splitter = Splitter()
        try:
            while chunk := await self._reply.chunk():
                for event in events(splitter.feed(chunk)):
                    self._take(event)
        except StackError as cause:
            error = cause
        finally:
            self.alive = False
            self._reply.close()
            for each in self._waiting.values():
                if not each.done():
                    each.set_exception(error)
            if not self._target.done():
                self._target.set_exception(error)
            # Nobody may wait for it, and that is no fault.
            if not self._target.cancelled():
                self._target.exception()

    def _take(self, event: bytes) -> None:
        said = data(event)
        if said is None:
            return
        if field(event, b"event") == "endpoint":
            if not self._target.done():
                self._target.set_result(same_place(self._url, said.decode("utf-8", "replace").strip(), self._host))
            return
        for message in read(said, self._host):
            number = message.get("id")
            if isinstance(number, int) and number in self._waiting and is_answer(message, number):
                if not self._waiting[number].done():
                    self._waiting[number].set_result(message)
            elif (answer := reply_to(message)) is not None:
                task = asyncio.create_task(self._reply_with(answer))
                self._answering.add(task)
                task.add_done_callback(self._answering.discard)

    async def _reply_with(self, answer: bytes) -> None:
        try:
            await self.tell(answer)
        except StackError as error:
            log.debug("%s was not answered: %s", self._host, error.message)


@asynccontextmanager
async def opening_old_sse(upstream: Upstream, url: str, host: str, credential: Credential) -> AsyncIterator[OldSse]:
    """A session whose stream is open; closed again where the block fails."""
    headers = {"Accept": "text/event-stream", **credential.revealed()}
    reply = await upstream.open(
        Call("GET", url, None, headers, secrets=credential.secrets(), retries=0, patience=SILENCE)
    )
    if reply.content_type != "text/event-stream":
        reply.close()
        raise UpstreamError(f"{host} answered no stream of events", code="upstream_invalid_answer")
    session = OldSse(upstream, url, host, credential, reply)
    try:
        yield session
    except BaseException:
        await session.close()
        raise
