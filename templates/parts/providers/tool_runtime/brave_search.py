"""Brave Search."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial

from ...runtime.secret import Secret
from ...runtime.upstream import Call
from .search import SearchConfig, SearchTool, member, open_search, results, web_search

_KEYS = {"title": "title", "url": "url", "content": "description", "age": "age"}


def _call(query: str, key: Secret, *, most: int) -> Call:
    headers = {"X-Subscription-Token": key.reveal(), "Accept": "application/json"}
    asked = {"q": query, "count": str(most), "text_decorations": "false"}
    return Call("GET", "web/search", None, headers, asked, (key,))


def _read(query: str, document: object, *, most: int) -> Mapping[str, object] | None:
    if member(document, "type") == "search" and member(document, "web") is None:
        return results(query, [], _KEYS, most)  # so it says that nothing was found
    return results(query, member(document, "web", "results"), _KEYS, most)


@asynccontextmanager
async def open_brave_search(config: SearchConfig, *, instance: str) -> AsyncIterator[SearchTool]:
    most = config.max_results
    service = web_search(
        credential="brave_search_api_key",
        call=partial(_call, most=most),
        read=partial(_read, most=most),
        refusals=frozenset({"SUBSCRIPTION_TOKEN_INVALID"}),
    )
    async with open_search(config, service, instance=instance) as tool:
        yield tool
