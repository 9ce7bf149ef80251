"""One question to the model: chat completions, asked as this response needs it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pydantic_core import from_json, to_json

from ...contracts.inference.requests import CreateChatCompletionRequest
from ...runtime.context import Context
from ...runtime.errors import UpstreamError
from ...runtime.reply import Answer
from ...runtime.sse import data, events

if TYPE_CHECKING:
    from ...contracts.inference import Chat
    from .folding import Folding

Item = dict[str, Any]
"""JSON."""


@dataclass(slots=True)
class Tokens:
    """What all questions of a response used. known: whether anybody said."""

    input: int = 0
    cached: int = 0
    output: int = 0
    reasoning: int = 0
    known: bool = field(default=False)

    def add(self, usage: Mapping[str, Any] | None, counted: Context) -> None:
        """usage: as the model said it. counted: the account of the question, for where it did not."""
        said = usage or {}
        read, written = _count(said, "prompt_tokens"), _count(said, "completion_tokens")
        read = counted.usage.prompt_tokens if read is None else read
        written = counted.usage.completion_tokens if written is None else written
        self.known = self.known or read is not None or written is not None
        self.input += read or 0
        self.output += written or 0
        self.cached += _count(said.get("prompt_tokens_details"), "cached_tokens") or 0
        self.reasoning += _count(said.get("completion_tokens_details"), "reasoning_tokens") or 0

    def shown(self) -> Item | None:
        if not self.known:
            return None
        return {
            "input_tokens": self.input,
            "input_tokens_details": {"cached_tokens": self.cached},
            "output_tokens": self.output,
            "output_tokens_details": {"reasoning_tokens": self.reasoning},
            "total_tokens": self.input + self.output,
        }


def _count(said: object, key: str) -> int | None:
    found = said.get(key) if isinstance(said, Mapping) else None
    return found if isinstance(found, int) and found >= 0 else None


async def ask(
    chat: Chat, body: Item, folding: Folding, tokens: Tokens, ctx: Context, *, streamed: bool
) -> AsyncGenerator[None, None]:
    """Has the model answer, folds what it says, and stops after each piece, so that its events can be sent. Closed, it
    leaves the model. Raises StackError.
    """
    if streamed:
        body = {**body, "stream": True, "stream_options": {"include_usage": True}}
    inner = Context(
        request_id=ctx.request_id,
        body=to_json(body),
        provider_data=ctx.provider_data,
        principal=ctx.principal,
        attributes=ctx.attributes,
        trace=ctx.trace,
    )
    request = CreateChatCompletionRequest.model_validate_json(inner.body)
    ctx.usage.model = body["model"]
    try:
        reply = await chat.create_chat_completion(request, inner)
        ctx.usage.instance = inner.usage.instance
        if isinstance(reply, Answer):
            answer = from_json(reply.body)
            folding.take_whole(answer if isinstance(answer, dict) else {})
            yield
            return
        if not streamed:
            await reply.aclose()
            raise UpstreamError("a stream came though none was asked for", code="upstream_invalid_answer")
        try:
            async for block in reply:
                for each in events(block):
                    # The usual: one line, one object.
                    said = each[6:] if each.startswith(b"data: {") and b"\n" not in each else data(each)
                    chunk = from_json(said) if said is not None else None
                    if isinstance(chunk, dict):
                        folding.take(chunk)
                yield
        finally:
            await reply.aclose()
    finally:
        ctx.usage.instance = inner.usage.instance
        tokens.add(folding.usage, inner)
        ctx.usage.prompt_tokens, ctx.usage.completion_tokens = tokens.input, tokens.output
