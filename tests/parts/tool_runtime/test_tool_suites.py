"""Providers of ours before the suite that third parties prove theirs with (`stackgen_api.testing.tool_runtime`)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import ClassVar

from mcp_servers import Kind, mcp_server
from parts.providers.tool_runtime.mcp.credentials import MCP_HEADERS
from parts.providers.tool_runtime.model_context_protocol import ModelContextProtocolConfig, open_model_context_protocol
from parts.runtime.context import Context
from parts.runtime.secret import Secret
from parts.testing.tool_runtime import Sample, ServedTools, ToolsSuite
from pydantic_core import to_json
from search_services import SERVICES


class SearchSuite(ToolsSuite):
    service: ClassVar[str]

    @property
    def sample(self) -> Sample:  # type: ignore[override]
        return Sample(tool=SERVICES[self.service].tool, argument="query")

    @asynccontextmanager
    async def opens(self) -> AsyncIterator[ServedTools]:
        service = SERVICES[self.service]
        async with service.fake() as fake, service.opens(service.config(fake.url), instance="search") as provider:
            yield provider

    @asynccontextmanager
    async def opens_refused(self, credential: str) -> AsyncIterator[tuple[ServedTools, Context]]:
        service = SERVICES[self.service]
        ctx = Context("r", provider_data={service.credential: Secret(credential)})
        async with service.fake() as fake, service.opens(service.config(fake.url), instance="search") as provider:
            yield provider, ctx


class TestBrave(SearchSuite):
    service = "brave"


class TestTavily(SearchSuite):
    service = "tavily"


class TestBing(SearchSuite):
    service = "bing"


class TestWolfram(SearchSuite):
    service = "wolfram"


class McpSuite(ToolsSuite):
    kind: ClassVar[Kind]
    sample = Sample(tool="echo", argument="text")
    url: str | None = None

    def endpoint(self) -> str | None:
        return self.url

    @asynccontextmanager
    async def opens(self) -> AsyncIterator[ServedTools]:
        async with mcp_server(self.kind) as server, provider_of() as provider:
            self.url = server.url
            yield provider

    @asynccontextmanager
    async def opens_refused(self, credential: str) -> AsyncIterator[tuple[ServedTools, Context]]:
        async with mcp_server(self.kind, token="another") as server, provider_of() as provider:
            self.url = server.url
            headers = {server.url: {"Authorization": f"Bearer {credential}"}}
            yield provider, Context("r", provider_data={MCP_HEADERS: Secret(to_json(headers).decode())})


def provider_of() -> AbstractAsyncContextManager[ServedTools]:
    config = ModelContextProtocolConfig(client_endpoints="any")
    return open_model_context_protocol(config, instance="mcp", tool_groups=[])


class TestStreamable(McpSuite):
    kind = "streamable"


class TestStreamableWithJson(McpSuite):
    kind = "json"


class TestStateless(McpSuite):
    kind = "stateless"


class TestOldSse(McpSuite):
    kind = "old"
