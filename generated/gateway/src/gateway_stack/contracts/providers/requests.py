"""What the requests of the providers API are made of.

Generated from apis/providers.yaml by `stackgen contracts`; a change belongs there.
"""

from __future__ import annotations

from ..wire import WireModel


class ListProvidersRequest(WireModel):
    """List the provider instances."""


class InspectProviderRequest(WireModel):
    """Describe one provider instance."""

    provider_id: str
