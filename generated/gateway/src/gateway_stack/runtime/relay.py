"""An upstream's answer on its way to our client: relayed as bytes, and read once, for usage and to see that it is
what was asked for.

Reading an event costs about a microsecond, so every one is read: a stream of nonsense must not reach a client as a
success.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping
from typing import TypeAlias

from pydantic_core import from_json

from .context import Usage
from .errors import StackError, UpstreamError
from .sse import Splitter, data, event, events
from .upstream import Reply
from .upstream_errors import event_error

# How long the end of a stream may lag behind its `[DONE]` for the connection to be kept.
DRAIN_SECONDS = 0.1

# Of one request. A service that says more, or less than none, does not know.
MOST_TOKENS = 1_000_000_000

Document: TypeAlias = Mapping[str, object]
FindUsage: TypeAlias = Callable[[Document], object]


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


def count_tokens(usage: Usage, said: object) -> None:
    """Takes over what a usage object says, as far as it is one."""
    if isinstance(said, dict):
        prompt, completion = said.get("prompt_tokens"), said.get("completion_tokens")
        if isinstance(prompt, int) and 0 <= prompt <= MOST_TOKENS:
            usage.prompt_tokens = prompt
        if isinstance(completion, int) and 0 <= completion <= MOST_TOKENS:
            usage.completion_tokens = completion


# ── a stream ────────────────────────────────────────────────────────────────────────────────────────────────────────

# Some servers do not name the type of their stream; a page or a JSON object always has one.
_STREAM_TYPES = ("text/event-stream", "application/octet-stream")
_OTHER_FIELDS = (b":", b"event:", b"id:", b"retry:")


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
    blocks = _relay(reply, _Watch(reply, usage, find_usage, wants_usage))
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


async def _relay(reply: Reply, watch: _Watch) -> AsyncGenerator[bytes, None]:
    """First b"", when the first event has come, then the blocks."""
    splitter = Splitter()
    begun = False
    try:
        while not watch.done:
            chunk = await reply.chunk()
            kept, trouble = watch.take(splitter.feed(chunk) if chunk else splitter.finish())
            if kept and not begun:
                begun = True
                yield b""
            if kept:
                yield kept
            if trouble is not None:
                raise trouble
            if not chunk:
                break
        if not begun or not (watch.done or watch.finished):
            raise UpstreamError(f"{reply.host} broke off its stream", code="upstream_stream_broken")
        await reply.drain(DRAIN_SECONDS)
    finally:
        reply.close()


class _Watch:
    """Looks at the events of one stream.

    done: `[DONE]` was seen. finished: a choice has said why it ended, which is the end where a server never sends
    `[DONE]`.
    """

    __slots__ = ("_find_usage", "_reply", "_usage", "_wants_usage", "done", "finished")

    def __init__(self, reply: Reply, usage: Usage, find_usage: FindUsage, wants_usage: bool) -> None:
        self._reply = reply
        self._usage = usage
        self._find_usage = find_usage
        self._wants_usage = wants_usage
        self.done = False
        self.finished = False

    def take(self, block: bytes) -> tuple[bytes, StackError | None]:
        """What of a block is for our client, and the error that follows it, if one does."""
        kept = []
        try:
            for item in events(block):
                plain = item.startswith(b"data: ") and b"\n" not in item
                said = item[6:] if plain else data(item)
                if said is None:
                    self._see_no_data(item)
                elif said.rstrip() == b"[DONE]":
                    self.done = True
                    break
                elif self._is_wanted(said):
                    kept.append(item + b"\n\n" if plain else event(said.replace(b"\n", b" ")))
        except StackError as error:
            return b"".join(kept), error
        return b"".join(kept), None

    def _is_wanted(self, said: bytes) -> bool:
        try:
            document = from_json(said)
        except ValueError:
            raise self._nonsense() from None
        if not isinstance(document, dict):
            raise self._nonsense()
        if document.get("error"):
            raise event_error(self._reply.host, document, self._reply.secrets)
        choices = document.get("choices")
        used = self._find_usage(document)
        if used is not None:
            count_tokens(self._usage, used)
        if not isinstance(choices, list):
            if not isinstance(used, dict):
                raise self._nonsense()
            return self._wants_usage
        for choice in choices:
            if isinstance(choice, dict) and choice.get("finish_reason"):
                self.finished = True
        return bool(choices) or self._wants_usage or not isinstance(used, dict)

    def _see_no_data(self, item: bytes) -> None:
        """Comments keep a connection alive, and a lone `event:` or `id:` says nothing; a page of HTML is another
        matter.
        """
        if not all(line.startswith(_OTHER_FIELDS) for line in item.split(b"\n")):
            raise self._nonsense()

    def _nonsense(self) -> StackError:
        return UpstreamError(
            f"{self._reply.host} sent an event that is no part of an answer", code="upstream_invalid_stream"
        )
