"""Shields of an agent, run over what is said to it and what it says."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from ...contracts.agents.requests import AgentUserMessage
from ...contracts.safety.requests import RunShieldRequest
from ...runtime.errors import Unavailable
from .asking import within
from .content import items_of

if TYPE_CHECKING:
    from ...contracts.agents.requests import AgentInputMessage
    from ...contracts.safety import Shielding
    from ...contracts.shared.violation import SafetyViolation
    from ...runtime.context import Context
    from .messages import Message


async def judged(
    safety: Shielding | None, shields: Sequence[str], messages: Sequence[Message], ctx: Context
) -> SafetyViolation | None:
    """The gravest that the shields find, all at once; of several the first shield's. Raises StackError where one could
    not judge: nothing passes because something failed.
    """
    if safety is None:
        message = f"shield {shields[0][:200]!r}: this server has no shields"
        raise Unavailable(message, code="safety_unavailable")
    asked = [asyncio.ensure_future(_judged(safety, each, messages, ctx)) for each in shields]
    try:
        found = [each for each in await asyncio.gather(*asked) if each is not None]
    finally:
        for each in asked:
            each.cancel()
        await asyncio.gather(*asked, return_exceptions=True)
    grave = [each for each in found if each.violation_level == "error"]
    return next(iter([*grave, *found]), None)


async def _judged(safety: Shielding, shield: str, messages: Sequence[Message], ctx: Context) -> SafetyViolation | None:
    request = RunShieldRequest.model_validate({"shield_id": shield, "messages": messages})
    return (await safety.run_shield(request, within(ctx))).violation


def shown(messages: Iterable[AgentInputMessage]) -> list[Message]:
    """Messages as a shield reads them: documents and other context too, since harm comes that way as well."""
    found: list[Message] = []
    for each in messages:
        user = isinstance(each, AgentUserMessage)
        context = each.context if isinstance(each, AgentUserMessage) else None
        pieces = [*items_of(each.content), *(items_of(context) if context is not None else ())]
        content = [piece.model_dump(mode="json", exclude_none=True) for piece in pieces]
        found.append({"role": "user" if user else "tool", "content": content})
    return found
