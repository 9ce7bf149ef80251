"""How the tests of the MCP provider ask it, and servers that misbehave: fakes at the socket, since no real one does."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager

from parts.contracts.shared.tool_defs import McpEndpoint
from parts.contracts.tool_runtime.requests import InvokeToolRequest, ListRuntimeToolsRequest
from parts.contracts.tool_runtime.responses import ToolInvocationResult
from parts.providers.tool_groups.groups import EndpointResource, ToolGroupResource
from parts.providers.tool_runtime.mcp.protocol import VERSION
from parts.providers.tool_runtime.model_context_protocol import (
    ModelContextProtocol,
    ModelContextProtocolConfig,
    open_model_context_protocol,
)
from parts.runtime.context import Context
from parts.runtime.secret import Secret
from upstreams import FakeUpstream, Script, Seen, answers, fake_upstream

Answer = Callable[[Seen, int], Script]
"""The script that answers a request of this number."""

TOOLS = [
    {
        "name": "echo",
        "inputSchema": {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]},
    }
]


@asynccontextmanager
async def provider_of(
    config: ModelContextProtocolConfig | None = None, *, declared: Sequence[str] = ()
) -> AsyncIterator[ModelContextProtocol]:
    groups = [
        ToolGroupResource(toolgroup_id=uri, provider_id="mcp", mcp_endpoint=EndpointResource(uri=uri))
        for uri in declared
    ]
    given = config or ModelContextProtocolConfig(client_endpoints="any", connect_seconds=5, call_seconds=5)
    async with open_model_context_protocol(given, instance="mcp", tool_groups=groups) as provider:
        yield provider


def caller(principal: str | None = None, headers: Mapping[str, Mapping[str, str]] | None = None) -> Context:
    data = {} if headers is None else {"mcp_headers": Secret(json.dumps(headers))}
    return Context("r", principal=principal, provider_data=data)


async def invoke(
    provider: ModelContextProtocol,
    url: str,
    tool: str = "echo",
    arguments: Mapping[str, object] | None = None,
    *,
    token: str | None = None,
    ctx: Context | None = None,
) -> ToolInvocationResult:
    request = InvokeToolRequest(
        tool_name=tool,
        kwargs=dict({"text": "hi"} if arguments is None else arguments),
        mcp_endpoint=McpEndpoint(uri=url),
        authorization=token,
    )
    return await provider.invoke_tool(request, ctx or caller())


async def names(provider: ModelContextProtocol, url: str, ctx: Context | None = None) -> list[str]:
    request = ListRuntimeToolsRequest(mcp_endpoint=McpEndpoint(uri=url))
    return [each.name for each in (await provider.list_runtime_tools(request, ctx or caller())).data]


# ── a server that does what a test says ─────────────────────────────────────────────────────────────────────────────


def result(value: object, *, session: str | None = None) -> Answer:
    headers = {} if session is None else {"Mcp-Session-Id": session}
    return lambda seen, number: answers({"jsonrpc": "2.0", "id": number, "result": value}, headers=headers)


def rpc_error(code: int, message: str, *, status: int = 200) -> Answer:
    error = {"code": code, "message": message}
    return lambda seen, number: answers({"jsonrpc": "2.0", "id": number, "error": error}, status=status)


def always(script: Script) -> Answer:
    return lambda seen, number: script


HELLO = result({"protocolVersion": VERSION, "capabilities": {"tools": {}}, "serverInfo": {"name": "x", "version": "1"}})
SAID = result({"content": [{"type": "text", "text": "hi"}]})


@asynccontextmanager
async def peer(
    *, hello: Answer = HELLO, tools: Answer | None = None, call: Answer = SAID, other: Script | None = None
) -> AsyncIterator[FakeUpstream]:
    """other: answers what is no POST; 405 without it."""
    listing = tools or result({"tools": TOOLS})
    ways = {"initialize": hello, "tools/list": listing, "tools/call": call}

    async def answer(seen: Seen, writer: asyncio.StreamWriter) -> bool:
        if seen.method != "POST":
            return await (other or answers(b"", status=405))(seen, writer)
        message = seen.json
        way = ways.get(str(message.get("method")))
        script = answers(b"", status=202) if way is None else way(seen, int(str(message["id"])))
        return await script(seen, writer)

    async with fake_upstream(answer) as fake:
        fake.url = fake.url.removesuffix("/v1") + "/mcp"
        yield fake


def methods(fake: FakeUpstream) -> list[str]:
    return [str(each.json.get("method")) if each.method == "POST" else each.method for each in fake.requests]
