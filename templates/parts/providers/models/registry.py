"""The models table, with models that clients register.

A registered model goes before what a provider lists under the same name, and behind what the distribution declares. It
is seen and used by its owner, or by all where nobody owns it.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...contracts.models.responses import DeleteModelResponse, ListModelsResponse, Model
from ...runtime.context import Context
from ...runtime.errors import Conflict, NotFound
from ...runtime.kv import Kv, KvBackend
from ...runtime.models import ModelSource
from ...runtime.owner import Owner
from ...runtime.registry import Registry, following
from ...runtime.wiring import Health
from .builtin import ModelsConfig, ModelsTable, kept_fresh, present
from .entries import Entry, ModelResource
from .registration import (
    declared_ids,
    entry_of,
    fields_of,
    identity_of,
    name_of,
    names_served,
    not_served,
    provider_of,
    said_of,
)

if TYPE_CHECKING:
    from ...contracts.models.requests import ListModelsRequest, RegisterModelRequest, UnregisterModelRequest

log = logging.getLogger(__name__)

ASK_AGAIN_SECONDS = 2.0
"""How old a provider's list may be for a name that is not in it to be refused without asking the provider anew."""


@dataclass(slots=True)
class _Own:
    """A registered model of a provider that is there. shown: once somebody has listed it."""

    entry: Entry
    owner: Owner
    shown: Model | None = None


class RegisteredModels(ModelsTable):
    """Implements the models API, and tells the inference router where a model lives."""

    def __init__(self, sources: Mapping[str, ModelSource], resources: Sequence[ModelResource], kv: Kv) -> None:
        super().__init__(sources, resources)
        self._own: dict[str, _Own] = {}
        self._whole: tuple[ListModelsResponse, ListModelsResponse] | None = None
        self._asking = {name: asyncio.Lock() for name in sources}
        self._asked: dict[str, float] = {}
        declared = declared_ids(self._resources, sources)
        self.registry = Registry(kv, noun="model", declared=declared, changed=self._follow)

    def find(self, model: str, ctx: Context) -> Entry | None:
        own = self._own.get(model)
        if own is not None and own.owner.seen_by(ctx):
            return own.entry
        return super().find(model, ctx) or self._bare_own(model, ctx)

    async def locate(self, model: str, ctx: Context) -> Entry:
        try:
            return await super().locate(model, ctx)
        except NotFound:
            self.registry.check_loaded()
            raise

    async def list_models(self, request: ListModelsRequest, ctx: Context) -> ListModelsResponse:
        listed = await super().list_models(request, ctx)
        self.registry.check_loaded()
        if ctx.principal is not None:
            return self._with_own(listed, ctx)
        if self._whole is None or self._whole[0] is not listed:
            self._whole = listed, self._with_own(listed, ctx)
        return self._whole[1]

    async def register_model(self, request: RegisterModelRequest, ctx: Context) -> Model:
        instance = provider_of(request, self._sources)
        name = name_of(request)
        await self._check_served(instance, name)
        fields = fields_of(request, instance, name, self._offers[instance])
        identity = identity_of(request, instance, name)
        kept = await self.registry.register(identity, fields, ctx, said=said_of(request))
        entry = entry_of(kept)
        if entry is None:
            raise Conflict(f"what is registered as {identity!r} is no model", code="model_exists", param="model_id")
        return present(entry)

    async def unregister_model(self, request: UnregisterModelRequest, ctx: Context) -> DeleteModelResponse:
        try:
            await self.registry.unregister(request.model, ctx)
        except NotFound:
            found = self.find(request.model, ctx)
            if found is None:
                raise
            what = f"it is registered as {found.id!r}" if found.id in self._own else "its provider lists it"
            message = f"no model is registered as {request.model[:200]!r}: {what}"
            raise Conflict(message, code="model_not_registered", param="model_id") from None
        return DeleteModelResponse(id=request.model, object="model", deleted=True)

    async def health(self) -> Health:
        await self.registry.ask()
        return Health("OK")

    def _bare_own(self, model: str, ctx: Context) -> Entry | None:
        """A registered model by its provider's bare name for it, of the first provider that has one."""
        for instance in self._sources:
            own = self._own.get(f"{instance}/{model}")
            if own is not None and own.owner.seen_by(ctx):
                return own.entry
        return None

    def _with_own(self, listed: ListModelsResponse, ctx: Context) -> ListModelsResponse:
        own = {identity: each for identity, each in self._own.items() if each.owner.seen_by(ctx)}
        for each in own.values():
            each.shown = each.shown or present(each.entry)
        others = [model for model in listed.data if model.id not in own]
        return ListModelsResponse(object="list", data=others + [each.shown for each in own.values() if each.shown])

    def _names(self, ctx: Context) -> Iterable[str]:
        own = (identity for identity, each in self._own.items() if each.owner.seen_by(ctx))
        return itertools.chain(itertools.islice(own, 100), super()._names(ctx))

    async def _check_served(self, instance: str, name: str) -> None:
        """Raises BadRequest where the provider says that it lacks the model, asking it anew if need be.

        One that does not answer has said nothing: its next answer to a request will.
        """
        source = self._sources[instance]
        served = names_served(source, self._offers[instance])
        could_be = source.lists_all and (source.allowed_models is None or name in source.allowed_models)
        if could_be and (served is None or name not in served):
            await self._ask_anew(instance)
            served = names_served(source, self._offers[instance])
        if served is not None and name not in served:
            raise not_served(instance, name, served)

    async def _ask_anew(self, instance: str) -> None:
        """Once for all who want it at the same time."""
        loop = asyncio.get_running_loop()
        async with self._asking[instance]:
            if loop.time() - self._asked.get(instance, -ASK_AGAIN_SECONDS) >= ASK_AGAIN_SECONDS:
                await self.refresh(instance)
                self._asked[instance] = loop.time()

    def _follow(self, changed: Collection[str]) -> None:
        """The registry's entries of these ids are others now."""
        self._whole = None
        absent: set[str] = set()
        for identity in changed:
            kept = self.registry.entries.get(identity)
            entry = None if kept is None else entry_of(kept)
            if kept is not None and entry is not None and entry.instance in self._sources:
                self._own[identity] = _Own(entry, kept.owner)
                continue
            self._own.pop(identity, None)
            if entry is not None:
                absent.add(entry.instance)
            elif kept is not None:
                log.warning("what is registered as %r is no model that this server knows how to serve", identity)
        if absent:
            log.warning("models are registered, and not served, of providers that are not here: %s", sorted(absent))


@asynccontextmanager
async def open_registered_models(
    config: ModelsConfig,
    *,
    sources: Mapping[str, ModelSource],
    resources: Sequence[ModelResource],
    metadata_store: KvBackend,
) -> AsyncIterator[RegisteredModels]:
    """The table over `sources` (provider id → instance), the distribution's models and those that clients register."""
    table = RegisteredModels(sources, resources, metadata_store.namespace("registry_models"))
    async with following(table.registry), kept_fresh(table, sources, config):
        yield table
