"""One tool over one service that is asked with a query: what Brave, Tavily, Bing and Wolfram|Alpha have in common.

A service is a `Service`: how it is asked, and what of its answer is of use.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from ...contracts.shared.tool_defs import ListToolDefsResponse, ToolDef
from ...contracts.tool_runtime.responses import ToolInvocationResult
from ...runtime.context import Context
from ...runtime.errors import BadRequest, NotFound, StackError, Unauthenticated, UpstreamError
from ...runtime.relay import read_json
from ...runtime.secret import Secret
from ...runtime.upstream import Call, Upstream, open_upstream
from ...runtime.upstream_config import NetworkConfig
from ...runtime.wiring import Health

if TYPE_CHECKING:
    from ...contracts.tool_runtime.requests import InvokeToolRequest, ListRuntimeToolsRequest

LONGEST_QUERY = 4000
"""Characters; the services take a few hundred, and say so themselves."""

WEB_SEARCH = "web_search"


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchConfig:
    """base_url: what the path of the search is appended to. api_key: None where every client sends its own.
    max_results: the most that a search answers.
    """

    base_url: str
    api_key: Secret | None = None
    max_results: int = 3
    network: NetworkConfig = field(default_factory=NetworkConfig)


class KeyedConfig(Protocol):
    """What is needed of a config here."""

    @property
    def base_url(self) -> str: ...

    @property
    def api_key(self) -> Secret | None: ...

    @property
    def network(self) -> NetworkConfig: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """tool, description, asks_for: the tool, what it does, and what its query is.

    credential: the key's name in the provider-data header.
    call: the request for a query, with a key. read: what of the answer's JSON is handed on, as JSON values; None where
    the answer is not what such a service answers. refusals: codes of errors that mean a key which is not accepted,
    where the status does not say so.
    """

    tool: str
    description: str
    asks_for: str
    credential: str
    call: Callable[[str, Secret], Call]
    read: Callable[[str, object], Mapping[str, object] | None]
    refusals: frozenset[str] = frozenset()


class SearchTool:
    """A provider of one tool."""

    takes_endpoints = False

    def __init__(self, upstream: Upstream, config: KeyedConfig, service: Service, *, instance: str) -> None:
        self._upstream = upstream
        self._config = config
        self._service = service
        self._instance = instance

    # ── the contract ────────────────────────────────────────────────────────────────────────────────────────────────

    async def invoke_tool(self, request: InvokeToolRequest, ctx: Context) -> ToolInvocationResult:
        service = self._service
        if request.tool_name != service.tool:
            message = f"{self._instance} has no tool {request.tool_name[:200]!r}; it has {service.tool}"
            raise NotFound(message, code="tool_not_found", param="tool_name")
        query = _query(request.kwargs)
        call = service.call(query, self._key(ctx))
        try:
            found = service.read(query, read_json(self._upstream.host, await self._upstream.fetch(call)))
        except StackError as error:
            raise _told(error, self._upstream.host, service.refusals) from None
        if found is None:
            message = f"{self._upstream.host} answered what is no result of a search"
            raise UpstreamError(message, code="upstream_invalid_answer")
        return ToolInvocationResult(content=json.dumps(found, ensure_ascii=False))

    async def list_runtime_tools(self, request: ListRuntimeToolsRequest, ctx: Context) -> ListToolDefsResponse:
        query = {"type": "string", "minLength": 1, "maxLength": LONGEST_QUERY, "description": self._service.asks_for}
        tool = ToolDef(
            name=self._service.tool,
            description=self._service.description,
            input_schema={"type": "object", "properties": {"query": query}, "required": ["query"]},
        )
        return ListToolDefsResponse(data=[tool])

    # ── for the table ───────────────────────────────────────────────────────────────────────────────────────────────

    async def offers(self, name: str, request: ListRuntimeToolsRequest, ctx: Context) -> bool:
        return name == self._service.tool

    def check_endpoint(self, uri: str | None) -> None:
        if uri is not None:
            message = f"provider {self._instance!r} talks to no server, so a group of it has no mcp_endpoint"
            raise BadRequest(message, param="mcp_endpoint")

    async def health(self) -> Health:
        """Unknown: whatever could be asked is a search, and is paid for."""
        return Health("Not Implemented", "only a search would tell, and it has its price")

    def _key(self, ctx: Context) -> Secret:
        """The client's own key if it sent one, else the configured one."""
        for key in (ctx.provider_data.get(self._service.credential), self._config.api_key):
            if key is not None and (text := key.reveal().strip()):
                if not (text.isascii() and text.isprintable()):
                    message = f"the API key for {self._instance!r} holds characters that no header can carry"
                    raise Unauthenticated(message)
                return Secret(text)
        raise Unauthenticated(
            f"provider {self._instance!r} has no API key: set providers.tool_runtime.{self._instance}.api_key, or send "
            f'{{"{self._service.credential}": "..."}} in the header X-LlamaStack-Provider-Data',
            code="invalid_api_key",
        )


@asynccontextmanager
async def open_search(config: KeyedConfig, service: Service, *, instance: str) -> AsyncIterator[SearchTool]:
    async with open_upstream(config.base_url, config.network) as upstream:
        yield SearchTool(upstream, config, service, instance=instance)


def web_search(
    *,
    credential: str,
    call: Callable[[str, Secret], Call],
    read: Callable[[str, object], Mapping[str, object] | None],
    refusals: frozenset[str] = frozenset(),
) -> Service:
    """A service that searches the web."""
    return Service(
        tool=WEB_SEARCH,
        description="Searches the web, and answers the best results with their titles, addresses and text.",
        asks_for="What to search for.",
        credential=credential,
        call=call,
        read=read,
        refusals=refusals,
    )


def results(query: str, entries: object, keys: Mapping[str, str], most: int) -> Mapping[str, object] | None:
    """What a search of the web answers, in one form whatever the service. keys: what each value is called by it.

    results("cats", [{"url": "u", "snippet": "s"}], {"url": "url", "content": "snippet"}, 3)
    → {"query": "cats", "top_k": [{"url": "u", "content": "s"}]}
    """
    if not isinstance(entries, list):
        return None
    found = [each for each in entries if isinstance(each, dict)][:most]
    return {
        "query": query,
        "top_k": [{k: each[v] for k, v in keys.items() if each.get(v) is not None} for each in found],
    }


def member(document: object, *path: str) -> object:
    """What stands at a path of objects, None where there is no such."""
    for key in path:
        document = document.get(key) if isinstance(document, dict) else None
    return document


def _query(kwargs: Mapping[str, object]) -> str:
    """The argument. Others are not looked at: models like to add some."""
    query = kwargs.get("query")
    if query is None:
        raise BadRequest("kwargs.query is missing; expected what to search for", param="kwargs.query")
    if not isinstance(query, str):
        raise BadRequest("kwargs.query is no text", param="kwargs.query")
    if not query.strip() or len(query) > LONGEST_QUERY:
        message = f"kwargs.query has {len(query.strip())} characters; expected 1 to {LONGEST_QUERY}"
        raise BadRequest(message, param="kwargs.query")
    try:
        query.encode()
    except UnicodeEncodeError:
        raise BadRequest("kwargs.query holds half a surrogate pair, which is no text", param="kwargs.query") from None
    return query


def _told(error: StackError, host: str, refusals: frozenset[str]) -> StackError:
    """The same error, which says whose it is: a server of tools has several services behind it."""
    kind = type(error)
    if error.code in refusals:
        kind = Unauthenticated
    elif error.status in (404, 409):
        # Here that would say that there is no such tool.
        kind = UpstreamError
    message = error.message if host in error.message else f"{host}: {error.message}"
    return kind(message, code=error.code, retry_after=error.retry_after)
