"""What the work on responses needs of the server."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ...contracts.conversations import Conversations
    from ...contracts.files import Files
    from ...contracts.inference import Chat
    from ...contracts.prompts import Prompts
    from ...contracts.safety import Shielding
    from ...contracts.tool_runtime import Tools
    from ...contracts.vector_stores import VectorStores
    from .store import ResponseStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """The APIs that a response may need, None where the server does not have one, and its limits.

    most_rounds: how often the model is asked for one response, unless the request says. web_group: the tool group that
    searches the web. mcp_asks: whether tools of MCP servers ask before they run, where the request does not say.
    """

    inference: Chat
    store: ResponseStore
    tools: Tools | None
    vector_stores: VectorStores | None
    safety: Shielding | None
    conversations: Conversations | None
    prompts: Prompts | None
    files: Files | None
    most_rounds: int
    web_group: str
    mcp_asks: bool
