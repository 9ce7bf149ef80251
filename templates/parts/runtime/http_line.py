"""What a request has of its client's connection beside ASGI's messages, which are dear for what happens often."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

from .http_request import Receive, Scope, Send

EXTENSION = "stackgen.line"
"""Its name among the extensions of a scope."""


class Line(Protocol):
    """The connection, as one request sees it."""

    def has_more(self) -> bool:
        """Whether more of the request is still to come."""

    def put(self, block: bytes) -> asyncio.Future[None] | None:
        """Sends a piece of a body without an announced length, as `reply.Put` has it."""

    def watch(self, lost: Callable[[], None] | None) -> None:
        """What to call, once, when the client has gone; None: nothing any more."""


def line_of(scope: Scope, receive: Receive, send: Send) -> Line:
    """The server's own where it offers one, as ours does (`http_protocol`), else one of messages."""
    extension = scope.get("extensions", {}).get(EXTENSION)
    if extension is None:
        return Messages(receive, send)
    line: Line = extension["line"]
    return line


class Messages:
    """A line over ASGI's messages, under a server or a framework that knows no other."""

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send
        self._waiting: asyncio.Task[None] | None = None

    def has_more(self) -> bool:
        return True

    def put(self, block: bytes) -> asyncio.Future[None]:
        sending: Awaitable[None] = self._send({"type": "http.response.body", "body": block, "more_body": True})
        return asyncio.ensure_future(sending)

    def watch(self, lost: Callable[[], None] | None) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
        self._waiting = None if lost is None else asyncio.ensure_future(self._wait(lost))

    async def _wait(self, lost: Callable[[], None]) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        lost()
