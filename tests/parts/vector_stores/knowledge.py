"""The knowledge tool over real vector stores; the model alone is a stand-in."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from parts.contracts.inference.responses import CreateChatCompletionResponse
from parts.providers.tool_runtime.knowledge.service import Knowledge
from parts.providers.tool_runtime.knowledge_search import KnowledgeSearchConfig, open_knowledge_search
from parts.routers.vector_io import VectorIoRouter
from parts.runtime.reply import Answer
from stores import Opened, WordModel, opened


@dataclass
class Talker(WordModel):
    """It says what it is told to. prompts: what it was asked."""

    answer: str = "kittens"
    prompts: list[str] = field(default_factory=list)

    async def create_chat_completion(self, request: Any, ctx: Any) -> Answer[CreateChatCompletionResponse]:
        self.prompts.append(json.loads(ctx.body)["messages"][0]["content"])
        message = {"role": "assistant", "content": self.answer, "refusal": None}
        choice = {"index": 0, "finish_reason": "stop", "logprobs": None, "message": message}
        said = {"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]}
        return Answer.of(CreateChatCompletionResponse.model_validate(said))


@asynccontextmanager
async def knowing(
    folder: Path, tool: str = "knowledge_search", **settings: Any
) -> AsyncIterator[tuple[Knowledge, Opened, Talker]]:
    model = Talker()
    async with (
        opened(folder, model=model) as stores,
        open_knowledge_search(
            KnowledgeSearchConfig(**settings),
            instance="rag",
            tool=tool,
            vector_io=VectorIoRouter(table=stores.stores),
            inference=model,  # type: ignore[arg-type]
        ) as knowledge,
    ):
        yield knowledge, stores, model
