"""Vectors in a folder, kept and found by Milvus Lite inside this process."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .on_milvus.index import MilvusIndex


@dataclass(frozen=True, slots=True, kw_only=True)
class MilvusInlineConfig:
    """db_path: the folder."""

    db_path: str


@asynccontextmanager
async def open_milvus_inline(config: MilvusInlineConfig, *, instance: str) -> AsyncIterator[MilvusIndex]:
    """Raises SettingsError where there can be no such folder, or another process has it."""
    # Imported here: 100 MB with pyarrow and faiss, which a server without this instance does not need.
    from .on_milvus.index import MilvusIndex
    from .on_milvus.lite import open_folder

    async with open_folder(config.db_path, instance) as folder:
        yield MilvusIndex(folder)
