"""The rails of a NeMo Guardrails service."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from ...runtime.context import Context
from ...runtime.errors import StackError
from ...runtime.upstream import Call, Upstream, open_upstream
from ...runtime.upstream_config import NetworkConfig
from ...runtime.wiring import Health
from .guard import Asked, Guard, refuse_images
from .remote import answer_to, nonsense, ours, reachable
from .turns import Turn
from .verdict import PASS, Verdict

BLOCKED = "The rails of this service do not let this pass."


@dataclass(frozen=True, slots=True, kw_only=True)
class NvidiaSafetyConfig:
    """base_url: what `/v1/guardrail/checks` is appended to. config_id: the service's set of rails."""

    base_url: str
    config_id: str
    network: NetworkConfig = field(default_factory=NetworkConfig)


class NvidiaSafety(Guard):
    """One service; a shield's name there is the model that checks."""

    def __init__(self, upstream: Upstream, config_id: str) -> None:
        self._upstream = upstream
        self._config_id = config_id

    async def judge(self, asked: Asked, turns: Sequence[Turn], ctx: Context) -> Verdict:
        refuse_images(turns, "NeMo Guardrails")
        body = {
            "model": asked.shield,
            "messages": [{"role": turn.speaker, "content": turn.text} for turn in turns],
            "temperature": 1.0,
            "top_p": 1,
            "max_tokens": 160,
            "stream": False,
            "guardrails": {"config_id": self._config_id},
        }
        try:
            said = await answer_to(self._upstream, Call("POST", "v1/guardrail/checks"), body, ctx)
        except StackError as error:
            raise ours(error, self._upstream) from None
        if said.get("status") == "success":
            return PASS
        if said.get("status") != "blocked":
            raise nonsense(self._upstream)
        rails = said.get("rails_status")
        found = frozenset(
            name for name, each in (rails.items() if isinstance(rails, dict) else ()) if _is_blocked(each)
        )
        metadata = {"rails_status": rails} if isinstance(rails, dict) else {}
        return Verdict(flagged=True, message=BLOCKED, found=found, metadata=metadata)

    async def health(self) -> Health:
        return await reachable(self._upstream, Call("GET", "v1/guardrail/configs"))


def _is_blocked(rail: object) -> bool:
    return isinstance(rail, dict) and rail.get("status") == "blocked"


@asynccontextmanager
async def open_nvidia_safety(config: NvidiaSafetyConfig) -> AsyncIterator[NvidiaSafety]:
    """Raises SettingsError for a network that cannot be."""
    async with open_upstream(config.base_url, config.network) as upstream:
        yield NvidiaSafety(upstream, config.config_id)
