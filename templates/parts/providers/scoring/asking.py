"""Models that are asked for a score, through the server's own inference."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from ...contracts.inference.requests import CreateChatCompletionRequest
from ...contracts.inference.responses import CreateChatCompletionResponse
from ...runtime.context import Context, Usage
from ...runtime.errors import UpstreamError
from ...runtime.reply import Answer

if TYPE_CHECKING:
    from ...contracts.inference import Chat
    from ...runtime.dataset_rows import Row


class Judge:
    """inference: where models are. at_once: how many rows of a request are looked at together."""

    def __init__(self, inference: Chat, at_once: int) -> None:
        self._inference = inference
        self._at_once = at_once

    async def ask(self, model: str, question: str, ctx: Context) -> str:
        """What a model says. Raises StackError."""
        body = {"model": model, "messages": [{"role": "user", "content": question}], "temperature": 0}
        request = CreateChatCompletionRequest.model_validate(body)
        inner = inside(ctx)
        reply = await self._inference.create_chat_completion(request, inner)
        count(ctx.usage, inner.usage)
        if not isinstance(reply, Answer):
            await reply.aclose()
            raise UpstreamError("a stream came though none was asked for", code="upstream_invalid_answer")
        try:
            choices = reply.parse(CreateChatCompletionResponse).choices
        except ValueError:
            choices = []
        said = choices[0].message.content if choices else None
        if said is None:
            raise UpstreamError(f"model {model[:200]!r} answered no text", code="upstream_invalid_answer")
        return said

    async def each(self, rows: Sequence[Row], score: Callable[[Row, int], Awaitable[Row]]) -> list[Row]:
        """The results of rows, in their order. Where one fails, the others are not asked any more."""
        free = asyncio.Semaphore(self._at_once)

        async def one(row: Row, number: int) -> Row:
            async with free:
                return await score(row, number)

        tasks = [asyncio.ensure_future(one(row, number)) for number, row in enumerate(rows)]
        try:
            return list(await asyncio.gather(*tasks))
        finally:
            for each in tasks:
                each.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


def inside(ctx: Context) -> Context:
    """For a call within a request: its caller and keys, and an account of its own."""
    return Context(
        request_id=ctx.request_id,
        provider_data=ctx.provider_data,
        principal=ctx.principal,
        attributes=ctx.attributes,
        trace=ctx.trace,
    )


def count(usage: Usage, used: Usage) -> None:
    """Adds the tokens of a call to the request's account."""
    if used.prompt_tokens is not None:
        usage.prompt_tokens = (usage.prompt_tokens or 0) + used.prompt_tokens
    if used.completion_tokens is not None:
        usage.completion_tokens = (usage.completion_tokens or 0) + used.completion_tokens


def filled(template: str, values: Mapping[str, str]) -> str:
    """A template with `{name}` replaced, in one step: what a value says is never looked at for names."""
    found, rest = [], template
    while rest:
        starts = [(place, name) for name in values if (place := rest.find(f"{{{name}}}")) >= 0]
        if not starts:
            break
        place, name = min(starts)
        found += [rest[:place], values[name]]
        rest = rest[place + len(name) + 2 :]
    return "".join((*found, rest))
