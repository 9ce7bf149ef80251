"""What goes out: whole answers, errors and event streams, as ASGI messages."""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import Awaitable

from .errors import ClientTimeout, StackError
from .http_line import Line
from .http_request import Send
from .sse import DONE, error_body, error_event

CLIENT_LEFT = 499
_JSON = b"application/json"
_LAST_WORDS_SECONDS = 1.0


class Wire:
    """The answer to one request.

    status: for the accounts: what was sent, 0 before anything was; 499 for a client that left, and the error's for a
    stream that broke, though that began with 200. put: takes the events of a stream that has begun, as `reply.Put`.
    last: what ends a stream of events.
    """

    __slots__ = ("_ended", "_of_bytes", "_send", "last", "put", "request_id", "status")

    def __init__(self, send: Send, line: Line, request_id: str) -> None:
        self._send = send
        self.put = line.put
        self._ended = False
        self._of_bytes = False
        self.last = DONE
        self.request_id = request_id
        self.status = 0

    async def whole(
        self, status: int, body: bytes, content_type: bytes = _JSON, more: tuple[tuple[bytes, bytes], ...] = ()
    ) -> None:
        """One answer, all of it."""
        length = str(len(body)).encode()
        await self._start(status, ((b"content-type", content_type), (b"content-length", length), *more))
        self._ended = True
        await self._send({"type": "http.response.body", "body": body})

    async def allowed(self, verbs: str) -> None:
        """The answer to OPTIONS."""
        await self.nothing((b"allow", verbs.encode()))

    async def nothing(self, *headers: tuple[bytes, bytes]) -> None:
        """An answer without content."""
        await self._start(204, headers)
        self._ended = True
        await self._send({"type": "http.response.body", "body": b""})

    async def begin_stream(self) -> None:
        """The head of a stream, which its first event brings along."""
        await self._start(
            200,
            (
                (b"content-type", b"text/event-stream; charset=utf-8"),
                (b"cache-control", b"no-cache"),
                # Without this, nginx gathers events before it passes them on.
                (b"x-accel-buffering", b"no"),
            ),
        )

    async def begin_bytes(self, head: tuple[tuple[bytes, bytes], ...], status: int = 200) -> None:
        """The head of bytes that follow as blocks."""
        self._of_bytes = True
        await self._start(status, head)

    async def end_bytes(self) -> None:
        """The end of such bytes."""
        await self._end(b"")

    def block(self, piece: bytes) -> Awaitable[None]:
        """Some of those bytes, to be waited for: the client's connection can take more then."""
        return self._send({"type": "http.response.body", "body": piece, "more_body": True})

    async def done(self) -> None:
        """The end of a stream."""
        if not self.status:
            await self.begin_stream()
        await self._end(self.last)

    async def error(self, error: StackError, *, allow: str = "") -> None:
        """The error as an answer, or in a stream that has begun as its last event; nothing where all has been said."""
        if self._ended:
            return
        if self.status:
            self.status = error.status
            if self._of_bytes:
                # Nothing can be said among bytes: left without its end, the answer takes its connection with it.
                self._ended = True
            else:
                await self._end(error_event(error) + self.last)
            return
        more: list[tuple[bytes, bytes]] = []
        if error.retry_after is not None:
            more.append((b"retry-after", str(max(0, math.ceil(error.retry_after))).encode()))
        if allow:
            more.append((b"allow", allow.encode()))
        if isinstance(error, ClientTimeout):
            # What may still come is the rest of this request, and no new one.
            more.append((b"connection", b"close"))
        await self.whole(error.status, error_body(error), _JSON, tuple(more))

    async def last_words(self, error: StackError) -> None:
        """As `error`, and given up on a client that does not read."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LAST_WORDS_SECONDS):
                await self.error(error)

    def left(self) -> None:
        """The client is gone: nothing more will be sent."""
        self._ended = True
        self.status = CLIENT_LEFT

    async def _end(self, body: bytes) -> None:
        self._ended = True
        await self._send({"type": "http.response.body", "body": body})

    async def _start(self, status: int, headers: tuple[tuple[bytes, bytes], ...]) -> None:
        self.status = status
        all_headers = [*headers, (b"x-request-id", self.request_id.encode())]
        await self._send({"type": "http.response.start", "status": status, "headers": all_headers})
