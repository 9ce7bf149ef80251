"""The Bing Web Search API, version 7."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial

from ...runtime.secret import Secret
from ...runtime.upstream import Call
from .search import SearchConfig, SearchTool, member, open_search, results, web_search

_KEYS = {"title": "name", "url": "url", "content": "snippet", "age": "dateLastCrawled"}


def _call(query: str, key: Secret, *, most: int) -> Call:
    headers = {"Ocp-Apim-Subscription-Key": key.reveal(), "Accept": "application/json"}
    return Call("GET", "search", None, headers, {"q": query, "count": str(most), "responseFilter": "Webpages"}, (key,))


def _read(query: str, document: object, *, most: int) -> Mapping[str, object] | None:
    if member(document, "_type") == "SearchResponse" and member(document, "webPages") is None:
        return results(query, [], _KEYS, most)  # so it says that nothing was found
    return results(query, member(document, "webPages", "value"), _KEYS, most)


@asynccontextmanager
async def open_bing_search(config: SearchConfig, *, instance: str) -> AsyncIterator[SearchTool]:
    most = config.max_results
    service = web_search(
        credential="bing_search_api_key", call=partial(_call, most=most), read=partial(_read, most=most)
    )
    async with open_search(config, service, instance=instance) as tool:
        yield tool
