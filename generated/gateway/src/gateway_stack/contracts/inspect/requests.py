"""What the requests of the inspect API are made of.

Generated from apis/inspect.yaml by `stackgen contracts`; a change belongs there.
"""

from __future__ import annotations

from typing import Literal

from ..wire import WireModel


class HealthRequest(WireModel):
    """Say whether the server is up."""


class VersionRequest(WireModel):
    """Say which version the server is."""


class ListRoutesRequest(WireModel):
    """List the routes, and which types of provider answer them."""

    api_filter: Literal["v1", "v1beta", "v1alpha", "deprecated"] | None = None
    """A level: its routes that are not deprecated; `deprecated`: those that are, of every level; absent: all that are
    not.
    """
