"""What the requests of the shields API are made of.

Generated from apis/shields.yaml by `stackgen contracts`; a change belongs there.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from ..wire import WireModel


class RegisterShieldRequest(WireModel):
    """A shield to be registered."""

    shield_id: Annotated[str, Field(max_length=512, min_length=1)]
    """The name clients use."""
    provider_id: Annotated[str | None, Field(min_length=1)] = None
    """The instance of safety that it is a guard of; may be left out where there is only one."""
    provider_shield_id: Annotated[str | None, Field(max_length=512, min_length=1)] = None
    """The guard's name at the provider; the same as `shield_id` if absent."""
    params: dict[str, Any] | None = None
    """What the provider is to know beside, at most 64 KiB."""


class ListShieldsRequest(WireModel):
    """List the shields."""


class RetrieveShieldRequest(WireModel):
    """Describe one shield."""

    identifier: str
    """The id; it may hold slashes."""


class UnregisterShieldRequest(WireModel):
    """Unregister a shield."""

    identifier: str
    """The id; it may hold slashes."""
