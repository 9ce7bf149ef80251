"""The table of datasets, with those that clients register.

The rows are taken before the dataset is registered, under a key of their own, so that nobody ever sees a dataset
without its rows. What is left behind by a process that ends in between is not settled, and its shelf forgets it.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...contracts.datasets.responses import Dataset, ListDatasetsResponse
from ...runtime.context import Context
from ...runtime.dataset_rows import DatasetShelf, Row
from ...runtime.errors import Conflict, NotFound
from ...runtime.ids import new_id
from ...runtime.kv import Kv, KvBackend
from ...runtime.owner import Owner, owner_of
from ...runtime.registry import Registry, following
from ...runtime.registry_records import Registered
from ...runtime.resource_ids import check_id
from ...runtime.wiring import Health
from .builtin import DatasetsTable
from .entries import DatasetResource, Entry, present
from .registration import entry_of, fields_of, rows_of, said_of

if TYPE_CHECKING:
    from ...contracts.datasets.requests import (
        ListDatasetsRequest,
        RegisterDatasetRequest,
        UnregisterDatasetRequest,
    )

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Own:
    """A registered dataset of a provider that is there."""

    entry: Entry
    owner: Owner


class RegisteredDatasets(DatasetsTable):
    """Implements the datasets API, and for its router that of datasetio."""

    def __init__(self, shelves: Mapping[str, DatasetShelf], resources: Sequence[DatasetResource], kv: Kv) -> None:
        super().__init__(shelves, resources)
        # Also those whose provider is switched off: their ids are the distribution's.
        self._reserved = {each.dataset_id for each in resources if each.dataset_id}
        self._own: dict[str, _Own] = {}
        self.registry = Registry(kv, noun="dataset", declared=self._reserved, changed=self._follow)

    async def list_datasets(self, request: ListDatasetsRequest, ctx: Context) -> ListDatasetsResponse:
        self.registry.check_loaded()
        return await super().list_datasets(request, ctx)

    async def register_dataset(self, request: RegisterDatasetRequest, ctx: Context) -> Dataset:
        identity = request.dataset_id or new_id("dataset")
        check_id(identity, "dataset_id")
        rows, fields = rows_of(request), fields_of(request, self._shelves, new_id("rows"))
        new = _entry(Registered(id=identity, fields=fields, owner=owner_of(ctx), created=0))
        if identity not in self.registry.entries and identity not in self._reserved:
            await self._shelves[new.instance].take(new.place, rows, ctx)
        kept = _entry(await self.registry.register(identity, fields, ctx, said=said_of(request)))
        shelf = self._shelves.get(kept.instance)
        if shelf is None:
            message = f"dataset {identity!r} is registered, and its provider {kept.instance!r} is not here"
            raise Conflict(message, code="dataset_exists", param="dataset_id")
        if kept.place.key != new.place.key:
            # It was there before. Whoever registered it may have been cut off before its rows were settled.
            await self._shelves[new.instance].forget(new.place, ctx)
            await shelf.take(kept.place, rows, ctx)
        await shelf.settle(kept.place, ctx)
        return present(kept)

    async def unregister_dataset(self, request: UnregisterDatasetRequest, ctx: Context) -> None:
        entry = entry_of(await self.registry.unregister(request.dataset_id, ctx))
        shelf = self._shelves.get(entry.instance) if entry is not None else None
        if entry is not None and shelf is not None:
            await shelf.forget(entry.place, ctx)

    async def keep(self, rows: Sequence[Row], about: Mapping[str, object], ctx: Context) -> str:
        from ...contracts.datasets.requests import RegisterDatasetRequest, RowsDataSource

        source = RowsDataSource(type="rows", rows=list(rows))
        request = RegisterDatasetRequest(purpose="eval/question-answer", source=source, metadata=dict(about))
        return (await self.register_dataset(request, ctx)).identifier

    def locate(self, dataset: str, ctx: Context) -> Entry:
        try:
            return super().locate(dataset, ctx)
        except NotFound:
            self.registry.check_loaded()
            raise

    async def health(self) -> Health:
        await self.registry.ask()
        return Health("OK")

    def _find(self, dataset: str, ctx: Context) -> Entry | None:
        own = self._own.get(dataset)
        if own is not None and own.owner.seen_by(ctx):
            return own.entry
        return super()._find(dataset, ctx)

    def _seen(self, ctx: Context) -> Iterator[Entry]:
        yield from super()._seen(ctx)
        # By id: in which order the store's were read differs between processes.
        yield from (self._own[key].entry for key in sorted(self._own) if self._own[key].owner.seen_by(ctx))

    def _follow(self, changed: Collection[str]) -> None:
        """The registry's entries of these ids are others now."""
        for identity in changed:
            kept = self.registry.entries.get(identity)
            entry = None if kept is None else entry_of(kept)
            if kept is not None and entry is not None and entry.instance in self._shelves:
                self._own[identity] = _Own(entry, kept.owner)
                continue
            self._own.pop(identity, None)
            if entry is not None:
                log.warning("dataset %r is registered, and its provider %r is not here", identity, entry.instance)
            elif kept is not None:
                log.warning("what is registered as %r is no dataset that this server knows", identity)


@asynccontextmanager
async def open_registered_datasets(
    *, shelves: Mapping[str, DatasetShelf], resources: Sequence[DatasetResource], metadata_store: KvBackend
) -> AsyncIterator[RegisteredDatasets]:
    """The table of the distribution's datasets and of those that clients register. shelves: the instances of
    datasetio, by id.
    """
    table = RegisteredDatasets(shelves, resources, metadata_store.namespace("registry_datasets"))
    async with following(table.registry):
        yield table


def _entry(kept: Registered) -> Entry:
    """Raises Conflict for what this server did not write."""
    entry = entry_of(kept)
    if entry is None:
        message = f"what is registered as {kept.id!r} is no dataset"
        raise Conflict(message, code="dataset_exists", param="dataset_id")
    return entry
