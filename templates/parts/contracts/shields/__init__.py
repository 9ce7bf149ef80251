"""The Shields API: what its providers offer and the server calls.

Generated from apis/shields.yaml by `stackgen contracts`; a change belongs there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from ...runtime.context import Context
    from .requests import ListShieldsRequest, RegisterShieldRequest, RetrieveShieldRequest, UnregisterShieldRequest
    from .responses import ListShieldsResponse, Shield


class Listing(Protocol):
    """List the shields. Describe one shield."""

    async def list_shields(self, request: ListShieldsRequest, ctx: Context) -> ListShieldsResponse:
        """List the shields."""

    async def retrieve_shield(self, request: RetrieveShieldRequest, ctx: Context) -> Shield:
        """Describe one shield."""


class Registration(Protocol):
    """Register a shield of a provider. Unregister a shield."""

    async def register_shield(self, request: RegisterShieldRequest, ctx: Context) -> Shield:
        """Register a shield of a provider."""

    async def unregister_shield(self, request: UnregisterShieldRequest, ctx: Context) -> None:
        """Unregister a shield."""


class Shields(Listing, Registration, Protocol):
    """The shields that can be asked for. A shield is a name for a guard of a provider: a model, a policy, a set of
    rules. The wire format is Llama Stack's.
    """
