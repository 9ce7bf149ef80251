"""The table of scoring functions, with those that clients register.

A registered function is seen and used by its owner, or by all where nobody owns it; those of the providers and of the
distribution go before it.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...contracts.scoring_functions.responses import ListScoringFunctionsResponse, ScoringFn
from ...runtime.context import Context
from ...runtime.errors import Conflict, NotFound
from ...runtime.kv import Kv, KvBackend
from ...runtime.owner import Owner
from ...runtime.registry import Registry, following
from ...runtime.scoring import Scorer
from ...runtime.wiring import Health
from .builtin import ScoringFunctionsTable
from .entries import Entry, ScoringFnResource, present
from .registration import entry_of, fields_of

if TYPE_CHECKING:
    from ...contracts.scoring_functions.requests import (
        ListScoringFunctionsRequest,
        RegisterScoringFunctionRequest,
        UnregisterScoringFunctionRequest,
    )

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Own:
    """A registered function of a provider that is there."""

    entry: Entry
    owner: Owner


class RegisteredScoringFunctions(ScoringFunctionsTable):
    """Implements the scoring functions API, and scores for the router."""

    def __init__(self, scorers: Mapping[str, Scorer], resources: Sequence[ScoringFnResource], kv: Kv) -> None:
        super().__init__(scorers, resources)
        self._own: dict[str, _Own] = {}
        # Also those whose provider is switched off: their ids are the distribution's.
        reserved = {*self._known, *(each.scoring_fn_id for each in resources if each.scoring_fn_id)}
        self.registry = Registry(kv, noun="scoring_fn", declared=reserved, changed=self._follow)

    async def list_scoring_functions(
        self, request: ListScoringFunctionsRequest, ctx: Context
    ) -> ListScoringFunctionsResponse:
        self.registry.check_loaded()
        return await super().list_scoring_functions(request, ctx)

    async def register_scoring_function(self, request: RegisterScoringFunctionRequest, ctx: Context) -> ScoringFn:
        kept = await self.registry.register(request.scoring_fn_id, fields_of(request, self._scorers), ctx)
        entry = entry_of(kept, self._scorers)
        if entry is None:
            message = f"what is registered as {kept.id!r} is no scoring function of a provider that is here"
            raise Conflict(message, code="scoring_fn_exists", param="scoring_fn_id")
        return present(entry)

    async def unregister_scoring_function(self, request: UnregisterScoringFunctionRequest, ctx: Context) -> None:
        await self.registry.unregister(request.scoring_fn_id, ctx)

    def locate(self, function: str, ctx: Context, param: str = "scoring_functions") -> Entry:
        try:
            return super().locate(function, ctx, param)
        except NotFound:
            self.registry.check_loaded()
            raise

    async def health(self) -> Health:
        await self.registry.ask()
        return Health("OK")

    def _find(self, function: str, ctx: Context) -> Entry | None:
        own = self._own.get(function)
        if own is not None and own.owner.seen_by(ctx):
            return own.entry
        return super()._find(function, ctx)

    def _seen(self, ctx: Context) -> Iterator[Entry]:
        yield from super()._seen(ctx)
        # By id: in which order the store's were read differs between processes.
        yield from (self._own[key].entry for key in sorted(self._own) if self._own[key].owner.seen_by(ctx))

    def _follow(self, changed: Collection[str]) -> None:
        """The registry's entries of these ids are others now."""
        for identity in changed:
            kept = self.registry.entries.get(identity)
            entry = None if kept is None else entry_of(kept, self._scorers)
            if kept is not None and entry is not None:
                self._own[identity] = _Own(entry, kept.owner)
                continue
            self._own.pop(identity, None)
            if kept is not None:
                log.warning("scoring function %r is registered and not served: its provider is not here", identity)


@asynccontextmanager
async def open_registered_scoring_functions(
    *, scorers: Mapping[str, Scorer], resources: Sequence[ScoringFnResource], metadata_store: KvBackend
) -> AsyncIterator[RegisteredScoringFunctions]:
    """The table of all functions, with those that clients register. scorers: the instances of scoring, by id."""
    table = RegisteredScoringFunctions(scorers, resources, metadata_store.namespace("registry_scoring_functions"))
    async with following(table.registry):
        yield table
