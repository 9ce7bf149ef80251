"""Routes that answer with files: bytes that go out as fast as the client takes them."""

from __future__ import annotations

import logging
import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from typing import TypeVar
from urllib.parse import quote

from pydantic import BaseModel

from .context import Context
from .download import Download
from .errors import StackError
from .http_app import Route
from .http_request import Incoming, parameters, validate_merged
from .http_watch import Watch
from .http_wire import Wire
from .provider_data import Format, read_provider_data
from .sse import error_body

R = TypeVar("R", bound=BaseModel)

log = logging.getLogger(__name__)

# What may stand in a quoted string of a header whoever reads it: no quote, no backslash, no `%`, nothing beyond ASCII.
_PLAIN = re.compile(r"[^A-Za-z0-9 !#$&'()+,.;=@^_`{}~-]")

# One part, in digits that no number of bytes has more of.
_SPAN = re.compile(rb"bytes=([0-9]{0,18})-([0-9]{0,18})", re.IGNORECASE)


class NoSuchPart(StackError):
    """416: none of the bytes that were asked for are there."""

    status = 416
    type = "invalid_request_error"

    def __init__(self, size: int) -> None:
        super().__init__(f"the file has {size} bytes, and none of those asked for", code="range_not_satisfiable")


def download(
    path: str,
    model: type[R],
    method: Callable[[R, Context], Awaitable[Download]],
    *,
    provider_data: Mapping[str, Format] | None = None,
    public: bool = False,
) -> Route:
    """Only parameters in, bytes out, or a part of them (Range).

    provider_data: the names that clients may send, where the operation reads them.
    """
    read = parameters(model)

    async def answer(incoming: Incoming) -> _Sending:
        if provider_data is not None:
            incoming.ctx.provider_data = read_provider_data(incoming.headers, provider_data)
        incoming.listen()
        request = validate_merged(model, {**read(incoming.query), **incoming.params})
        # A part is asked for on a condition (If-Range) of which there is nothing to hold it against: it gets all.
        asked = b"" if b"if-range" in incoming.headers else incoming.headers.get(b"range", b"")
        return _Sending(await method(request, incoming.ctx), asked=asked, head=incoming.head)

    return Route("GET", path, answer, public)


class _Sending:
    """A download and how it is sent. asked: what the header Range says of it, b"" for nothing. head: only what stands
    before the bytes is wanted.
    """

    __slots__ = ("_asked", "_download", "_head")

    def __init__(self, answer: Download, *, asked: bytes, head: bool) -> None:
        self._download = answer
        self._asked = asked
        self._head = head

    async def send(self, wire: Wire, watch: Watch) -> None:
        answer = self._download
        span = None if self._head or answer.part is None else span_of(self._asked, answer.size)
        pieces = answer.pieces if span is None or answer.part is None else answer.part(span.start, span.stop)
        try:
            if self._head:
                # Nothing is read: what there is to say is known.
                await wire.begin_bytes(_head(answer, None))
                await wire.end_bytes()
            elif span is not None and not span:
                end = (b"content-range", b"bytes */%d" % span.stop)
                await wire.whole(416, error_body(NoSuchPart(span.stop)), more=(end,))
            else:
                await _pour(wire, answer, pieces, span)
        finally:
            # From here on nobody may cancel: what the bytes come from is being let go of.
            watch.close()
            await pieces.aclose()
            await answer.aclose()


async def _pour(wire: Wire, answer: Download, pieces: AsyncGenerator[bytes, None], span: range | None) -> None:
    """The bytes, as fast as the client takes them."""
    size, sent = answer.size if span is None else len(span), 0
    # Before the head, so that what cannot be read at all is answered as the error that it is.
    piece = await anext(pieces, b"")
    await wire.begin_bytes(_head(answer, span), 200 if span is None else 206)
    while piece:
        await wire.block(piece)
        sent += len(piece)
        piece = await anext(pieces, b"")
    if size not in (None, sent):
        log.error("a download of %s bytes ended after %s", size, sent)
        raise StackError("the file is shorter than it is said to be")
    await wire.end_bytes()


def span_of(asked: bytes, size: int | None) -> range | None:
    """The bytes that a header Range asks for; empty, and ending at the size, where there are none of them (416). None
    where all are to be sent: it asks for nothing, for several parts at once, or for what it alone understands.
    """
    found = _SPAN.fullmatch(asked)
    if found is None or size is None:
        return None
    first, last = (int(each) if each else None for each in found.groups())
    if first is None:
        # The last so many.
        return None if last is None else range(max(0, size - last), size)
    if last is not None and last < first:
        return None
    return range(min(first, size), size if last is None else min(last + 1, size))


def _head(answer: Download, span: range | None) -> tuple[tuple[bytes, bytes], ...]:
    head = [
        (b"content-type", answer.content_type.encode("latin-1", "replace")),
        # A file is whatever somebody uploaded: no browser is to find a page in it.
        (b"x-content-type-options", b"nosniff"),
        (b"content-disposition", disposition(answer.filename).encode()),
        (b"accept-ranges", b"none" if answer.part is None or answer.size is None else b"bytes"),
    ]
    if span is not None:
        head.append((b"content-range", b"bytes %d-%d/%d" % (span.start, span.stop - 1, answer.size or 0)))
    size = answer.size if span is None else len(span)
    if size is not None:
        head.append((b"content-length", str(size).encode()))
    return tuple(head)


def disposition(filename: str) -> str:
    """The header of this name: RFC 6266, with the name as RFC 8187 has it where it is more than plain ASCII."""
    if not filename:
        return "attachment"
    plain = _PLAIN.sub("_", filename)
    exact = "" if plain == filename else f"; filename*=UTF-8''{quote(filename.encode('utf-8', 'replace'), safe='')}"
    return f'attachment; filename="{plain}"{exact}'
