"""uvicorn's HTTP over a socket, with bounds on what comes before a request's body.

uvicorn lets a client send headers without an end, and take for ever to send them: connections and memory that nobody
gets back. Streams go past its messages: see `Line`.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from http import HTTPStatus

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from .errors import BadRequest, StackError
from .http_line import EXTENSION
from .http_request import SILENCE_SECONDS
from .sse import error_body

LARGEST_HEAD = 256 * 1024
"""Bytes of a request's first line and headers. A provider-data header alone may take some tens of thousands."""


_UPGRADE = re.compile(rb"\r\nupgrade:", re.IGNORECASE)


class HttpProtocol(HttpToolsProtocol):
    """One connection."""

    _in_head = False
    _head_bytes = 0
    _patience: asyncio.TimerHandle | None = None
    # Of the request that is answered; those that arrived with it wait for their turn.
    watched: Line | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        self._wait_for_head()

    def data_received(self, data: bytes) -> None:
        was_in_head = self._in_head
        if b"pgrade:" in data and (self.cycle is None or not self.cycle.more_body):
            # Nothing is upgraded here, as is a server's right; but the parser would leave out the request's body, and
            # Java's own client offers HTTP/2 with each of its requests.
            data = _UPGRADE.sub(b"\r\nIgnored:", data, count=1)
        super().data_received(data)
        if not self._in_head or self.transport.is_closing():
            return
        # A head's first piece is not counted: most of it may be the end of the request before.
        self._head_bytes += len(data) if was_in_head else 0
        if self._head_bytes > LARGEST_HEAD:
            self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, f"the headers are over {LARGEST_HEAD} bytes")
        elif self._patience is None:
            self._wait_for_head()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_head = True
        self._head_bytes = 0

    def on_headers_complete(self) -> None:
        self._in_head = False
        self._wait_no_longer()
        super().on_headers_complete()
        # The application has not been called yet.
        self.scope["extensions"] = {EXTENSION: {"line": Line(self, self.cycle)}}

    def connection_lost(self, exc: Exception | None) -> None:
        self._wait_no_longer()
        super().connection_lost(exc)
        if self.watched is not None:
            self.watched.lose()

    def send_400_response(self, msg: str) -> None:
        """What uvicorn answers to bytes that are no HTTP, in the shape that clients know."""
        self._refuse(HTTPStatus.BAD_REQUEST, "this is not HTTP/1.1")

    def _wait_for_head(self) -> None:
        self._patience = self.loop.call_later(SILENCE_SECONDS, self._out_of_patience)

    def _wait_no_longer(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _out_of_patience(self) -> None:
        if self._in_head:
            self._refuse(HTTPStatus.REQUEST_TIMEOUT, f"the headers did not come within {SILENCE_SECONDS:g} s")
        else:
            self.transport.close()

    def _refuse(self, status: HTTPStatus, message: str) -> None:
        """Answers, unless another answer is on its way, and hangs up."""
        cycle = self.cycle
        if cycle is None or cycle.response_complete or not (cycle.response_started or self.pipeline):
            self.transport.write(_answer(status, BadRequest(message)))
        self.transport.close()


class Line:
    """As `http_line.Line`. A block is written where it is put: a message of ASGI, with its coroutine and its checks of
    what cannot have changed, is a seventh of relaying an event.
    """

    __slots__ = ("_cycle", "_lost", "_protocol")

    def __init__(self, protocol: HttpProtocol, cycle: RequestResponseCycle) -> None:
        self._protocol = protocol
        self._cycle = cycle
        self._lost: Callable[[], None] | None = None

    def has_more(self) -> bool:
        return self._cycle.more_body

    def put(self, block: bytes) -> asyncio.Future[None] | None:
        cycle = self._cycle
        # What is not sent in chunks has no body at all, as the answer to HEAD; and an empty chunk would be the last.
        if block and cycle.chunked_encoding and not cycle.disconnected:
            cycle.transport.write(b"%x\r\n%b\r\n" % (len(block), block))
            if cycle.flow.write_paused:
                return asyncio.ensure_future(cycle.flow.drain())
        return None

    def watch(self, lost: Callable[[], None] | None) -> None:
        self._lost = lost
        self._protocol.watched = self if lost is not None else None
        if lost is not None and self._cycle.disconnected:
            self._protocol.loop.call_soon(self.lose)

    def lose(self) -> None:
        # uvicorn tells the last request of those that wait, which need not be this one.
        self._cycle.disconnected = True
        if self._lost is not None:
            self._lost()


def _answer(status: HTTPStatus, error: StackError) -> bytes:
    body = error_body(error)
    head = (
        f"HTTP/1.1 {status.value} {status.phrase}\r\ncontent-type: application/json\r\n"
        f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
    )
    return head.encode() + body
