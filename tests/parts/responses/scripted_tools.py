"""Tools, vector stores and shields that do what they are told to, in place of services."""

from __future__ import annotations

import json
from typing import Any

from parts.contracts.safety.requests import RunShieldRequest
from parts.contracts.safety.responses import RunShieldResponse, SafetyViolation
from parts.contracts.shared.tool_defs import ListToolDefsResponse
from parts.contracts.tool_runtime.requests import InvokeToolRequest, ListRuntimeToolsRequest
from parts.contracts.tool_runtime.responses import ToolInvocationResult
from parts.contracts.vector_stores.requests import SearchVectorStoreRequest
from parts.contracts.vector_stores.responses import VectorStoreSearchResultsPage
from parts.runtime.context import Context
from parts.runtime.errors import NotFound, StackError

Json = dict[str, Any]


class Web:
    """Finds a page of every query. fails: raised in place of an answer."""

    def __init__(self, fails: StackError | None = None) -> None:
        self.asked: list[InvokeToolRequest] = []
        self.fails = fails

    async def invoke_tool(self, request: InvokeToolRequest, ctx: Context) -> ToolInvocationResult:
        self.asked.append(request)
        if self.fails is not None:
            raise self.fails
        page = {"title": "A page", "url": "http://a.example/", "content": f"About {request.kwargs['query']}."}
        return ToolInvocationResult(content=json.dumps({"query": "q", "top_k": [page]}))

    async def list_runtime_tools(self, request: ListRuntimeToolsRequest, ctx: Context) -> ListToolDefsResponse:
        return ListToolDefsResponse(data=[])


class Stores:
    """Finds a piece of `notes.txt` in every store but `vs_gone`."""

    def __init__(self) -> None:
        self.asked: list[SearchVectorStoreRequest] = []

    async def search_vector_store(
        self, request: SearchVectorStoreRequest, ctx: Context
    ) -> VectorStoreSearchResultsPage:
        self.asked.append(request)
        if request.vector_store_id == "vs_gone":
            raise NotFound("there is no vector store 'vs_gone'", code="vector_store_not_found")
        found = {
            "file_id": f"file-{request.vector_store_id}",
            "filename": "notes.txt",
            "score": 0.5,
            "attributes": {"year": 2024},
            "content": [{"type": "text", "text": "The tower is in Paris."}],
        }
        page = {"object": "vector_store.search_results.page", "search_query": [], "data": [found]}
        return VectorStoreSearchResultsPage.model_validate({**page, "has_more": False, "next_page": None})


class Shield:
    """Lets nothing pass that holds the word `bomb`."""

    def __init__(self) -> None:
        self.judged: list[list[Json]] = []

    async def run_shield(self, request: RunShieldRequest, ctx: Context) -> RunShieldResponse:
        said = [each.model_dump() for each in request.messages]
        self.judged.append(said)
        if "bomb" not in json.dumps(said):
            return RunShieldResponse(violation=None)
        violation = SafetyViolation(violation_level="error", user_message="Not here.", metadata={})
        return RunShieldResponse(violation=violation)
