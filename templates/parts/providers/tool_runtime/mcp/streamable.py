"""The transport that every server has today: each message is a POST, whose answer is JSON or a stream of events.

It holds no connection while nothing is asked.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

from ....runtime.errors import StackError, UpstreamError
from ....runtime.sse import Splitter, data, events
from ....runtime.upstream import Call, Upstream
from ....runtime.upstream_reply import Reply
from .credentials import Credential
from .endpoints import same_place
from .protocol import Json, SessionLost, field, is_answer, read, reply_to

LARGEST_ANSWER = 32 * 1024 * 1024
"""Bytes of one answer with all that comes before it."""

REDIRECTS = frozenset({307, 308})
"""Those that repeat a POST as it was: servers send from /mcp to /mcp/."""

MOST_REDIRECTS = 3
MOST_RESUMPTIONS = 20
CLOSE_SECONDS = 2.0


class NotStreamable(Exception):
    """What is at this URL does not take messages by POST; it may speak the older transport."""


class Streamable:
    """One session over it. version: as the server has chosen, None before."""

    alive = True

    def __init__(self, upstream: Upstream, url: str, host: str, credential: Credential) -> None:
        self._upstream = upstream
        self._url = url
        self._host = host
        self._credential = credential
        self._session: str | None = None
        self.version: str | None = None

    async def hello(self, message: bytes, number: int) -> Json:
        """The answer to `initialize`. Raises NotStreamable, StackError."""
        reply = await self._post(message, frozenset({400, 404, 405}))
        try:
            if reply.status >= 400:
                body = await _whole(reply)
                with suppress(StackError):
                    if reply.status == 400 and (found := _answer_in(body, number, self._host)) is not None:
                        return found
                raise NotStreamable(f"POST: {reply.status}")
            self._session = reply.header("Mcp-Session-Id")
            return await self._answer(reply, number)
        finally:
            reply.close()

    async def ask(self, message: bytes, number: int) -> Json:
        """The answer to a request. Raises SessionLost, StackError."""
        reply = await self._post(message, frozenset({400, 404}) if self._session else frozenset())
        try:
            if reply.status >= 400:
                body = await _whole(reply)
                with suppress(StackError):
                    if (found := _answer_in(body, number, self._host)) is not None:
                        return found
                raise SessionLost
            return await self._answer(reply, number)
        finally:
            reply.close()

    async def tell(self, message: bytes) -> None:
        """Sends what has no answer. Raises StackError."""
        reply = await self._post(message)
        reply.close()

    async def close(self) -> None:
        self.alive = False
        if self._session is None:
            return
        # Servers need not know how to end a session; those that do not are left to forget it.
        with suppress(StackError):
            reply = await self._upstream.open(self._call("DELETE", None, patience=CLOSE_SECONDS))
            reply.close()

    async def _post(self, message: bytes, expected: frozenset[int] = frozenset()) -> Reply:
        for _ in range(MOST_REDIRECTS):
            reply = await self._upstream.open(self._call("POST", message, expected=expected | REDIRECTS))
            if reply.status not in REDIRECTS:
                return reply
            reply.close()
            self._url = same_place(self._url, reply.header("Location"), self._host)
        raise UpstreamError(f"{self._host} redirects in a circle")

    def _call(
        self,
        method: str,
        body: bytes | None,
        *,
        patience: float | None = None,
        last_event: str | None = None,
        expected: frozenset[int] = frozenset(),
    ) -> Call:
        headers = {"Accept": "application/json, text/event-stream", **self._credential.revealed()}
        if body is not None:
            headers["Content-Type"] = "application/json"
        if self._session is not None:
            headers["Mcp-Session-Id"] = self._session
        if self.version is not None:
            headers["Mcp-Protocol-Version"] = self.version
        if last_event is not None:
            headers["Last-Event-ID"] = last_event
        secrets = self._credential.secrets()
        # A tool may have run though its answer is lost, so nothing is sent twice.
        return Call(method, self._url, body, headers, secrets=secrets, retries=0, patience=patience, expected=expected)

    async def _answer(self, reply: Reply, number: int) -> Json:
        """What an answer of status 2xx says to the request of that number."""
        if reply.content_type == "text/event-stream":
            return await self._streamed(reply, number)
        found = _answer_in(await _whole(reply), number, self._host)
        if found is None:
            raise self._no_answer()
        return found

    async def _streamed(self, reply: Reply, number: int) -> Json:
        """A server may end a stream before it has answered, and have the rest fetched after the last event."""
        size = 0
        for _ in range(MOST_RESUMPTIONS):
            last, wait = None, 1.0
            try:
                async for event in _events(reply):
                    size += len(event)
                    if size > LARGEST_ANSWER:
                        raise self._too_large()
                    last = field(event, b"id") or last
                    wait = _seconds(field(event, b"retry"), wait)
                    said = data(event)
                    for message in read(said, self._host) if said else ():
                        if is_answer(message, number):
                            return message
                        if (answer := reply_to(message)) is not None:
                            await self.tell(answer)
            finally:
                reply.close()
            if last is None:
                break
            await asyncio.sleep(wait)
            reply = await self._upstream.open(self._call("GET", None, last_event=last))
        raise self._no_answer()

    def _no_answer(self) -> UpstreamError:
        return UpstreamError(f"{self._host} did not answer the request", code="upstream_invalid_answer")

    def _too_large(self) -> UpstreamError:
        message = f"{self._host} answered more than {LARGEST_ANSWER} bytes"
        return UpstreamError(message, code="upstream_invalid_answer")


def _answer_in(body: bytes, number: int, host: str) -> Json | None:
    return next((each for each in read(body, host) if is_answer(each, number)), None)


def _seconds(said: str | None, otherwise: float) -> float:
    """`retry:` is milliseconds; at most half a minute is waited."""
    return min(int(said) / 1000, 30.0) if said is not None and said.isdecimal() and len(said) < 10 else otherwise


async def _events(reply: Reply) -> AsyncIterator[bytes]:
    splitter = Splitter()
    while chunk := await reply.chunk():
        for event in events(splitter.feed(chunk)):
            yield event
    if rest := splitter.finish():
        yield rest


async def _whole(reply: Reply) -> bytes:
    body = bytearray()
    while chunk := await reply.chunk():
        body += chunk
        if len(body) > LARGEST_ANSWER:
            message = f"{reply.host} answered more than {LARGEST_ANSWER} bytes"
            raise UpstreamError(message, code="upstream_invalid_answer")
    return bytes(body)
