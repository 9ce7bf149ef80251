"""Llama Guard, asked through the server's own inference."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...contracts.inference.requests import CreateChatCompletionRequest
from ...contracts.inference.responses import CreateChatCompletionResponse
from ...runtime.context import Context, Usage
from ...runtime.errors import NotFound, SettingsError, Unavailable, UpstreamError
from ...runtime.reply import Answer
from ...runtime.wiring import Health
from .guard import Asked, Guard
from .llama_guard_prompt import CATEGORIES, judged_by, question, verdict_of
from .turns import Turn
from .verdict import Verdict

if TYPE_CHECKING:
    from ...contracts.inference import Chat

ANSWER_TOKENS = 100
"""All codes take about sixty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LlamaGuardConfig:
    """excluded_categories: codes (S1 to S14) that are let pass."""

    excluded_categories: tuple[str, ...] = ()


class LlamaGuard(Guard):
    """Guard models behind one inference. excluded: codes of categories that are let pass."""

    def __init__(self, inference: Chat, excluded: Collection[str]) -> None:
        self._inference = inference
        self._excluded = frozenset(excluded)

    async def judge(self, asked: Asked, turns: Sequence[Turn], ctx: Context) -> Verdict:
        codes = judged_by(asked.shield, self._excluded)
        answer = await self._ask(asked.shield, question(turns, codes), turns[-1].images, ctx)
        return verdict_of(answer, codes, self._excluded)

    async def health(self) -> Health:
        return Health("Not Implemented", "whether its model answers shows with each request")

    async def _ask(self, model: str, text: str, images: Sequence[str], ctx: Context) -> str:
        """What the model says. Raises StackError."""
        shown = [{"type": "image_url", "image_url": {"url": image}} for image in images]
        content: str | list[dict[str, Any]] = [*shown, {"type": "text", "text": text}] if shown else text
        request = CreateChatCompletionRequest.model_validate(
            {
                "model": model,
                "messages": [{"role": "user", "content": content}],
                "temperature": 0,
                "max_tokens": ANSWER_TOKENS,
            }
        )
        # The request's own, with its keys; but the body, and who served it, are this call's.
        inner = Context(
            request_id=ctx.request_id,
            provider_data=ctx.provider_data,
            principal=ctx.principal,
            attributes=ctx.attributes,
            trace=ctx.trace,
        )
        try:
            reply = await self._inference.create_chat_completion(request, inner)
        except NotFound as error:
            # The caller has named a shield, which is there.
            raise Unavailable(f"the shield's guard model: {error.message}", code="guard_unavailable") from None
        _count(ctx.usage, inner.usage)
        if not isinstance(reply, Answer):
            await reply.aclose()
            raise UpstreamError("a stream came though none was asked for", code="upstream_invalid_answer")
        return _said(reply)


def _count(usage: Usage, used: Usage) -> None:
    """Adds the tokens of a call to the request's account."""
    if used.prompt_tokens is not None:
        usage.prompt_tokens = (usage.prompt_tokens or 0) + used.prompt_tokens
    if used.completion_tokens is not None:
        usage.completion_tokens = (usage.completion_tokens or 0) + used.completion_tokens


def _said(reply: Answer[CreateChatCompletionResponse]) -> str:
    try:
        choices = reply.parse(CreateChatCompletionResponse).choices
    except ValueError:
        choices = []
    said = choices[0].message.content if choices else None
    if said is None:
        raise UpstreamError("the guard model answered no text", code="upstream_invalid_answer")
    return said


@asynccontextmanager
async def open_llama_guard(config: LlamaGuardConfig, *, instance: str, inference: Chat) -> AsyncIterator[LlamaGuard]:
    """Raises SettingsError for a category that there is not."""
    yield LlamaGuard(inference, excluded_of(config.excluded_categories, instance))


def excluded_of(codes: Sequence[str], instance: str) -> Sequence[str]:
    """The codes. Raises SettingsError, as a misspelt one would exclude nothing."""
    if wrong := [code for code in codes if code not in CATEGORIES]:
        at = f"providers.safety.{instance}.excluded_categories"
        known = ", ".join(CATEGORIES)
        raise SettingsError([f"{at}: there is no category {code!r}; there are {known}" for code in wrong])
    if set(codes) == CATEGORIES.keys():
        raise SettingsError([f"providers.safety.{instance}.excluded_categories: nothing is left to look for"])
    return codes
