"""Vectors in a folder, found by Qdrant's engine inside this process."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .on_qdrant.index import QdrantIndex


@dataclass(frozen=True, slots=True, kw_only=True)
class QdrantInlineConfig:
    """path: the folder. threads: calls at once. open_stores: stores that are kept open while nobody asks."""

    path: str
    threads: int = 4
    open_stores: int = 64


@asynccontextmanager
async def open_qdrant_inline(config: QdrantInlineConfig, *, instance: str) -> AsyncIterator[QdrantIndex]:
    """Raises SettingsError where there can be no such folder, or another process has it."""
    # Imported here: the engine, which a server without this instance does not need.
    from .on_qdrant.edge import open_folders
    from .on_qdrant.index import QdrantIndex

    async with open_folders(config.path, config.threads, config.open_stores, instance) as folders:
        yield QdrantIndex(folders)
