"""What the answers of the inspect API are made of.

Generated from apis/inspect.yaml by `stackgen contracts`; a change belongs there.
"""

from __future__ import annotations

from ..shared.health import HealthStatus
from ..wire import WireModel


class HealthInfo(WireModel):
    """How the server fares."""

    status: HealthStatus


class VersionInfo(WireModel):
    """Which version the server is."""

    version: str


class RouteInfo(WireModel):
    """A route and who answers it."""

    route: str
    """The path."""
    method: str
    """The HTTP method."""
    provider_types: list[str]
    """E.g. `remote::nvidia`."""


class ListRoutesResponse(WireModel):
    """The routes of the server."""

    data: list[RouteInfo]
