"""The Safety API: what its providers offer and the server calls.

Generated from apis/safety.yaml by `stackgen contracts`; a change belongs there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from ...runtime.context import Context
    from .requests import CreateModerationRequest, RunShieldRequest
    from .responses import CreateModerationResponse, RunShieldResponse


class Shielding(Protocol):
    """Have a shield judge a conversation."""

    async def run_shield(self, request: RunShieldRequest, ctx: Context) -> RunShieldResponse:
        """Have a shield judge a conversation."""


class Moderations(Protocol):
    """Classify texts and images."""

    async def create_moderation(self, request: CreateModerationRequest, ctx: Context) -> CreateModerationResponse:
        """Classify texts and images."""


class Safety(Shielding, Moderations, Protocol):
    """Whether messages may pass. A shield judges a conversation (Llama Stack's wire format), or texts and images by
    themselves (OpenAI's moderations). What cannot be judged is an error, never a pass.
    """
