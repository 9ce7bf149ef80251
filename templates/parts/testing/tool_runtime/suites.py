"""Tools: listed, run, and refused where they cannot be."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from pydantic_core import to_json

from ...contracts.shared.content import TextContentItem
from ...contracts.shared.tool_defs import ListToolDefsResponse, McpEndpoint, ToolDef
from ...contracts.tool_runtime import Tools
from ...contracts.tool_runtime.requests import InvokeToolRequest, ListRuntimeToolsRequest
from ...contracts.tool_runtime.responses import ToolInvocationResult
from ...runtime.context import Context
from ...runtime.tools import ToolSource
from ...runtime.wiring import Checked
from ..suite import Suite, refused

SECRET = "a-credential-that-is-not-accepted"


class ServedTools(Tools, ToolSource, Checked, Protocol):
    """What every provider of tools is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """tool: one that takes text, as the argument of this name, and whose answer has that text in it."""

    tool: str
    argument: str

    def arguments(self, text: str) -> Mapping[str, object]:
        return {self.argument: text}


class ToolsSuite(Suite[ServedTools]):
    """endpoint: the server that is asked, of a provider that takes endpoints; known once the provider is open."""

    sample: Sample

    @abstractmethod
    def opens_refused(self, credential: str) -> AbstractAsyncContextManager[tuple[ServedTools, Context]]:
        """The provider before a service that accepts no credential, and a request that brings this one."""

    def endpoint(self) -> str | None:
        return None

    # ── listing ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def test_tools_are_listed_with_the_schemas_of_their_arguments(self) -> None:
        async def test(provider: ServedTools) -> None:
            tools = await self._list(provider)
            names = [each.name for each in tools]
            assert self.sample.tool in names, f"{self.sample.tool} is listed"
            assert len(set(names)) == len(names), "no name stands there twice"
            for each in tools:
                schema = each.input_schema
                assert schema is not None, f"{each.name} says which arguments it takes"
                assert schema.get("type") == "object", f"the arguments of {each.name} are an object"
            described = next(each for each in tools if each.name == self.sample.tool)
            assert self.sample.argument in (described.input_schema or {}).get("properties", {})

        self.run(test)

    def test_it_offers_what_it_lists_and_nothing_else(self) -> None:
        async def test(provider: ServedTools) -> None:
            for each in await self._list(provider):
                assert await provider.offers(each.name, self._asking(), _caller()), f"it lists {each.name}"
            assert not await provider.offers("no_such_tool", self._asking(), _caller())

        self.run(test)

    # ── running ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def test_a_tool_runs(self) -> None:
        async def test(provider: ServedTools) -> None:
            result = await self._run_sample(provider, "a hundred kittens")
            assert not result.error_code, "it runs"
            assert not result.error_message, f"it runs: {result.error_message}"
            assert "a hundred kittens" in text_of(result)

        self.run(test)

    def test_text_of_any_kind_arrives(self) -> None:
        async def test(provider: ServedTools) -> None:
            for text in ("Grüße", "猫 \U0001f408", 'a "quoted" & {braced} one', "100 % + 1 = #2/3?", "a\nb"):
                found = text_of(await self._run_sample(provider, text))
                assert text in found or to_json(text).decode()[1:-1] in found, f"{text!r} arrives as it is"

        self.run(test)

    def test_many_calls_at_once_have_each_its_own_answer(self) -> None:
        async def test(provider: ServedTools) -> None:
            texts = [f"question {number} of many" for number in range(24)]
            results = await asyncio.gather(*(self._run_sample(provider, text) for text in texts))
            for text, result in zip(texts, results, strict=True):
                assert text in text_of(result), f"{text!r} has another's answer"

        self.run(test)

    # ── what cannot be ──────────────────────────────────────────────────────────────────────────────────────────────

    def test_a_tool_that_is_not_there_is_not_found(self) -> None:
        async def test(provider: ServedTools) -> None:
            for name in ("no_such_tool", self.sample.tool.upper() + "X", "../x", "\x00", "a" * 900):
                error = await refused(self._invoke(provider, name, self.sample.arguments("x")))
                assert error.status == 404, f"{name[:20]!r} is not there, and the answer is {error.status}"

        self.run(test)

    def test_arguments_that_do_not_fit_are_refused_by_their_place(self) -> None:
        async def test(provider: ServedTools) -> None:
            wrong: tuple[Mapping[str, object], ...] = (
                {},
                {self.sample.argument: 7},
                {self.sample.argument: ["x"]},
                {self.sample.argument: {"x": "y"}},
            )
            for arguments in wrong:
                error = await refused(self._invoke(provider, self.sample.tool, arguments))
                assert error.status == 400, f"{arguments} does not fit, and the answer is {error.status}"
                assert error.param is not None, "the place is named"
                assert error.param.startswith("kwargs"), "the place is named as the request has it"
                assert self.sample.argument in error.param + error.message, "the argument is named"

        self.run(test)

    def test_a_group_has_an_endpoint_where_its_provider_takes_one(self) -> None:
        async def test(provider: ServedTools) -> None:
            wrong = (None, "nonsense", "ftp://example.com/", "http://", "http://user:secret-word@example.com/mcp")
            for uri in wrong if provider.takes_endpoints else ("https://example.com/mcp",):
                error = await refused(_checked(provider, uri))
                assert error.status == 400, f"{uri} cannot be, and the answer is {error.status}"
                assert "secret-word" not in error.message

        self.run(test)

    def test_a_credential_that_is_refused_is_told_of_and_not_shown(self) -> None:
        async def test() -> None:
            async with asyncio.timeout(self.seconds), self.opens_refused(SECRET) as (provider, ctx):
                error = await refused(self._invoke(provider, self.sample.tool, self.sample.arguments("x"), ctx))
                assert error.status == 401, f"the credential is refused, and the answer is {error.status}"
                assert SECRET not in error.message + str(error.code) + str(error.param)

        asyncio.run(test())

    # ── how it is asked ─────────────────────────────────────────────────────────────────────────────────────────────

    def _asking(self) -> ListRuntimeToolsRequest:
        uri = self.endpoint()
        return ListRuntimeToolsRequest(mcp_endpoint=None if uri is None else McpEndpoint(uri=uri))

    async def _list(self, provider: ServedTools) -> list[ToolDef]:
        answer = await provider.list_runtime_tools(self._asking(), _caller())
        return ListToolDefsResponse.model_validate_json(to_json(answer)).data

    async def _run_sample(self, provider: ServedTools, text: str) -> ToolInvocationResult:
        return await self._invoke(provider, self.sample.tool, self.sample.arguments(text))

    async def _invoke(
        self, provider: ServedTools, name: str, arguments: Mapping[str, object], ctx: Context | None = None
    ) -> ToolInvocationResult:
        uri = self.endpoint()
        request = InvokeToolRequest(
            tool_name=name,
            kwargs=dict(arguments),
            mcp_endpoint=None if uri is None else McpEndpoint(uri=uri),
        )
        answer = await provider.invoke_tool(request, ctx or _caller())
        return ToolInvocationResult.model_validate_json(to_json(answer))


def text_of(result: ToolInvocationResult) -> str:
    """All text of an answer."""
    content = result.content
    items = content if isinstance(content, list) else [content]
    return "\n".join(each.text if isinstance(each, TextContentItem) else str(each) for each in items)


async def _checked(provider: ServedTools, uri: str | None) -> None:
    provider.check_endpoint(uri)


def _caller() -> Context:
    return Context(request_id="suite")
