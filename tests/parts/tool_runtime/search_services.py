"""Fakes of the services that search, at the socket: none of them can be had without an account.

Each answers as its documentation says, with the query in its results; it knows the query and the key from where the
service looks for them.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

from parts.providers.tool_runtime.bing_search import open_bing_search
from parts.providers.tool_runtime.brave_search import open_brave_search
from parts.providers.tool_runtime.search import SearchConfig, SearchTool
from parts.providers.tool_runtime.tavily_search import open_tavily_search
from parts.providers.tool_runtime.wolfram_alpha import WolframAlphaConfig, open_wolfram_alpha
from parts.runtime.secret import Secret
from parts.runtime.upstream_config import NetworkConfig
from upstreams import FakeUpstream, Seen, answers, fake_upstream

KEY = "k3y-of-the-tests"
FAST = NetworkConfig(retries=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchService:
    """path: where it is asked. key, query: where they are in a request. found: what it answers to a query.
    refused: status and body of its answer to a wrong key.
    """

    tool: str
    path: str
    credential: str
    key: Callable[[Seen], str]
    query: Callable[[Seen], str]
    found: Callable[[str], object]
    refused: tuple[int, object]
    opens: Callable[..., AbstractAsyncContextManager[SearchTool]]

    def config(self, url: str, key: str | None = KEY) -> Any:
        secret = None if key is None else Secret(key)
        if self.tool == "wolfram_alpha":
            return WolframAlphaConfig(base_url=url, api_key=secret, network=FAST)
        return SearchConfig(base_url=url, api_key=secret, network=FAST)

    @asynccontextmanager
    async def fake(self) -> AsyncIterator[FakeUpstream]:
        async def answer(seen: Seen, writer: asyncio.StreamWriter) -> bool:
            assert urlsplit(seen.path).path == f"/v1/{self.path}", seen.path
            status, body = (200, self.found(self.query(seen))) if self.key(seen) == KEY else self.refused
            return await answers(body, status=status)(seen, writer)

        async with fake_upstream(answer) as service:
            yield service


def parameter(name: str) -> Callable[[Seen], str]:
    return lambda seen: parse_qs(urlsplit(seen.path).query)[name][0]


def header(name: str) -> Callable[[Seen], str]:
    return lambda seen: seen.headers.get(name, "").removeprefix("Bearer ")


def entries(**values: str) -> Callable[[str], list[Mapping[str, object]]]:
    """Four results, more than are wanted; `{}` in a value is the query."""
    return lambda query: [{key: value.replace("{}", query) for key, value in values.items()} for _ in range(4)]


BRAVE = entries(title="On {}", url="https://a.example/", description="All of {}", age="2026", language="en")
TAVILY = entries(title="On {}", url="https://a.example/", content="All of {}")
BING = entries(name="On {}", url="https://a.example/", snippet="All of {}", id="7")

SERVICES: Mapping[str, SearchService] = {
    "brave": SearchService(
        tool="web_search",
        path="web/search",
        credential="brave_search_api_key",
        key=header("x-subscription-token"),
        query=parameter("q"),
        found=lambda query: {"type": "search", "query": {"original": query}, "web": {"results": BRAVE(query)}},
        refused=(
            422,
            {"error": {"code": "SUBSCRIPTION_TOKEN_INVALID", "detail": "The token is invalid.", "status": 422}},
        ),
        opens=open_brave_search,
    ),
    "tavily": SearchService(
        tool="web_search",
        path="search",
        credential="tavily_search_api_key",
        key=header("authorization"),
        query=lambda seen: str(seen.json["query"]),
        found=lambda query: {"query": query, "results": TAVILY(query), "response_time": 1.2},
        refused=(401, {"detail": {"error": "Unauthorized: missing or invalid API key."}}),
        opens=open_tavily_search,
    ),
    "bing": SearchService(
        tool="web_search",
        path="search",
        credential="bing_search_api_key",
        key=header("ocp-apim-subscription-key"),
        query=parameter("q"),
        found=lambda query: {"_type": "SearchResponse", "webPages": {"value": BING(query)}},
        refused=(401, {"error": {"code": "401", "message": "Access denied due to invalid subscription key."}}),
        opens=open_bing_search,
    ),
    "wolfram": SearchService(
        tool="wolfram_alpha",
        path="query",
        credential="wolfram_alpha_api_key",
        key=parameter("appid"),
        query=parameter("input"),
        found=lambda query: {
            "queryresult": {
                "success": True,
                "error": False,
                "pods": [
                    {"title": "Input", "subpods": [{"plaintext": query}]},
                    {"title": "Plot", "subpods": [{"plaintext": ""}]},
                ],
            }
        },
        refused=(200, {"queryresult": {"success": False, "error": {"code": "1", "msg": "Invalid appid"}}}),
        opens=open_wolfram_alpha,
    ),
}


def content(text: object) -> Any:
    return json.loads(str(text))
