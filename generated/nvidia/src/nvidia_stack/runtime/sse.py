"""Server-sent events as bytes: cutting an upstream's stream into whole events, and writing our own.

    splitter = Splitter()
    for chunk in upstream:
        block = splitter.feed(chunk)    # the events that are complete by now, LF only, ready to relay; b"" if none is
    rest = splitter.finish()            # an event that its stream never ended, b"" if none

A block may hold several events that arrived together; `events(block)` takes them apart and `data(event)` gives what one
says.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from .errors import StackError, UpstreamError

DONE = b"data: [DONE]\n\n"
MAX_EVENT_BYTES = 16 * 1024 * 1024


class Splitter:
    """Takes a stream in any chunking, gives blocks of whole events.

    Lines may end in LF, CRLF or CR; blocks use LF. Comments (`: keep-alive`) pass through as the events they stand in.
    limit: bytes of one unfinished event, beyond which the stream is nonsense. between: nothing of an event has come yet
    that was not given out, so that a chunk which is known to hold whole events need not be fed.
    """

    __slots__ = ("_after_cr", "_limit", "_rest", "_seen", "between")

    def __init__(self, limit: int = MAX_EVENT_BYTES) -> None:
        self._limit = limit
        self._rest = bytearray()
        self._seen = 0
        self._after_cr = False
        self.between = True

    def feed(self, chunk: bytes) -> bytes:
        """All events that are complete with this chunk, as one block; b"" if none is.

        Raises UpstreamError over the limit.
        """
        chunk = self._with_lf(chunk)
        self.between = not self._rest and not self._after_cr and chunk.endswith(b"\n\n")
        if self.between:
            return chunk.lstrip(b"\n")
        self._rest += chunk
        # An end can lie on the border of what was searched before.
        end = self._rest.rfind(b"\n\n", max(self._seen - 1, 0))
        if end < 0:
            self._seen = len(self._rest)
            if self._seen > self._limit:
                raise UpstreamError("the upstream sent an event without an end", code="upstream_invalid_stream")
            return b""
        block = bytes(self._rest[: end + 2])
        del self._rest[: end + 2]
        self._seen = len(self._rest)
        return block.lstrip(b"\n")

    def finish(self) -> bytes:
        """What is left when the stream has ended: an event without its blank line, b"" if there is none."""
        rest = bytes(self._rest).strip(b"\n")
        self._rest.clear()
        return rest

    def _with_lf(self, chunk: bytes) -> bytes:
        """The chunk with every line end as LF. A CR at its end counts at once; a LF that follows it does not."""
        if self._after_cr and chunk:
            self._after_cr = False
            if chunk[0] == 0x0A:
                chunk = chunk[1:]
        if b"\r" not in chunk:
            return chunk
        self._after_cr = chunk.endswith(b"\r")
        return chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")


def events(block: bytes) -> Iterator[bytes]:
    """The events of a block, without their blank lines."""
    return (event for part in block.split(b"\n\n") if (event := part.strip(b"\n")))


def data(event: bytes) -> bytes | None:
    """What an event's `data:` lines say, joined by LF; None for an event without one, such as a comment."""
    lines = [line[5:].removeprefix(b" ") for line in event.split(b"\n") if line.startswith(b"data:")]
    return b"\n".join(lines) if lines else None


def event(data: bytes) -> bytes:
    """One event; data: JSON on one line."""
    return b"data: " + data + b"\n\n"


def error_event(error: StackError) -> bytes:
    """The event that says why a stream ends early."""
    return event(error_body(error))


def error_body(error: StackError) -> bytes:
    """OpenAI's error object, as an answer's body and as a stream's last event."""
    about = {"message": error.message, "type": error.type, "param": error.param, "code": error.code}
    return json.dumps({"error": about}).encode()
