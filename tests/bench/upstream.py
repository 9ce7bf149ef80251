"""The upstream of every measurement: an OpenAI-compatible service that costs almost nothing. `python upstream.py PORT`.

A protocol on uvloop that looks for as little as it must and answers with bytes made beforehand. GET …/models lists its
models; POST …/chat/completions answers with one completion, or, where the request says `"stream": true`, with EVENTS
events: at once for the model `mock`, one every N milliseconds for `mock-paced-N`, N of PACES. `mock-late-N`, N of
LATENESSES, is `mock`, N milliseconds later. Each answer of `mock-own`, and `mock-own-paced-N`, has an id of its own, as
long as those of services are.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import sys
from collections.abc import Mapping, Sequence
from typing import cast

import uvloop

EVENTS = 51
"""Of each stream, `[DONE]` among them."""
PACES, LATENESSES = (5, 30), (60,)

_Json = Mapping[str, object]
_HEAD_END = b"\r\n\r\n"
_LENGTH = b"\r\ncontent-length:"
_STREAM_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
_STREAM_END = b"0\r\n\r\n"


def _answer(body: _Json, status: str = "200 OK") -> bytes:
    content = json.dumps(body).encode()
    return (
        f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n".encode()
        + content
    )


def _completion(id_: str) -> bytes:
    message = {
        "role": "assistant",
        "content": "Waves come in, one by one, and none is ever in a hurry. " * 4,
        "refusal": None,
    }
    return _answer(
        {
            "id": id_,
            "object": "chat.completion",
            "created": 1_750_000_000,
            "model": "mock",
            "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 40, "completion_tokens": 60, "total_tokens": 100},
            "system_fingerprint": "fp_1",
        }
    )


def _events(id_: str) -> list[bytes]:
    """Each an HTTP chunk of its own."""
    last = EVENTS - 2
    events = []
    for number in range(last + 1):
        delta = {"content": f"word {number} "} if number else {"role": "assistant", "content": ""}
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": "stop" if number == last else None}
        event: _Json = {
            "id": id_,
            "object": "chat.completion.chunk",
            "created": 1_750_000_000,
            "model": "mock",
            "system_fingerprint": "fp_1",
            "choices": [choice],
        }
        events.append(_chunk(json.dumps(event).encode()))
    return [*events, _chunk(b"[DONE]")]


def _chunk(data: bytes) -> bytes:
    event = b"data: " + data + b"\n\n"
    return b"%x\r\n%s\r\n" % (len(event), event)


def _models() -> bytes:
    names = ["mock", *(f"mock-paced-{pace}" for pace in PACES), *(f"mock-late-{late}" for late in LATENESSES)]
    names += [
        "mock-own",
        *(f"mock-own-paced-{pace}" for pace in PACES),
        *(f"mock-own-late-{late}" for late in LATENESSES),
    ]
    listed = [{"id": name, "object": "model", "created": 1_750_000_000, "owned_by": "mock"} for name in names]
    return _answer({"object": "list", "data": listed})


MODELS = _models()
ID = "chatcmpl-1"
CHAT, PACED = _completion(ID), _events(ID)
BURST = _STREAM_HEAD + b"".join(PACED) + _STREAM_END
OWN, OWN_ID = b'"mock-own', f"chatcmpl-{0:029}"
OWN_CHAT, OWN_PACED = _completion(OWN_ID), _events(OWN_ID)
OWN_BURST = _STREAM_HEAD + b"".join(OWN_PACED) + _STREAM_END
NUMBERS = itertools.count(1)
NO_ROUTE = _answer({"error": {"message": "there is no such route"}}, "404 Not Found")
NO_LENGTH = _answer({"error": {"message": "the request has no Content-Length"}}, "411 Length Required")


class Upstream(asyncio.Protocol):
    """One connection."""

    def __init__(self) -> None:
        self._buffer = b""
        self._id: bytes | None = None
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's is one in all but its bases.
        self._transport = cast(asyncio.WriteTransport, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(_HEAD_END)) >= 0:
            head = self._buffer[:end].lower()
            start, length = end + len(_HEAD_END), 0
            if (found := head.find(_LENGTH)) >= 0:
                length = int(head[found + len(_LENGTH) :].partition(b"\r")[0])
            elif head.startswith(b"post"):
                self._write(NO_LENGTH)
                return
            if len(self._buffer) < start + length:
                return
            body, self._buffer = self._buffer[start : start + length], self._buffer[start + length :]
            self._reply(head.split(b" ", 2)[1], body)

    def _reply(self, path: bytes, body: bytes) -> None:
        self._id = b"chatcmpl-%029d" % next(NUMBERS) if OWN in body else None
        if path.endswith(b"/models"):
            self._write(MODELS)
        elif not path.endswith(b"/chat/completions"):
            self._write(NO_ROUTE)
        elif b'"stream": true' not in body and b'"stream":true' not in body:
            self._write_later(OWN_CHAT if self._id else CHAT, body)
        elif (pace := _named_seconds(b"paced", PACES, body)) is None:
            self._write_later(OWN_BURST if self._id else BURST, body)
        else:
            # With the head, so that it is never a read of its own.
            self._write(_STREAM_HEAD + (OWN_PACED if self._id else PACED)[0])
            self._go_on(1, asyncio.get_running_loop().time(), pace)

    def _write_later(self, answer: bytes, body: bytes) -> None:
        """At once, if the model's name does not say otherwise."""
        if (late := _named_seconds(b"late", LATENESSES, body)) is None:
            self._write(answer)
        else:
            asyncio.get_running_loop().call_later(late, self._write, answer)

    def _go_on(self, number: int, begun: float, pace: float) -> None:
        """The next event when its time has come, counted from the first, so that delays do not add up."""
        if self._transport is None:
            return
        asyncio.get_running_loop().call_at(begun + number * pace, self._send_paced, number, begun, pace)

    def _send_paced(self, number: int, begun: float, pace: float) -> None:
        if number == EVENTS - 1:
            self._write((OWN_PACED if self._id else PACED)[number] + _STREAM_END)
        else:
            self._write((OWN_PACED if self._id else PACED)[number])
            self._go_on(number + 1, begun, pace)

    def _write(self, data: bytes) -> None:
        if self._id is not None:
            data = data.replace(OWN_ID.encode(), self._id)
        if self._transport is not None:
            self._transport.write(data)


def _named_seconds(kind: bytes, known: Sequence[int], body: bytes) -> float | None:
    """What the model's name says, if it is of that kind."""
    for milliseconds in known:
        if b'-%s-%d"' % (kind, milliseconds) in body:
            return milliseconds / 1000
    return None


async def serve(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(Upstream, "127.0.0.1", port, backlog=1024)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1])))
