"""An answer on its way from an upstream: waited for piece by piece, or told of as it comes."""

from __future__ import annotations

import asyncio
import functools
import ssl
from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus

import aiohttp
from aiohttp.abc import AbstractResolver
from aiohttp.client_proto import ResponseHandler

from .errors import UpstreamError
from .secret import Secret
from .upstream_errors import failure

# An answer is held in memory whole. The largest that there is reason for, a few thousand embeddings of 4096 numbers
# each, is half of this; one without an end must not take the server down.
LARGEST_ANSWER = 512 * 1024 * 1024

BROKEN = (aiohttp.ClientError, TimeoutError)
"""How the end of a connection, or of patience with it, shows."""


class Connection(ResponseHandler):
    """The client's, which tells a listener that something has come, once the client has taken it in.

    Who waits for it instead costs a future, a turn of the loop and a walk through coroutines for each piece.
    """

    listener: Callable[[], None] | None = None

    def data_received(self, data: bytes) -> None:
        # The end of an answer gives the connection back, and ends listening.
        listener = self.listener
        super().data_received(data)
        if listener is not None:
            listener()

    def connection_lost(self, exc: BaseException | None) -> None:
        listener, payload = self.listener, self._payload
        super().connection_lost(exc)
        if payload is not None and payload.exception() is None and not payload.is_eof():
            # The client closes a connection that speaks nonsense in mid-answer, and tells nobody.
            payload.set_exception(aiohttp.ClientPayloadError())
        if listener is not None:
            listener()

    def resume_reading(self, resume_parser: bool = True) -> None:
        # The client says so after each piece that is read; it costs a third of reading one.
        if self._reading_paused:
            super().resume_reading(resume_parser)


class Connector(aiohttp.TCPConnector):
    """The client's pool, of such connections. limit: how many at once. keepalive: seconds. tls: True for the usual.
    resolver: None for the usual.
    """

    def __init__(
        self, *, limit: int, keepalive: float, tls: ssl.SSLContext | bool, resolver: AbstractResolver | None = None
    ) -> None:
        super().__init__(limit=limit, keepalive_timeout=keepalive, ssl=tls, resolver=resolver)
        self._factory = functools.partial(_connection, loop=self._loop)


def _connection(loop: asyncio.AbstractEventLoop) -> ResponseHandler:
    return Connection(loop)


class Reply:
    """An answer of status 2xx, or one that was expected, whose body is still to be read; whoever holds it closes it.

    Either by `read` and `chunk`, or by `take`, which gives what has come by now (b"" for nothing, and raises one of
    BROKEN), told by `listen` when to. Whoever listens sets `silence.since` while it waits.

    patience: seconds of silence. deadline: the loop's time by which all must have come. whole: the end has come; what
    was not taken yet still can be.
    """

    __slots__ = ("_connection", "_response", "host", "secrets", "silence", "take", "whole")

    def __init__(
        self,
        response: aiohttp.ClientResponse,
        patience: float,
        deadline: float | None,
        host: str,
        secrets: tuple[Secret | str, ...],
    ) -> None:
        self._response = response
        self.take = response.content.read_nowait
        self.host = host
        self.secrets = secrets
        self.whole = False
        protocol = response.connection.protocol if response.connection is not None else None
        # There is none any more once the body has come, as that of a short answer does with its head.
        self._connection = protocol if isinstance(protocol, Connection) else None
        self.silence = Silence(response.content, self._connection, patience, deadline)
        response.content.on_eof(self._end)

    @property
    def is_part(self) -> bool:
        """Whether it is what a header Range asked for (206), and not all there is."""
        return self._response.status == HTTPStatus.PARTIAL_CONTENT

    @property
    def status(self) -> int:
        return self._response.status

    def header(self, name: str) -> str | None:
        """The first header of this name, in any case."""
        return self._response.headers.get(name)

    @property
    def content_type(self) -> str:
        """Without parameters, in lower case; "application/octet-stream" if the upstream did not say."""
        return self._response.content_type.lower()

    async def read(self) -> bytes:
        """All of it. Raises StackError, also where it is larger than LARGEST_ANSWER."""
        pieces: list[bytes] = []
        size = 0
        while piece := await self.chunk():
            pieces.append(piece)
            size += len(piece)
            if size > LARGEST_ANSWER:
                raise UpstreamError(
                    f"{self.host} answered more than {LARGEST_ANSWER} bytes", code="upstream_invalid_answer"
                )
        return b"".join(pieces)

    async def chunk(self) -> bytes:
        """What has come by now, waiting for at least a byte; b"" at the end. Raises StackError."""
        self.silence.since = asyncio.get_running_loop().time()
        try:
            return await self._response.content.readany()
        except BROKEN as error:
            raise failure(self.host, error) from None
        finally:
            self.silence.since = None

    def listen(self, listener: Callable[[], None] | None) -> None:
        """Calls it whenever something may have come: bytes, the end, or what has broken the answer off."""
        if self._connection is not None:
            self._connection.listener = listener

    async def drain(self, seconds: float) -> None:
        """Waits a moment for the end of a body of which all that matters has come, so that its connection can be
        kept.
        """
        self.listen(None)
        with suppress(*BROKEN):
            async with asyncio.timeout(seconds):
                while not self.whole:
                    await self._response.content.readany()

    def close(self) -> None:
        """Cuts the connection, which tells the upstream to stop; a body read to its end has given its connection back
        already.
        """
        self.silence.end()
        self.listen(None)
        self._response.close()

    def _end(self) -> None:
        self.whole = True
        self.silence.end()
        # The connection may be another's from here on.
        self.listen(None)
        self._connection = None


class Silence:
    """Ends an answer that its reader has waited for too long. One timer serves all its pieces: one set anew for each is
    a tenth of what it costs to relay a piece.

    since: the loop's time at which the reader began to wait, None while it does not.
    """

    __slots__ = ("_connection", "_content", "_deadline", "_loop", "_patience", "_timer", "since")

    def __init__(
        self, content: aiohttp.StreamReader, connection: Connection | None, patience: float, deadline: float | None
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._content = content
        self._connection = connection
        self._patience = patience
        self._deadline = deadline
        self._timer: asyncio.TimerHandle | None = None
        self.since: float | None = None
        if connection is not None:
            self._timer = self._loop.call_later(self._left(), self._look)
            connection.read_timeout = None

    def end(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _left(self) -> float:
        now = self._loop.time()
        left = self._patience if self.since is None else self.since + self._patience - now
        return left if self._deadline is None else min(left, self._deadline - now)

    def _look(self) -> None:
        if (left := self._left()) > 0:
            self._timer = self._loop.call_later(left, self._look)
            return
        self._content.set_exception(aiohttp.SocketTimeoutError("Timeout on reading data from socket"))
        if self._connection is not None and self._connection.listener is not None:
            self._connection.listener()
