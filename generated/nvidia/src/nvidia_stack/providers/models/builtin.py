"""The models table: which models there are, and which instance serves each.

A model is known as `<provider_id>/<provider's name>`, as in Llama Stack; under the names that the distribution
registers; and under the provider's bare name, which goes to the first instance, in the distribution's order, that
lists it.
The table is read from memory; providers are asked for their lists in the background.
"""

from __future__ import annotations

import asyncio
import difflib
import itertools
import logging
import random
from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...contracts.models.responses import ListModelsResponse, Model, ModelMetadata
from ...runtime.context import Context
from ...runtime.errors import NotFound, StackError
from ...runtime.models import ModelSource
from .entries import Entry, ModelResource, build_entries, offer_of, passes_through

if TYPE_CHECKING:
    from ...contracts.models.requests import ListModelsRequest, RetrieveModelRequest

log = logging.getLogger(__name__)

FIRST_LISTING_WAIT_SECONDS = 5.0
"""After its start, how long the table has requests wait for providers that have not answered their first listing."""

LISTING_SECONDS = 30.0
"""After which a provider that was asked for its list counts as not having answered."""

FIRST_RETRY_SECONDS = 5.0
"""Before a provider that has not answered is asked again, doubled each time up to the refresh interval: one that starts
together with this server is there soon.
"""

NOTHING_ON = "no provider is switched on, so there are no models; the server's README names the variable of each"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelsConfig:
    """refresh_interval_seconds: between two listings of a provider that asks for them, or has not answered yet."""

    refresh_interval_seconds: float


class ModelsTable:
    """Implements the models API, and tells the inference router where a model lives."""

    def __init__(self, sources: Mapping[str, ModelSource], resources: Sequence[ModelResource]) -> None:
        self._sources = sources
        self._resources = tuple(r for r in resources if r.model_id and _is_here(r, sources))
        self._offers = {name: offer_of(name, source, None) for name, source in sources.items()}
        self._awaited = set(sources)
        self._settled = asyncio.Event()
        self._list: ListModelsResponse | None = None
        self._told: dict[str, str] = {}
        self._rebuild()

    def find(self, model: str, ctx: Context) -> Entry | None:
        return self._entries.get(model) or self._bare.get(model)

    async def locate(self, model: str, ctx: Context) -> Entry:
        entry = passes_through(model, self._sources, self._offers)
        if entry is None:
            await self._settled.wait()
            entry = self.find(model, ctx)
        if entry is None:
            raise self._unknown(model, ctx)
        return entry

    async def list_models(self, request: ListModelsRequest, ctx: Context) -> ListModelsResponse:
        await self._settled.wait()
        if self._list is None:
            self._list = ListModelsResponse(object="list", data=[present(entry) for entry in self._entries.values()])
        return self._list

    async def retrieve_model(self, request: RetrieveModelRequest, ctx: Context) -> Model:
        return present(self.find(request.model, ctx) or await self.locate(request.model, ctx))

    async def refresh(self, name: str) -> bool:
        """Ask one provider for its models; True if it answered. The former list stays where it did not."""
        answered = True
        try:
            async with asyncio.timeout(LISTING_SECONDS):
                listing = await self._sources[name].list_models()
            self._offers[name] = offer_of(name, self._sources[name], listing)
            self._told.pop(name, None)
        except TimeoutError:
            answered = False
            self._tell(name, f"no answer within {LISTING_SECONDS:g} s")
        except StackError as error:
            answered = False
            self._tell(name, error.message)
        finally:
            self._awaited.discard(name)
            self._rebuild()
        return answered

    def _tell(self, name: str, why: str) -> None:
        """Once for each reason: it is asked again and again, and one whose clients bring the key never has another."""
        if self._told.get(name) != why:
            self._told[name] = why
            log.info("provider %s does not list its models: %s", name, why)

    def settle(self) -> None:
        """Wait no longer for first listings that have not come."""
        self._awaited.clear()
        self._rebuild()

    async def keep_fresh(self, name: str, interval: float) -> None:
        """Refresh until it worked once, and for ever if the provider asks for that."""
        retry = FIRST_RETRY_SECONDS
        while True:
            try:
                answered = await self.refresh(name)
            except Exception:  # a provider's bug must not end its refreshing, nor pass unseen
                log.exception("listing the models of provider %s failed", name)
                answered = False
            if answered and not self._sources[name].refresh_models:
                return
            # Not to the second, so that processes started together do not ask together for ever.
            await asyncio.sleep((interval if answered else min(retry, interval)) * random.uniform(0.9, 1.0))
            retry = FIRST_RETRY_SECONDS if answered else min(retry * 2, interval)

    def _rebuild(self) -> None:
        settled = not self._awaited
        self._entries, self._bare = build_entries(self._sources, self._offers, self._resources, settled=settled)
        self._list = None
        if settled:
            self._settled.set()

    def _names(self, ctx: Context) -> Iterable[str]:
        """What the caller may be told of where it meant something else."""
        return self._entries

    def _unknown(self, model: str, ctx: Context) -> NotFound:
        # Within bounds, as comparing names takes its time, and every request for a wrong one asks for it.
        model = model[:200]
        near = difflib.get_close_matches(model, itertools.islice(self._names(ctx), 200), n=3)
        hint = f"did you mean {', '.join(near)}?" if near else "GET /v1/models lists what is."
        if not self._sources:
            hint = NOTHING_ON
        return NotFound(f"model {model!r} is not served here; {hint}", code="model_not_found", param="model")


@asynccontextmanager
async def open_models(
    config: ModelsConfig, *, sources: Mapping[str, ModelSource], resources: Sequence[ModelResource]
) -> AsyncIterator[ModelsTable]:
    """The table over `sources` (provider id → instance) and the distribution's registered models."""
    table = ModelsTable(sources, resources)
    async with kept_fresh(table, sources, config):
        yield table


@asynccontextmanager
async def kept_fresh(table: ModelsTable, sources: Collection[str], config: ModelsConfig) -> AsyncIterator[None]:
    """Has the providers of a table asked for their lists, for as long as the block lasts."""
    if not sources:
        log.warning(NOTHING_ON)
    tasks = [asyncio.create_task(table.keep_fresh(name, config.refresh_interval_seconds)) for name in sources]
    patience = asyncio.get_running_loop().call_later(FIRST_LISTING_WAIT_SECONDS, table.settle)
    try:
        yield
    finally:
        patience.cancel()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _is_here(resource: ModelResource, sources: Mapping[str, ModelSource]) -> bool:
    """A resource of a provider that is switched off is absent with it."""
    return resource.provider_id in sources or (resource.provider_id in ("all", None) and bool(sources))


def present(entry: Entry) -> Model:
    """A model as OpenAI's clients and Llama Stack's know it."""
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
