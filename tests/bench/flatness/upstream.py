"""A service that costs next to nothing: `python upstream.py PORT`.

    GET  /models-10000/v1/models             a list of so many models: m0, m1, …
    POST /models-10/v1/chat/completions      one small chat completion, or, for a request with "stream":true, as many
                                             events as its max_tokens says: at once, or, where it has a seed, each
                                             when it is this stream's turn

What it wants to know of a request stands in the first bytes of its body, so that a large one costs it nothing either.
"""

from __future__ import annotations

import asyncio
import collections
import json
import re
import sys
from typing import cast

import uvloop

_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_LISTED = re.compile(rb"GET /models-(\d+)/")
_EVENTS = re.compile(rb'"max_tokens":(\d+)')
_HEAD = 4096


def _whole(content: bytes) -> bytes:
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
    return head.encode() + content


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


def _event(delta: dict[str, str], finish: str | None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    document = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}
    return b"data: " + json.dumps(document).encode() + b"\n\n"


_MESSAGE = {"role": "assistant", "content": "Paris is the capital of France. " * 8}
_CHAT = _whole(
    json.dumps(
        {
            "id": "c1",
            "object": "chat.completion",
            "created": 1,
            "model": "m",
            "choices": [{"index": 0, "message": _MESSAGE, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 12, "completion_tokens": 56, "total_tokens": 68},
        }
    ).encode()
)
_STREAM = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
_EVENT = _chunk(_event({"content": " Paris"}, None))
_LAST = _chunk(_event({}, "stop") + b"data: [DONE]\n\n") + b"0\r\n\r\n"


def _models(count: int) -> bytes:
    entries = [{"id": f"m{n}", "object": "model", "created": 1, "owned_by": "us"} for n in range(count)]
    return _whole(json.dumps({"object": "list", "data": entries}).encode())


Band = collections.deque[tuple[asyncio.Transport, int]]
"""Streams that take turns, each with the events that it still is to get."""

PER_BEAT = 16
BEAT_SECONDS = 0.016


class Service(asyncio.Protocol):
    """One connection."""

    def __init__(self, band: Band) -> None:
        self._band = band
        self._head = b""
        self._left = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        if self._left:
            self._left -= len(data)
            if len(self._head) < _HEAD:
                self._head += data
        else:
            self._head += data
            end = self._head.find(b"\r\n\r\n")
            if end < 0:
                return
            length = _LENGTH.search(self._head, 0, end)
            self._left = (int(length[1]) if length else 0) - (len(self._head) - end - 4)
        if not self._left:
            head, self._head = self._head, b""
            self._answer(head)

    def _answer(self, head: bytes) -> None:
        if listed := _LISTED.match(head):
            self._transport.write(_models(int(listed[1])))
        elif b'"stream":true' in head:
            asked = _EVENTS.search(head)
            events = int(asked[1]) if asked else 1
            self._transport.write(_STREAM)
            if b'"seed"' in head:
                self._band.append((self._transport, events))
            else:
                self._transport.write(_EVENT * events + _LAST)
        else:
            self._transport.write(_CHAT)


async def play(band: Band) -> None:
    """A thousand events a second, sixteen at a time, each to the stream whose turn it is: what a server between has to
    do is the same however many there are.
    """
    while True:
        await asyncio.sleep(BEAT_SECONDS)
        for _ in range(min(PER_BEAT, len(band))):
            transport, left = band.popleft()
            if transport.is_closing():
                continue
            transport.write(_EVENT if left else _LAST)
            if left:
                band.append((transport, left - 1))


async def main(port: int) -> None:
    band: Band = collections.deque()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Service(band), "127.0.0.1", port, backlog=4096)
    await asyncio.gather(server.serve_forever(), play(band))


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1])))
