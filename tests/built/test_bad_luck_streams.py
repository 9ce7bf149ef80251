"""Streams that go wrong on either side, after they have begun: the status is sent, so the stream itself must tell."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import openai
import pytest
from upstreams import STORY, Script, Seen, answers, chunk, event_of, streams

from .fronts import (
    MODEL,
    PATIENT_MODEL,
    TALK,
    Front,
    answer_of,
    becomes_true,
    chat_body,
    connect,
    datas,
    holdings,
    request_of,
    stream_text,
)

pytestmark = pytest.mark.slow

MEBIBYTE = 1024 * 1024


@pytest.fixture(autouse=True)
def _goes_on(gateway: Front) -> Iterator[None]:
    yield
    assert gateway.is_well()


BROKEN: dict[str, Script] = {
    "broken-off": streams(*STORY[:2], done=False, ending="break"),
    "ended-before-its-end": streams(*STORY[:2], done=False),
    "broken-within-an-event": streams(STORY[0], b'data: {"id": "c1", "cho', done=False, ending="break"),
    "nonsense": streams(STORY[0], b"data: what?\n\n"),
    "no-object": streams(STORY[0], b"data: [1]\n\n"),
    "another-shape": streams(STORY[0], {"hello": 1}),
    "a-page": streams(STORY[0], b"<html>\n<body>\n\n"),
    "not-utf-8": streams(STORY[0], b'data: {"a": "\xff\xfe"}\n\n'),
    "an-error": streams(STORY[0], {"error": {"message": "overloaded", "code": "busy"}}),
    "silence": streams(STORY[0], done=False, ending="hang"),
}


@pytest.mark.parametrize("script", BROKEN.values(), ids=BROKEN)
def test_a_broken_stream_ends_with_an_error_event_and_done(gateway: Front, script: Script) -> None:
    gateway.service.plays(script)
    status, text = stream_text(gateway)
    assert status == 200
    *said, error, done = datas(text)
    assert done == "[DONE]"
    assert json.loads(said[0]) == STORY[0]
    assert all("choices" in json.loads(each) for each in said)
    assert json.loads(error)["error"].keys() == {"message", "type", "param", "code"}


@pytest.mark.parametrize("script", BROKEN.values(), ids=BROKEN)
def test_a_broken_stream_is_an_error_of_the_sdk_after_what_had_come(gateway: Front, script: Script) -> None:
    gateway.service.plays(script)
    said: list[str | None] = []
    with gateway.client() as client:
        stream = client.chat.completions.create(model=MODEL, messages=TALK, stream=True)
        with pytest.raises(openai.APIError) as caught:
            said.extend(event.choices[0].delta.content for event in stream)
    assert said[0] == "one"
    assert isinstance(caught.value.body, dict)
    assert caught.value.body["type"] in {"upstream_error", "timeout_error"}


@pytest.mark.parametrize("path", ["/v1/completions", "/v1/openai/v1/chat/completions"])
def test_every_streaming_route_ends_so(gateway: Front, path: str) -> None:
    gateway.service.plays(BROKEN["broken-off"])
    status, text = stream_text(gateway, path, chat_body(stream=True, prompt="x"))
    assert status == 200
    assert "error" in json.loads(datas(text)[-2])
    assert datas(text)[-1] == "[DONE]"


def test_a_stream_without_done_gets_it(gateway: Front) -> None:
    """Some services just stop after the last choice has said why it ended: that is no error."""
    gateway.service.plays(streams(*STORY, done=False))
    _, text = stream_text(gateway)
    assert [json.loads(each) for each in datas(text)[:-1]] == list(STORY[:3])
    assert datas(text)[-1] == "[DONE]"


def test_an_event_without_an_end_is_given_up(gateway: Front) -> None:
    """The server does not gather for ever: past 16 MiB it is nonsense."""
    before = holdings(gateway.pid).resident
    gateway.service.plays(streams(STORY[0], *[b"data: " + b"x" * MEBIBYTE] * 40, done=False))
    _, text = stream_text(gateway)
    assert json.loads(datas(text)[-2])["error"]["code"] == "upstream_invalid_stream"
    assert holdings(gateway.pid).resident - before < 80 * MEBIBYTE


# ── clients that leave ──────────────────────────────────────────────────────────────────────────────────────────────


def test_a_client_that_leaves_in_mid_stream_ends_the_work(gateway: Front) -> None:
    gateway.service.plays(streams(STORY[0], done=False, ending="hang"))
    with gateway.client() as client:
        stream = client.chat.completions.create(model=PATIENT_MODEL, messages=TALK, stream=True)
        assert next(iter(stream)).choices[0].delta.content == "one"
        assert not gateway.service.was_cut
        stream.close()
    assert becomes_true(lambda: gateway.service.was_cut)


async def test_a_cancelled_task_of_the_asynchronous_sdk_ends_the_work(gateway: Front) -> None:
    gateway.service.plays(streams(STORY[0], done=False, ending="hang"))

    async def read() -> None:
        async with openai.AsyncOpenAI(base_url=f"{gateway.url}/v1", api_key="none", max_retries=0) as client:
            stream = await client.chat.completions.create(model=PATIENT_MODEL, messages=TALK, stream=True)
            async for _ in stream:
                pass

    with pytest.raises(TimeoutError):
        await asyncio.wait_for(read(), 0.5)
    assert becomes_true(lambda: gateway.service.was_cut)


def test_a_client_that_leaves_before_the_first_event_ends_the_work(gateway: Front) -> None:
    gateway.service.plays(streams(done=False, ending="hang"))
    with connect(gateway) as connection:
        connection.sendall(request_of("/v1/chat/completions", chat_body(PATIENT_MODEL, stream=True)))
        assert becomes_true(lambda: bool(gateway.service.requests))
    assert becomes_true(lambda: gateway.service.was_cut)


def test_a_client_that_resets_its_connection_ends_the_work(gateway: Front) -> None:
    gateway.service.plays(streams(*STORY, done=False, ending="hang"))
    with connect(gateway) as connection:
        connection.sendall(request_of("/v1/chat/completions", chat_body(PATIENT_MODEL, stream=True)))
        assert connection.recv(1000).startswith(b"HTTP/1.1 200")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    assert becomes_true(lambda: gateway.service.was_cut)


# ── clients that are slow ───────────────────────────────────────────────────────────────────────────────────────────


class Flood:
    """A script: events without end, and how many bytes of them each connection has taken."""

    def __init__(self) -> None:
        self.taken: list[int] = []

    async def __call__(self, seen: Seen, writer: asyncio.StreamWriter) -> bool:
        number = len(self.taken)
        self.taken.append(0)
        event = event_of(chunk("x" * 8000))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            writer.write(b"%x\r\n%b\r\n" % (len(event), event))
            await writer.drain()
            self.taken[number] += len(event)


def test_a_hundred_slow_clients_hold_up_nobody(gateway: Front) -> None:
    flood, count = Flood(), 100
    gateway.service.plays(flood)
    before = holdings(gateway.pid)
    body = request_of("/v1/chat/completions", chat_body(PATIENT_MODEL, stream=True))
    with ExitStack() as stack:
        slow = [stack.enter_context(connect(gateway, receive_buffer=4096)) for _ in range(count)]
        for connection in slow:
            connection.sendall(body)
        for connection in slow:
            assert connection.recv(1) == b"H"
        assert becomes_true(lambda: _stands_still(flood), 20), "the service is not held back"
        assert max(flood.taken) < _socket_buffers() + 4 * MEBIBYTE

        for _ in range(3):  # they still read, a byte at a time; others are served meanwhile
            for connection in slow:
                assert len(connection.recv(1)) == 1
            started = time.monotonic()
            assert gateway.is_well()
            assert time.monotonic() - started < 2
        # What is read from a socket at once, 256 KiB, stands in a few places of each stream on its way through.
        assert holdings(gateway.pid).resident - before.resident < count * 2.5 * MEBIBYTE
        gateway.service.plays(answers(answer_of()))
    assert becomes_true(lambda: holdings(gateway.pid).files <= before.files + 1)


def _socket_buffers() -> int:
    """What the kernel may hold of one stream, in bytes: from the service to the gateway, and from there to a client."""
    receive, send = (int(Path(f"/proc/sys/net/ipv4/tcp_{way}mem").read_text().split()[2]) for way in "rw")
    return send + receive + send


def _stands_still(flood: Flood) -> bool:
    earlier = sum(flood.taken)
    time.sleep(0.5)
    return sum(flood.taken) == earlier
