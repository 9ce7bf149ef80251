"""A client that asks over connections it keeps."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_WORDS = "What is the capital of France, and which river runs through it? Name three of its bridges. "
_END = b"0\r\n\r\n"


def chat(model: str, *, letters: int = 40, events: int = 0, slow: bool = False, path: str = "") -> bytes:
    """A request. letters: of its message. events: of the stream it asks for, 0 for none; slow: in turns with others."""
    said: dict[str, object] = {"model": model}
    if events:
        said |= {"stream": True, "max_tokens": events, **({"seed": 1} if slow else {})}
    said["messages"] = [{"role": "user", "content": (_WORDS * (letters // len(_WORDS) + 1))[:letters]}]
    body = json.dumps(said, separators=(",", ":")).encode()
    head = f"POST {path}/v1/chat/completions HTTP/1.1\r\nHost: us\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


class Connection(asyncio.Protocol):
    """One; asks one thing at a time. events: how many it has seen."""

    def __init__(self) -> None:
        self.events = 0
        self._got = bytearray()
        self._waiting: asyncio.Future[None] | None = None
        self._whole = -1

    async def ask(self, request: bytes) -> None:
        """Until the answer is there. Raises AssertionError where it is not 200, ConnectionError."""
        self._got.clear()
        self._whole = -1
        self._waiting = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        await self._waiting

    def close(self) -> None:
        self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(ConnectionError("the server closed a connection"))

    def data_received(self, data: bytes) -> None:
        self._got += data
        self.events += data.count(b"data: ")
        if self._whole < 0:
            end = self._got.find(b"\r\n\r\n")
            if end < 0:
                return
            length = _LENGTH.search(self._got, 0, end)
            self._whole = end + 4 + int(length[1]) if length else 0
        if self._waiting is None or self._waiting.done():
            return
        if len(self._got) >= self._whole if self._whole else self._got.endswith(_END):
            good = self._got.startswith(b"HTTP/1.1 200") and b'"error"' not in self._got
            if good:
                self._waiting.set_result(None)
            else:
                self._waiting.set_exception(AssertionError(bytes(self._got[:500]).decode(errors="replace")))


async def connect(port: int) -> Connection:
    return (await asyncio.get_running_loop().create_connection(Connection, "127.0.0.1", port))[1]


async def connect_all(port: int, count: int) -> list[Connection]:
    return [await connect(port) for _ in range(count)]


@dataclass(frozen=True, slots=True)
class Asked:
    """requests: how many were answered. seconds: of each. events: of all their streams."""

    requests: int
    seconds: Sequence[float]
    events: int


async def ask_all(connections: Sequence[Connection], requests: Sequence[bytes], count: int) -> Asked:
    """`count` requests, each taken in turn, as fast as they are answered."""
    numbers = iter(range(count))
    seconds: list[float] = []
    before = sum(each.events for each in connections)

    async def work(connection: Connection) -> None:
        for number in numbers:
            begun = time.perf_counter()
            await connection.ask(requests[number % len(requests)])
            seconds.append(time.perf_counter() - begun)

    async with asyncio.TaskGroup() as group:
        for connection in connections:
            group.create_task(work(connection))
    return Asked(len(seconds), seconds, sum(each.events for each in connections) - before)
