"""The models table: which models there are, and which instance serves each.

A model is known as `<provider_id>/<provider's name>`, as in Llama Stack; under the names that the distribution
registers; and under the provider's bare name, which goes to the first instance, in the distribution's order, that
lists it.
The table is read from memory; providers are asked for their lists in the background.
"""

from __future__ import annotations

import asyncio
import difflib
import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...contracts.models.responses import ListModelsResponse, Model, ModelMetadata
from ...runtime.context import Context
from ...runtime.errors import NotFound, StackError
from ...runtime.models import ModelSource, ProviderModel
from .entries import Entry, ModelResource, build_entries, passes_through

if TYPE_CHECKING:
    from ...contracts.models.requests import ListModelsRequest, RetrieveModelRequest

log = logging.getLogger(__name__)

FIRST_LISTING_WAIT_SECONDS = 5.0
"""How long a request for a name not known yet waits for providers that have not answered their first listing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelsConfig:
    """refresh_interval_seconds: between two listings of a provider that asks for them, or has not answered yet."""

    refresh_interval_seconds: float


class ModelsTable:
    """Implements the models API, and tells the inference router where a model lives."""

    def __init__(self, sources: Mapping[str, ModelSource], resources: Sequence[ModelResource]) -> None:
        self._sources = sources
        self._resources = tuple(r for r in resources if r.model_id and _is_here(r, sources))
        self._listings: dict[str, Sequence[ProviderModel]] = {}
        self._first: dict[str, asyncio.Event] = {name: asyncio.Event() for name in sources}
        self._rebuild()

    def find(self, model: str) -> Entry | None:
        return self._entries.get(model) or self._bare.get(model)

    async def locate(self, model: str) -> Entry:
        entry = passes_through(model, self._sources, self._listings)
        if entry is None:
            await self._first_listings()
            entry = self.find(model)
        if entry is None:
            raise self._unknown(model)
        return entry

    async def list_models(self, request: ListModelsRequest, ctx: Context) -> ListModelsResponse:
        await self._first_listings()
        return ListModelsResponse(object="list", data=[_present(entry) for entry in self._entries.values()])

    async def retrieve_model(self, request: RetrieveModelRequest, ctx: Context) -> Model:
        return _present(self.find(request.model) or await self.locate(request.model))

    async def refresh(self, name: str) -> bool:
        """Ask one provider for its models; True if it answered. The former list stays where it did not."""
        answered = True
        try:
            self._listings[name] = await self._sources[name].list_models()
        except StackError as error:
            answered = False
            log.info("provider %s does not list its models: %s", name, error.message)
        finally:
            self._first[name].set()
            self._rebuild()
        return answered

    async def keep_fresh(self, name: str, interval: float) -> None:
        """Refresh until it worked once, and for ever if the provider asks for that."""
        while True:
            try:
                answered = await self.refresh(name)
            except Exception:  # a provider's bug must not end its refreshing, nor pass unseen
                log.exception("listing the models of provider %s failed", name)
                answered = False
            if answered and not self._sources[name].refresh_models:
                return
            await asyncio.sleep(interval)

    def _rebuild(self) -> None:
        settled = all(event.is_set() for event in self._first.values())
        self._entries, self._bare = build_entries(self._sources, self._listings, self._resources, settled=settled)

    async def _first_listings(self) -> None:
        waiting = [asyncio.ensure_future(event.wait()) for event in self._first.values() if not event.is_set()]
        if waiting:
            _, late = await asyncio.wait(waiting, timeout=FIRST_LISTING_WAIT_SECONDS)
            for task in late:
                task.cancel()

    def _unknown(self, model: str) -> NotFound:
        near = difflib.get_close_matches(model, list(self._entries)[:1000], n=3)
        hint = f"did you mean {', '.join(near)}?" if near else "GET /v1/models lists what is."
        return NotFound(f"model {model[:200]!r} is not served here; {hint}", code="model_not_found", param="model")


@asynccontextmanager
async def open_models(
    config: ModelsConfig, *, sources: Mapping[str, ModelSource], resources: Sequence[ModelResource]
) -> AsyncIterator[ModelsTable]:
    """The table over `sources` (provider id → instance) and the distribution's registered models."""
    table = ModelsTable(sources, resources)
    tasks = [asyncio.create_task(table.keep_fresh(name, config.refresh_interval_seconds)) for name in sources]
    try:
        yield table
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _is_here(resource: ModelResource, sources: Mapping[str, ModelSource]) -> bool:
    """A resource of a provider that is switched off is absent with it."""
    return resource.provider_id in sources or (resource.provider_id in ("all", None) and bool(sources))


def _present(entry: Entry) -> Model:
    metadata = dict(entry.metadata)
    return Model(
        id=entry.id,
        object="model",
        created=entry.created,
        owned_by=entry.owned_by or entry.instance,
        identifier=entry.id,
        type="model",
        provider_id=entry.instance,
        provider_resource_id=entry.provider_model_id,
        model_type=entry.model_type,
        metadata=metadata,
        custom_metadata=ModelMetadata.model_validate(
            {
                **metadata,
                "model_type": entry.model_type,
                "provider_id": entry.instance,
                "provider_resource_id": entry.provider_model_id,
            }
        ),
    )
