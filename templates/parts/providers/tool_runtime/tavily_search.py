"""Tavily."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial

from ...runtime.secret import Secret
from ...runtime.upstream import Call
from .search import SearchConfig, SearchTool, member, open_search, results, web_search

_KEYS = {"title": "title", "url": "url", "content": "content", "score": "score"}


def _call(query: str, key: Secret, *, most: int) -> Call:
    headers = {"Authorization": f"Bearer {key.reveal()}", "Content-Type": "application/json"}
    body = json.dumps({"query": query, "max_results": most}).encode()
    return Call("POST", "search", body, headers, secrets=(key,))


def _read(query: str, document: object, *, most: int) -> Mapping[str, object] | None:
    return results(query, member(document, "results"), _KEYS, most)


@asynccontextmanager
async def open_tavily_search(config: SearchConfig, *, instance: str) -> AsyncIterator[SearchTool]:
    most = config.max_results
    service = web_search(
        credential="tavily_search_api_key", call=partial(_call, most=most), read=partial(_read, most=most)
    )
    async with open_search(config, service, instance=instance) as tool:
        yield tool
