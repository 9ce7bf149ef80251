"""An upstream's answer on its way to our client: relayed as bytes, and read once, for usage and to see that it is
what was asked for.

Every event is known before it is passed on (`event_watch`): a stream of nonsense must not reach a client as a success.
"""

from __future__ import annotations

import asyncio
import logging

from pydantic_core import from_json

from .context import Usage
from .errors import StackError, UpstreamError
from .event_watch import EventWatch, FindUsage, count_tokens
from .reply import Put
from .sse import Splitter
from .upstream_errors import event_error, failure
from .upstream_reply import BROKEN, Reply

log = logging.getLogger(__name__)

# How long the end of a stream may lag behind its `[DONE]` for the connection to be kept.
DRAIN_SECONDS = 0.1


# ── one whole answer ────────────────────────────────────────────────────────────────────────────────────────────────


def read_json(host: str, body: bytes) -> object:
    """The JSON of an answer. Raises UpstreamError where it is none."""
    try:
        return from_json(body)
    except ValueError:
        what = "a stream of events though none was asked for" if body.startswith(b"data:") else "what is no JSON"
        raise UpstreamError(f"{host} answered {what}", code="upstream_invalid_answer") from None


async def read_answer(reply: Reply, *, holds: str, usage: Usage, find_usage: FindUsage) -> bytes:
    """The bytes of an answer that is an object with the list `holds`, accounted for. Closes the reply. Raises
    StackError.
    """
    try:
        body = await reply.read()
    finally:
        reply.close()
    document = read_json(reply.host, body)
    if isinstance(document, dict):
        if isinstance(document.get(holds), list):
            count_tokens(usage, find_usage(document))
            return body
        if document.get("error"):
            raise event_error(reply.host, document, reply.secrets)
    raise UpstreamError(f"{reply.host} answered JSON without a list of {holds!r}", code="upstream_invalid_answer")


# ── a stream ────────────────────────────────────────────────────────────────────────────────────────────────────────

# Some servers do not name the type of their stream; a page or a JSON object always has one.
_STREAM_TYPES = ("text/event-stream", "application/octet-stream")


async def open_events(reply: Reply, *, usage: Usage, find_usage: FindUsage, wants_usage: bool) -> Relayed:
    """The events of an answer as blocks of whole events without `[DONE]`, once the first of them is there.

    wants_usage: whether our client asked for the event that holds nothing but usage. Takes over the reply: closing the
    blocks cuts it. Raises StackError, here or while relaying, where the upstream reports an error, breaks off, or talks
    nonsense.
    """
    if reply.content_type not in _STREAM_TYPES:
        raise await _no_stream(reply)
    blocks = Relayed(reply, EventWatch(reply.host, reply.secrets, usage, find_usage, wants_usage=wants_usage))
    await blocks.begin()
    return blocks


async def _no_stream(reply: Reply) -> StackError:
    try:
        document = read_json(reply.host, await reply.read())
    except StackError as error:
        return error
    finally:
        reply.close()
    if isinstance(document, dict) and document.get("error"):
        return event_error(reply.host, document, reply.secrets)
    return UpstreamError(
        f"{reply.host} answered a stream request with one whole answer", code="upstream_invalid_stream"
    )


class Relayed:
    """The `Blocks` of an upstream's answer.

    Poured, no coroutine runs between two of them: what has come is looked at and put out where the connection to the
    upstream tells of it.
    """

    __slots__ = (
        "_busy",
        "_closed",
        "_ended",
        "_first",
        "_full",
        "_loop",
        "_put",
        "_reply",
        "_splitter",
        "_trouble",
        "_wake",
        "_watch",
    )

    def __init__(self, reply: Reply, watch: EventWatch) -> None:
        self._reply = reply
        self._watch = watch
        self._splitter = Splitter()
        self._loop = asyncio.get_running_loop()
        self._first = b""
        self._put: Put | None = None
        self._full: asyncio.Future[None] | None = None
        self._wake: asyncio.Future[None] | None = None
        self._busy = self._ended = self._closed = False
        self._trouble: Exception | None = None
        reply.listen(self._hear)

    async def begin(self) -> None:
        """Waits for the first block, and keeps it. Raises StackError where there is none."""
        self._first = await anext(self, b"")
        if not self._first:
            raise self._broken_off()

    # ── waited for ──────────────────────────────────────────────────────────────────────────────────────────────────

    def __aiter__(self) -> Relayed:
        return self

    async def __anext__(self) -> bytes:
        block, self._first = self._first, b""
        if block:
            return block
        if self._closed:
            raise StopAsyncIteration
        try:
            while not self._ended:
                if block := self._take():
                    return block
                if not (self._ended or self._reply.whole):
                    self._reply.silence.since = self._loop.time()
                    await self._woken()
                    self._reply.silence.since = None
            await self._finish()
        except BaseException:
            self._close()
            raise
        self._close()
        raise StopAsyncIteration

    async def aclose(self) -> None:
        self._close()

    # ── poured ──────────────────────────────────────────────────────────────────────────────────────────────────────

    async def pour(self, put: Put) -> None:
        """As `Blocks` has it."""
        try:
            self._put = put
            if self._first:
                self._give(put, self._first)
                self._first = b""
            self._hear()
            while not self._ended:
                await self._woken()
            await self._finish()
        finally:
            self._close()

    def _hear(self) -> None:
        """Something may have come."""
        put = self._put
        if put is None:
            self._rouse()
        elif self._busy:
            # Taking what has come lets more come, after a client was slow; it is not to overtake.
            self._loop.call_soon(self._hear)
        elif self._full is None and not self._ended:
            self._busy = True
            try:
                self._reply.silence.since = self._loop.time()
                while True:
                    if block := self._take():
                        self._give(put, block)
                    if self._ended or self._full is not None or not self._reply.whole:
                        break
            except Exception as error:
                # Nobody waits here to whom it could be raised; whoever waits for the end gets it.
                log.debug("relaying from %s ended", self._reply.host, exc_info=True)
                self._end(error)
            finally:
                self._busy = False

    def _give(self, put: Put, block: bytes) -> None:
        self._full = put(block)
        if self._full is not None:
            # What comes meanwhile stays where it is, until the upstream is not read any more.
            self._reply.silence.since = None
            self._full.add_done_callback(self._go_on)

    def _go_on(self, full: asyncio.Future[None]) -> None:
        self._full = None
        self._hear()

    # ── both ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def _take(self) -> bytes:
        """What has come for our client since it was last asked; b"" if nothing has, or where the stream has ended."""
        reply, watch = self._reply, self._watch
        try:
            chunk = reply.take()
            if self._splitter.between and watch.knows(chunk):
                return chunk
            if not (chunk or reply.whole):
                return b""
            kept = watch.take(self._splitter.feed(chunk) if chunk else self._splitter.finish())
        except BROKEN as error:
            self._end(failure(reply.host, error))
            return b""
        except StackError as error:
            self._end(error)
            return b""
        if watch.trouble is not None or watch.done:
            self._end(watch.trouble)
        elif not chunk:
            self._end(None if watch.finished else self._broken_off())
        return kept

    def _end(self, trouble: Exception | None) -> None:
        self._ended = True
        self._trouble = trouble
        self._rouse()

    async def _finish(self) -> None:
        """The end, after the last block."""
        if self._trouble is not None:
            raise self._trouble
        await self._reply.drain(DRAIN_SECONDS)

    async def _woken(self) -> None:
        self._wake = self._loop.create_future()
        try:
            await self._wake
        finally:
            self._wake = None

    def _rouse(self) -> None:
        if self._wake is not None and not self._wake.done():
            self._wake.set_result(None)

    def _close(self) -> None:
        self._closed = True
        self._first = b""
        self._put = None
        if self._full is not None:
            self._full.remove_done_callback(self._go_on)
            self._full.cancel()
            self._full = None
        self._reply.close()

    def _broken_off(self) -> StackError:
        return UpstreamError(f"{self._reply.host} broke off its stream", code="upstream_stream_broken")
