"""What the answers of the datasetio API are made of.

Generated from apis/datasetio.yaml by `stackgen contracts`; a change belongs there.
"""

from __future__ import annotations

from typing import Any

from ..wire import WireModel


class PaginatedResponse(WireModel):
    """Rows, and whether there are more."""

    data: list[dict[str, Any]]
    """The rows."""
    has_more: bool
    """Whether others follow."""
    url: str | None = None
    """Never said by this server."""
