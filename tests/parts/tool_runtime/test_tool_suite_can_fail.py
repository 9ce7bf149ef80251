"""The contract suite is worth what it finds: each flaw fails the test that is there for it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest
from parts.contracts.shared.tool_defs import ListToolDefsResponse
from parts.contracts.tool_runtime.responses import ToolInvocationResult
from parts.providers.tool_runtime import search
from parts.providers.tool_runtime.search import SearchTool
from parts.runtime.context import Context
from parts.runtime.errors import BadRequest, StackError, Unauthenticated
from parts.runtime.secret import Secret
from parts.testing.tool_runtime import Sample, ServedTools, ToolsSuite
from search_services import SERVICES

Patch = Callable[[pytest.MonkeyPatch], None]
SOUND = SearchTool.invoke_tool


def patched(where: object, name: str, value: object) -> Patch:
    return lambda patch: patch.setattr(where, name, value)


def invoking(method: Callable[..., Any]) -> Patch:
    return patched(SearchTool, "invoke_tool", method)


async def lists_nothing(self: SearchTool, request: Any, ctx: Context) -> ListToolDefsResponse:
    return ListToolDefsResponse(data=[])


async def offers_all(self: SearchTool, name: str, request: Any, ctx: Context) -> bool:
    return True


async def says_nothing(self: SearchTool, request: Any, ctx: Context) -> ToolInvocationResult:
    return ToolInvocationResult(content="")


async def takes_ascii(self: SearchTool, request: Any, ctx: Context) -> ToolInvocationResult:
    request.kwargs = {"query": request.kwargs["query"].encode("ascii", "replace").decode()}
    return await SOUND(self, request, ctx)


ANSWERS: list[ToolInvocationResult] = []


async def answers_the_first_again(self: SearchTool, request: Any, ctx: Context) -> ToolInvocationResult:
    ANSWERS.append(await SOUND(self, request, ctx))
    return ANSWERS[0]


async def runs_anything(self: SearchTool, request: Any, ctx: Context) -> ToolInvocationResult:
    request.tool_name = self._service.tool
    return await SOUND(self, request, ctx)


async def shows_the_key(self: SearchTool, request: Any, ctx: Context) -> ToolInvocationResult:
    raise Unauthenticated(f"no access with {next(iter(ctx.provider_data.values())).reveal()}")


FLAWS: Mapping[str, Patch] = {
    "tools_are_listed_with_the_schemas_of_their_arguments": patched(SearchTool, "list_runtime_tools", lists_nothing),
    "it_offers_what_it_lists_and_nothing_else": patched(SearchTool, "offers", offers_all),
    "a_tool_runs": invoking(says_nothing),
    "text_of_any_kind_arrives": invoking(takes_ascii),
    "many_calls_at_once_have_each_its_own_answer": invoking(answers_the_first_again),
    "a_tool_that_is_not_there_is_not_found": invoking(runs_anything),
    "arguments_that_do_not_fit_are_refused_by_their_place": patched(
        search, "BadRequest", lambda message, **_: BadRequest(message)
    ),
    "a_group_has_an_endpoint_where_its_provider_takes_one": patched(SearchTool, "check_endpoint", lambda *_: None),
    "a_credential_that_is_refused_is_told_of_and_not_shown": invoking(shows_the_key),
}


class Flawed(ToolsSuite):
    sample = Sample(tool="web_search", argument="query")

    @asynccontextmanager
    async def opens(self) -> AsyncIterator[ServedTools]:
        service = SERVICES["tavily"]
        async with service.fake() as fake, service.opens(service.config(fake.url), instance="search") as provider:
            yield provider

    @asynccontextmanager
    async def opens_refused(self, credential: str) -> AsyncIterator[tuple[ServedTools, Context]]:
        async with self.opens() as provider:
            yield provider, Context("r", provider_data={"tavily_search_api_key": Secret(credential)})


def test_every_claim_has_a_flaw() -> None:
    assert {name for name in dir(ToolsSuite) if name.startswith("test_")} == {f"test_{name}" for name in FLAWS}


@pytest.mark.filterwarnings("ignore:coroutine")
@pytest.mark.parametrize("claim", FLAWS)
def test_a_flaw_is_found(claim: str, monkeypatch: pytest.MonkeyPatch) -> None:
    getattr(Flawed(), f"test_{claim}")()
    FLAWS[claim](monkeypatch)
    ANSWERS.clear()
    with pytest.raises((AssertionError, StackError)):
        getattr(Flawed(), f"test_{claim}")()
