"""Tools of a built server, asked for by Llama Stack's client, at real servers of the Model Context Protocol."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import httpx
import pytest
from llama_stack_client import APIStatusError, LlamaStackClient, NotFoundError
from mcp_servers import Kind, McpTestServer, mcp_server
from stackgen.environment import environment_for
from upstreams import answers

from .conftest import Built
from .fronts import Service
from .servers import CACHE, Running, stackgen

pytestmark = pytest.mark.slow

SPEC = """\
name: toolbox
summary: Tools.
apis: [tool_runtime, tool_groups, inspect, providers]
providers:
  tool_runtime:
    - {id: tavily, type: remote::tavily-search, config: {base_url: "${env.SERVICE_URL}", api_key: a-key-of-the-server}}
    - {id: mcp, type: remote::model-context-protocol, config: {client_endpoints: "${env.CLIENT_ENDPOINTS:=any}"}}
resources:
  tool_groups:
    - {toolgroup_id: "builtin::websearch", provider_id: tavily}
    - {toolgroup_id: "mcp::declared", provider_id: mcp, mcp_endpoint: {uri: "${env.MCP_URL}"}}
storage:
  backends:
    kv_default: {type: inline::kv-sqlite, config: {db_path: "${env.STORE}"}}
"""
TOKEN = "t0ken-of-the-tests"


@contextmanager
def served_mcp(kind: Kind, token: str | None = None) -> Iterator[McpTestServer]:
    """A server in a thread of its own."""
    found: list[McpTestServer] = []
    loop = asyncio.new_event_loop()
    ready, stop = threading.Event(), asyncio.Event()

    async def serve() -> None:
        async with mcp_server(kind, token=token) as server:
            found.append(server)
            ready.set()
            await stop.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    try:
        assert ready.wait(20)
        yield found[0]
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(20)


@pytest.fixture(scope="module")
def toolbox(tmp_path_factory: pytest.TempPathFactory) -> Built:
    folder = tmp_path_factory.mktemp("toolbox")
    (folder / "specs/distributions").mkdir(parents=True)
    (folder / "specs/distributions/toolbox.yaml").write_text(SPEC)
    done = stackgen("build", "toolbox", "--specs", "specs", "--out", "out", cwd=folder)
    assert done.returncode == 0, done.stderr
    return Built("toolbox", folder / "out", environment_for(folder / "out", CACHE / "envs", lambda _: None))


@pytest.fixture(scope="module")
def declared() -> Iterator[McpTestServer]:
    with served_mcp("streamable") as server:
        yield server


Serve = Callable[..., AbstractContextManager[Running]]


@pytest.fixture
def serve(toolbox: Built, service: Service, declared: McpTestServer, tmp_path: Path) -> Serve:
    result = {"title": "Paris", "url": "https://a.example/", "content": "The capital of France."}
    service.plays(answers({"query": "x", "results": [result]}))
    environ = {"SERVICE_URL": service.url, "MCP_URL": declared.url, "STORE": str(tmp_path / "kv.db")}
    return lambda *arguments, **more: toolbox.serve({**environ, **more}, *arguments)


def client_of(server: Running, **headers: object) -> LlamaStackClient:
    data = {"X-LlamaStack-Provider-Data": json.dumps(headers)} if headers else {}
    return LlamaStackClient(base_url=server.url, max_retries=0, default_headers=data)


def test_llama_stacks_client_lists_and_runs_tools(serve: Serve) -> None:
    with serve() as server, client_of(server) as client:
        groups = client.toolgroups.list()
        assert [each.identifier for each in groups] == ["builtin::websearch", "mcp::declared"]
        assert client.toolgroups.get("builtin::websearch").provider_id == "tavily"

        tools = {each.identifier: each for each in client.tools.list()}
        assert {"web_search", "echo", "add"} <= tools.keys()
        assert [each.name for each in tools["add"].parameters] == ["a", "b"]
        assert [each.required for each in tools["add"].parameters] == [True, False]
        assert [each.identifier for each in client.tools.list(toolgroup_id="builtin::websearch")] == ["web_search"]
        assert client.tools.get("echo").toolgroup_id == "mcp::declared"
        assert "echo" in [each.name for each in client.tool_runtime.list_tools(tool_group_id="mcp::declared")]

        answer = client.tool_runtime.invoke_tool(tool_name="web_search", kwargs={"query": "capital of France"})
        assert json.loads(str(answer.content))["top_k"][0]["title"] == "Paris"
        answer = client.tool_runtime.invoke_tool(tool_name="add", kwargs={"a": 2, "b": 3})
        assert answer.content[0].text == "5"  # type: ignore[index, union-attr]
        failed = client.tool_runtime.invoke_tool(tool_name="fails", kwargs={})
        assert (failed.error_code, "the disk is full" in str(failed.error_message)) == (1, True)

        with pytest.raises(NotFoundError):
            client.tool_runtime.invoke_tool(tool_name="nothing", kwargs={})
        with pytest.raises(APIStatusError, match=r"kwargs\.a") as caught:
            client.tool_runtime.invoke_tool(tool_name="add", kwargs={"a": "x"})
        assert caught.value.status_code == 400


@pytest.mark.parametrize("kind", ["streamable", "old"])
def test_a_server_that_a_client_registers_is_kept_and_shown_the_clients_credential(serve: Serve, kind: Kind) -> None:
    with served_mcp(kind, TOKEN) as other:
        headers = {other.url: {"Authorization": f"Bearer {TOKEN}"}}
        with serve() as server, client_of(server) as client:
            client.toolgroups.register(toolgroup_id="mcp::mine", provider_id="mcp", mcp_endpoint={"uri": other.url})
            server.process.kill()
        with serve("--workers", "2") as server, client_of(server, mcp_headers=headers) as client:
            assert client.toolgroups.get("mcp::mine").mcp_endpoint.uri == other.url  # type: ignore[union-attr]
            listed = client.tool_runtime.list_tools(mcp_endpoint={"uri": other.url})
            assert {each.name for each in listed} >= {"echo", "add"}
            assert {each.provider_id for each in listed} == {"mcp"}, "and not the search's"  # type: ignore[attr-defined]
            answer = client.tool_runtime.invoke_tool(tool_name="mcp::mine/echo", kwargs={"text": "hi"})
            assert answer.content[0].text == "hi"  # type: ignore[index, union-attr]
            body = {"tool_name": "mcp::mine/echo", "kwargs": {"text": "hi"}}
            post = f"{server.url}/v1/tool-runtime/invoke"
            refused = httpx.post(post, json={**body, "authorization": "another-token"}, timeout=20)
            assert (refused.status_code, "another-token" in refused.text) == (401, False)
            assert httpx.post(post, json={**body, "authorization": TOKEN}, timeout=20).status_code == 200
            listed_all = httpx.get(f"{server.url}/v1/tools", timeout=20).json()
            assert [each["toolgroup_id"] for each in listed_all["unavailable"]] == ["mcp::mine"]
            client.toolgroups.unregister("mcp::mine")
            with pytest.raises(NotFoundError):
                client.toolgroups.get("mcp::mine")
            assert TOKEN not in server.log.read_text()


def test_clients_do_not_send_the_server_into_its_own_network(serve: Serve) -> None:
    with served_mcp("streamable") as other, serve(CLIENT_ENDPOINTS="public") as server, client_of(server) as client:
        with pytest.raises(APIStatusError, match="no public address") as caught:
            client.toolgroups.register(toolgroup_id="mcp::x", provider_id="mcp", mcp_endpoint={"uri": other.url})
        assert caught.value.status_code == 403
        with pytest.raises(APIStatusError, match="no public address"):
            client.tool_runtime.list_tools(mcp_endpoint={"uri": other.url})
        assert other.seen == []
        assert client.tool_runtime.invoke_tool(tool_name="echo", kwargs={"text": "hi"}).content
