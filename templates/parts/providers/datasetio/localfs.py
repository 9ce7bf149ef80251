"""Datasets that the server keeps itself: their rows are read once, from wherever they are, and lie in its database."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ...runtime.errors import NotFound
from ...runtime.upstream_config import NetworkConfig
from ...runtime.wiring import Health

if TYPE_CHECKING:
    from ...runtime.context import Context
    from ...runtime.dataset_rows import DatasetPlace, Page, Row
    from ...runtime.sql import Sql
    from .local.kept import KeptRows
    from .local.places import Places


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalfsConfig:
    """files_dir: the folder of files that clients may name, None for none. client_uris: what they may name of the web:
    "none", "public", "any". max_dataset_bytes: of a file, and of a dataset's rows as JSON.
    """

    files_dir: str | None = None
    client_uris: str = "public"
    max_dataset_bytes: int = 100 * 1024 * 1024
    network: NetworkConfig = field(default_factory=NetworkConfig)


class LocalDatasets:
    """Implements a shelf of datasets."""

    def __init__(self, kept: KeptRows, places: Places) -> None:
        self._kept = kept
        self._places = places
        self._busy: weakref.WeakValueDictionary[str, asyncio.Lock] = weakref.WeakValueDictionary()

    def fits(self, uri: str | None) -> bool:
        from .local.places import is_known

        return uri is None or is_known(uri)

    async def take(self, dataset: DatasetPlace, rows: Sequence[Row] | None, ctx: Context) -> None:
        # One at a time: a second would read the same place for nothing.
        async with self._busy.setdefault(dataset.key, asyncio.Lock()):
            if await self._kept.has(dataset.key):
                return
            if dataset.uri is not None:
                rows = await self._read(dataset.uri, declared=dataset.declared)
            await self._kept.take(dataset.key, rows or (), settled=dataset.declared)

    async def settle(self, dataset: DatasetPlace, ctx: Context) -> None:
        await self._kept.settle(dataset.key)

    async def read(self, dataset: DatasetPlace, start: int, limit: int | None, ctx: Context) -> Page:
        page = await self._kept.page(dataset.key, start, limit)
        if page is None:
            await self._take_again(dataset, ctx)
            page = await self._kept.page(dataset.key, start, limit)
        if page is None:
            raise _gone(dataset)
        return page

    async def append(self, dataset: DatasetPlace, rows: Sequence[Row], ctx: Context) -> None:
        if not await self._kept.append(dataset.key, rows):
            await self._take_again(dataset, ctx)
            if not await self._kept.append(dataset.key, rows):
                raise _gone(dataset)

    async def forget(self, dataset: DatasetPlace, ctx: Context) -> None:
        await self._kept.forget(dataset.key)

    async def health(self) -> Health:
        await self._kept.ask()
        return Health("OK")

    async def _take_again(self, dataset: DatasetPlace, ctx: Context) -> None:
        """What the distribution declares is read when somebody first asks for it."""
        if not dataset.declared:
            raise _gone(dataset)
        await self.take(dataset, None, ctx)

    async def _read(self, uri: str, *, declared: bool) -> list[Row]:
        from .local.parsing import parsed

        found = await self._places.read(uri, declared=declared)
        return await asyncio.to_thread(parsed, found.content, found.form)


@asynccontextmanager
async def open_localfs_datasets(config: LocalfsConfig, *, store: Sql) -> AsyncIterator[LocalDatasets]:
    """store: where the rows are kept."""
    # Imported here: what a server whose instance is switched off does not need.
    from .local.kept import KeptRows
    from .local.places import open_places
    from .local.tables import MIGRATIONS

    await store.prepare("datasets", MIGRATIONS)
    most = config.max_dataset_bytes
    async with open_places(config.files_dir, most, config.client_uris, config.network) as places:
        yield LocalDatasets(KeptRows(store, most=most), places)


def _gone(dataset: DatasetPlace) -> NotFound:
    message = (
        f"the rows of dataset {dataset.id[:200]!r} are not kept here any more; unregister it, and register it anew"
    )
    return NotFound(message, code="rows_not_found", param="dataset_id")
