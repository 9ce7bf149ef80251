"""The shields table: which shields there are, and whose guard each is. Read from memory."""

from __future__ import annotations

import difflib
import itertools
from collections.abc import AsyncIterator, Collection, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...contracts.shields.responses import ListShieldsResponse, Shield
from ...runtime.context import Context
from ...runtime.errors import BadRequest, NotFound
from .entries import Entry, ShieldResource, declared

if TYPE_CHECKING:
    from ...contracts.shields.requests import ListShieldsRequest, RetrieveShieldRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class ShieldsConfig:
    """default_shield_id: judges moderations that name no model; None where they have to."""

    default_shield_id: str | None = None


class ShieldsTable:
    """Implements the shields API, and tells the safety router whose guard a shield is."""

    def __init__(self, config: ShieldsConfig, instances: Collection[str], resources: Sequence[ShieldResource]) -> None:
        self._default = config.default_shield_id
        self._declared = declared(resources, instances)

    def locate(self, shield: str, ctx: Context) -> Entry:
        """The shield of an id. Raises NotFound."""
        found = self._find(shield, ctx)
        if found is None:
            raise self._unknown("shield", shield, "shield_id", ctx)
        return found

    def by_model(self, model: str | None, ctx: Context) -> Entry:
        """The shield that a moderation means: by its id, or by the guard's name at its provider.

        Raises BadRequest where none is named and there is no default one, NotFound.
        """
        name = model or self._default
        if name is None:
            known = ", ".join(each.id for each in itertools.islice(self._seen(ctx), 20))
            message = "model is missing, and this server has no default shield"
            raise BadRequest(f"{message}; name one of: {known}" if known else message, param="model")
        found = self._find(name, ctx)
        if found is None:
            found = next((each for each in self._seen(ctx) if each.provider_shield_id == name), None)
        if found is None:
            raise self._unknown("model", name, "model", ctx)
        return found

    async def list_shields(self, request: ListShieldsRequest, ctx: Context) -> ListShieldsResponse:
        return ListShieldsResponse(data=[present(entry) for entry in self._seen(ctx)])

    async def retrieve_shield(self, request: RetrieveShieldRequest, ctx: Context) -> Shield:
        return present(self.locate(request.identifier, ctx))

    def _find(self, shield: str, ctx: Context) -> Entry | None:
        return self._declared.get(shield)

    def _seen(self, ctx: Context) -> Iterator[Entry]:
        """All that the caller may use."""
        return iter(self._declared.values())

    def _unknown(self, noun: str, name: str, param: str, ctx: Context) -> NotFound:
        # Within bounds, as comparing names takes its time.
        known = [each.id for each in itertools.islice(self._seen(ctx), 200)]
        near = difflib.get_close_matches(name[:200], known, n=3)
        hint = f"did you mean {', '.join(near)}?" if near else "GET /v1/shields lists what is."
        message = f"there is no shield {name[:200]!r} here; {hint}"
        return NotFound(message, code=f"{noun}_not_found", param=param)


@asynccontextmanager
async def open_shields(
    config: ShieldsConfig, *, sources: Collection[str], resources: Sequence[ShieldResource]
) -> AsyncIterator[ShieldsTable]:
    """The table of the distribution's shields. sources: the instances of safety, by id."""
    yield ShieldsTable(config, sources, resources)


def present(entry: Entry) -> Shield:
    """A shield as Llama Stack's clients know it."""
    return Shield(
        identifier=entry.id,
        provider_id=entry.instance,
        provider_resource_id=entry.provider_shield_id,
        type="shield",
        params=dict(entry.params),
    )
