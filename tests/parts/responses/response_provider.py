"""The provider of responses over a database and a model of a test's own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from parts.contracts.conversations import Conversations
from parts.contracts.files import Files
from parts.contracts.prompts import Prompts
from parts.contracts.responses import Responses
from parts.contracts.safety import Shielding
from parts.contracts.tool_runtime import Tools
from parts.contracts.vector_stores import VectorStores
from parts.providers.responses.builtin import BuiltinResponsesConfig, open_responses
from parts.runtime.sql import Sql
from scripted import Model


@asynccontextmanager
async def responses(
    opened: AbstractAsyncContextManager[Sql],
    model: Model,
    *,
    config: BuiltinResponsesConfig | None = None,
    tools: Tools | None = None,
    vector_stores: VectorStores | None = None,
    safety: Shielding | None = None,
    conversations: Conversations | None = None,
    prompts: Prompts | None = None,
    files: Files | None = None,
) -> AsyncIterator[Responses]:
    async with (
        opened as sql,
        open_responses(
            config or BuiltinResponsesConfig(),
            store=sql,
            inference=model,
            tool_runtime=tools,
            vector_stores=vector_stores,
            safety=safety,
            conversations=conversations,
            prompts=prompts,
            files=files,
        ) as provider,
    ):
        yield provider
