"""The table of datasets: which there are, and which instance has the rows of each."""

from __future__ import annotations

import difflib
import itertools
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from ...contracts.datasetio.responses import PaginatedResponse
from ...contracts.datasets.responses import Dataset, ListDatasetsResponse
from ...runtime.context import Context
from ...runtime.dataset_rows import DatasetShelf, Row
from ...runtime.errors import BadRequest, NotFound
from .entries import DatasetResource, Entry, declared, present

if TYPE_CHECKING:
    from ...contracts.datasetio.requests import AppendRowsRequest, IterrowsRequest
    from ...contracts.datasets.requests import ListDatasetsRequest, RetrieveDatasetRequest


class DatasetsTable:
    """Implements the datasets API, and for its router that of datasetio. shelves: the instances of datasetio."""

    def __init__(self, shelves: Mapping[str, DatasetShelf], resources: Sequence[DatasetResource]) -> None:
        self._shelves = shelves
        self._declared = declared(resources, shelves)

    async def list_datasets(self, request: ListDatasetsRequest, ctx: Context) -> ListDatasetsResponse:
        return ListDatasetsResponse(data=[present(entry) for entry in self._seen(ctx)])

    async def retrieve_dataset(self, request: RetrieveDatasetRequest, ctx: Context) -> Dataset:
        return present(self.locate(request.dataset_id, ctx))

    async def iterrows(self, request: IterrowsRequest, ctx: Context) -> PaginatedResponse:
        entry = self.locate(request.dataset_id, ctx)
        limit = None if request.limit in (None, -1) else request.limit
        page = await self._shelves[entry.instance].read(entry.place, request.start_index or 0, limit, ctx)
        return PaginatedResponse(data=page.rows, has_more=page.more)

    async def append_rows(self, request: AppendRowsRequest, ctx: Context) -> None:
        entry = self.locate(request.dataset_id, ctx)
        await self._shelves[entry.instance].append(entry.place, request.rows, ctx)

    async def keep(self, rows: Sequence[Row], about: Mapping[str, object], ctx: Context) -> str:
        """A new dataset of these rows, which other parts of the server have made; its id. Raises BadRequest."""
        raise BadRequest(
            "no datasets can be registered here", code="unsupported_operation", param="save_results_dataset"
        )

    def locate(self, dataset: str, ctx: Context) -> Entry:
        """The dataset of an id. Raises NotFound."""
        found = self._find(dataset, ctx)
        if found is not None:
            return found
        # Within bounds, as comparing names takes its time.
        known = [each.place.id for each in itertools.islice(self._seen(ctx), 200)]
        near = difflib.get_close_matches(dataset[:200], known, n=3)
        hint = f"did you mean {', '.join(near)}?" if near else "GET /v1beta/datasets lists what is."
        message = f"there is no dataset {dataset[:200]!r} here; {hint}"
        raise NotFound(message, code="dataset_not_found", param="dataset_id")

    # ── what `registry` has more of ─────────────────────────────────────────────────────────────────────────────────

    def _find(self, dataset: str, ctx: Context) -> Entry | None:
        return self._declared.get(dataset)

    def _seen(self, ctx: Context) -> Iterator[Entry]:
        """All that the caller may use."""
        return iter(self._declared.values())


@asynccontextmanager
async def open_datasets(
    *, shelves: Mapping[str, DatasetShelf], resources: Sequence[DatasetResource]
) -> AsyncIterator[DatasetsTable]:
    """The table of the distribution's datasets. shelves: the instances of datasetio, by id."""
    yield DatasetsTable(shelves, resources)
