"""The Providers API: what its providers offer and the server calls.

Generated from apis/providers.yaml by `stackgen contracts`; a change belongs there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from ...runtime.context import Context
    from .requests import InspectProviderRequest, ListProvidersRequest
    from .responses import ListProvidersResponse, ProviderInfo


class Providers(Protocol):
    """The provider instances of this server, how they are configured and how they fare."""

    async def list_providers(self, request: ListProvidersRequest, ctx: Context) -> ListProvidersResponse:
        """List the provider instances."""

    async def inspect_provider(self, request: InspectProviderRequest, ctx: Context) -> ProviderInfo:
        """Describe one provider instance."""
