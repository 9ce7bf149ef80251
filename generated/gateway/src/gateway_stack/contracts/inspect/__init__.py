"""The Inspect API: what its providers offer and the server calls.

Generated from apis/inspect.yaml by `stackgen contracts`; a change belongs there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from ...runtime.context import Context
    from .requests import HealthRequest, ListRoutesRequest, VersionRequest
    from .responses import HealthInfo, ListRoutesResponse, VersionInfo


class Inspect(Protocol):
    """What this server is, how it fares and what it serves."""

    async def health(self, request: HealthRequest, ctx: Context) -> HealthInfo:
        """Say whether the server is up."""

    async def version(self, request: VersionRequest, ctx: Context) -> VersionInfo:
        """Say which version the server is."""

    async def list_routes(self, request: ListRoutesRequest, ctx: Context) -> ListRoutesResponse:
        """List the routes, and which types of provider answer them."""
