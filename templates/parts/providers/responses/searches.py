"""Searches of the web and of vector stores, as the model asks for them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pydantic_core import from_json

from ...contracts.tool_runtime.requests import InvokeToolRequest
from ...contracts.vector_stores.requests import SearchVectorStoreRequest
from ...runtime.errors import StackError
from .mcp import text_of

if TYPE_CHECKING:
    from ...contracts.tool_runtime import Tools
    from ...contracts.vector_stores import VectorStores
    from ...runtime.context import Context

Item = dict[str, Any]
"""JSON."""

_MOST_RESULTS = 10
_LONGEST_QUERY = 4000


async def search_web(item: Item, said: str, group: str, runtime: Tools, ctx: Context) -> None:
    """Searches with a tool group's `web_search`; the item has what was found then. said: JSON of the model's."""
    query = _query(said)
    action: Item = {"type": "search", "query": query, "queries": [query]}
    item["action"] = action
    request = InvokeToolRequest(tool_name="web_search", tool_group_id=group, kwargs={"query": query})
    try:
        result = await runtime.invoke_tool(request, ctx)
    except StackError as error:
        item |= {"status": "failed", "results": [{"error": error.message}]}
        return
    if result.error_code or result.error_message:
        item |= {"status": "failed", "results": [{"error": result.error_message or "the search has failed"}]}
        return
    found = _found(text_of(result.content))
    action["sources"] = [{"type": "url", "url": each["url"]} for each in found if isinstance(each.get("url"), str)]
    item |= {"status": "completed", "results": found}


async def search_files(item: Item, said: str, tool: Item, stores: VectorStores, ctx: Context) -> None:
    """Searches the vector stores of a `file_search`; the item has what was found then. Raises StackError."""
    query = _query(said)
    item["queries"] = [query]
    most = tool.get("max_num_results") or _MOST_RESULTS
    wanted: Item = {"query": query, "max_num_results": min(most, 50)}
    if tool.get("filters"):
        wanted["filters"] = tool["filters"]
    if ranking := _ranking(tool.get("ranking_options")):
        wanted["ranking_options"] = ranking
    requests = [
        SearchVectorStoreRequest.model_validate({**wanted, "vector_store_id": each})
        for each in tool["vector_store_ids"]
    ]
    pages = await asyncio.gather(*(stores.search_vector_store(each, ctx) for each in requests))
    found = sorted((each for page in pages for each in page.data), key=lambda each: -each.score)[:most]
    item["results"] = [
        {
            "file_id": each.file_id,
            "filename": each.filename,
            "score": each.score,
            "attributes": dict(each.attributes or {}),
            "text": "\n".join(part.text for part in each.content),
        }
        for each in found
    ]
    item["status"] = "completed"


def _query(said: str) -> str:
    """What is searched for; what the model said as a whole where that is not JSON."""
    try:
        arguments = from_json(said)
    except ValueError:
        return said[:_LONGEST_QUERY]
    query = arguments.get("query") if isinstance(arguments, dict) else None
    return str(query if query is not None else said)[:_LONGEST_QUERY]


def _found(text: str) -> list[Item]:
    try:
        said = from_json(text)
    except ValueError:
        return [{"text": text}]
    found = said.get("top_k") if isinstance(said, dict) else None
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else [{"text": text}]


def _ranking(options: Mapping[str, Any] | None) -> Item:
    """OpenAI's rankers are its own: a server ranks as it does."""
    threshold = (options or {}).get("score_threshold")
    return {} if threshold is None else {"score_threshold": threshold}
