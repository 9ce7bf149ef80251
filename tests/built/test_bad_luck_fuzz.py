"""Requests that nobody thought of: whatever comes, the answer is one of a client's errors, and the server goes on."""

from __future__ import annotations

import asyncio
import http.client
import json
import re
import socket
import threading
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from upstreams import STORY, Seen, answers, chunk, streams, waits

from .fronts import HEADER_KEY, TALK, Front, answer_of, chat_body, connect, datas, request_of, stream_text

pytestmark = pytest.mark.slow

FUZZ = settings(
    max_examples=300,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
CHAT = "/v1/chat/completions"
WHOLE = json.dumps({"model": "openai/gpt-test", "messages": TALK, "stop": ["a", "\u00e9"], "n": 1, "x": {"y": [1.5]}})
NAMES = st.sampled_from(["model", "messages", "role", "content", "type", "tools", "stream", "stream_options", "x"])
LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | NAMES
VALUES = st.recursive(LEAVES, lambda inner: st.lists(inner) | st.dictionaries(NAMES | st.text(), inner), max_leaves=20)


@pytest.fixture(autouse=True)
def _goes_on(gateway: Front) -> Iterator[None]:
    gateway.service.plays(answers(answer_of()))
    yield
    assert gateway.is_well()


@pytest.fixture(scope="module")
def connection(gateway: Front) -> Iterator[http.client.HTTPConnection]:
    kept = http.client.HTTPConnection(gateway.url.removeprefix("http://"), timeout=20)
    yield kept
    kept.close()


def check(connection: http.client.HTTPConnection, path: str, body: bytes, headers: dict[str, str]) -> None:
    """The answer is no server error, and one that refuses says why."""
    connection.request("POST", path, body, {"content-type": "application/json", **headers})
    answer = connection.getresponse()
    content = json.loads(answer.read())
    assert answer.status in {200, 400, 404, 413}, content
    if answer.status != 200:
        assert content["error"]["message"]
        assert content["error"].keys() == {"message", "type", "param", "code"}


@FUZZ
@given(st.binary(max_size=200))
def test_any_bytes(connection: http.client.HTTPConnection, body: bytes) -> None:
    check(connection, CHAT, body, {})


@FUZZ
@given(st.integers(0, len(WHOLE)), st.integers(0, 12), st.text(alphabet='{}[]",:\\\n 0-e.ntf\ud7ffé\x00', max_size=6))
def test_a_request_with_a_flaw(connection: http.client.HTTPConnection, at: int, cut: int, new: str) -> None:
    check(connection, CHAT, (WHOLE[:at] + new + WHOLE[at + cut :]).encode(), {})


@FUZZ
@given(st.dictionaries(NAMES, VALUES), st.booleans())
def test_any_json(connection: http.client.HTTPConnection, more: dict[str, object], ascii_only: bool) -> None:
    body = {"model": "openai/gpt-test", "messages": TALK, **more, "stream": False}
    check(connection, CHAT, json.dumps(body, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass"), {})


@FUZZ
@given(st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"), max_size=60))
def test_any_provider_data(connection: http.client.HTTPConnection, data: str) -> None:
    for header in (data, f'{{"openai_api_key": "{data}"}}', f'{{"openai_api_key": "{HEADER_KEY}", "x": {data}}}'):
        check_header(connection, header)


def check_header(connection: http.client.HTTPConnection, header: str) -> None:
    connection.request("POST", CHAT, chat_body(), {"content-type": "application/json", "x-ogx-provider-data": header})
    answer = connection.getresponse()
    content = json.loads(answer.read())
    # 401: a key that no header can carry.
    assert answer.status in {200, 400, 401}, content
    assert HEADER_KEY not in str(content)


# ── the protocol itself ─────────────────────────────────────────────────────────────────────────────────────────────


def read_all(connection: socket.socket) -> bytes:
    """Until the server closes."""
    pieces = []
    while piece := connection.recv(65536):
        pieces.append(piece)
    return b"".join(pieces)


def test_requests_sent_without_waiting_are_answered_in_their_order(gateway: Front) -> None:
    scripts = [waits(0.3, answers(answer_of("first"))), streams(*STORY), answers(answer_of("third"))]
    gateway.service.plays(*scripts)
    with connect(gateway) as connection:
        connection.sendall(
            request_of(CHAT, chat_body())
            + request_of(CHAT, chat_body(stream=True))
            + request_of(CHAT, chat_body(), "Connection: close")
        )
        text = read_all(connection).decode()
    assert re.findall(r"HTTP/1.1 (\d+)", text) == ["200"] * 3
    assert text.index('"first"') < text.index("data: [DONE]") < text.index('"third"')


def test_a_client_that_asks_first_hears_at_once_that_its_body_is_too_large(gateway: Front) -> None:
    with connect(gateway) as connection:
        head = f"POST {CHAT} HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\nExpect: 100-continue\r\n\r\n"
        connection.sendall(head.encode())
        assert connection.recv(1000).startswith(b"HTTP/1.1 413 ")


def test_a_client_that_asks_first_is_told_to_go_on(gateway: Front) -> None:
    body = chat_body()
    head, _, _ = request_of(CHAT, body, "Expect: 100-continue", "Connection: close").partition(b"\r\n\r\n")
    with connect(gateway) as connection:
        connection.sendall(head + b"\r\n\r\n")
        assert connection.recv(1000).startswith(b"HTTP/1.1 100 ")
        connection.sendall(body)
        assert b"HTTP/1.1 200" in read_all(connection)


def test_a_body_that_comes_byte_by_byte_is_read(gateway: Front) -> None:
    with connect(gateway) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in request_of(CHAT, chat_body(), "Connection: close"):
            connection.sendall(bytes([byte]))
        assert b'"hello"' in read_all(connection)


@pytest.mark.parametrize(
    "head",
    [
        "Content-Length: 5\r\nContent-Length: 6",
        "Content-Length: -1",
        "Content-Length: five",
        "Transfer-Encoding: chunked\r\nContent-Length: 5",
        "Transfer-Encoding: gzip",
        "X: " + "y" * 200_000,
    ],
    ids=["two-lengths", "negative-length", "no-number", "chunked-and-length", "unknown-encoding", "a-huge-header"],
)
def test_a_head_that_could_be_read_in_two_ways_is_refused(gateway: Front, head: str) -> None:
    with connect(gateway) as connection:
        connection.sendall(f"POST {CHAT} HTTP/1.1\r\nHost: x\r\n{head}\r\n\r\n{{}}".encode())
        connection.shutdown(socket.SHUT_WR)
        try:
            said = read_all(connection)
        except ConnectionResetError:
            said = b""
    assert re.match(rb"HTTP/1\.1 4\d\d |$", said), said[:200]
    assert gateway.service.requests == []


def test_many_streams_at_once_are_kept_apart(gateway: Front) -> None:
    """Each client gets the story that its own request asked for."""

    async def tells(seen: Seen, writer: asyncio.StreamWriter) -> bool:
        name = seen.json["user"]
        script = streams(*[chunk(f"{name}-{i}") for i in range(20)], chunk(finish="stop"), pause=0.01)
        return await script(seen, writer)

    gateway.service.plays(tells)
    said: dict[str, list[str]] = {}

    def read(name: str) -> None:
        _, text = stream_text(gateway, body=chat_body(stream=True, user=name))
        said[name] = [json.loads(data)["choices"][0]["delta"].get("content") for data in datas(text)[:-1]]

    threads = [threading.Thread(target=read, args=(f"client{number}",)) for number in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert said == {f"client{n}": [*(f"client{n}-{i}" for i in range(20)), None] for n in range(50)}
