from __future__ import annotations

from dataclasses import dataclass

from ..runtime.secret import Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LineConfig:
    url: str
    key: Secret | None
    limits: Limits


class Talker:
    async def talk(self, request: object, ctx: object) -> object:
        return request
