"""Routes that answer with files: bytes that go out as fast as the client takes them."""

from __future__ import annotations

import logging
import re
from collections.abc import Awaitable, Callable, Mapping
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

R = TypeVar("R", bound=BaseModel)

log = logging.getLogger(__name__)

# What may stand in a quoted string of a header whoever reads it: no quote, no backslash, no `%`, nothing beyond ASCII.
_PLAIN = re.compile(r"[^A-Za-z0-9 !#$&'()+,.;=@^_`{}~-]")


def download(
    path: str,
    model: type[R],
    method: Callable[[R, Context], Awaitable[Download]],
    *,
    provider_data: Mapping[str, Format] | None = None,
    public: bool = False,
) -> Route:
    """Only parameters in, bytes out. provider_data: the names that clients may send, where the operation reads them."""
    read = parameters(model)

    async def answer(incoming: Incoming) -> _Sending:
        if provider_data is not None:
            incoming.ctx.provider_data = read_provider_data(incoming.headers, provider_data)
        incoming.listen()
        request = validate_merged(model, {**read(incoming.query), **incoming.params})
        return _Sending(await method(request, incoming.ctx))

    return Route("GET", path, answer, public)


class _Sending:
    """A download and how it is sent."""

    __slots__ = ("_download",)

    def __init__(self, answer: Download) -> None:
        self._download = answer

    async def send(self, wire: Wire, watch: Watch) -> None:
        answer, sent = self._download, 0
        try:
            # Before the head, so that what cannot be read at all is answered as the error that it is.
            piece = await anext(answer.pieces, b"")
            await wire.begin_bytes(_head(answer))
            while piece:
                await wire.block(piece)
                sent += len(piece)
                piece = await anext(answer.pieces, b"")
            if answer.size not in (None, sent):
                log.error("a download of %s bytes ended after %s", answer.size, sent)
                raise StackError("the file is shorter than it is said to be")
            await wire.end_bytes()
        finally:
            # From here on nobody may cancel: what the bytes come from is being let go of.
            watch.close()
            await answer.aclose()


def _head(answer: Download) -> tuple[tuple[bytes, bytes], ...]:
    head = [
        (b"content-type", answer.content_type.encode("latin-1", "replace")),
        # A file is whatever somebody uploaded: no browser is to find a page in it.
        (b"x-content-type-options", b"nosniff"),
        (b"content-disposition", disposition(answer.filename).encode()),
    ]
    if answer.size is not None:
        head.append((b"content-length", str(answer.size).encode()))
    return tuple(head)


def disposition(filename: str) -> str:
    """The header of this name: RFC 6266, with the name as RFC 8187 has it where it is more than plain ASCII."""
    if not filename:
        return "attachment"
    plain = _PLAIN.sub("_", filename)
    exact = "" if plain == filename else f"; filename*=UTF-8''{quote(filename.encode('utf-8', 'replace'), safe='')}"
    return f'attachment; filename="{plain}"{exact}'
