"""The providers of this server: how each is configured, without its secrets, and how it fares.

Health is asked for in the background and remembered: a request never waits for it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...contracts.providers.responses import ListProvidersResponse, ProviderHealth, ProviderInfo
from ...runtime.context import Context
from ...runtime.errors import NotFound, StackError
from ...runtime.redact import redacted
from ...runtime.wiring import Health, Listed

if TYPE_CHECKING:
    from ...contracts.providers.requests import InspectProviderRequest, ListProvidersRequest

log = logging.getLogger(__name__)

PROBE_SECONDS = 3.0
NOT_CHECKED = Health("Not Implemented", "not checked yet")
NO_CHECK = Health("Not Implemented", "this provider has no health check")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvidersConfig:
    """health_interval_seconds: between two checks of each provider."""

    health_interval_seconds: float


class BuiltinProviders:
    """Implements the providers API."""

    def __init__(self, listing: Sequence[Listed]) -> None:
        self._listing = tuple(listing)
        self._configs = [_config(listed) for listed in self._listing]
        self._health = [NO_CHECK if listed.health is None else NOT_CHECKED for listed in self._listing]

    async def list_providers(self, request: ListProvidersRequest, ctx: Context) -> ListProvidersResponse:
        return ListProvidersResponse(data=[self._info(number) for number in range(len(self._listing))])

    async def inspect_provider(self, request: InspectProviderRequest, ctx: Context) -> ProviderInfo:
        """The first instance of that id. Raises NotFound."""
        for number, listed in enumerate(self._listing):
            if listed.id == request.provider_id:
                return self._info(number)
        raise NotFound(
            f"there is no provider {request.provider_id!r} here", code="provider_not_found", param="provider_id"
        )

    async def check(self) -> None:
        """Asks every provider that can say how it fares, all at once."""
        await asyncio.gather(*(self._check(number) for number in range(len(self._listing))))

    async def _check(self, number: int) -> None:
        probe = self._listing[number].health
        if probe is None:
            return
        try:
            async with asyncio.timeout(PROBE_SECONDS):
                self._health[number] = await probe()
        except TimeoutError:
            self._health[number] = Health("Error", f"no answer within {PROBE_SECONDS:g} s")
        except StackError as error:
            self._health[number] = Health("Error", error.message)
        except Exception as error:
            # Its text could hold anything, a credential too: neither the log nor the API has it.
            log.warning("the health check of provider %s failed", self._listing[number].id, exc_info=error)
            self._health[number] = Health("Error", f"the check failed: {type(error).__name__}")

    def _info(self, number: int) -> ProviderInfo:
        listed, health = self._listing[number], self._health[number]
        return ProviderInfo(
            api=listed.api,
            provider_id=listed.id,
            provider_type=listed.type,
            config=self._configs[number],
            health=(
                ProviderHealth(status=health.status, message=health.message)
                if health.message
                else ProviderHealth(status=health.status)
            ),
        )


@asynccontextmanager
async def open_providers(config: ProvidersConfig, *, listing: Sequence[Listed]) -> AsyncIterator[BuiltinProviders]:
    """listing: every configured provider, in the order to show them."""
    providers = BuiltinProviders(listing)
    watching = asyncio.create_task(_keep_checking(providers, config.health_interval_seconds))
    try:
        yield providers
    finally:
        watching.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watching


async def _keep_checking(providers: BuiltinProviders, interval: float) -> None:
    while True:
        await providers.check()
        await asyncio.sleep(interval)


def _config(listed: Listed) -> dict[str, object]:
    shown = redacted(listed.config)
    return shown if isinstance(shown, dict) else {}
