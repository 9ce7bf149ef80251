"""Bytes on a connection that are no proper request, or that never become one."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket

import pytest
from http_calls import Provider
from parts.runtime import http_protocol, http_watch
from parts.runtime.http_protocol import LARGEST_HEAD
from test_serving import request, serving

BODY = json.dumps({"model": "m", "messages": [{"role": "user", "content": "x"}]}).encode()
HEAD = b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
LENGTH = b"content-length: %d\r\n" % len(BODY)
CHUNKS = b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY)
GET = b"GET /openapi.json HTTP/1.1\r\nhost: x\r\n\r\n"


async def say(port: int, data: bytes) -> bytes:
    """What the server answers before it hangs up."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(data)
    try:
        return await asyncio.wait_for(reader.read(), 5)
    finally:
        writer.close()


def status_of(answer: bytes) -> int:
    head, _, body = answer.partition(b"\r\n\r\n")
    assert sorted(json.loads(body)["error"]) == ["code", "message", "param", "type"]
    assert b"connection: close" in head
    return int(head.split()[1])


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(HEAD + LENGTH + b"transfer-encoding: chunked\r\n\r\n" + CHUNKS, id="two lengths of a body"),
        pytest.param(HEAD + LENGTH + b"content-length: 3\r\n\r\n" + BODY, id="length twice"),
        pytest.param(HEAD + b"transfer-encoding: chunked\r\n\r\nzz\r\n", id="chunk without a size"),
        pytest.param(b"GET /\xff HTTP/1.1\r\nhost: x\r\n\r\n", id="path that is no ASCII"),
        pytest.param(b"GET / HTTP/1.1\r\nhost: x\r\nx-request-id: a\rb\r\n\r\n", id="line break in a header"),
        pytest.param(b"\x16\x03\x01\x02\x00\x01\x00", id="TLS"),
    ],
)
async def test_what_is_no_proper_http_is_refused_in_the_usual_shape(
    data: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    provider = Provider()
    async with serving(provider) as (port, _):
        assert status_of(await say(port, data)) == 400
    assert not provider.seen


async def test_an_offer_of_http2_is_ignored() -> None:
    provider = Provider()
    offer = b"connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nhttp2-settings: AA\r\n"
    async with serving(provider) as (port, _):
        last = b"GET /openapi.json HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
        answer = await say(port, HEAD + offer + LENGTH + b"\r\n" + BODY + last)
    assert answer.count(b"HTTP/1.1 200") == 2
    assert provider.seen[0][1].body == BODY


@pytest.mark.parametrize("data", [b"GET / HTTP/1.1\r\nhost: x\r\nx: ", b"GET /"])
async def test_headers_without_an_end_are_refused(data: bytes) -> None:
    async with serving(Provider()) as (port, _):
        client = socket.create_connection(("127.0.0.1", port))
        client.setblocking(False)
        loop = asyncio.get_running_loop()
        sent = 0
        with client, contextlib.suppress(ConnectionError):
            await loop.sock_sendall(client, data)
            while sent < 100 * LARGEST_HEAD:
                await loop.sock_sendall(client, b"a" * 65536)
                sent += 65536
        assert sent < 50 * LARGEST_HEAD, "what fits into the buffers between us, and not what is read"


async def test_large_headers_are_served() -> None:
    async with serving(Provider()) as (port, _):
        large = b"x-y: " + b"a" * 100_000 + b"\r\nconnection: close\r\n"
        assert (await say(port, HEAD + large + LENGTH + b"\r\n" + BODY)).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(
    ("data", "status"),
    [
        pytest.param(b"", None, id="nothing"),
        pytest.param(GET[:-2], 408, id="half the headers"),
        pytest.param(HEAD + LENGTH + b"\r\n", 408, id="no body"),
        pytest.param(HEAD + LENGTH + b"\r\n" + BODY[:9], 408, id="half a body"),
        pytest.param(HEAD + b"transfer-encoding: chunked\r\n\r\n5\r\n{", 408, id="half a chunk"),
    ],
)
async def test_a_client_that_does_not_go_on_is_hung_up_on(
    data: bytes, status: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_protocol, "SILENCE_SECONDS", 0.1)
    monkeypatch.setattr(http_watch, "SILENCE_SECONDS", 0.1)
    async with serving(Provider()) as (port, _):
        answer = await say(port, data)
        assert (status_of(answer) if answer else None) == status


async def test_a_body_that_comes_slowly_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_protocol, "SILENCE_SECONDS", 0.1)
    monkeypatch.setattr(http_watch, "SILENCE_SECONDS", 0.1)
    async with serving(Provider()) as (port, _):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for piece in (HEAD + LENGTH + b"\r\n", BODY[:9], BODY[9:20], BODY[20:]):
            writer.write(piece)
            await asyncio.sleep(0.06)
        assert (await reader.readline()).startswith(b"HTTP/1.1 200")
        # And an idle connection is kept, between requests as before.
        await asyncio.sleep(0.15)
        writer.write(GET)
        await reader.readuntil(b"HTTP/1.1 200")
        writer.close()


async def test_half_a_request_behind_a_stream_does_not_spoil_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_protocol, "SILENCE_SECONDS", 0.1)
    async with serving(Provider()) as (port, _):
        answer = await say(port, request("/v1/chat/completions", "endless") + GET[:-2])
        assert answer.count(b"HTTP/1.1") == 1


async def test_requests_that_arrive_together_are_answered_in_turn() -> None:
    provider = Provider()
    async with serving(provider) as (port, _):
        last = HEAD + LENGTH + b"connection: close\r\n\r\n" + BODY
        answer = await say(port, GET + HEAD + LENGTH + b"\r\n" + BODY + request("/v1/chat/completions", "m") + last)
    assert answer.count(b"HTTP/1.1 200") == 4
    assert answer.count(b"data: [DONE]") == 1
    assert len(provider.seen) == 3
