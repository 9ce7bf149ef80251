"""The table of tool groups, with groups that clients register.

They come behind those of the distribution, the oldest first, so that no name of a tool that is in use comes to mean
another's tool. A group is seen and used by its owner, or by all where nobody owns it.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import AsyncIterator, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from ...contracts.shared.tool_defs import ListToolDefsResponse
from ...contracts.tool_groups.responses import ListToolGroupsResponse, ToolGroup
from ...runtime.context import Context
from ...runtime.errors import BadRequest, Conflict, NotFound
from ...runtime.kv import Kv, KvBackend
from ...runtime.registry import Registry, following
from ...runtime.registry_records import Registered
from ...runtime.tools import ToolSource
from ...runtime.wiring import Health
from .builtin import ToolGroupsTable
from .groups import Group, ToolGroupResource, present

if TYPE_CHECKING:
    from ...contracts.tool_groups.requests import (
        ListToolGroupsRequest,
        RegisterToolGroupRequest,
        UnregisterToolGroupRequest,
    )
    from ...contracts.tool_runtime.requests import InvokeToolRequest, ListRuntimeToolsRequest

log = logging.getLogger(__name__)

ARGS_BYTES = 64 * 1024
"""The most that a group's args take as JSON: every process has them in memory."""


class RegisteredToolGroups(ToolGroupsTable):
    """Implements the tool groups API, and tells the router of the tool runtime where a tool is run."""

    def __init__(self, sources: Mapping[str, ToolSource], resources: Sequence[ToolGroupResource], kv: Kv) -> None:
        super().__init__(sources, resources)
        self._order: list[Registered] = []
        # Also those whose provider is switched off: their ids are the distribution's.
        declared = {each.toolgroup_id for each in resources if each.toolgroup_id}
        self.registry = Registry(kv, noun="toolgroup", declared=declared, changed=self._follow)

    async def register_tool_group(self, request: RegisterToolGroupRequest, ctx: Context) -> ToolGroup:
        source = self._sources.get(request.provider_id)
        if source is None:
            known = ", ".join(self._sources) or "none: no provider of tools is switched on"
            message = f"there is no provider {request.provider_id[:100]!r} of tools here; expected one of {known}"
            raise BadRequest(message, code="provider_not_found", param="provider_id")
        endpoint = None if request.mcp_endpoint is None else request.mcp_endpoint.uri
        source.check_endpoint(endpoint)
        args = request.args or {}
        if len(json.dumps(args)) > ARGS_BYTES:
            raise BadRequest(f"args take more than {ARGS_BYTES} bytes as JSON", param="args")
        fields = {"provider_id": request.provider_id, "mcp_endpoint": endpoint, "args": args, "since": time.time()}
        said = ["provider_id", "mcp_endpoint", *(["args"] if request.args is not None else [])]
        kept = await self.registry.register(request.toolgroup_id, fields, ctx, said=said)
        group = _group_of(kept)
        if group is None:
            message = f"what is registered as {kept.id!r} is no tool group"
            raise Conflict(message, code="toolgroup_exists", param="toolgroup_id")
        return present(group)

    async def unregister_tool_group(self, request: UnregisterToolGroupRequest, ctx: Context) -> None:
        await self.registry.unregister(request.toolgroup_id, ctx)

    async def list_tool_groups(self, request: ListToolGroupsRequest, ctx: Context) -> ListToolGroupsResponse:
        self.registry.check_loaded()
        return await super().list_tool_groups(request, ctx)

    async def tools(self, request: ListRuntimeToolsRequest, ctx: Context) -> ListToolDefsResponse:
        if request.tool_group_id is None and request.mcp_endpoint is None:
            self.registry.check_loaded()
        return await super().tools(request, ctx)

    async def route(self, request: InvokeToolRequest, ctx: Context) -> str:
        try:
            return await super().route(request, ctx)
        except NotFound:
            self.registry.check_loaded()
            raise

    async def health(self) -> Health:
        await self.registry.ask()
        return Health("OK")

    def groups(self, ctx: Context) -> Iterable[Group]:
        yield from super().groups(ctx)
        yield from self._own(self._order, ctx)

    def find(self, identity: str, ctx: Context) -> Group | None:
        if (declared := super().find(identity, ctx)) is not None:
            return declared
        kept = self.registry.entries.get(identity)
        return None if kept is None else next(self._own([kept], ctx), None)

    def group(self, identity: str, ctx: Context, param: str = "toolgroup_id") -> Group:
        try:
            return super().group(identity, ctx, param)
        except NotFound:
            self.registry.check_loaded()
            raise

    def _own(self, entries: Iterable[Registered], ctx: Context) -> Iterator[Group]:
        """The groups that the caller sees, of providers that are there."""
        for each in entries:
            group = _group_of(each) if each.owner.seen_by(ctx) else None
            if group is not None and group.instance in self._sources:
                yield group

    def _follow(self, changed: Collection[str]) -> None:
        """The registry's entries of these ids are others now."""
        self._order = sorted(self.registry.entries.values(), key=_since)
        for identity in changed:
            kept = self.registry.entries.get(identity)
            group = None if kept is None else _group_of(kept)
            if kept is not None and (group is None or group.instance not in self._sources):
                log.warning("tool group %r is registered and not served: its provider is not here", identity)


@asynccontextmanager
async def open_registered_tool_groups(
    *, sources: Mapping[str, ToolSource], resources: Sequence[ToolGroupResource], metadata_store: KvBackend
) -> AsyncIterator[RegisteredToolGroups]:
    """The table over `sources` (provider id → instance), the distribution's groups and those that clients register."""
    table = RegisteredToolGroups(sources, resources, metadata_store.namespace("registry_tool_groups"))
    async with following(table.registry):
        yield table


def _group_of(kept: Registered) -> Group | None:
    """The group as the table has it; None for what is none."""
    instance, endpoint, args = (kept.fields.get(key) for key in ("provider_id", "mcp_endpoint", "args"))
    if not isinstance(instance, str) or not isinstance(endpoint, str | None) or not isinstance(args, dict):
        return None
    return Group(id=kept.id, instance=instance, endpoint=endpoint, args=args)


def _since(kept: Registered) -> tuple[float, str]:
    """When it was registered, finer than a registry has it: several are registered in one second."""
    since = kept.fields.get("since")
    return (since if isinstance(since, float) else float(kept.created), kept.id)
