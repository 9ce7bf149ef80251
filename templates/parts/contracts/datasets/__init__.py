"""The Datasets API: what its providers offer and the server calls.

Generated from apis/datasets.yaml by `stackgen contracts`; a change belongs there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from ...runtime.context import Context
    from .requests import ListDatasetsRequest, RegisterDatasetRequest, RetrieveDatasetRequest, UnregisterDatasetRequest
    from .responses import Dataset, ListDatasetsResponse


class Listing(Protocol):
    """List the datasets. Describe one dataset."""

    async def list_datasets(self, request: ListDatasetsRequest, ctx: Context) -> ListDatasetsResponse:
        """List the datasets."""

    async def retrieve_dataset(self, request: RetrieveDatasetRequest, ctx: Context) -> Dataset:
        """Describe one dataset."""


class Registration(Protocol):
    """Register a dataset. Unregister a dataset."""

    async def register_dataset(self, request: RegisterDatasetRequest, ctx: Context) -> Dataset:
        """Register a dataset."""

    async def unregister_dataset(self, request: UnregisterDatasetRequest, ctx: Context) -> None:
        """Unregister a dataset."""


class Datasets(Listing, Registration, Protocol):
    """Which datasets there are, and where the rows of each come from. A dataset is rows that were sent, or a place that
    they are read from; the instance that has it is known by the table. The wire format is Llama Stack's.
    """
