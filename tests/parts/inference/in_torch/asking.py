"""Requests to the provider, as a router would make them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from parts.contracts.inference.requests import CreateChatCompletionRequest, CreateCompletionRequest
from parts.providers.inference.transformers import Transformers
from parts.runtime.context import Context
from parts.runtime.reply import Answer, Events


@dataclass
class Model:
    provider: Transformers

    @property
    def generated(self) -> int:
        """Tokens that the engine has made so far."""
        assert self.provider.text is not None
        return self.provider.text.engine.generated

    def tokens(self, text: str) -> list[int]:
        assert self.provider.text is not None
        return self.provider.text.model.prompts.texts(text, 0)[0]

    async def chat(self, said: str = "ping", ctx: Context | None = None, **body: Any) -> dict[str, Any]:
        answer = await self.provider.create_chat_completion(_chat(said, body), ctx or Context("r"))
        assert isinstance(answer, Answer)
        return dict(json.loads(answer.body))

    async def chat_stream(self, said: str = "ping", ctx: Context | None = None, **body: Any) -> Events[Any]:
        request = _chat(said, {**body, "stream": True})
        answer = await self.provider.create_chat_completion(request, ctx or Context("r"))
        assert isinstance(answer, Events)
        return answer

    async def complete(self, prompt: Any, ctx: Context | None = None, **body: Any) -> dict[str, Any]:
        request = CreateCompletionRequest.model_validate({"model": "m", "prompt": prompt, **body})
        answer = await self.provider.create_completion(request, ctx or Context("r"))
        assert isinstance(answer, Answer)
        return dict(json.loads(answer.body))

    async def stream(self, prompt: Any, ctx: Context | None = None, **body: Any) -> Events[Any]:
        request = CreateCompletionRequest.model_validate({"model": "m", "prompt": prompt, "stream": True, **body})
        answer = await self.provider.create_completion(request, ctx or Context("r"))
        assert isinstance(answer, Events)
        return answer


def _chat(said: str, body: dict[str, Any]) -> CreateChatCompletionRequest:
    messages = [{"role": "user", "content": said}]
    return CreateChatCompletionRequest.model_validate({"model": "m", "messages": messages, **body})


async def events(stream: Events[Any]) -> list[dict[str, Any]]:
    return [json.loads(event[6:]) async for block in stream for event in block.split(b"\n\n") if event]


def content(answer: dict[str, Any]) -> str:
    """The text of a chat's only choice."""
    return str(answer["choices"][0]["message"]["content"])
