"""The table of tool groups: which groups there are, whose tools are whose, and which instance runs each.

The tools of a group are asked of its instance whenever somebody wants them: those of a server elsewhere depend on who
asks, and change as the server likes.
"""

from __future__ import annotations

import asyncio
import difflib
import itertools
import logging
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from ...contracts.shared.tool_defs import ListToolDefsResponse, McpEndpoint, ToolDef, UnavailableTools
from ...contracts.tool_groups.responses import ListToolGroupsResponse, ToolGroup
from ...contracts.tool_runtime.requests import ListRuntimeToolsRequest
from ...runtime.context import Context
from ...runtime.errors import BadRequest, NotFound, SettingsError, StackError, Unauthenticated
from ...runtime.tools import ToolSource
from .groups import Group, ToolGroupResource, group_of, present, present_tool

if TYPE_CHECKING:
    from ...contracts.tool_groups.requests import (
        GetToolGroupRequest,
        GetToolRequest,
        ListToolGroupsRequest,
        ListToolsRequest,
    )
    from ...contracts.tool_runtime.requests import InvokeToolRequest

log = logging.getLogger(__name__)


class ToolGroupsTable:
    """Implements the tool groups API, and tells the router of the tool runtime where a tool is run."""

    def __init__(self, sources: Mapping[str, ToolSource], resources: Sequence[ToolGroupResource]) -> None:
        """Raises SettingsError for a group whose instance cannot have it."""
        self._sources = sources
        found = (group_of(each) for each in resources)
        # A group of a provider that is switched off is absent with it.
        self._declared = {each.id: each for each in found if each is not None and each.instance in sources}
        problems = [each for group in self._declared.values() for each in _unfit(group, sources[group.instance])]
        if problems:
            raise SettingsError(problems)

    # ── the contract ────────────────────────────────────────────────────────────────────────────────────────────────

    async def list_tool_groups(self, request: ListToolGroupsRequest, ctx: Context) -> ListToolGroupsResponse:
        return ListToolGroupsResponse(data=[present(each) for each in self.groups(ctx)])

    async def get_tool_group(self, request: GetToolGroupRequest, ctx: Context) -> ToolGroup:
        return present(self.group(request.toolgroup_id, ctx))

    async def list_tools(self, request: ListToolsRequest, ctx: Context) -> ListToolDefsResponse:
        return await self.tools(ListRuntimeToolsRequest(tool_group_id=request.toolgroup_id), ctx)

    async def get_tool(self, request: GetToolRequest, ctx: Context) -> ToolDef:
        group, name = await self._locate(request.tool_name, ctx)
        listed = await self._sources[group.instance].list_runtime_tools(_asking(group), ctx)
        for tool in listed.data:
            if tool.name == name:
                return present_tool(tool, group.instance, group.id)
        raise self._no_tool(name, ctx)

    # ── for the router ──────────────────────────────────────────────────────────────────────────────────────────────

    async def route(self, request: InvokeToolRequest, ctx: Context) -> str:
        """The instance to call; group, endpoint and name stand in the request then as the instance knows them."""
        if request.mcp_endpoint is not None:
            if request.tool_group_id is not None:
                message = "a tool is of a group or at an endpoint; expected one of tool_group_id and mcp_endpoint"
                raise BadRequest(message, param="mcp_endpoint")
            return self._for_endpoint(request.mcp_endpoint)
        if request.tool_group_id is not None:
            group, name = self.group(request.tool_group_id, ctx, "tool_group_id"), request.tool_name
        else:
            group, name = await self._locate(request.tool_name, ctx, authorization=request.authorization)
        request.tool_group_id, request.tool_name = group.id, name
        request.mcp_endpoint = _asking(group).mcp_endpoint
        return group.instance

    async def tools(self, request: ListRuntimeToolsRequest, ctx: Context) -> ListToolDefsResponse:
        """The tools of one group, of one endpoint, or of all groups that answer."""
        if request.mcp_endpoint is not None:
            if request.tool_group_id is not None:
                message = "tools are of a group or at an endpoint; expected one of tool_group_id and mcp_endpoint"
                raise BadRequest(message, param="mcp_endpoint")
            instance = self._for_endpoint(request.mcp_endpoint)
            listed = await self._sources[instance].list_runtime_tools(request, ctx)
            return ListToolDefsResponse(data=[present_tool(each, instance, None) for each in listed.data])
        if request.tool_group_id is not None:
            group = self.group(request.tool_group_id, ctx, "tool_group_id")
            return ListToolDefsResponse(data=await self._tools_of(group, ctx, request.authorization))
        return await self._all_tools(request.authorization, ctx)

    # ── what `registry` has more of ─────────────────────────────────────────────────────────────────────────────────

    def groups(self, ctx: Context) -> Iterable[Group]:
        """Those that the caller sees, in the order in which a tool's name is looked for."""
        return self._declared.values()

    def find(self, identity: str, ctx: Context) -> Group | None:
        return self._declared.get(identity)

    def group(self, identity: str, ctx: Context, param: str = "toolgroup_id") -> Group:
        """Raises NotFound."""
        found = self.find(identity, ctx)
        if found is not None:
            return found
        identity = identity[:200]
        near = difflib.get_close_matches(identity, [each.id for each in itertools.islice(self.groups(ctx), 200)], n=3)
        hint = f"did you mean {', '.join(near)}?" if near else "GET /v1/toolgroups lists what is."
        message = f"there is no tool group {identity!r} here; {hint}"
        raise NotFound(message, code="toolgroup_not_found", param=param)

    # ── finding a tool ──────────────────────────────────────────────────────────────────────────────────────────────

    async def _locate(self, said: str, ctx: Context, authorization: str | None = None) -> tuple[Group, str]:
        """The group of a tool and the tool's name there. Raises NotFound, or why that cannot be told."""
        for end in (each for each, character in enumerate(said) if character == "/"):
            group = self.find(said[:end], ctx)
            if group is not None and end + 1 < len(said):
                return group, said[end + 1 :]
        groups = list(self.groups(ctx))
        remote = [each for each in groups if each.endpoint is not None]
        if authorization is not None and len(remote) > 1:
            # A name alone must not decide who is sent the token: any server may say that it has the tool.
            message = (
                f"authorization could be meant for {len(remote)} tool groups; name one as tool_group_id, "
                f"or say tool_name as `group/{said[:200]}`"
            )
            raise BadRequest(message, code="ambiguous_tool", param="tool_group_id")
        return await self._search(said, groups, authorization, ctx)

    async def _search(
        self, name: str, groups: Sequence[Group], authorization: str | None, ctx: Context
    ) -> tuple[Group, str]:
        """Asks all groups at once, and waits for their answers in their order."""
        asked = [asyncio.ensure_future(self._offers(name, each, authorization, ctx)) for each in groups]
        failed: list[tuple[Group, StackError]] = []
        try:
            for group, answer in zip(groups, asked, strict=True):
                try:
                    if await answer:
                        return group, name
                except StackError as error:
                    failed.append((group, error))
        finally:
            for each in asked:
                each.cancel()
            await asyncio.gather(*asked, return_exceptions=True)
        if not failed:
            raise self._no_tool(name, ctx)
        group, why = next((each for each in failed if not isinstance(each[1], Unauthenticated)), failed[0])
        told = f"tool {name[:200]!r} was not found, and tool group {group.id!r} could not be asked: {why.message}"
        raise type(why)(told, code=why.code, param="tool_name", retry_after=why.retry_after)

    async def _offers(self, name: str, group: Group, authorization: str | None, ctx: Context) -> bool:
        return await self._sources[group.instance].offers(name, _asking(group, authorization), ctx)

    def _no_tool(self, name: str, ctx: Context) -> NotFound:
        hint = "GET /v1/tools lists what is."
        if not any(True for _ in self.groups(ctx)):
            hint = "there are no tool groups; POST /v1/toolgroups registers one, or the distribution declares it"
        message = f"there is no tool {name[:200]!r} here; {hint}"
        return NotFound(message, code="tool_not_found", param="tool_name")

    def _for_endpoint(self, endpoint: McpEndpoint) -> str:
        """The first instance that talks to servers."""
        for name, source in self._sources.items():
            if source.takes_endpoints:
                return name
        message = "no provider of tools here talks to servers of the Model Context Protocol"
        raise BadRequest(message, code="unsupported_operation", param="mcp_endpoint")

    # ── listing tools ───────────────────────────────────────────────────────────────────────────────────────────────

    async def _tools_of(self, group: Group, ctx: Context, authorization: str | None) -> list[ToolDef]:
        listed = await self._sources[group.instance].list_runtime_tools(_asking(group, authorization), ctx)
        return [present_tool(each, group.instance, group.id) for each in listed.data]

    async def _all_tools(self, authorization: str | None, ctx: Context) -> ListToolDefsResponse:
        """Those of every group that answers. The others are named: a list that is merely shorter would say that there
        are no more tools.
        """
        groups = list(self.groups(ctx))
        if authorization is not None and sum(each.endpoint is not None for each in groups) > 1:
            message = "authorization could be meant for several tool groups; name one as tool_group_id"
            raise BadRequest(message, code="ambiguous_tool", param="tool_group_id")
        lists = await asyncio.gather(
            *(self._tools_of(each, ctx, authorization) for each in groups), return_exceptions=True
        )
        tools: list[ToolDef] = []
        unavailable: list[UnavailableTools] = []
        for group, found in zip(groups, lists, strict=True):
            if isinstance(found, StackError):
                log.info("the tools of %s are not listed: %s", group.id, found.message)
                unavailable.append(UnavailableTools(toolgroup_id=group.id, message=found.message))
            elif isinstance(found, BaseException):
                raise found
            else:
                tools += found
        answer = ListToolDefsResponse(data=tools)
        if unavailable:
            answer.unavailable = unavailable
        return answer


@asynccontextmanager
async def open_tool_groups(
    *, sources: Mapping[str, ToolSource], resources: Sequence[ToolGroupResource]
) -> AsyncIterator[ToolGroupsTable]:
    """The table over `sources` (provider id → instance) and the distribution's tool groups."""
    yield ToolGroupsTable(sources, resources)


def _asking(group: Group, authorization: str | None = None) -> ListRuntimeToolsRequest:
    endpoint = None if group.endpoint is None else McpEndpoint(uri=group.endpoint)
    # A provider without servers has no use for somebody's token.
    token = authorization if endpoint is not None else None
    return ListRuntimeToolsRequest(tool_group_id=group.id, mcp_endpoint=endpoint, authorization=token)


def _unfit(group: Group, source: ToolSource) -> Iterable[str]:
    at = f"resources.tool_groups {group.id!r}"
    if source.takes_endpoints and group.endpoint is None:
        yield f"{at}: mcp_endpoint.uri is missing; {group.instance} talks to the server that it names"
    if not source.takes_endpoints and group.endpoint is not None:
        yield f"{at}: mcp_endpoint is of no use; {group.instance} talks to no server"
