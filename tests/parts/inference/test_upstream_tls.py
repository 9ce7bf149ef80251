"""The way to an upstream: TLS and proxies. Over real sockets."""

from __future__ import annotations

import asyncio
import base64
import dataclasses
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
import trustme
from conftest import KEY, QUICK
from parts.runtime.errors import SettingsError
from parts.runtime.secret import Secret
from parts.runtime.upstream_config import NetworkConfig, ProxyConfig, TlsConfig, proxy_for
from upstream_calls import OK, fails, fetch
from upstreams import (
    fake_upstream,
)

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
