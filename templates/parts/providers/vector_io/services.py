"""What the services that keep vectors have in common."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from ...runtime.errors import NotFound, SettingsError, StackError, UpstreamError, UpstreamTimeout
from ...runtime.secret import Secret

if TYPE_CHECKING:
    from array import array

    from ...runtime.upstream_config import NetworkConfig

T = TypeVar("T")

_PATIENCE = 20
_PAUSE_SECONDS = 0.1


def told(error: StackError, host: str, store: str | None) -> StackError:
    """A service's error as that of this server: what it refuses no client of ours has said.

    store: that it was asked about, for which a 404 means that it is gone.
    """
    if error.status == 404 and store is not None:
        return gone(store)
    if error.status in (401, 403):
        return UpstreamError(f"{host} does not accept the key that it is given", code="upstream_key_refused")
    if error.status >= 500 or error.status == 429:
        return error
    message = error.message if host in error.message else f"{host}: {error.message}"
    return UpstreamError(message, code=error.code)


def gone(store: str) -> NotFound:
    return NotFound(f"the vectors of {store!r} are gone", code="vector_store_not_found")


def header_key(key: Secret | None, where: str) -> Secret | None:
    """The key without blanks around it; None where there is none. Raises SettingsError where no header can carry it."""
    text = "" if key is None else key.reveal().strip()
    if not (text.isascii() and text.isprintable()):
        raise SettingsError([f"{where}: it holds characters that no header can carry"])
    return Secret(text) if text else None


def patient(network: NetworkConfig, seconds: float | None) -> NetworkConfig:
    """The network with this patience for a silent service, if any is said."""
    return network if seconds is None else replace(network, timeout=replace(network.timeout, read=seconds))


def unit(vector: array[float]) -> list[float]:
    """The vector at length 1, of which an inner product is the cosine; one of length 0 stays, and is like nothing."""
    length = math.hypot(*vector)
    return [each / length for each in vector] if length else vector.tolist()


def share(fit: float) -> float:
    """A fit of 0 and more, without an end, as a score below 1, in the same order."""
    return max(0.0, fit) / (1.0 + max(0.0, fit))


async def until_none(
    lacking: Callable[[], Awaitable[Sequence[T]]],
    mend: Callable[[Sequence[T]], Awaitable[None]],
    id_of: Callable[[T], str],
) -> None:
    """Mends what `lacking` gives, a few each time, until there is none.

    A service may show for a moment what has been mended already; raises UpstreamTimeout where it goes on with that.
    """
    mended: set[str] = set()
    again = 0
    while some := await lacking():
        again = again + 1 if mended.issuperset(map(id_of, some)) else 0
        if again > _PATIENCE:
            raise UpstreamTimeout("the service does not show what it was given", code="upstream_stale")
        await asyncio.sleep(_PAUSE_SECONDS * again)
        await mend(some)
        mended.update(map(id_of, some))
