"""The shields table, with shields that clients register.

A registered shield is seen and used by its owner, or by all where nobody owns it; what the distribution declares goes
before it.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Collection, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...contracts.shields.responses import ListShieldsResponse, Shield
from ...runtime.context import Context
from ...runtime.errors import Conflict, NotFound
from ...runtime.kv import Kv, KvBackend
from ...runtime.owner import Owner
from ...runtime.registry import Registry, following
from ...runtime.wiring import Health
from .builtin import ShieldsConfig, ShieldsTable, present
from .entries import Entry, ShieldResource
from .registration import entry_of, fields_of, said_of

if TYPE_CHECKING:
    from ...contracts.shields.requests import ListShieldsRequest, RegisterShieldRequest, UnregisterShieldRequest

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Own:
    """A registered shield of a provider that is there."""

    entry: Entry
    owner: Owner


class RegisteredShields(ShieldsTable):
    """Implements the shields API, and tells the safety router whose guard a shield is."""

    def __init__(
        self, config: ShieldsConfig, instances: Collection[str], resources: Sequence[ShieldResource], kv: Kv
    ) -> None:
        super().__init__(config, instances, resources)
        self._instances = instances
        self._own: dict[str, _Own] = {}
        self.registry = Registry(kv, noun="shield", declared=self._declared, changed=self._follow)

    def locate(self, shield: str, ctx: Context) -> Entry:
        try:
            return super().locate(shield, ctx)
        except NotFound:
            self.registry.check_loaded()
            raise

    def by_model(self, model: str | None, ctx: Context) -> Entry:
        try:
            return super().by_model(model, ctx)
        except NotFound:
            self.registry.check_loaded()
            raise

    async def list_shields(self, request: ListShieldsRequest, ctx: Context) -> ListShieldsResponse:
        self.registry.check_loaded()
        return await super().list_shields(request, ctx)

    async def register_shield(self, request: RegisterShieldRequest, ctx: Context) -> Shield:
        fields = fields_of(request, self._instances)
        kept = await self.registry.register(request.shield_id, fields, ctx, said=said_of(request))
        entry = entry_of(kept)
        if entry is None:
            message = f"what is registered as {request.shield_id!r} is no shield"
            raise Conflict(message, code="shield_exists", param="shield_id")
        return present(entry)

    async def unregister_shield(self, request: UnregisterShieldRequest, ctx: Context) -> None:
        await self.registry.unregister(request.identifier, ctx)

    async def health(self) -> Health:
        await self.registry.ask()
        return Health("OK")

    def _find(self, shield: str, ctx: Context) -> Entry | None:
        own = self._own.get(shield)
        if own is not None and own.owner.seen_by(ctx):
            return own.entry
        return super()._find(shield, ctx)

    def _seen(self, ctx: Context) -> Iterator[Entry]:
        yield from super()._seen(ctx)
        yield from (own.entry for own in self._own.values() if own.owner.seen_by(ctx))

    def _follow(self, changed: Collection[str]) -> None:
        """The registry's entries of these ids are others now."""
        for identity in changed:
            kept = self.registry.entries.get(identity)
            entry = None if kept is None else entry_of(kept)
            if kept is not None and entry is not None and entry.instance in self._instances:
                self._own[identity] = _Own(entry, kept.owner)
                continue
            self._own.pop(identity, None)
            if entry is not None:
                log.warning("shield %r is registered, and its provider %r is not here", identity, entry.instance)
            elif kept is not None:
                log.warning("what is registered as %r is no shield that this server knows", identity)


@asynccontextmanager
async def open_registered_shields(
    config: ShieldsConfig,
    *,
    sources: Collection[str],
    resources: Sequence[ShieldResource],
    metadata_store: KvBackend,
) -> AsyncIterator[RegisteredShields]:
    """The table of the distribution's shields and of those that clients register. sources: the instances of safety."""
    table = RegisteredShields(config, sources, resources, metadata_store.namespace("registry_shields"))
    async with following(table.registry):
        yield table
