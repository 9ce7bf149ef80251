"""The table of tool groups: which tool is meant, who sees which group, and what one that fails means for others."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from memory_kv import MemoryKv
from parts.contracts.shared.tool_defs import ListToolDefsResponse, McpEndpoint, ToolDef
from parts.contracts.tool_groups.requests import (
    GetToolGroupRequest,
    GetToolRequest,
    ListToolGroupsRequest,
    ListToolsRequest,
    RegisterToolGroupRequest,
    UnregisterToolGroupRequest,
)
from parts.contracts.tool_groups.responses import ToolGroup
from parts.contracts.tool_runtime.requests import InvokeToolRequest, ListRuntimeToolsRequest
from parts.contracts.tool_runtime.responses import ToolInvocationResult
from parts.providers.storage.kv_sqlite import KvSqliteConfig, open_kv_sqlite
from parts.providers.tool_groups.builtin import ToolGroupsTable, open_tool_groups
from parts.providers.tool_groups.groups import EndpointResource, ToolGroupResource
from parts.providers.tool_groups.registry import RegisteredToolGroups, open_registered_tool_groups
from parts.routers.tool_runtime import ToolRuntimeRouter
from parts.runtime import registry as registry_module
from parts.runtime.context import Context
from parts.runtime.errors import (
    BadRequest,
    Conflict,
    NotFound,
    SettingsError,
    StackError,
    Unauthenticated,
    Unavailable,
    UpstreamError,
)
from parts.runtime.kv import KvBackend

CTX = Context("r")
ALICE, BOB = Context("r", principal="alice"), Context("r", principal="bob")
SCHEMA = {
    "type": "object",
    "properties": {"q": {"type": "string", "description": "What."}, "n": {"type": ["integer", "null"], "default": 3}},
    "required": ["q"],
}


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry_module, "POLL_SECONDS", 0.01)


@dataclass
class Source:
    """A provider whose tools a test says, by endpoint ("" for none). A StackError in place of tools is raised."""

    tools: Mapping[str, Sequence[str] | StackError]
    takes_endpoints: bool = False
    seen: list[tuple[str, str | None, str | None]] = field(default_factory=list)
    tokens: list[str | None] = field(default_factory=list)
    hanging: set[str] = field(default_factory=set)

    def check_endpoint(self, uri: str | None) -> None:
        if (uri is not None) != self.takes_endpoints or uri == "nonsense":
            raise BadRequest("no", param="mcp_endpoint")

    async def offers(self, name: str, request: ListRuntimeToolsRequest, ctx: Context) -> bool:
        return name in await self._names(request)

    async def list_runtime_tools(self, request: ListRuntimeToolsRequest, ctx: Context) -> ListToolDefsResponse:
        return ListToolDefsResponse(data=[ToolDef(name=n, input_schema=SCHEMA) for n in await self._names(request)])

    async def invoke_tool(self, request: InvokeToolRequest, ctx: Context) -> ToolInvocationResult:
        uri = request.mcp_endpoint.uri if request.mcp_endpoint else None
        self.seen.append((request.tool_name, request.tool_group_id, uri))
        self.tokens.append(request.authorization)
        return ToolInvocationResult(content="done")

    async def _names(self, request: ListRuntimeToolsRequest) -> Sequence[str]:
        uri = request.mcp_endpoint.uri if request.mcp_endpoint else ""
        self.tokens.append(request.authorization)
        if uri in self.hanging:
            await asyncio.Event().wait()
        found = self.tools.get(uri, ())
        if isinstance(found, StackError):
            raise found
        return found


def resource(toolgroup_id: str | None, provider_id: str | None, uri: str | None = None) -> ToolGroupResource:
    return ToolGroupResource(
        toolgroup_id=toolgroup_id, provider_id=provider_id, mcp_endpoint=EndpointResource(uri=uri), args={}
    )


@asynccontextmanager
async def table_of(
    sources: Mapping[str, Source], *resources: ToolGroupResource, kv: KvBackend | None = None
) -> AsyncIterator[RegisteredToolGroups]:
    store = kv or MemoryKv()
    async with open_registered_tool_groups(sources=sources, resources=resources, metadata_store=store) as table:
        yield table


async def register(
    table: RegisteredToolGroups,
    identity: str,
    provider: str,
    uri: str | None = None,
    ctx: Context = CTX,
    **more: object,
) -> ToolGroup:
    body = {"toolgroup_id": identity, "provider_id": provider, **more}
    if uri is not None:
        body["mcp_endpoint"] = {"uri": uri}
    return await table.register_tool_group(RegisterToolGroupRequest.model_validate(body), ctx)


async def groups(table: ToolGroupsTable, ctx: Context = CTX) -> list[str]:
    return [each.identifier for each in (await table.list_tool_groups(ListToolGroupsRequest(), ctx)).data]


async def invoke(
    table: ToolGroupsTable, sources: Mapping[str, Source], name: str, ctx: Context = CTX, **more: object
) -> ToolInvocationResult:
    request = InvokeToolRequest.model_validate({"tool_name": name, "kwargs": {}, **more})
    return await ToolRuntimeRouter(table=table, tools=sources, rag={}).invoke_tool(request, ctx)


# ── which tool is meant ─────────────────────────────────────────────────────────────────────────────────────────────


def two() -> dict[str, Source]:
    return {
        "web": Source({"": ["search"]}),
        "mcp": Source({"http://a": ["search", "add"], "http://b": ["add", "sub"]}, True),
    }


DECLARED = (resource("w", "web"), resource("a", "mcp", "http://a"), resource("b/c", "mcp", "http://b"))


async def test_a_tool_is_the_first_of_its_name_or_that_of_the_group_that_is_named() -> None:
    sources = two()
    async with table_of(sources, *DECLARED) as table:
        await invoke(table, sources, "search")
        assert sources["web"].seen == [("search", "w", None)]
        for said in ({"tool_name": "add"}, {"tool_name": "a/add"}, {"tool_name": "add", "tool_group_id": "a"}):
            await invoke(table, sources, **{"name": said.pop("tool_name"), **said})  # type: ignore[arg-type]
        await invoke(table, sources, "b/c/add")
        await invoke(table, sources, "sub")
        assert sources["mcp"].seen == [("add", "a", "http://a")] * 3 + [
            ("add", "b/c", "http://b"),
            ("sub", "b/c", "http://b"),
        ]


async def test_what_is_not_there_is_not_found() -> None:
    sources = two()
    async with table_of(sources, *DECLARED) as table:
        for name in ("nothing", "w/", "/", "x/add", "a"):
            with pytest.raises(NotFound) as caught:
                await invoke(table, sources, name)
            assert (caught.value.code, caught.value.param) == ("tool_not_found", "tool_name")
        with pytest.raises(NotFound, match="did you mean b/c") as caught:
            await invoke(table, sources, "add", tool_group_id="bc")
        assert (caught.value.code, caught.value.param) == ("toolgroup_not_found", "tool_group_id")
        with pytest.raises(NotFound):
            await table.get_tool(GetToolRequest(tool_name="nothing"), CTX)
        with pytest.raises(NotFound):
            await table.get_tool_group(GetToolGroupRequest(toolgroup_id="nothing"), CTX)
    async with open_tool_groups(sources=sources, resources=[]) as empty:
        with pytest.raises(NotFound, match="there are no tool groups"):
            await invoke(empty, sources, "add")


async def test_a_token_goes_only_where_it_is_meant_to() -> None:
    sources = two()
    async with table_of(sources, *DECLARED) as table:
        with pytest.raises(BadRequest, match="2 tool groups") as caught:
            await invoke(table, sources, "sub", authorization="s3cret")
        assert (caught.value.code, "s3cret" in caught.value.message) == ("ambiguous_tool", False)
        assert sources["mcp"].tokens == []
        await invoke(table, sources, "b/c/sub", authorization="s3cret")
        assert sources["mcp"].tokens == ["s3cret"]
        with pytest.raises(BadRequest):
            await table.tools(ListRuntimeToolsRequest(authorization="s3cret"), CTX)
    async with table_of(sources, *DECLARED[:2]) as table:
        await invoke(table, sources, "add", authorization="s3cret")
        assert sources["mcp"].tokens[1:] == ["s3cret", "s3cret"], "there is but one server"
        assert set(sources["web"].tokens) == {None}, "which is no business of a search"


async def test_a_server_without_a_group_is_named_by_its_endpoint() -> None:
    sources = two()
    async with table_of(sources, DECLARED[0]) as table:
        await invoke(table, sources, "x", mcp_endpoint={"uri": "http://c"})
        assert sources["mcp"].seen == [("x", None, "http://c")]
        listed = await table.tools(ListRuntimeToolsRequest(mcp_endpoint=McpEndpoint(uri="http://b")), CTX)
        assert [(each.name, each.provider_id, each.toolgroup_id) for each in listed.data] == [
            ("add", "mcp", ""),
            ("sub", "mcp", ""),
        ]
        with pytest.raises(BadRequest, match="one of tool_group_id and mcp_endpoint"):
            await invoke(table, sources, "x", mcp_endpoint={"uri": "http://c"}, tool_group_id="w")
    web = {"web": sources["web"]}
    async with table_of(web, DECLARED[0]) as table:
        with pytest.raises(BadRequest, match="no provider of tools here talks to servers"):
            await invoke(table, web, "x", mcp_endpoint={"uri": "http://c"})


async def test_a_tool_is_shown_to_clients_of_every_version() -> None:
    sources = two()
    async with table_of(sources, *DECLARED) as table:
        shown = (await table.get_tool(GetToolRequest(tool_name="sub"), CTX)).model_dump(exclude_unset=True)
        assert shown == {
            "name": "sub",
            "identifier": "sub",
            "provider_resource_id": "sub",
            "type": "tool",
            "provider_id": "mcp",
            "toolgroup_id": "b/c",
            "description": "",
            "input_schema": SCHEMA,
            "parameters": [
                {"name": "q", "parameter_type": "string", "description": "What.", "required": True},
                {"name": "n", "parameter_type": "object", "description": "", "required": False, "default": 3},
            ],
        }


# ── providers that fail ─────────────────────────────────────────────────────────────────────────────────────────────


async def test_all_tools_are_those_of_the_groups_that_answer_and_the_others_are_named() -> None:
    sources = {"mcp": Source({"http://a": UpstreamError("a is away"), "http://b": ["sub"]}, True)}
    async with table_of(sources, resource("a", "mcp", "http://a"), resource("b", "mcp", "http://b")) as table:
        listed = await table.list_tools(ListToolsRequest(), CTX)
        assert [each.name for each in listed.data] == ["sub"]
        assert [(each.toolgroup_id, each.message) for each in listed.unavailable or ()] == [("a", "a is away")]
        with pytest.raises(UpstreamError, match="a is away"):
            await table.list_tools(ListToolsRequest(toolgroup_id="a"), CTX)


async def test_a_tool_that_may_be_where_nobody_answers_is_not_said_to_be_missing() -> None:
    sources = {"mcp": Source({"http://a": Unauthenticated("a wants a token"), "http://b": ["sub"]}, True)}
    async with table_of(sources, resource("a", "mcp", "http://a"), resource("b", "mcp", "http://b")) as table:
        assert (await invoke(table, sources, "sub")).content
        with pytest.raises(Unauthenticated, match="'a' could not be asked: a wants a token"):
            await invoke(table, sources, "add")
        sources["mcp"].tools = {**sources["mcp"].tools, "http://b": UpstreamError("b is away")}
        with pytest.raises(UpstreamError, match="'b' could not be asked: b is away"):
            await invoke(table, sources, "add")


async def test_a_group_that_hangs_holds_up_nothing_before_it() -> None:
    sources = two()
    sources["mcp"].hanging.add("http://b")
    async with table_of(sources, *DECLARED) as table, asyncio.timeout(5):
        await invoke(table, sources, "search")
        await invoke(table, sources, "add")


# ── what is declared ────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_group_that_its_provider_cannot_have_ends_the_start() -> None:
    with pytest.raises(SettingsError) as caught:
        ToolGroupsTable(two(), [resource("a", "mcp"), resource("w", "web", "http://w")])
    assert [each.partition(":")[0] for each in caught.value.problems] == [
        "resources.tool_groups 'a'",
        "resources.tool_groups 'w'",
    ]


async def test_a_group_of_a_provider_that_is_off_or_of_an_empty_slot_is_absent() -> None:
    given = [resource("x", "off"), resource(None, "web"), resource("y", None), resource("w", "web")]
    async with open_tool_groups(sources=two(), resources=given) as table:
        assert await groups(table) == ["w"]


# ── what is registered ──────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_group_is_registered_listed_used_and_unregistered() -> None:
    sources = two()
    async with table_of(sources, DECLARED[0]) as table:
        made = await register(table, "mcp::b", "mcp", "http://b", args={"colour": "red"})
        assert made.model_dump(exclude_unset=True) == {
            "identifier": "mcp::b",
            "provider_id": "mcp",
            "provider_resource_id": "mcp::b",
            "type": "tool_group",
            "mcp_endpoint": {"uri": "http://b"},
            "args": {"colour": "red"},
        }
        assert await groups(table) == ["w", "mcp::b"]
        assert await table.get_tool_group(GetToolGroupRequest(toolgroup_id="mcp::b"), CTX) == made
        await invoke(table, sources, "sub")
        assert await register(table, "mcp::b", "mcp", "http://b") == made, "the same again changes nothing"
        with pytest.raises(Conflict, match="http://a"):
            await register(table, "mcp::b", "mcp", "http://a")
        await table.unregister_tool_group(UnregisterToolGroupRequest(toolgroup_id="mcp::b"), CTX)
        assert await groups(table) == ["w"]
        with pytest.raises(NotFound):
            await invoke(table, sources, "sub")
        with pytest.raises(NotFound):
            await table.unregister_tool_group(UnregisterToolGroupRequest(toolgroup_id="mcp::b"), CTX)


async def test_what_cannot_be_registered() -> None:
    async with table_of(two(), *DECLARED, resource("off", "off")) as table:
        for wrong, param in (
            (("x", "nobody", None), "provider_id"),
            (("x", "mcp", None), "mcp_endpoint"),
            (("x", "mcp", "nonsense"), "mcp_endpoint"),
            (("x", "web", "http://a"), "mcp_endpoint"),
            (("a\n", "web", None), "toolgroup_id"),
            (("../x", "web", None), "toolgroup_id"),
        ):
            with pytest.raises(BadRequest) as caught:
                await register(table, *wrong)
            assert caught.value.param == param
        with pytest.raises(BadRequest, match="65536 bytes"):
            await register(table, "x", "web", args={"a": "b" * 70_000})
        for identity in ("w", "off"):
            with pytest.raises(Conflict, match="declared by the distribution"):
                await register(table, identity, "web")
            with pytest.raises(Conflict, match="declared by the distribution"):
                await table.unregister_tool_group(UnregisterToolGroupRequest(toolgroup_id=identity), CTX)


async def test_a_group_is_its_owners() -> None:
    sources = two()
    async with table_of(sources) as table:
        await register(table, "mine", "mcp", "http://b", ALICE)
        await register(table, "all", "web")
        assert (await groups(table, ALICE), await groups(table, BOB)) == (["mine", "all"], ["all"])
        await invoke(table, sources, "sub", ALICE)
        for name in ("sub", "mine/sub"):
            with pytest.raises(NotFound):
                await invoke(table, sources, name, BOB)
        with pytest.raises(NotFound):
            await table.unregister_tool_group(UnregisterToolGroupRequest(toolgroup_id="mine"), BOB)
        with pytest.raises(Conflict, match="somebody else"):
            await register(table, "mine", "web", None, BOB)


async def test_a_later_group_does_not_take_over_a_tools_name(monkeypatch: pytest.MonkeyPatch) -> None:
    sources = two()
    moments = iter([100.2, 100.2, 100.1, 100.1])
    monkeypatch.setattr("time.time", lambda: next(moments))
    async with table_of(sources, DECLARED[0]) as table:
        await register(table, "later", "mcp", "http://b")
        await register(table, "earlier", "mcp", "http://a")
        await invoke(table, sources, "add")
        await invoke(table, sources, "search")
        assert sources["mcp"].seen == [("add", "earlier", "http://a")]
        assert sources["web"].seen == [("search", "w", None)]


async def test_groups_survive_a_restart_and_reach_other_processes(tmp_path: Path) -> None:
    config = KvSqliteConfig(db_path=str(tmp_path / "kv.db"))
    async with open_kv_sqlite(config, instance="kv") as kv:
        async with table_of(two(), kv=kv) as table:
            await register(table, "b", "mcp", "http://b")
        async with table_of(two(), kv=kv) as one, table_of(two(), kv=kv) as other:
            assert await groups(one) == ["b"]
            await register(one, "a", "mcp", "http://a")
            async with asyncio.timeout(10):
                while await groups(other) != ["b", "a"]:
                    await asyncio.sleep(0.01)
        async with table_of({"web": two()["web"]}, kv=kv) as without:
            assert await groups(without) == [], "its provider is not there"


async def test_a_store_that_was_never_reached_is_no_empty_one() -> None:
    kv = MemoryKv(down=True)
    sources = two()
    async with table_of(sources, DECLARED[0], kv=kv) as table:
        assert (await invoke(table, sources, "search")).content, "what the distribution declares is served"
        for call in (
            table.list_tool_groups(ListToolGroupsRequest(), CTX),
            table.list_tools(ListToolsRequest(), CTX),
            table.get_tool_group(GetToolGroupRequest(toolgroup_id="b"), CTX),
            invoke(table, sources, "sub"),
            register(table, "b", "mcp", "http://b"),
        ):
            with pytest.raises(Unavailable):
                await call
