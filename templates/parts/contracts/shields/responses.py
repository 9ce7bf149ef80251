"""What the answers of the shields API are made of.

Generated from apis/shields.yaml by `stackgen contracts`; a change belongs there.
"""

from __future__ import annotations

from typing import Any, Literal

from ..wire import WireModel


class Shield(WireModel):
    """A shield, as Llama Stack's clients know it."""

    identifier: str
    """What a request's `shield_id` says."""
    provider_id: str
    """The instance of safety that it is a guard of."""
    provider_resource_id: str
    """The guard's name at the provider."""
    type: Literal["shield"]
    params: dict[str, Any]
    """What the provider knows beside."""


class ListShieldsResponse(WireModel):
    """Shields, all on one page."""

    data: list[Shield]
