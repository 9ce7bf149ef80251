"""Vectors in memory, compared by faiss, and kept in a SQL database from which every process reads them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ...runtime.sql import Sql
    from .flat.index import FaissIndex


@dataclass(frozen=True, slots=True, kw_only=True)
class FaissConfig:
    """Nothing but where the vectors are kept, which is an argument of the opener."""


@asynccontextmanager
async def open_faiss(config: FaissConfig, *, store: Sql) -> AsyncIterator[FaissIndex]:
    """The vectors that `store` keeps."""
    # Imported here: faiss and numpy, which a server without this instance does not need.
    from .flat.index import FaissIndex
    from .flat.tables import MIGRATIONS

    await store.prepare("faiss", MIGRATIONS)
    yield FaissIndex(store)
