"""Real servers of the Model Context Protocol, made with its SDK, over each of the transports.

async with mcp_server("streamable", token="t0ken") as server:
    … server.url, server.seen, server.cancelled
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Literal

import uvicorn
from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.mcpserver.utilities.types import Image
from mcp_types import AudioContent, CallToolResult, EmbeddedResource, ResourceLink, TextContent, TextResourceContents
from pydantic import BaseModel
from starlette.types import ASGIApp, Receive, Scope, Send

Kind = Literal["streamable", "json", "stateless", "old"]
KINDS: tuple[Kind, ...] = ("streamable", "json", "stateless", "old")
PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


class Place(BaseModel):
    city: str
    rooms: list[int]


@dataclass
class McpTestServer:
    """seen: method, path and headers of each request. slow: runs of the tool `slow` that have begun."""

    url: str = ""
    token: str | None = None
    refuse_with: int | None = None
    seen: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    slow: int = 0
    cancelled: int = 0

    def guarded(self, app: ASGIApp) -> ASGIApp:
        async def guard(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http":
                await app(scope, receive, send)
                return
            headers = {name.decode(): value.decode() for name, value in scope["headers"]}
            self.seen.append((scope["method"], scope["path"], headers))
            wanted = self.token is not None and headers.get("authorization") != f"Bearer {self.token}"
            status = self.refuse_with or (401 if wanted else None)
            if status is None:
                await app(scope, receive, send)
                return
            said = f"Unauthorized: {headers.get('authorization', 'nothing')}".encode()
            await send({"type": "http.response.start", "status": status, "headers": [(b"content-type", b"text/plain")]})
            await send({"type": "http.response.body", "body": said})

        return guard


def _with_tools(state: McpTestServer) -> MCPServer:
    server = MCPServer("a server of the tests", log_level="CRITICAL")

    @server.tool()
    def echo(text: str) -> str:
        """Says the same."""
        return text

    @server.tool()
    def add(a: int, b: int = 1) -> int:
        """Adds two numbers."""
        return a + b

    @server.tool()
    def book(place: Place) -> str:
        """Books rooms."""
        return f"{place.city} {sum(place.rooms)}"

    @server.tool()
    def picture() -> Image:
        """Shows a pixel."""
        return Image(data=PIXEL, format="png")

    @server.tool(structured_output=False)
    def everything() -> CallToolResult:
        """Answers what is neither text nor an image."""
        document = TextResourceContents(uri="file:///a.txt", mime_type="text/plain", text="a file")
        return CallToolResult(
            content=[
                TextContent(type="text", text="first"),
                EmbeddedResource(type="resource", resource=document),
                ResourceLink(type="resource_link", name="b", uri="file:///b.pdf", mime_type="application/pdf"),
                AudioContent(type="audio", data="AAAA", mime_type="audio/wav"),
            ]
        )

    @server.tool()
    def fails() -> str:
        """Does not work."""
        raise ToolError("the disk is full")

    @server.tool()
    async def slow(seconds: float) -> str:
        """Takes its time."""
        state.slow += 1
        try:
            await asyncio.sleep(seconds)
        except asyncio.CancelledError:
            state.cancelled += 1
            raise
        return "done"

    @server.tool()
    async def counting(ctx: Context, steps: int) -> str:  # type: ignore[type-arg]
        """Tells how far it is."""
        for step in range(steps):
            await ctx.report_progress(step, steps)
        return "counted"

    return server


@asynccontextmanager
async def mcp_server(
    kind: Kind = "streamable", *, token: str | None = None, path: str = "/mcp"
) -> AsyncIterator[McpTestServer]:
    """A server on a port of its own, in this event loop."""
    state = McpTestServer(token=token)
    made = _with_tools(state)
    if kind == "old":
        app = made.sse_app(sse_path=path)
    else:
        app = made.streamable_http_app(
            streamable_http_path=path, json_response=kind == "json", stateless_http=kind == "stateless"
        )
    config = uvicorn.Config(
        state.guarded(app), port=0, log_level="critical", lifespan="on", timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
    serving = asyncio.create_task(server._serve())
    try:
        async with asyncio.timeout(10):
            while not server.started:
                await asyncio.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        state.url = f"http://127.0.0.1:{port}{path}"
        yield state
    finally:
        server.should_exit = True
        await serving
