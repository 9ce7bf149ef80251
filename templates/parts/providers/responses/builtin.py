"""Responses that the server makes itself, with any model of its inference and the tools that it has, and keeps in a SQL
database.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from ...contracts.conversations import Conversations
    from ...contracts.files import Files
    from ...contracts.inference import Chat
    from ...contracts.prompts import Prompts
    from ...contracts.safety import Shielding
    from ...contracts.tool_runtime import Tools
    from ...contracts.vector_stores import VectorStores
    from ...runtime.sql import Sql
    from .service import BuiltinResponses


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltinResponsesConfig:
    """max_infer_iters: how often the model is asked for one response, unless the request says. web_search_group: the
    tool group that searches the web. require_approval: whether calls of MCP tools wait for somebody's leave, where the
    request does not say. max_background: responses in the background that one process makes at once.
    """

    max_infer_iters: int = 10
    web_search_group: str = "builtin::websearch"
    require_approval: Literal["always", "never"] = "always"
    max_background: int = 10


@asynccontextmanager
async def open_responses(
    config: BuiltinResponsesConfig,
    *,
    store: Sql,
    inference: Chat,
    tool_runtime: Tools | None,
    vector_stores: VectorStores | None,
    safety: Shielding | None,
    conversations: Conversations | None,
    prompts: Prompts | None,
    files: Files | None,
) -> AsyncIterator[BuiltinResponses]:
    """store: where they are kept."""
    # Imported here: SQLAlchemy, which a server whose responses are switched off does not need.
    from .background import open_background
    from .desk import Desk
    from .service import BuiltinResponses
    from .store import open_store

    async with open_store(store) as kept:
        desk = Desk(
            inference=inference,
            store=kept,
            tools=tool_runtime,
            vector_stores=vector_stores,
            safety=safety,
            conversations=conversations,
            prompts=prompts,
            files=files,
            most_rounds=config.max_infer_iters,
            web_group=config.web_search_group,
            mcp_asks=config.require_approval == "always",
        )
        async with open_background(store, desk, config.max_background) as background:
            yield BuiltinResponses(desk, background)
