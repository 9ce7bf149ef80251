"""A fake of a remote inference service, at the socket: it stands in for services that cannot be had, and for bad luck.

    async with fake_upstream(answers({"choices": []}), refuses(500)) as service:
        … service.url, service.requests

Each request is answered by the next script, the last one again and again. A script writes what it likes to the
connection, so it can also hang, drip, break off or talk nonsense.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from email.utils import formatdate

NOTHING: Mapping[str, str] = {}


@dataclass(frozen=True)
class Seen:
    """A request as it came.

    headers: by lower-case name, repeated ones joined by commas. peer: the client certificate's common name, or "".
    """

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    peer: str = ""

    @property
    def json(self) -> dict[str, object]:
        document = json.loads(self.body)
        assert isinstance(document, dict)
        return document


Script = Callable[[Seen, asyncio.StreamWriter], Awaitable[bool]]
"""Answers one request; says whether the connection is kept."""


@dataclass
class FakeUpstream:
    """A running fake. cut: connections that the client closed while a script was at work. times: of each request."""

    scripts: list[Script]
    url: str = ""
    requests: list[Seen] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    connections: int = 0
    open: int = 0
    most_open: int = 0
    cut: asyncio.Event = field(default_factory=asyncio.Event)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.open += 1
        self.most_open = max(self.most_open, self.open)
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
                while (seen := await _read_request(reader, writer)) is not None:
                    if not await self._answer(seen, reader, writer):
                        break
        finally:
            self.open -= 1
            writer.close()

    async def _answer(self, seen: Seen, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        self.requests.append(seen)
        self.times.append(asyncio.get_running_loop().time())
        script = self.scripts[min(len(self.requests), len(self.scripts)) - 1]
        answering = asyncio.ensure_future(script(seen, writer))
        leaving = asyncio.ensure_future(_until_closed(reader))
        try:
            await asyncio.wait({answering, leaving}, return_when=asyncio.FIRST_COMPLETED)
            if answering.done():
                return answering.result()
            self.cut.set()
            return False
        finally:
            for task in (answering, leaving):
                task.cancel()
            await asyncio.gather(answering, leaving, return_exceptions=True)


async def _until_closed(reader: asyncio.StreamReader) -> None:
    while not reader.at_eof():
        await asyncio.sleep(0.005)


async def _read_request(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Seen | None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.strip().split("\r\n")
    method, path, _ = first.split(" ")
    headers: dict[str, str] = {}
    for name, _, value in (line.partition(":") for line in lines):
        name = name.lower()
        headers[name] = f"{headers[name]}, {value.strip()}" if name in headers else value.strip()
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Seen(method, path, headers, body, _peer(writer))


def _peer(writer: asyncio.StreamWriter) -> str:
    certificate = writer.get_extra_info("peercert") or {}
    names = [value for group in certificate.get("subject", ()) for key, value in group if key == "commonName"]
    return str(names[0]) if names else ""


@asynccontextmanager
async def fake_upstream(*scripts: Script, tls: ssl.SSLContext | None = None) -> AsyncIterator[FakeUpstream]:
    """A fake on a port of its own; its URL ends in /v1."""
    fake = FakeUpstream(list(scripts))
    running: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        running.add(task)
        try:
            with suppress(asyncio.CancelledError):
                await fake.serve(reader, writer)
        finally:
            running.discard(task)

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    port = server.sockets[0].getsockname()[1]
    fake.url = f"{'https' if tls else 'http'}://localhost:{port}/v1" if tls else f"http://127.0.0.1:{port}/v1"
    try:
        yield fake
    finally:
        server.close()
        for task in list(running):
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


# ── whole answers ───────────────────────────────────────────────────────────────────────────────────────────────────


def answers(
    body: object, *, status: int = 200, headers: Mapping[str, str] = NOTHING, content_type: str = "application/json"
) -> Script:
    """A whole answer; body: bytes, or what becomes JSON."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()

    async def script(seen: Seen, writer: asyncio.StreamWriter) -> bool:
        await _write(writer, _head(status, content_type, headers, length=len(data)) + data)
        return True

    return script


def refuses(status: int, message: object = "no", *, headers: Mapping[str, str] = NOTHING) -> Script:
    """An error in OpenAI's shape."""
    error = {"message": message, "type": "some_error", "code": "some_code", "param": None}
    return answers({"error": error}, status=status, headers=headers)


def shows_html(status: int = 200) -> Script:
    return answers(b"<html><body>Bad Gateway</body></html>", status=status, content_type="text/html; charset=utf-8")


def in_seconds(seconds: float) -> str:
    """An HTTP date."""
    return formatdate(time.time() + seconds, usegmt=True)


# ── streams ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def chunk(content: str | None = None, *, finish: str | None = None, **more: object) -> dict[str, object]:
    """One chat completion chunk."""
    delta = {} if content is None else {"content": content}
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice], **more}


def usage_chunk(prompt: int = 3, completion: int = 2) -> dict[str, object]:
    used = {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}
    return {**chunk(), "choices": [], "usage": used}


def event_of(document: object) -> bytes:
    return b"data: " + json.dumps(document, separators=(",", ":")).encode() + b"\n\n"


STORY = (chunk("one"), chunk(" two"), chunk(finish="stop"), usage_chunk())
DONE = b"data: [DONE]\n\n"


def streams(
    *events: object,
    done: bool = True,
    pause: float = 0.0,
    pieces: Callable[[bytes], Iterable[bytes]] | None = None,
    ending: str = "end",
    content_type: str = "text/event-stream",
) -> Script:
    """A stream of events: bytes as they are, anything else as JSON.

    pause: seconds between writes. pieces: cuts the whole stream into the writes, instead of one per event.
    ending: "end" as it should, "break" without the end of the body, "nonsense" with what is no chunk, "hang" never.
    """
    frames = [item if isinstance(item, bytes) else event_of(item) for item in events] + ([DONE] if done else [])
    writes = frames if pieces is None else list(pieces(b"".join(frames)))

    async def script(seen: Seen, writer: asyncio.StreamWriter) -> bool:
        await _write(writer, _head(200, content_type, {}, length=None))
        for data in writes:
            await _write(writer, b"%x\r\n%b\r\n" % (len(data), data))
            await asyncio.sleep(pause)
        if ending == "nonsense":
            await _write(writer, b"zz\r\n")
        if ending in ("hang", "nonsense"):
            await asyncio.Event().wait()
        if ending == "end":
            await _write(writer, b"0\r\n\r\n")
        return ending == "end"

    return script


# ── bad luck ────────────────────────────────────────────────────────────────────────────────────────────────────────


async def hangs(seen: Seen, writer: asyncio.StreamWriter) -> bool:
    """Never answers."""
    await asyncio.Event().wait()
    return False


async def drops(seen: Seen, writer: asyncio.StreamWriter) -> bool:
    """Closes the connection without an answer."""
    return False


async def breaks_off(seen: Seen, writer: asyncio.StreamWriter) -> bool:
    """Closes the connection in the middle of a whole answer."""
    await _write(writer, _head(200, "application/json", {}, length=1000) + b'{"choices": [')
    return False


async def talks_nonsense(seen: Seen, writer: asyncio.StreamWriter) -> bool:
    """Answers what is no HTTP."""
    await _write(writer, b"SSH-2.0-OpenSSH_9.6\r\n\r\n")
    return False


def waits(seconds: float, then: Script) -> Script:
    async def script(seen: Seen, writer: asyncio.StreamWriter) -> bool:
        await asyncio.sleep(seconds)
        return await then(seen, writer)

    return script


async def _write(writer: asyncio.StreamWriter, data: bytes) -> None:
    writer.write(data)
    await writer.drain()


def _head(status: int, content_type: str, headers: Mapping[str, str], *, length: int | None) -> bytes:
    size = "Transfer-Encoding: chunked" if length is None else f"Content-Length: {length}"
    lines = [f"HTTP/1.1 {status} X", f"Content-Type: {content_type}", size, *(f"{k}: {v}" for k, v in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode()
