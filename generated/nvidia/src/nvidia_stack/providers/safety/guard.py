"""What the providers of safety have in common: who judges turns can run shields, and moderate.

    class Acme(Guard):
        async def judge(self, asked: Asked, turns: Sequence[Turn], ctx: Context) -> Verdict: …

A guard that cannot judge raises: nothing passes because somebody was away.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...runtime.context import Context
from ...runtime.errors import BadRequest
from .turns import Turn, inputs_of, turns_of
from .verdict import Verdict, moderated, shielded

if TYPE_CHECKING:
    from ...contracts.safety.requests import CreateModerationRequest, RunShieldRequest
    from ...contracts.safety.responses import CreateModerationResponse, RunShieldResponse

AT_ONCE = 8
"""Inputs of one moderation that are judged at the same time."""


@dataclass(frozen=True, slots=True)
class Asked:
    """shield: the guard's name at the provider. params: what the shield was registered with."""

    shield: str
    params: Mapping[str, object]


class Guard(ABC):
    """One configured provider of safety."""

    @abstractmethod
    async def judge(self, asked: Asked, turns: Sequence[Turn], ctx: Context) -> Verdict:
        """Of a conversation, as a whole. Raises StackError where it cannot be judged."""

    async def judge_all(self, asked: Asked, inputs: Sequence[Sequence[Turn]], ctx: Context) -> list[Verdict]:
        """Of inputs that have nothing to do with each other; a verdict for each. Raises StackError."""
        room = asyncio.Semaphore(AT_ONCE)

        async def one(turns: Sequence[Turn]) -> Verdict:
            async with room:
                return await self.judge(asked, turns, ctx)

        tasks = [asyncio.ensure_future(one(turns)) for turns in inputs]
        try:
            return [await task for task in tasks]
        finally:
            # One that failed has the rest judged for nobody.
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def run_shield(self, request: RunShieldRequest, ctx: Context) -> RunShieldResponse:
        asked = Asked(request.shield_id, request.params or {})
        return shielded(await self.judge(asked, turns_of(request.messages), ctx))

    async def create_moderation(self, request: CreateModerationRequest, ctx: Context) -> CreateModerationResponse:
        if request.model is None:
            raise BadRequest("model is missing", param="model")
        inputs = inputs_of(request)
        verdicts = await self.judge_all(Asked(request.model, request.params or {}), inputs, ctx)
        return moderated(request.model, inputs, verdicts)


def refuse_images(turns: Sequence[Turn], who: str) -> None:
    """Raises BadRequest where there is an image, of which a guard of texts could say nothing."""
    if any(turn.images for turn in turns):
        raise BadRequest(f"{who} judges texts only, and there is an image", code="unsupported_input", param="messages")
