"""Servers that hang, speak nonsense, refuse, and forget: an error that says what happened, and no more."""

from __future__ import annotations

import asyncio

import pytest
from mcp_calls import SAID, TOOLS, always, caller, invoke, methods, names, peer, provider_of, result, rpc_error
from mcp_servers import mcp_server
from parts.providers.tool_runtime import arguments
from parts.providers.tool_runtime.mcp import streamable
from parts.providers.tool_runtime.model_context_protocol import ModelContextProtocolConfig
from parts.runtime.errors import BadRequest, StackError, Unauthenticated, UpstreamError, UpstreamTimeout
from upstreams import answers, breaks_off, drops, hangs, refuses, shows_html, streams, talks_nonsense

QUICK = ModelContextProtocolConfig(client_endpoints="any", connect_seconds=0.5, call_seconds=0.3)
TOKEN = "t0ken-of-the-tests"


async def until(holds) -> None:  # type: ignore[no-untyped-def]
    async with asyncio.timeout(10):
        while not holds():
            await asyncio.sleep(0.01)


NONSENSE = {
    "html": always(shows_html()),
    "no json": always(answers(b"{")),
    "no rpc": always(answers({"hello": "world"})),
    "another's answer": lambda seen, number: answers({"jsonrpc": "2.0", "id": number + 1, "result": {}}),
    "neither": lambda seen, number: answers({"jsonrpc": "2.0", "id": number}),
    "a stream without an answer": always(streams(done=False)),
    "no http": always(talks_nonsense),
    "half": always(breaks_off),
    "nothing": always(drops),
    "deep": always(answers(b"[" * 100_000)),
    "html 500": always(shows_html(500)),
    "bad gateway": always(refuses(502)),
}


@pytest.mark.parametrize("kind", NONSENSE)
async def test_nonsense_in_place_of_any_answer_is_told_as_the_servers(kind: str) -> None:
    for where in ("hello", "tools", "call"):
        async with peer(**{where: NONSENSE[kind]}) as fake, provider_of() as provider:
            with pytest.raises(UpstreamError, match=r"MCP server 127.0.0.1") as caught:
                await invoke(provider, fake.url, token=TOKEN)
            assert TOKEN not in caught.value.message


@pytest.mark.parametrize(
    "value",
    [
        {"content": "text"},
        {"content": [1]},
        {"content": [{"type": "text", "text": "x"}, None]},
    ],
)
async def test_what_is_no_result_of_a_tool_is_the_servers_fault(value: object) -> None:
    async with peer(call=result(value)) as fake, provider_of() as provider:
        with pytest.raises(UpstreamError, match="no result of a tool"):
            await invoke(provider, fake.url)


async def test_lists_of_tools_that_are_none_or_have_no_end() -> None:
    async with peer(tools=result({"tools": "echo"})) as fake, provider_of() as provider:
        with pytest.raises(UpstreamError, match="no list of tools"):
            await names(provider, fake.url)
    pages = iter(range(1000))

    def next_page(seen, number):  # type: ignore[no-untyped-def]
        return result({"tools": [], "nextCursor": str(next(pages))})(seen, number)

    async with peer(tools=next_page) as fake, provider_of() as provider:
        with pytest.raises(UpstreamError, match="without an end"):
            await names(provider, fake.url)
    strange = [*TOOLS, None, {"name": ""}, {"name": 7}, {"name": "odd", "inputSchema": "x", "description": 3}, *TOOLS]
    async with peer(tools=result({"tools": strange})) as fake, provider_of() as provider:
        assert await names(provider, fake.url) == ["echo", "odd"]


async def test_a_server_without_tools_has_none() -> None:
    async with peer(tools=rpc_error(-32601, "Method not found")) as fake, provider_of() as provider:
        assert await names(provider, fake.url) == []


@pytest.mark.parametrize("where", ["hello", "tools", "call"])
async def test_a_server_that_hangs_is_given_up(where: str) -> None:
    async with peer(**{where: always(hangs)}) as fake, provider_of(QUICK) as provider:
        with pytest.raises(UpstreamTimeout, match=r"MCP server 127.0.0.1.* within 0.[35] s"):
            await invoke(provider, fake.url)


async def test_a_server_that_hangs_is_not_asked_again_at_once() -> None:
    async with peer(hello=always(hangs)) as fake, provider_of(QUICK) as provider:
        found = await asyncio.gather(*(invoke(provider, fake.url) for _ in range(5)), return_exceptions=True)
        assert [type(each) for each in found] == [UpstreamTimeout] * 5
        assert methods(fake) == ["initialize"]


async def test_a_tool_that_takes_too_long_is_called_off() -> None:
    for kind in ("streamable", "old"):
        async with mcp_server(kind) as server, provider_of(QUICK) as provider:
            with pytest.raises(UpstreamTimeout, match=r"tools/call within 0.3 s"):
                await invoke(provider, server.url, "slow", {"seconds": 60})
            await until(lambda server=server: server.cancelled == 1)
            assert (await invoke(provider, server.url)).content, "the session goes on"


async def test_the_work_of_a_client_that_leaves_is_called_off() -> None:
    async with mcp_server("streamable") as server, provider_of() as provider:
        task = asyncio.create_task(invoke(provider, server.url, "slow", {"seconds": 60}))
        await until(lambda: server.slow == 1)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await until(lambda: server.cancelled == 1)


async def test_an_answer_without_an_end_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streamable, "LARGEST_ANSWER", 10_000)
    large = result({"content": [{"type": "text", "text": "x" * 20_000}]})
    async with peer(call=large) as fake, provider_of() as provider:
        with pytest.raises(UpstreamError, match="more than 10000 bytes"):
            await invoke(provider, fake.url)
    note = {"jsonrpc": "2.0", "method": "notifications/message", "params": {"data": "x" * 1000}}
    async with peer(call=always(streams(*[note] * 50, done=False))) as fake, provider_of() as provider:
        with pytest.raises(UpstreamError, match="more than 10000 bytes"):
            await invoke(provider, fake.url)


async def test_an_error_of_the_protocol_is_told_without_the_credential() -> None:
    failing = rpc_error(-32603, f"no access with {TOKEN}")
    async with peer(call=failing) as fake, provider_of() as provider:
        with pytest.raises(UpstreamError, match=r"error -32603: no access with \*{8}"):
            await invoke(provider, fake.url, token=TOKEN)


async def test_a_refusal_says_how_a_credential_is_sent() -> None:
    for status, kind in ((401, Unauthenticated), (403, StackError), (429, StackError), (503, StackError)):
        refusing = always(refuses(status, f"not with {TOKEN}"))
        async with peer(hello=refusing) as fake, provider_of() as provider:
            with pytest.raises(kind) as caught:
                await invoke(provider, fake.url, token=TOKEN)
            assert caught.value.status == status
            assert TOKEN not in caught.value.message
            assert ("authorization" in caught.value.message) == (status == 401)


async def test_a_wrong_path_is_not_a_tool_that_is_missing() -> None:
    async with mcp_server("streamable") as server, provider_of() as provider:
        with pytest.raises(UpstreamError, match=r"no transport of the protocol at this URL .POST: 404; GET: "):
            await invoke(provider, server.url + "x")


async def test_an_unknown_revision_is_refused() -> None:
    hello = result({"protocolVersion": "2031-01-01", "capabilities": {}})
    async with peer(hello=hello) as fake, provider_of() as provider:
        with pytest.raises(UpstreamError, match="revision '2031-01-01'"):
            await invoke(provider, fake.url)
    newer = rpc_error(-32022, "Unsupported protocol version", status=400)
    async with peer(hello=newer) as fake, provider_of() as provider:
        with pytest.raises(UpstreamError, match="-32022: Unsupported protocol version"):
            await invoke(provider, fake.url)


# ── sessions that are forgotten ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("status", [400, 404])
async def test_a_session_that_the_server_has_forgotten_is_opened_anew(status: int) -> None:
    hello = {"protocolVersion": "2025-06-18", "capabilities": {}}
    sessions = iter(["one", "two"])
    forgotten: set[str] = set()

    def opening(seen, number):  # type: ignore[no-untyped-def]
        return result(hello, session=next(sessions))(seen, number)

    def calling(seen, number):  # type: ignore[no-untyped-def]
        lost = seen.headers["mcp-session-id"] in forgotten
        return answers(b"Session not found", status=status) if lost else SAID(seen, number)

    async with peer(hello=opening, call=calling) as fake, provider_of() as provider:
        await invoke(provider, fake.url)
        forgotten.add("one")
        assert (await invoke(provider, fake.url)).content
        calls = [each for each in fake.requests if each.method == "POST" and b"tools/call" in each.body]
        assert [each.headers["mcp-session-id"] for each in calls] == ["one", "one", "two"]
        assert calls[0].headers["mcp-protocol-version"] == "2025-06-18"


async def test_a_server_that_forgets_every_session_is_not_asked_for_ever() -> None:
    hello = result({"protocolVersion": "2025-06-18", "capabilities": {}}, session="s")
    async with peer(hello=hello, call=always(answers(b"gone", status=404))) as fake, provider_of() as provider:
        with pytest.raises(UpstreamError, match="forgets its sessions"):
            await invoke(provider, fake.url)
        assert methods(fake).count("initialize") == 2


async def test_a_server_that_was_restarted_is_talked_to_again() -> None:
    async with mcp_server("old") as server, provider_of() as provider:
        await invoke(provider, server.url)
        session = next(iter(provider.pool._entries.values())).session
        assert session is not None
        session._transport._reply.close()  # type: ignore[attr-defined]
        await until(lambda: not session.alive)
        assert (await invoke(provider, server.url)).content


async def test_a_stream_that_ends_early_is_fetched_to_its_end() -> None:
    """A server may end the connection of a long call once it has named an event to go on from."""

    def call(seen, number):  # type: ignore[no-untyped-def]
        numbers.append(number)
        return streams(b"id: e1\nretry: 1\ndata: \n\n", done=False)

    async def rest(seen, writer):  # type: ignore[no-untyped-def]
        answer = {"jsonrpc": "2.0", "id": numbers[-1], "result": {"content": [{"type": "text", "text": "late"}]}}
        return await streams(answer, done=False)(seen, writer)

    numbers: list[int] = []
    async with peer(call=call, other=rest) as fake, provider_of() as provider:
        answer = await invoke(provider, fake.url)
        assert answer.content[0].text == "late"  # type: ignore[index, union-attr]
        assert fake.requests[-1].headers["last-event-id"] == "e1"


async def test_what_a_server_asks_meanwhile_is_answered() -> None:
    def call(seen, number):  # type: ignore[no-untyped-def]
        ping = {"jsonrpc": "2.0", "id": "p1", "method": "ping"}
        sampling = {"jsonrpc": "2.0", "id": number, "method": "sampling/createMessage", "params": {}}
        answer = {"jsonrpc": "2.0", "id": number, "result": {"content": []}}
        return streams(ping, sampling, answer, done=False)

    async with peer(call=call) as fake, provider_of() as provider:
        await invoke(provider, fake.url)
        said = [each.json for each in fake.requests if each.method == "POST" and "method" not in each.json]
        assert said[0] == {"jsonrpc": "2.0", "id": "p1", "result": {}}
        assert said[1]["error"]["code"] == -32601  # type: ignore[index]


# ── schemas that are not to be trusted ──────────────────────────────────────────────────────────────────────────────


def nested(depth: int) -> dict[str, object]:
    schema: dict[str, object] = {}
    for _ in range(depth):
        schema = {"properties": {"text": schema}}
    return schema


HOSTILE = {
    "an endless reference": {"$ref": "#"},
    "a circle": {"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}, "$ref": "#/$defs/a"},
    "a reference elsewhere": {"$ref": "http://169.254.169.254/latest"},
    "a file": {"$ref": "file:///etc/passwd"},
    "a slow pattern": {"properties": {"text": {"pattern": "^(a+)+$"}}},
    "a pattern that looks back": {"properties": {"text": {"pattern": "(?<=a)b"}}},
    "no schema": {"type": "nonsense"},
    "a deep one": nested(150),
    "a large one": {"enum": ["x" * 300_000]},
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_schema_refuses_or_lets_pass_at_once(kind: str) -> None:
    check = arguments.ArgumentCheck(HOSTILE[kind])
    value = {"text": "a" * 50_000 + "!"}
    if kind != "a slow pattern":
        check(value)
        return
    with pytest.raises(BadRequest) as caught:
        check(value)
    assert caught.value.param == "kwargs.text"


def test_a_fault_names_its_place_and_not_the_value() -> None:
    check = arguments.ArgumentCheck(
        {"properties": {"a": {"properties": {"b": {"items": {"type": "integer", "enum": [1, 2]}}}}}}
    )
    with pytest.raises(BadRequest) as caught:
        check({"a": {"b": [1, "s3cret"]}})
    assert caught.value.param == "kwargs.a.b[1]"
    assert "s3cret" not in caught.value.message


async def test_a_list_changes_when_the_server_does() -> None:
    tools = [*TOOLS]

    def listing(seen, number):  # type: ignore[no-untyped-def]
        return result({"tools": tools})(seen, number)

    async with peer(tools=listing) as fake, provider_of() as provider:
        assert await names(provider, fake.url) == ["echo"]
        tools.append({"name": "later", "inputSchema": {"type": "object"}})
        await asyncio.sleep(0.6)
        assert await names(provider, fake.url, caller()) == ["echo", "later"]
