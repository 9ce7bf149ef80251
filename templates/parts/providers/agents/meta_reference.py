"""Agents whose sessions the server keeps itself, in a SQL database, and whose turns it carries out."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ...contracts.inference import Chat
    from ...contracts.safety import Shielding
    from ...contracts.tool_runtime import Tools
    from ...runtime.sql import Sql
    from .service import AgentsService


@asynccontextmanager
async def open_meta_reference(
    *, store: Sql, inference: Chat, safety: Shielding | None, tool_runtime: Tools | None
) -> AsyncIterator[AgentsService]:
    """store: where they are kept. safety, tool_runtime: None where the server has none."""
    # Imported here: SQLAlchemy, which a server whose agents are switched off does not need.
    from .service import AgentsService
    from .store import MIGRATIONS

    await store.prepare("agents", MIGRATIONS)
    yield AgentsService(store, inference, safety, tool_runtime)
