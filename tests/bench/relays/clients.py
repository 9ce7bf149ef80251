"""HTTP clients for one POST to one URL, each used as its documentation says, with connections kept and unbounded."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any

HEADERS = {"authorization": "Bearer none", "content-type": "application/json"}


@dataclass(frozen=True, slots=True)
class Answer:
    """streams: whether it is a stream of events. read: all of it; pieces: as they come."""

    streams: bool
    read: Callable[[], Awaitable[bytes]]
    pieces: Callable[[], AsyncIterator[bytes]]


Ask = Callable[[bytes], AbstractAsyncContextManager[Answer]]
Open = Callable[[str], AbstractAsyncContextManager[Ask]]


@asynccontextmanager
async def aiohttp(url: str) -> AsyncIterator[Ask]:
    import aiohttp

    @asynccontextmanager
    async def ask(body: bytes) -> AsyncIterator[Answer]:
        async with session.post(url, data=body, headers=HEADERS) as answer:
            yield Answer(answer.content_type == "text/event-stream", answer.read, answer.content.iter_any)

    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector, auto_decompress=False) as session:
        yield ask


def httpx(url: str) -> AbstractAsyncContextManager[Ask]:
    import httpx

    return _httpx_or_2(httpx, url)


def httpx2(url: str) -> AbstractAsyncContextManager[Ask]:
    import httpx2

    return _httpx_or_2(httpx2, url)


@asynccontextmanager
async def _httpx_or_2(library: Any, url: str) -> AsyncIterator[Ask]:
    @asynccontextmanager
    async def ask(body: bytes) -> AsyncIterator[Answer]:
        async with client.stream("POST", url, content=body, headers=HEADERS) as answer:
            yield Answer(answer.headers["content-type"] == "text/event-stream", answer.aread, answer.aiter_raw)

    limits = library.Limits(max_connections=None, max_keepalive_connections=None)
    async with library.AsyncClient(timeout=60, limits=limits) as client:
        yield ask


@asynccontextmanager
async def pyreqwest(url: str) -> AsyncIterator[Ask]:
    from pyreqwest.client import ClientBuilder
    from pyreqwest.response import Response

    @asynccontextmanager
    async def ask(body: bytes) -> AsyncIterator[Answer]:
        asking = client.post(url).headers(HEADERS).body_bytes(body)
        if b'"stream": true' in body:
            # It would wait for 64 KiB, or for the end, before it gave anything.
            asking = asking.streamed_read_buffer_limit(0)
        async with asking.build_streamed() as answer:

            async def read() -> bytes:
                return bytes(await answer.bytes())

            yield Answer(answer.get_header("content-type") == "text/event-stream", read, lambda: pieces(answer))

    async def pieces(answer: Response) -> AsyncIterator[bytes]:
        while (piece := await answer.body_reader.read_chunk()) is not None:
            yield bytes(piece)

    async with ClientBuilder().build() as client:
        yield ask


@asynccontextmanager
async def wreq(url: str) -> AsyncIterator[Ask]:
    import wreq

    @asynccontextmanager
    async def ask(body: bytes) -> AsyncIterator[Answer]:
        async with await client.post(url, body=body, headers=HEADERS) as answer:

            async def read() -> bytes:
                return bytes(await answer.bytes())

            yield Answer(answer.headers.get("content-type") == b"text/event-stream", read, lambda: pieces(answer))

    async def pieces(answer: wreq.Response) -> AsyncIterator[bytes]:
        async for piece in answer.stream():
            yield bytes(piece)

    async with wreq.Client() as client:
        yield ask


@asynccontextmanager
async def niquests(url: str) -> AsyncIterator[Ask]:
    import niquests

    @asynccontextmanager
    async def ask(body: bytes) -> AsyncIterator[Answer]:
        answer = await session.post(url, data=body, headers=HEADERS, stream=True)
        try:

            async def pieces() -> AsyncIterator[bytes]:
                # -1: what has come.
                async for piece in await answer.iter_raw(-1):
                    yield piece

            async def read() -> bytes:
                return await answer.content or b""

            yield Answer(answer.headers["content-type"] == "text/event-stream", read, pieces)
        finally:
            await answer.close()

    async with niquests.AsyncSession(pool_connections=1, pool_maxsize=1000) as session:
        yield ask


CLIENTS: Mapping[str, Open] = {
    "aiohttp": aiohttp,
    "httpx": httpx,
    "httpx2": httpx2,
    "pyreqwest": pyreqwest,
    "wreq": wreq,
    "niquests": niquests,
}
