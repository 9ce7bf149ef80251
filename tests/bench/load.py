"""Clients in a closed loop: each asks again when its answer has ended. `python load.py PORT MODEL CONNECTIONS …`.

A protocol on uvloop, as it shares a processor with the upstream and must not be what is measured. It prints one JSON
object, a `Load`; what came wrong (a status, a cut stream, a wrong number of events) ends it with exit code 1.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
import time
from dataclasses import asdict, dataclass
from typing import cast

import uvloop
from upstream import EVENTS

GIVE_UP_SECONDS = 60.0
_HEAD_END = b"\r\n\r\n"
_LENGTH = b"\r\ncontent-length:"
_LAST_CHUNK = b"\r\n0\r\n\r\n"
_EVENT_END = b"\n\n"


@dataclass(frozen=True, slots=True)
class Load:
    """What was done: answers that ended, events in them, and the median milliseconds to a stream's first event."""

    requests: int
    events: int
    first_chunk_ms: float


def request(port: int, model: str, *, stream: bool, store: bool = False) -> bytes:
    """A chat completion of ordinary size, as it goes over the wire. store: whether it asks to be kept."""
    question = "Tell me in one plain sentence what the sea does all day, and why. " * 3
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": question}]
    asked = {"model": model, "messages": messages, "temperature": 0.5, "max_tokens": 100, "stream": stream}
    body = json.dumps({**asked, "store": True} if store else asked).encode()
    head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


class Wrong(Exception):
    """The server did not answer as it should."""


class Clients:
    """All connections together: what they send, until when, and what they got."""

    def __init__(self, request: bytes, *, seconds: float | None, requests: int | None) -> None:
        self.request = request
        self.ended = self.events = 0
        self.first_chunks: list[float] = []
        self.finished: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._until = time.perf_counter() + seconds if seconds is not None else None
        self._left = requests
        self._open = 0

    def may_ask(self) -> bool:
        """True while another request is to be sent; it then counts as sent."""
        if self._until is not None and time.perf_counter() >= self._until:
            return False
        if self._left is not None:
            self._left -= 1
            return self._left >= 0
        return True

    def joined(self) -> None:
        self._open += 1

    def left(self) -> None:
        self._open -= 1
        if not self._open and not self.finished.done():
            self.finished.set_result(None)

    def fail(self, what: str) -> None:
        if not self.finished.done():
            self.finished.set_exception(Wrong(what))

    def load(self) -> Load:
        first = statistics.median(self.first_chunks) * 1000 if self.first_chunks else 0.0
        return Load(self.ended, self.events, first)


class Client(asyncio.Protocol):
    """One connection."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's is one in all but its bases.
        self._transport = cast(asyncio.WriteTransport, transport)
        self._clients.joined()
        self._ask()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._asking:
            self._clients.fail("the server closed a connection before its answer had ended")
        self._clients.left()

    def _ask(self) -> None:
        self._asking = self._clients.may_ask()
        if not self._asking:
            self._transport.close()
            return
        self._head: bytes | None = b""
        self._missing: int | None = None
        self._tail, self._events = b"", 0
        self._asked = time.perf_counter()
        self._transport.write(self._clients.request)

    def data_received(self, data: bytes) -> None:
        if self._head is not None:
            self._head += data
            head, end, data = self._head.partition(_HEAD_END)
            if not end:
                return
            self._head = None
            self._begin(head)
        if self._missing is not None:
            self._missing -= len(data)
            if self._missing <= 0:
                self._end()
        elif data:
            self._stream(data)

    def _begin(self, head: bytes) -> None:
        if not head.startswith(b"HTTP/1.1 200 "):
            self._clients.fail(head.partition(b"\r\n")[0].decode("latin-1"))
        _, found, rest = head.lower().partition(_LENGTH)
        if found:
            self._missing = int(rest.partition(b"\r")[0])

    def _stream(self, data: bytes) -> None:
        """Count the ends of events; the last byte before this read may be the first half of one."""
        text = self._tail + data
        found = text.count(_EVENT_END) - self._tail.count(_EVENT_END)
        if found and not self._events:
            self._clients.first_chunks.append(time.perf_counter() - self._asked)
        self._events += found
        self._tail = text[-len(_LAST_CHUNK) :]
        if self._tail == _LAST_CHUNK:
            if self._events != EVENTS:
                self._clients.fail(f"a stream had {self._events} events in place of {EVENTS}")
            self._end()

    def _end(self) -> None:
        self._clients.ended += 1
        self._clients.events += self._events
        self._ask()


async def run(sent: bytes, port: int, connections: int, *, seconds: float | None, requests: int | None) -> Load:
    """Let that many clients ask for these seconds, or until that many requests have been answered."""
    loop = asyncio.get_running_loop()
    clients = Clients(sent, seconds=seconds, requests=requests)
    for _ in range(connections):
        await loop.create_connection(lambda: Client(clients), "127.0.0.1", port)
    await asyncio.wait_for(clients.finished, (seconds or 0.0) + GIVE_UP_SECONDS)
    return clients.load()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("port", type=int)
    parser.add_argument("model")
    parser.add_argument("connections", type=int)
    parser.add_argument("--stream", action="store_true")
    parser.add_argument("--store", action="store_true")
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--requests", type=int)
    given = parser.parse_args()
    sent = request(given.port, given.model, stream=given.stream, store=given.store)
    work = run(sent, given.port, given.connections, seconds=given.seconds, requests=given.requests)
    try:
        sys.stdout.write(json.dumps(asdict(uvloop.run(work))) + "\n")
    except (Wrong, OSError) as error:
        sys.stderr.write(f"{error or type(error).__name__}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
