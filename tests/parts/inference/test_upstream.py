"""The way to an upstream: errors and their statuses, retries, TLS, proxies, limits. Over real sockets."""

from __future__ import annotations

import asyncio
import base64
import dataclasses
import json
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import trustme
import yaml
from conftest import KEY, QUICK
from parts.providers.inference.openai_compatible import RemoteConfig
from parts.runtime.errors import StackError, UpstreamError, UpstreamTimeout
from parts.runtime.secret import Secret
from parts.runtime.settings import SettingsError
from parts.runtime.upstream import Call, Upstream, open_upstream
from parts.runtime.upstream_config import NetworkConfig, ProxyConfig, TimeoutConfig, TlsConfig, proxy_for
from parts.runtime.upstream_errors import event_error, failure, refusal, retry_after
from upstreams import (
    answers,
    breaks_off,
    drops,
    fake_upstream,
    hangs,
    in_seconds,
    refuses,
    shows_html,
    streams,
    talks_nonsense,
    waits,
)

SPECS = Path(__file__).parents[3] / "specs" / "providers" / "shared"
POST = Call("POST", "things", body=b"{}", headers={"Authorization": f"Bearer {KEY}"}, secrets=(Secret(KEY),))
OK = answers({"ok": True})


async def fetch(url: str, network: NetworkConfig = QUICK, call: Call = POST) -> bytes:
    async with open_upstream(url, network) as upstream:
        return await upstream.fetch(call)


async def fails(url: str, network: NetworkConfig = QUICK, call: Call = POST) -> StackError:
    with pytest.raises(StackError) as caught:
        await fetch(url, network, call)
    assert KEY not in caught.value.message
    assert KEY not in str(caught.value.code)
    assert len(caught.value.message) < 2200
    return caught.value


# ── errors ──────────────────────────────────────────────────────────────────────────────────────────────────────────


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
    ("code", "status"), [(400, 400), ("429", 429), (200, 502), ("rate_limited", 502), (None, 502), (True, 502)]
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


# ── retries ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504, 529])
async def test_what_may_pass_is_tried_again(status):
    async with fake_upstream(refuses(status), refuses(status), OK) as fake:
        assert await fetch(fake.url) == b'{"ok": true}'
    assert [seen.body for seen in fake.requests] == [b"{}"] * 3


@pytest.mark.parametrize("script", [drops, shows_html(502)])
async def test_a_lost_connection_or_a_broken_balancer_is_tried_again(script):
    async with fake_upstream(script, OK) as fake:
        assert await fetch(fake.url) == b'{"ok": true}'
    assert len(fake.requests) == 2


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 413, 422, 501])
async def test_what_will_not_change_is_not_tried_again(status):
    async with fake_upstream(refuses(status)) as fake:
        await fails(fake.url)
    assert len(fake.requests) == 1


@pytest.mark.parametrize("script", [hangs, breaks_off, answers(b"", status=302, headers={"Location": "/x"})])
async def test_what_may_have_begun_is_not_tried_again(script):
    async with fake_upstream(script) as fake:
        await fails(fake.url, replace(QUICK, timeout=TimeoutConfig(connect=1, read=0.1)))
    assert len(fake.requests) == 1


@pytest.mark.parametrize(("retries", "attempts"), [(0, 1), (1, 2), (4, 5)])
async def test_attempts_are_counted(retries, attempts):
    async with fake_upstream(refuses(503)) as fake:
        error = await fails(fake.url, replace(QUICK, retries=retries))
    assert (error.status, len(fake.requests)) == (503, attempts)


async def test_the_wait_doubles():
    async with fake_upstream(refuses(500)) as fake:
        await fails(fake.url, replace(QUICK, retries=3, backoff=0.04))
    waited = [later - earlier for earlier, later in zip(fake.times, fake.times[1:], strict=False)]
    for wait, least in zip(waited, (0.03, 0.06, 0.12), strict=True):
        assert least <= wait < 3 * least + 0.1


@pytest.mark.parametrize(
    ("headers", "least"),
    [({"Retry-After": "0.2"}, 0.2), ({"Retry-After-Ms": "150", "Retry-After": "9"}, 0.15), ({"Retry-After": "0"}, 0.0)],
)
async def test_retry_after_is_honoured(headers, least):
    async with fake_upstream(refuses(429, headers=headers), OK) as fake:
        await fetch(fake.url, replace(QUICK, backoff=5.0))
    assert least <= fake.times[1] - fake.times[0] < least + 0.5


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("said", ["31", "3600", pytest.param(in_seconds(3600), id="a date")])
async def test_a_long_retry_after_goes_to_the_client_at_once(status, said):
    async with fake_upstream(refuses(status, headers={"Retry-After": said})) as fake:
        error = await fails(fake.url)
    assert (error.status, len(fake.requests)) == (status, 1)
    assert error.retry_after is not None
    assert 30 < error.retry_after <= 3600


async def test_the_last_refusals_retry_after_goes_to_the_client():
    async with fake_upstream(refuses(429, headers={"Retry-After": "0.01"})) as fake:
        error = await fails(fake.url)
    assert (error.retry_after, len(fake.requests)) == (0.01, 3)


@pytest.mark.parametrize(
    ("said", "seconds"),
    [("5", 5.0), ("0.5", 0.5), ("-1", None), ("soon", None), ("inf", None), ("nan", None), ("", None)],
)
def test_retry_after_is_read(said, seconds):
    assert retry_after({"Retry-After": said}) == seconds
    assert retry_after({}) is None


def test_retry_after_is_read_as_a_date():
    later = retry_after({"Retry-After": in_seconds(100)})
    assert later is not None
    assert 97 < later <= 100
    assert retry_after({"Retry-After": in_seconds(-100)}) == 0


@pytest.mark.parametrize(("status", "said", "attempts"), [(429, "false", 1), (409, "true", 3)])
async def test_the_upstreams_own_word_on_retrying_counts(status, said, attempts):
    async with fake_upstream(refuses(status, headers={"X-Should-Retry": said})) as fake:
        await fails(fake.url)
    assert len(fake.requests) == attempts


async def test_a_call_may_have_its_own_patience_and_retries():
    async with fake_upstream(refuses(500)) as fake:
        await fails(fake.url, call=replace(POST, retries=0))
        assert len(fake.requests) == 1
    async with fake_upstream(hangs) as fake:
        error = await asyncio.wait_for(fails(fake.url, NetworkConfig(), replace(POST, patience=0.05)), 2)
        assert error.status == 504


async def test_the_total_limits_retries_and_streams():
    network = replace(QUICK, retries=50, backoff=0.05, timeout=TimeoutConfig(connect=1, read=5, total=0.3))
    async with fake_upstream(refuses(500)) as fake:
        began = asyncio.get_running_loop().time()
        await fails(fake.url, network)
        assert asyncio.get_running_loop().time() - began < 0.6
        assert 2 < len(fake.requests) < 10
    async with fake_upstream(streams(*["x"] * 100, pause=0.05)) as fake:
        assert (await fails(fake.url, network)).status == 504


async def test_the_read_timeout_is_silence_and_not_duration():
    network = replace(QUICK, timeout=TimeoutConfig(connect=1, read=0.2))
    async with fake_upstream(streams(*["x"] * 8, pause=0.05)) as fake:
        assert (await fetch(fake.url, network)).endswith(b"[DONE]\n\n")


async def test_a_cancelled_wait_makes_no_further_attempt():
    async with fake_upstream(refuses(500)) as fake:
        task = asyncio.ensure_future(fetch(fake.url, replace(QUICK, backoff=60.0)))
        while not fake.requests:
            await asyncio.sleep(0.005)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert len(fake.requests) == 1


# ── where it goes and what it says ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("path", "query", "seen"),
    [
        ("a/b", {}, "/v1/a/b"),
        ("/root", {}, "/root"),
        ("{url}/whole", {}, "/v1/whole"),
        ("a", {"v": "1 2"}, "/v1/a?v=1+2"),
        ("a?x=1", {"v": "2"}, "/v1/a?x=1&v=2"),
        ("m/a%2Fb:free", {}, "/v1/m/a%2Fb:free"),
    ],
)
async def test_paths(path, query, seen):
    async with fake_upstream(OK) as fake:
        await fetch(fake.url + "/", call=Call("GET", path.replace("{url}", fake.url), query=query))
    assert fake.requests[0].path == seen


async def test_extra_headers_are_sent_and_win():
    network = replace(QUICK, headers={"X-Team": "blue", "authorization": "Bearer theirs"})
    async with fake_upstream(OK) as fake:
        await fetch(fake.url, network)
    assert fake.requests[0].headers["x-team"] == "blue"
    assert fake.requests[0].headers["authorization"] == "Bearer theirs"


async def test_cookies_are_not_kept():
    async with (
        fake_upstream(answers({}, headers={"Set-Cookie": "a=b; Path=/"})) as fake,
        open_upstream(fake.url.replace("127.0.0.1", "localhost"), QUICK) as up,
    ):
        for _ in range(2):
            await up.fetch(POST)
    assert "cookie" not in fake.requests[1].headers


async def test_connections_are_kept_for_the_next_request():
    async with fake_upstream(OK, refuses(400), OK) as fake, open_upstream(fake.url, QUICK) as upstream:
        await upstream.fetch(POST)
        with pytest.raises(StackError):
            await upstream.fetch(POST)
        await upstream.fetch(POST)
        assert fake.connections == 1


async def test_no_more_connections_than_allowed():
    async with (
        fake_upstream(waits(0.05, OK)) as fake,
        open_upstream(fake.url, replace(QUICK, max_connections=3)) as upstream,
    ):
        await asyncio.gather(*(upstream.fetch(POST) for _ in range(12)))
    assert (fake.most_open, len(fake.requests)) == (3, 12)


async def test_closing_closes_every_connection():
    async with fake_upstream(OK) as fake:
        async with open_upstream(fake.url, QUICK) as upstream:
            await asyncio.gather(*(upstream.fetch(POST) for _ in range(5)))
        await asyncio.sleep(0.05)
        assert fake.open == 0


async def test_a_reply_that_is_closed_unread_cuts_its_connection():
    async with fake_upstream(streams("x", ending="hang")) as fake, open_upstream(fake.url, QUICK) as upstream:
        (await upstream.open(POST)).close()
        await asyncio.wait_for(fake.cut.wait(), 1)


# ── TLS ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclasses.dataclass(frozen=True)
class Certificates:
    """An authority of our own, a server certificate and a client certificate of it."""

    ca: str
    cert: str
    key: str
    server: ssl.SSLContext
    picky: ssl.SSLContext


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    folder = tmp_path_factory.mktemp("tls")
    authority = trustme.CA()
    client = authority.issue_cert("client@example.org", common_name="our-client")
    authority.cert_pem.write_to_path(folder / "ca.pem")
    client.cert_chain_pems[0].write_to_path(folder / "client.pem")
    client.private_key_pem.write_to_path(folder / "client.key")
    contexts = []
    for _ in range(2):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("localhost").configure_cert(context)
        contexts.append(context)
    authority.configure_trust(contexts[1])
    contexts[1].verify_mode = ssl.CERT_REQUIRED
    # In TLS 1.3 a client learns only later that its certificate was refused.
    contexts[1].maximum_version = ssl.TLSVersion.TLSv1_2
    return Certificates(
        str(folder / "ca.pem"), str(folder / "client.pem"), str(folder / "client.key"), contexts[0], contexts[1]
    )


def tls(**fields: object) -> NetworkConfig:
    return replace(QUICK, tls=TlsConfig(**fields))  # type: ignore[arg-type]  # the test's own keywords


async def test_a_certificate_of_an_unknown_authority_is_a_502_and_not_retried(certificates):
    async with fake_upstream(OK, tls=certificates.server) as fake:
        error = await fails(fake.url)
        assert fake.connections <= 1
    assert error.status == 502
    assert "certificate was refused" in error.message


async def test_an_authority_of_ones_own(certificates):
    async with fake_upstream(OK, tls=certificates.server) as fake:
        assert await fetch(fake.url, tls(ca_file=certificates.ca)) == b'{"ok": true}'


async def test_verification_can_be_switched_off(certificates):
    async with fake_upstream(OK, tls=certificates.server) as fake:
        assert await fetch(fake.url, tls(verify=False)) == b'{"ok": true}'


async def test_a_certificate_for_another_name_is_refused(certificates):
    async with fake_upstream(OK, tls=certificates.server) as fake:
        error = await fails(fake.url.replace("localhost", "127.0.0.1"), tls(ca_file=certificates.ca))
    assert "certificate was refused" in error.message


async def test_a_client_certificate_is_shown(certificates):
    network = tls(ca_file=certificates.ca, client_cert=certificates.cert, client_key=certificates.key)
    async with fake_upstream(OK, tls=certificates.picky) as fake:
        await fetch(fake.url, network)
        assert fake.requests[0].peer == "our-client"
        error = await fails(fake.url, replace(tls(ca_file=certificates.ca), retries=0))
    assert error.status == 502


async def test_a_server_below_the_least_tls_version_is_refused(certificates):
    network = tls(ca_file=certificates.ca, client_cert=certificates.cert, client_key=certificates.key)
    network = replace(network, tls=replace(network.tls, min_version="TLSv1.3"))
    async with fake_upstream(OK, tls=certificates.picky) as fake:
        error = await fails(fake.url, network)
    assert (error.status, "while it was being made" in error.message) == (502, True)
    assert fake.requests == []


async def test_ciphers_are_used(certificates):
    common = tls(ca_file=certificates.ca, client_cert=certificates.cert, client_key=certificates.key)
    async with fake_upstream(OK, tls=certificates.picky) as fake:
        for ciphers in (("ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-ECDSA-AES256-GCM-SHA384"),):
            await fetch(fake.url, replace(common, tls=replace(common.tls, ciphers=ciphers)))
    with pytest.raises(SettingsError, match="cipher"):
        await fetch("https://localhost:1", tls(ciphers=("NO-SUCH-CIPHER",)))


async def test_tls_to_a_plain_server_is_a_502():
    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(greet, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        error = await fails(f"https://127.0.0.1:{port}/v1")
    assert (error.status, "TLS handshake failed" in error.message) == (502, True)


@pytest.mark.parametrize("field", ["ca_file", "client_cert"])
async def test_a_certificate_file_that_cannot_be_used_is_a_settings_error(field, tmp_path):
    empty = tmp_path / "empty.pem"
    empty.write_text("nothing")
    for file in (str(tmp_path / "missing.pem"), str(empty)):
        with pytest.raises(SettingsError) as caught:
            await fetch("https://api.example.com/v1", tls(**{field: file}))
        assert file in caught.value.problems[0]
        assert "api.example.com" in caught.value.problems[0]


# ── proxies ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@asynccontextmanager
async def proxy(status: int = 200) -> AsyncIterator[tuple[str, list[str]]]:
    """A small proxy that tunnels CONNECT and passes plain requests on; gives its address and the heads it was sent."""
    heads: list[str] = []

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        heads.append(head)
        method, target, _ = head.split("\r\n")[0].split(" ")
        if status != 200:
            writer.write(f"HTTP/1.1 {status} No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
            writer.close()
            return
        address = target if method == "CONNECT" else target.split("/")[2]
        host, _, port = address.partition(":")
        inner_reader, inner_writer = await asyncio.open_connection(host, int(port))
        if method == "CONNECT":
            writer.write(b"HTTP/1.1 200 Connected\r\n\r\n")
        else:
            path = "/" + target.split("/", 3)[3]
            inner_writer.write(head.replace(target, path, 1).encode())
        await asyncio.gather(pump(reader, inner_writer), pump(inner_reader, writer), return_exceptions=True)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}", heads
    finally:
        server.close()


async def test_a_plain_request_goes_through_the_proxy_with_its_password():
    async with fake_upstream(OK) as fake, proxy() as (address, heads):
        network = replace(QUICK, proxy=ProxyConfig(url=Secret(f"http://user:pass%40word@{address}")))
        assert await fetch(fake.url, network) == b'{"ok": true}'
    assert heads[0].startswith(f"POST {fake.url}/things ")
    assert base64.b64encode(b"user:pass@word").decode() in heads[0]


async def test_a_tls_request_is_tunnelled_and_the_proxy_sees_no_key(certificates):
    async with fake_upstream(OK, tls=certificates.server) as fake, proxy() as (address, heads):
        network = replace(tls(ca_file=certificates.ca), proxy=ProxyConfig(https=Secret(f"http://{address}")))
        assert await fetch(fake.url, network) == b'{"ok": true}'
    assert heads[0].startswith("CONNECT localhost:")
    assert KEY not in heads[0]


async def test_an_authority_for_the_proxy_is_trusted_too(certificates):
    async with fake_upstream(OK, tls=certificates.server) as fake:
        network = replace(QUICK, proxy=ProxyConfig(cacert=certificates.ca))
        assert await fetch(fake.url, network) == b'{"ok": true}'


@pytest.mark.parametrize("status", [407, 403, 502])
async def test_a_proxy_that_refuses_is_named(certificates, status):
    async with fake_upstream(OK, tls=certificates.server) as fake, proxy(status) as (address, _):
        password = Secret(f"http://user:secret-password@{address}")
        network = replace(tls(ca_file=certificates.ca), proxy=ProxyConfig(url=password), retries=0)
        error = await fails(fake.url, network)
    assert (error.status, error.message.endswith(f"the proxy answered {status}")) == (502, True)


async def test_a_proxy_that_is_not_there_is_a_502_without_its_password():
    async with fake_upstream(OK) as fake, proxy() as (address, _):
        pass
    network = replace(QUICK, proxy=ProxyConfig(url=Secret(f"http://user:secret-password@{address}")))
    error = await fails(fake.url, network)
    assert (error.status, "the proxy could not be reached" in error.message) == (502, True)
    assert "secret-password" not in error.message


async def test_no_proxy_goes_around_it():
    async with fake_upstream(OK) as fake, proxy() as (address, heads):
        network = replace(QUICK, proxy=ProxyConfig(url=Secret(f"http://{address}"), no_proxy=("127.0.0.1",)))
        await fetch(fake.url, network)
    assert heads == []


@pytest.mark.parametrize("url", ["socks5://user:secret@host:1", "secret:3128", "http://", "http://:secret@"])
async def test_a_proxy_that_is_no_http_url_is_a_settings_error_without_it(url):
    with pytest.raises(SettingsError, match=r"network\.proxy\.url of localhost: expected") as caught:
        await fetch("http://localhost", replace(QUICK, proxy=ProxyConfig(url=Secret(url))))
    assert "secret" not in caught.value.problems[0]


@pytest.mark.parametrize(
    ("no_proxy", "host", "direct"),
    [
        (("*",), "a.b", True),
        (("a.b",), "a.b", True),
        (("a.b",), "x.A.b", True),
        ((".a.b",), "a.b", True),
        (("a.b",), "xa.b", False),
        ((), "a.b", False),
    ],
)
def test_who_is_reached_without_the_proxy(no_proxy, host, direct):
    config = ProxyConfig(url=Secret("http://any"), https=Secret("http://https"), no_proxy=no_proxy)
    assert proxy_for(config, "https", host) == (None if direct else "http://https")
    assert proxy_for(config, "http", host) == (None if direct else "http://any")


def test_an_empty_proxy_is_none():
    assert proxy_for(ProxyConfig(url=Secret("")), "https", "host") is None


# ── the spec says the same ──────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("file", "config"), [("network", NetworkConfig()), ("remote", RemoteConfig(base_url=""))])
def test_the_spec_has_the_dataclass_fields_and_defaults(file, config):
    _same(yaml.safe_load((SPECS / f"{file}.yaml").read_text()), config)


def _same(schema: dict[str, object], config: object) -> None:
    properties = schema["properties"]
    assert isinstance(properties, dict)
    assert dataclasses.is_dataclass(config)
    assert list(properties) == [field.name for field in dataclasses.fields(config)]
    for name, its in properties.items():
        value = getattr(config, name)
        if "properties" in its:
            _same(its, value)
        elif "default" in its:
            assert its["default"] == (list(value) if isinstance(value, tuple) else value), name
        assert its.get("description") or "$ref" in its


def test_an_upstream_shows_no_secret():
    assert Upstream.__repr__ is object.__repr__
    assert KEY not in repr(POST.secrets)
    assert isinstance(UpstreamError("x"), StackError)
