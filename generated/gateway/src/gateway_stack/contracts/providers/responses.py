"""What the answers of the providers API are made of.

Generated from apis/providers.yaml by `stackgen contracts`; a change belongs there.
"""

from __future__ import annotations

from typing import Any

from ..shared.health import HealthStatus
from ..wire import WireModel


class ProviderHealth(WireModel):
    """How a provider instance fares."""

    status: HealthStatus
    message: str | None = None
    """What is wrong."""


class ProviderInfo(WireModel):
    """A provider instance."""

    api: str
    """The API it serves."""
    provider_id: str
    provider_type: str
    """E.g. `remote::nvidia`."""
    config: dict[str, Any]
    """Its settings; secrets are not shown."""
    health: ProviderHealth


class ListProvidersResponse(WireModel):
    """The provider instances."""

    data: list[ProviderInfo]
