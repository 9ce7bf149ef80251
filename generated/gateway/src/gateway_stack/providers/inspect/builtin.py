"""What this server is: its health, its version and its routes, all known before it starts."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from ...contracts.inspect.responses import HealthInfo, ListRoutesResponse, RouteInfo, VersionInfo
from ...runtime.context import Context
from ...runtime.wiring import RouteFact

if TYPE_CHECKING:
    from ...contracts.inspect.requests import HealthRequest, ListRoutesRequest, VersionRequest


class BuiltinInspect:
    """Implements the inspect API."""

    def __init__(self, routes: Sequence[RouteFact], version: str) -> None:
        self._routes = tuple(routes)
        self._version = version

    async def health(self, request: HealthRequest, ctx: Context) -> HealthInfo:
        """Always OK: it says that the server answers, `/v1/providers` says how the providers fare."""
        return HealthInfo(status="OK")

    async def version(self, request: VersionRequest, ctx: Context) -> VersionInfo:
        return VersionInfo(version=self._version)

    async def list_routes(self, request: ListRoutesRequest, ctx: Context) -> ListRoutesResponse:
        """The routes of a level, the deprecated ones, or without a filter all that are not deprecated."""
        wanted = request.api_filter
        return ListRoutesResponse(
            data=[
                RouteInfo(route=fact.route, method=fact.method, provider_types=list(fact.provider_types))
                for fact in self._routes
                if (fact.deprecated if wanted == "deprecated" else not fact.deprecated)
                and wanted in (None, "deprecated", fact.level)
            ]
        )


@asynccontextmanager
async def open_inspect(*, routes: Sequence[RouteFact], version: str) -> AsyncIterator[BuiltinInspect]:
    """routes: all of the server's. version: of the distribution."""
    yield BuiltinInspect(routes, version)
