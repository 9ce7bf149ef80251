"""Shields that judge what goes in and what comes out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ...contracts.safety.requests import RunShieldRequest
from ...runtime.errors import Unavailable

if TYPE_CHECKING:
    from ...contracts.safety import Shielding
    from ...runtime.context import Context

Item = dict[str, Any]
"""JSON."""

_REFUSED = "This cannot be answered, as it goes against the rules here."


async def violation(
    shields: Sequence[str], messages: Sequence[Item], safety: Shielding | None, ctx: Context
) -> str | None:
    """What a shield says against the messages, None where all let them pass. Raises StackError: what cannot be judged
    does not pass.
    """
    if not shields:
        return None
    if safety is None:
        raise Unavailable("this server has no shields, and cannot do what `guardrails` asks for", code="no_safety")
    said = [_judged(each) for each in messages if each["role"] != "system"]
    if not said:
        return None
    for shield in shields:
        request = RunShieldRequest.model_validate({"shield_id": shield, "messages": said})
        found = (await safety.run_shield(request, ctx)).violation
        if found is not None and found.violation_level == "error":
            return found.user_message or _REFUSED
    return None


def _judged(message: Item) -> Item:
    """The message as a shield takes it: files, which it cannot read, are named."""
    content = message.get("content")
    if isinstance(content, list):
        content = [each if each["type"] != "file" else _named(each) for each in content]
    return {**message, "content": content}


def _named(part: Item) -> Item:
    return {"type": "text", "text": f"[the file {part['file'].get('filename')}]"}
