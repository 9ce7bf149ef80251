"""The way to an upstream: what its errors become, and what they may not show. Over real sockets."""

from __future__ import annotations

import json
import socket
from dataclasses import replace

import pytest
from conftest import KEY, QUICK
from parts.runtime.errors import UpstreamTimeout
from parts.runtime.secret import Secret
from parts.runtime.upstream_config import ProxyConfig, TimeoutConfig
from parts.runtime.upstream_errors import event_error, failure, refusal
from upstream_calls import OK, fails
from upstreams import (
    answers,
    breaks_off,
    drops,
    fake_upstream,
    hangs,
    refuses,
    talks_nonsense,
)


@pytest.mark.parametrize(
    ("status", "ours"),
    [
        *[(same, same) for same in (400, 401, 403, 404, 409, 413, 422, 429, 503, 504)],
        *[(402, 403), (405, 502), (407, 502), (408, 504), (410, 404), (418, 400), (500, 502), (501, 502), (502, 502)],
        *[(520, 502), (529, 503)],
    ],
)
async def test_a_refusal_keeps_its_status_or_is_a_502(status, ours):
    async with fake_upstream(refuses(status, "the reason")) as fake:
        error = await fails(fake.url, replace(QUICK, retries=0))
    assert error.status == ours
    assert "the reason" in error.message
    assert error.code == "some_code"


@pytest.mark.parametrize(
    "body",
    [
        {"error": {"message": "the reason", "type": "t", "code": 400}},
        [{"error": {"message": "the reason", "status": "INVALID_ARGUMENT", "code": 400}}],
        {"type": "error", "error": {"type": "invalid_request_error", "message": "the reason"}},
        {"error": "the reason"},
        {"error": "the reason", "error_type": "validation"},
        {"message": "the reason"},
        {"error_code": "BAD", "message": "the reason"},
        {"object": "error", "message": "the reason", "type": "BadRequestError", "code": 400},
        {"detail": "the reason"},
        {"detail": {"message": "the reason"}},
        {"title": "Bad Request", "status": 400, "detail": "the reason"},
        {"detail": [{"loc": ["body", "model"], "msg": "the reason", "input": "secret"}]},
        {"detail": [{"loc": 5, "msg": "the reason"}]},
        "the reason",
        b"the reason\n",
    ],
)
async def test_the_message_is_found_in_every_shape_in_use(body):
    async with fake_upstream(answers(body, status=400)) as fake:
        error = await fails(fake.url)
    assert error.status == 400
    assert error.message.endswith("the reason")


@pytest.mark.parametrize(
    "body",
    [
        b"<html>no</html>",
        b"\xff\xfe\x00",
        b"{",
        b"x" * 1000,
        b"a\x1b[31mb",
        {},
        [],
        None,
        7,
        {"error": 7},
        {"error": {}},
    ],
)
@pytest.mark.parametrize(("status", "ours"), [(400, 502), (404, 502), (401, 401), (429, 429), (500, 502), (503, 503)])
async def test_a_body_that_is_no_message_is_not_shown(body, status, ours):
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    error = refusal("host", status, {}, text)
    assert error.status == ours
    assert error.message == f"host answered {status} with a body that is no error message"


async def test_an_empty_refusal_says_its_status():
    async with fake_upstream(answers(b"", status=404)) as fake:
        error = await fails(fake.url)
    assert (error.status, error.message) == (404, f"{fake.url[7:-3]} answered 404")


async def test_a_huge_error_is_cut():
    async with fake_upstream(refuses(400, "x" * 60_000), answers(b"y" * 5_000_000, status=400)) as fake:
        assert len((await fails(fake.url)).message) == 2000
        assert len((await fails(fake.url)).message) < 200


async def test_a_redirect_is_not_followed_with_the_key():
    async with fake_upstream(OK) as other:
        moved = answers(b"", status=307, headers={"Location": other.url + "/things"})
        async with fake_upstream(moved) as fake:
            error = await fails(fake.url)
    assert error.status == 502
    assert "base_url" in error.message
    assert other.requests == []


@pytest.mark.parametrize(
    ("code", "status"),
    [
        *[(400, 400), ("429", 429), (200, 502), ("rate_limited", 502), (None, 502), (True, 502)],
        *[("4" * 5000, 502), (10**50, 502)],
    ],
)
def test_an_error_event_takes_its_code_for_a_status_if_it_is_one(code, status):
    error = event_error("host", {"error": {"message": f"bad {KEY}", "code": code}}, [Secret(KEY)])
    assert error.status == status
    assert KEY not in error.message


async def test_a_refused_connection_is_a_502():
    async with fake_upstream(OK) as fake:
        url = fake.url
    error = await fails(url)
    assert (error.status, "refuses connections" in error.message) == (502, True)


async def test_an_unknown_host_is_a_502():
    error = await fails("http://no-such-host.invalid/v1", replace(QUICK, retries=0))
    assert (error.status, error.message) == (502, "no-such-host.invalid: no such host name")


@pytest.mark.parametrize(("script", "status"), [(drops, 502), (breaks_off, 502), (talks_nonsense, 502), (hangs, 504)])
async def test_a_connection_that_comes_to_nothing(script, status):
    network = replace(QUICK, retries=0, timeout=TimeoutConfig(connect=1, read=0.1))
    async with fake_upstream(script) as fake:
        assert (await fails(fake.url, network)).status == status


async def test_a_host_that_does_not_take_connections_is_a_504():
    # A listening socket with a full backlog: the handshake is never answered.
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        port = listener.getsockname()[1]
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", port))
        network = replace(QUICK, retries=0, timeout=TimeoutConfig(connect=0.1, read=5))
        error = await fails(f"http://127.0.0.1:{port}", network)
        for filler in fillers:
            filler.close()
    assert (error.status, "connected" in error.message) == (504, True)


async def test_a_secret_in_an_upstreams_message_is_masked():
    network = replace(
        QUICK,
        headers={"X-Extra": "extra-secret-header"},
        proxy=ProxyConfig(https=Secret("http://user:p%40ssw0rd@proxy.invalid:1")),
    )
    echo = f"bad Bearer {KEY}, extra-secret-header, p@ssw0rd, p%40ssw0rd"
    async with fake_upstream(refuses(401, echo)) as fake:
        error = await fails(fake.url, network)
    assert error.message == "bad Bearer ********, ********, ********, ********"


def test_a_failure_never_shows_the_exceptions_own_text():
    for kind in (ValueError, TimeoutError, UpstreamTimeout):
        assert KEY not in failure("host", kind(f"http://user:{KEY}@host")).message
