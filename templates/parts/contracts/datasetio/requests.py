"""What the requests of the datasetio API are made of.

Generated from apis/datasetio.yaml by `stackgen contracts`; a change belongs there.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from ..wire import WireModel


class AppendRowsRequest(WireModel):
    """Rows to be added."""

    rows: list[dict[str, Any]]
    """Each an object of columns."""
    dataset_id: str
    """The id; it may hold slashes."""


class IterrowsRequest(WireModel):
    """Read rows of a dataset."""

    dataset_id: str
    """The id; it may hold slashes."""
    start_index: Annotated[int | None, Field(ge=0)] = None
    """The first row to give, counted from 0; the first of all if absent."""
    limit: Annotated[int | None, Field(ge=-1)] = None
    """The most rows to give; all if absent or -1."""
