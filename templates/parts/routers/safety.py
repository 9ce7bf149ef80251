"""Sends what is to be judged to the instance whose guard a shield is.

What a shield was registered with goes along as the request's params, in place of whatever the caller said: who is
judged does not choose the rules.

    safety = SafetyRouter(table=shields, shielding={"llama-guard": llama_guard}, moderations={"llama-guard": …})
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol, TypeVar

from ..runtime.context import Context
from ..runtime.errors import BadRequest

if TYPE_CHECKING:
    from ..contracts.safety import Moderations, Shielding
    from ..contracts.safety.requests import CreateModerationRequest, RunShieldRequest
    from ..contracts.safety.responses import CreateModerationResponse, RunShieldResponse

P = TypeVar("P")


class Target(Protocol):
    """Whose guard a shield is, and the name by which that instance knows it."""

    @property
    def id(self) -> str: ...

    @property
    def instance(self) -> str: ...

    @property
    def provider_shield_id(self) -> str: ...

    @property
    def params(self) -> Mapping[str, object]: ...


class ShieldTable(Protocol):
    """What the router asks of the shields table."""

    def locate(self, shield: str, ctx: Context) -> Target:
        """The shield of an id. Raises NotFound."""

    def by_model(self, model: str | None, ctx: Context) -> Target:
        """The shield that a moderation means. Raises NotFound, and BadRequest where none is meant."""


class SafetyRouter:
    """The safety API over many instances."""

    def __init__(
        self, *, table: ShieldTable, shielding: Mapping[str, Shielding], moderations: Mapping[str, Moderations]
    ) -> None:
        self._table = table
        self._shielding = shielding
        self._moderations = moderations

    async def run_shield(self, request: RunShieldRequest, ctx: Context) -> RunShieldResponse:
        target = self._table.locate(request.shield_id, ctx)
        provider = _pick(self._shielding, target, "shield_id", "running shields", ctx)
        request.shield_id, request.params = target.provider_shield_id, dict(target.params)
        return await provider.run_shield(request, ctx)

    async def create_moderation(self, request: CreateModerationRequest, ctx: Context) -> CreateModerationResponse:
        named = request.model
        target = self._table.by_model(named, ctx)
        provider = _pick(self._moderations, target, "model", "moderations", ctx)
        request.model, request.params = target.provider_shield_id, dict(target.params)
        answer = await provider.create_moderation(request, ctx)
        return answer.model_copy(update={"model": named or target.id})


def _pick(instances: Mapping[str, P], target: Target, param: str, operation: str, ctx: Context) -> P:
    """The instance to call, with the request's account opened in its name."""
    ctx.usage.instance = target.instance
    ctx.usage.model = target.id
    provider = instances.get(target.instance)
    if provider is None:
        message = f"shield {target.id!r} is of provider {target.instance!r}, which does not offer {operation}"
        raise BadRequest(message, code="unsupported_operation", param=param)
    return provider
