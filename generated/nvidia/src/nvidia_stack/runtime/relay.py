"""An upstream's answer on its way to our client: relayed as bytes, and read once, for usage and to see that it is
what was asked for.

Every event is known before it is passed on (`event_watch`): a stream of nonsense must not reach a client as a success.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

from pydantic_core import from_json

from .context import Usage
from .errors import StackError, UpstreamError
from .event_watch import EventWatch, FindUsage, count_tokens
from .sse import Splitter
from .upstream import BROKEN, Reply
from .upstream_errors import event_error, failure

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


async def open_events(
    reply: Reply, *, usage: Usage, find_usage: FindUsage, wants_usage: bool
) -> AsyncGenerator[bytes, None]:
    """The events of an answer as blocks of whole events without `[DONE]`, once the first of them is there.

    wants_usage: whether our client asked for the event that holds nothing but usage. Takes over the reply: closing
    the generator cuts it. Raises StackError, here or while iterating, where the upstream reports an error, breaks
    off, or talks nonsense.
    """
    if reply.content_type not in _STREAM_TYPES:
        raise await _no_stream(reply)
    blocks = _relay(reply, EventWatch(reply.host, reply.secrets, usage, find_usage, wants_usage=wants_usage))
    # A generator that never ran does not run its `finally` when closed; from here on it does.
    await anext(blocks)
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


async def _relay(reply: Reply, watch: EventWatch) -> AsyncGenerator[bytes, None]:
    """First b"", when the first event has come, then the blocks."""
    receive, silence, now = reply.receive, reply.silence, asyncio.get_running_loop().time
    splitter = Splitter()
    begun = False
    try:
        while not watch.done:
            silence.since = now()
            chunk = await receive()
            silence.since = None
            if splitter.between and watch.knows(chunk):
                kept = chunk
            else:
                kept = watch.take(splitter.feed(chunk) if chunk else splitter.finish())
            if kept:
                if not begun:
                    begun = True
                    yield b""
                yield kept
            if watch.trouble is not None:
                raise watch.trouble
            if not chunk:
                break
        if not begun or not (watch.done or watch.finished):
            raise UpstreamError(f"{reply.host} broke off its stream", code="upstream_stream_broken")
        await reply.drain(DRAIN_SECONDS)
    except BROKEN as error:
        raise failure(reply.host, error) from None
    finally:
        reply.close()
