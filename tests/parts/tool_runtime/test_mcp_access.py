"""What callers show servers, whose session is whose, and where this server connects to."""

from __future__ import annotations

import asyncio
import socket

import pytest
from mcp_calls import caller, invoke, methods, names, peer, provider_of, result
from mcp_servers import mcp_server
from parts.providers.tool_runtime.mcp.endpoints import same_place
from parts.providers.tool_runtime.model_context_protocol import ModelContextProtocolConfig
from parts.runtime.errors import BadRequest, Forbidden, SettingsError, StackError, Unavailable, UpstreamError
from parts.runtime.public_addresses import PublicResolver, is_public
from parts.runtime.secret import Secret
from parts.runtime.upstream_config import NetworkConfig, ProxyConfig
from upstreams import answers

TOKEN = "t0ken-of-the-tests"
PUBLIC = ModelContextProtocolConfig(client_endpoints="public", connect_seconds=5)


# ── credentials ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", ["streamable", "old"])
async def test_a_token_goes_along_with_every_message(kind: str) -> None:
    async with mcp_server(kind, token=TOKEN) as server, provider_of() as provider:  # type: ignore[arg-type]
        await invoke(provider, server.url, token=TOKEN)
        await invoke(provider, server.url, token=f"Bearer {TOKEN}")
        await invoke(provider, server.url, ctx=caller(headers={server.url + "/": {"Authorization": f"Bearer {TOKEN}"}}))
        assert {headers["authorization"] for _, _, headers in server.seen} == {f"Bearer {TOKEN}"}


async def test_headers_go_to_their_server_and_no_other() -> None:
    async with mcp_server() as one, mcp_server() as other, provider_of() as provider:
        ctx = caller(headers={one.url: {"X-Api-Key": "k3y-of-one"}})
        await invoke(provider, one.url, ctx=ctx)
        await invoke(provider, other.url, ctx=ctx)
        assert {headers.get("x-api-key") for _, _, headers in one.seen} == {"k3y-of-one"}
        assert {headers.get("x-api-key") for _, _, headers in other.seen} == {None}


@pytest.mark.parametrize(
    ("headers", "said"),
    [
        ({"Host": "s3cret-value"}, "header Host"),
        ({"Mcp-Session-Id": "s3cret-value"}, "header Mcp-Session-Id"),
        ({"X-A": "s3cret-value\r\nX-B: y"}, "header X-A"),
        ({"X-A": 7}, "header X-A"),
        ({"X A": "s3cret-value"}, "no header's name"),
        ("s3cret-value", "an object of headers"),
    ],
)
async def test_headers_that_cannot_be_sent_are_refused(headers: object, said: str) -> None:
    async with peer() as fake, provider_of() as provider:
        with pytest.raises(BadRequest, match=said) as caught:
            await invoke(provider, fake.url, ctx=caller(headers={fake.url: headers}))  # type: ignore[dict-item]
        assert "s3cret-value" not in caught.value.message
        assert fake.requests == []


async def test_a_token_is_given_once_and_can_be_a_header() -> None:
    async with peer() as fake, provider_of() as provider:
        for token in ("a\r\nb", "grün", " "):
            with pytest.raises(BadRequest, match="no header can carry"):
                await invoke(provider, fake.url, token=token)
        with pytest.raises(BadRequest, match="twice"):
            await invoke(provider, fake.url, token=TOKEN, ctx=caller(headers={fake.url: {"authorization": "x"}}))
        assert fake.requests == []


# ── sessions ────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_session_is_one_callers_with_one_credential_at_one_server() -> None:
    sessions = iter("abcdefgh")

    def opening(seen, number):  # type: ignore[no-untyped-def]
        hello = {"protocolVersion": "2025-11-25", "capabilities": {}}
        return result(hello, session=next(sessions))(seen, number)

    async with peer(hello=opening) as fake, provider_of() as provider:
        for _ in range(2):
            await invoke(provider, fake.url, token="one")
            await invoke(provider, fake.url, token="two")
            await invoke(provider, fake.url, token="one", ctx=caller("alice"))
            await invoke(provider, fake.url, token="one", ctx=caller("bob"))
        assert methods(fake).count("initialize") == 4
        calls = [each for each in fake.requests if each.method == "POST" and b"tools/call" in each.body]
        assert [each.headers["mcp-session-id"] for each in calls] == [*"abcd"] * 2
        assert [each.headers["authorization"] for each in calls[:2]] == ["Bearer one", "Bearer two"]


async def test_callers_at_once_share_the_opening_of_a_session() -> None:
    async with peer() as fake, provider_of() as provider:
        await asyncio.gather(*(invoke(provider, fake.url) for _ in range(20)))
        assert methods(fake).count("initialize") == methods(fake).count("tools/list") == 1


async def test_a_caller_that_leaves_does_not_take_the_session_with_it() -> None:
    async with mcp_server() as server, provider_of() as provider:
        leaving = asyncio.create_task(invoke(provider, server.url))
        staying = asyncio.create_task(invoke(provider, server.url))
        await asyncio.sleep(0)
        leaving.cancel()
        assert (await staying).content


async def test_an_idle_session_is_closed_and_forgotten() -> None:
    config = ModelContextProtocolConfig(client_endpoints="any", session_idle_seconds=0.2)
    hello = result({"protocolVersion": "2025-11-25", "capabilities": {}}, session="s1")
    async with peer(hello=hello, other=answers(b"", status=204)) as fake, provider_of(config) as provider:
        await invoke(provider, fake.url, token=TOKEN)
        async with asyncio.timeout(10):
            while "DELETE" not in methods(fake):
                await asyncio.sleep(0.02)
        assert fake.requests[-1].headers["mcp-session-id"] == "s1"
        assert provider.pool._entries == {}


async def test_sessions_are_ended_with_the_server() -> None:
    hello = result({"protocolVersion": "2025-11-25", "capabilities": {}}, session="s1")
    async with peer(hello=hello, other=answers(b"", status=204)) as fake:
        async with provider_of() as provider:
            await invoke(provider, fake.url)
        assert methods(fake)[-1] == "DELETE"


async def test_there_are_so_many_sessions_and_no_more() -> None:
    config = ModelContextProtocolConfig(client_endpoints="any", max_sessions=2)
    async with mcp_server() as server, provider_of(config) as provider:
        slow = [
            asyncio.create_task(invoke(provider, server.url, "slow", {"seconds": 30}, token=each))
            for each in ("a", "b")
        ]
        async with asyncio.timeout(10):
            while server.slow < 2:
                await asyncio.sleep(0.01)
        with pytest.raises(Unavailable, match="2 sessions"):
            await invoke(provider, server.url, token="c")
        for each in slow:
            each.cancel()
        await asyncio.gather(*slow, return_exceptions=True)
        assert (await invoke(provider, server.url, token="c")).content, "an idle one makes room"
        assert len(provider.pool._entries) == 2


# ── where this server connects to ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("8.8.8.8", True),
        ("2606:4700::1111", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("192.168.0.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),
        ("224.0.0.1", False),
        ("::1", False),
        ("::", False),
        ("fe80::1%eth0", False),
        ("fd00::1", False),
        ("::ffff:127.0.0.1", False),
        ("::ffff:8.8.8.8", True),
        ("64:ff9b::7f00:1", False),
        ("2002:7f00:1::", False),
        ("2001:0:0:0:0:0:80ff:fffe", False),
    ],
)
def test_which_addresses_are_public(address: str, public: bool) -> None:
    assert is_public(address) is public


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:{port}/mcp",
        "http://localhost:{port}/mcp",
        "http://LOCALHOST.:{port}/mcp",
        "http://[::1]:{port}/mcp",
        "http://[::ffff:7f00:1]:{port}/mcp",
        "http://2130706433:{port}/mcp",
        "http://0x7f.1:{port}/mcp",
        "http://0:{port}/mcp",
    ],
)
async def test_clients_do_not_reach_this_machine_unless_it_is_allowed(url: str) -> None:
    async with peer() as fake, provider_of(PUBLIC) as provider:
        port = fake.url.rpartition(":")[2].partition("/")[0]
        with pytest.raises((Forbidden, UpstreamError)):
            await invoke(provider, url.format(port=port))
        assert fake.connections == 0


async def test_a_name_is_judged_by_the_addresses_that_are_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that is public when it is looked at, and this machine's when it is connected to, is not reached."""
    told = iter(["93.184.215.14"])

    async def resolve(self, host, port=0, family=socket.AF_INET):  # type: ignore[no-untyped-def]
        address = next(told, "127.0.0.1")
        return [{"hostname": host, "host": address, "port": port, "family": 2, "proto": 6, "flags": 0}]

    monkeypatch.setattr("aiohttp.ThreadedResolver.resolve", resolve)
    async with peer() as fake, provider_of(PUBLIC) as provider:
        url = fake.url.replace("127.0.0.1", "rebinding.example")
        with pytest.raises(UpstreamError, match="no such host name"):
            await invoke(provider, url)
        with pytest.raises(Forbidden, match="no public address"):
            await invoke(provider, url.replace("/mcp", "/other"))
        assert fake.connections == 0
        resolver = PublicResolver(["proxy.example"])
        assert (await resolver.resolve("proxy.example"))[0]["host"] == "127.0.0.1", "a proxy may be anywhere"


async def test_the_distributions_servers_may_be_anywhere() -> None:
    for config in (PUBLIC, ModelContextProtocolConfig(client_endpoints="none")):
        async with peer() as fake, provider_of(config, declared=[fake.url]) as provider:
            assert (await invoke(provider, fake.url)).content
            with pytest.raises(Forbidden) as caught:
                await invoke(provider, fake.url + "/other")
            assert caught.value.code == "endpoint_not_allowed"


async def test_a_proxy_looks_up_names_itself() -> None:
    """The fake is the proxy here: it is sent the whole URL, of a name that nobody else knows."""
    async with peer() as fake:
        proxy = ProxyConfig(url=Secret(fake.url.removesuffix("/mcp")))
        config = ModelContextProtocolConfig(network=NetworkConfig(proxy=proxy))
        async with provider_of(config) as provider:
            assert await names(provider, "http://tools.nowhere.invalid/mcp") == ["echo"]
        assert {each.path for each in fake.requests} == {"http://tools.nowhere.invalid/mcp"}


async def test_a_declared_endpoint_with_a_credential_in_it_ends_the_start() -> None:
    with pytest.raises(SettingsError) as caught:
        async with provider_of(declared=["https://user:s3cret-word@example.com/mcp"]):
            pass
    assert "without user" in str(caught.value)
    assert "s3cret-word" not in str(caught.value)


# ── redirects ───────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_redirect_within_the_server_is_followed_with_the_message() -> None:
    async with mcp_server(path="/mcp/") as server, provider_of() as provider:
        assert (await invoke(provider, server.url.removesuffix("/"), token=TOKEN)).content


@pytest.mark.parametrize("status", [307, 308, 302])
async def test_a_redirect_to_another_place_is_not_followed(status: int) -> None:
    async with mcp_server() as other:

        def away(seen, number):  # type: ignore[no-untyped-def]
            return answers(b"", status=status, headers={"Location": other.url})

        async with peer(hello=away) as fake, provider_of() as provider:
            with pytest.raises(UpstreamError):
                await invoke(provider, fake.url, token=TOKEN)
            assert other.seen == []


async def test_redirects_in_a_circle_end() -> None:
    def away(seen, number):  # type: ignore[no-untyped-def]
        return answers(b"", status=307, headers={"Location": "/mcp"})

    async with peer(hello=away) as fake, provider_of() as provider:
        with pytest.raises(UpstreamError, match="in a circle"):
            await invoke(provider, fake.url)
        assert len(fake.requests) == 3


def test_the_old_transports_messages_go_to_its_own_server() -> None:
    assert same_place("http://a.example/sse", "/messages?id=1", "a") == "http://a.example/messages?id=1"
    for elsewhere in ("http://b.example/m", "//b.example/m", "https://a.example/m", "http://a.example:81/m", ""):
        with pytest.raises(UpstreamError):
            same_place("http://a.example/sse", elsewhere, "a")


async def test_what_is_said_of_an_endpoint_names_no_credential() -> None:
    async with provider_of() as provider:
        for url in ("http://user:s3cret@example.com/", "http://example.com/?key=s3cret", "http://example.com/#s3cret"):
            with pytest.raises(StackError) as caught:
                provider.check_endpoint(url)
            assert "s3cret" not in caught.value.message
