"""What the answers of the datasets API are made of.

Generated from apis/datasets.yaml by `stackgen contracts`; a change belongs there.
"""

from __future__ import annotations

from typing import Any, Literal

from ..wire import WireModel
from .requests import DatasetPurpose, DataSource


class Dataset(WireModel):
    """A dataset."""

    identifier: str
    """The name clients use."""
    provider_id: str
    """The instance of datasetio that has it."""
    provider_resource_id: str
    """The same as `identifier`."""
    type: Literal["dataset"]
    """Always `dataset`."""
    purpose: DatasetPurpose
    source: DataSource
    metadata: dict[str, Any]
    """What was said of it."""


class ListDatasetsResponse(WireModel):
    """Datasets, all on one page."""

    data: list[Dataset]
