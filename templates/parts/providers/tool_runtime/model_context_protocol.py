"""Tools at servers of the Model Context Protocol, which speak streamable HTTP or the older transport.

A server is named by a tool group's `mcp_endpoint`. What a caller shows there comes with each request, and is kept no
longer than the session that was opened with it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol, TypeVar
from urllib.parse import urlsplit

from ...contracts.shared.tool_defs import ListToolDefsResponse
from ...contracts.tool_runtime.responses import ToolInvocationResult
from ...runtime.context import Context
from ...runtime.errors import (
    BadRequest,
    Forbidden,
    NotFound,
    RateLimited,
    SettingsError,
    StackError,
    Unauthenticated,
    Unavailable,
    UpstreamError,
    UpstreamTimeout,
)
from ...runtime.public_addresses import PublicResolver
from ...runtime.upstream import Upstream, open_upstream
from ...runtime.upstream_config import NetworkConfig, proxy_for
from ...runtime.upstream_errors import mask
from ...runtime.wiring import Health
from .mcp.credentials import MCP_HEADERS, credential_for
from .mcp.endpoints import check_public, check_resolved, check_url
from .mcp.pool import Key, Pool
from .mcp.protocol import RpcError, SessionLost
from .mcp.results import result_of_call
from .mcp.session import Session, Tool, connect

if TYPE_CHECKING:
    from ...contracts.shared.tool_defs import McpEndpoint
    from ...contracts.tool_runtime.requests import InvokeToolRequest, ListRuntimeToolsRequest

T = TypeVar("T")

KNOWN_SECONDS = 60.0
"""How old a list of tools may be for a tool that is in it."""

UNKNOWN_SECONDS = 2.0
"""How old a list may be for a tool that is not in it to be refused without asking anew."""

LISTED_SECONDS = 0.5
"""How old a list may be that somebody asks to see: several ask at once."""

_PASSED_ON = (Unauthenticated, Forbidden, RateLimited, Unavailable, UpstreamTimeout, UpstreamError)
"""What a server's refusal is to our client too; any other is the server's own trouble."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelContextProtocolConfig:
    """client_endpoints: which servers clients may name: "none", "public", "any". connect_seconds: for a handshake, and
    for a list of tools. call_seconds: for a tool's run. session_idle_seconds: that a session is kept unused.
    max_sessions: at once, in each process.
    """

    client_endpoints: str = "public"
    connect_seconds: float = 15.0
    call_seconds: float = 120.0
    session_idle_seconds: float = 120.0
    max_sessions: int = 1000
    network: NetworkConfig = field(default_factory=NetworkConfig)


class Endpoint(Protocol):
    @property
    def uri(self) -> str | None: ...


class DeclaredGroup(Protocol):
    """A tool group of the distribution, as far as it matters here."""

    @property
    def mcp_endpoint(self) -> Endpoint: ...


class ModelContextProtocol:
    """own: the way to servers of the distribution. others: to those that clients name, None where they may not.
    resolver: finds the addresses of those, where they have to be public.
    """

    takes_endpoints = True

    def __init__(
        self,
        config: ModelContextProtocolConfig,
        declared: frozenset[str],
        own: Upstream,
        others: Upstream | None,
        resolver: PublicResolver | None,
        *,
        instance: str,
    ) -> None:
        self._config = config
        self._declared = declared
        self._own = own
        self._others = others
        self._resolver = resolver
        self._instance = instance
        self.pool = Pool(self._connect, idle=config.session_idle_seconds, most=config.max_sessions)

    # ── the contract ────────────────────────────────────────────────────────────────────────────────────────────────

    async def invoke_tool(self, request: InvokeToolRequest, ctx: Context) -> ToolInvocationResult:
        key = self._key(request.mcp_endpoint, request.authorization, ctx)
        name, arguments, host = request.tool_name, request.kwargs, _host(key.url)

        async def run(session: Session) -> ToolInvocationResult:
            tool = await _tool(session, name)
            if tool is None:
                message = f"MCP server {host} has no tool {name[:200]!r}"
                raise NotFound(message, code="tool_not_found", param="tool_name")
            tool.check(arguments)
            return result_of_call(await session.call(name, arguments, self._config.call_seconds), host)

        return await self._with_session(key, run)

    async def list_runtime_tools(self, request: ListRuntimeToolsRequest, ctx: Context) -> ListToolDefsResponse:
        key = self._key(request.mcp_endpoint, request.authorization, ctx)
        tools = await self._with_session(key, lambda session: session.tools(LISTED_SECONDS))
        return ListToolDefsResponse(data=[each.shown for each in tools.values()])

    # ── for the table ───────────────────────────────────────────────────────────────────────────────────────────────

    async def offers(self, name: str, request: ListRuntimeToolsRequest, ctx: Context) -> bool:
        key = self._key(request.mcp_endpoint, request.authorization, ctx)
        return await self._with_session(key, lambda session: _tool(session, name)) is not None

    def check_endpoint(self, uri: str | None) -> None:
        param = "mcp_endpoint"
        if uri is None:
            message = f"mcp_endpoint.uri is missing; provider {self._instance!r} talks to the server that it names"
            raise BadRequest(message, param=param)
        check_url(uri, param)
        if uri in self._declared:
            return
        if self._others is None:
            message = "this server talks only to endpoints of its distribution (client_endpoints is none)"
            raise Forbidden(message, code="endpoint_not_allowed", param=param)
        if self._resolver is not None:
            check_public(uri)

    async def health(self) -> Health:
        """Unknown: which servers there are, and with which credential, each request says."""
        return Health("Not Implemented", "each request says which server it wants, and shows its own credential there")

    # ── sessions ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _key(self, endpoint: McpEndpoint | None, authorization: str | None, ctx: Context) -> Key:
        uri = None if endpoint is None else endpoint.uri
        self.check_endpoint(uri)
        url = uri or ""
        return Key(url, credential_for(url, authorization, ctx), ctx.principal)

    async def _connect(self, key: Key) -> Session:
        upstream = self._own
        if key.url not in self._declared:
            upstream = self._others or self._own  # check_endpoint has seen to it that there is one
            if self._resolver is not None and not self._is_proxied(key.url):
                await check_resolved(key.url, self._resolver)
        return await connect(upstream, key.url, _host(key.url), key.credential, self._config.connect_seconds)

    def _is_proxied(self, url: str) -> bool:
        """Whether a proxy finds the address, and this server need not be able to."""
        parts = urlsplit(url)
        return proxy_for(self._config.network.proxy, parts.scheme, parts.hostname or "") is not None

    async def _with_session(self, key: Key, use: Callable[[Session], Awaitable[T]]) -> T:
        """Once more with a new session, where the server has forgotten the old one. Raises StackError."""
        try:
            try:
                return await self._once(key, use)
            except SessionLost:
                return await self._once(key, use)
        except SessionLost:
            raise UpstreamError(f"MCP server {_host(key.url)} forgets its sessions at once") from None
        except RpcError as error:
            said = mask(error.message, key.credential.secrets())[:1000]
            message = f"MCP server {_host(key.url)} answered error {error.code}: {said}"
            raise UpstreamError(message, code="mcp_error") from None
        except (UpstreamError, UpstreamTimeout, Unauthenticated, StackError) as error:
            raise _outward(error, _host(key.url)) from None

    async def _once(self, key: Key, use: Callable[[Session], Awaitable[T]]) -> T:
        async with self.pool.borrowed(key) as session:
            try:
                return await use(session)
            except SessionLost:
                self.pool.drop(key, session)
                raise


@asynccontextmanager
async def open_model_context_protocol(
    config: ModelContextProtocolConfig, *, instance: str, tool_groups: Sequence[DeclaredGroup]
) -> AsyncIterator[ModelContextProtocol]:
    """tool_groups: those of the distribution. Raises SettingsError for an endpoint of theirs that is none."""
    declared = frozenset(uri for each in tool_groups if (uri := each.mcp_endpoint.uri) is not None)
    problems = [problem for uri in sorted(declared) if (problem := _unfit(uri))]
    if problems:
        raise SettingsError(problems)
    async with AsyncExitStack() as stack:
        # Each call names its whole URL; this one is never used.
        nowhere = "http://localhost"
        own = await stack.enter_async_context(open_upstream(nowhere, config.network))
        others, resolver = None, None
        if config.client_endpoints == "public":
            proxy = config.network.proxy
            urls = (each.reveal() for each in (proxy.url, proxy.http, proxy.https) if each is not None)
            resolver = PublicResolver([urlsplit(each).hostname or "" for each in urls])
            stack.push_async_callback(resolver.close)
        if config.client_endpoints != "none":
            # A place that a client names gets nothing of the configuration's: no extra headers, no certificate.
            tls = replace(config.network.tls, client_cert=None, client_key=None)
            network = replace(config.network, headers={}, tls=tls)
            others = await stack.enter_async_context(open_upstream(nowhere, network, resolver=resolver))
        provider = ModelContextProtocol(config, declared, own, others, resolver, instance=instance)
        sweeping = asyncio.create_task(provider.pool.sweep())
        try:
            yield provider
        finally:
            sweeping.cancel()
            await asyncio.gather(sweeping, return_exceptions=True)
            await provider.pool.close()


async def _tool(session: Session, name: str) -> Tool | None:
    for age in (KNOWN_SECONDS, UNKNOWN_SECONDS):
        if (tool := (await session.tools(age)).get(name)) is not None:
            return tool
    return None


def _outward(error: StackError, host: str) -> StackError:
    """A server's refusal as our client is told of it: what is wrong with our own request is the server's trouble."""
    if error.code in ("tool_not_found", "invalid_arguments", "endpoint_not_allowed", "too_many_sessions"):
        return error
    kind = type(error) if isinstance(error, _PASSED_ON) else UpstreamError
    message = error.message if error.message.startswith("MCP server") else f"MCP server {_bare(error.message, host)}"
    if isinstance(error, Unauthenticated):
        message += f"; it wants a token as authorization, or headers as {MCP_HEADERS} in the provider-data header"
    return kind(message, code=error.code, retry_after=error.retry_after)


def _bare(message: str, host: str) -> str:
    return message if message.startswith(host) else f"{host}: {message}"


def _host(url: str) -> str:
    return urlsplit(url).netloc


def _unfit(uri: str) -> str:
    try:
        check_url(uri, "mcp_endpoint")
    except BadRequest as error:
        return f"resources.tool_groups: {error.message}"
    return ""
