"""Small words of the generated wiring."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol, TypeVar

T = TypeVar("T")


def enabled(instances: Mapping[str, T | None]) -> dict[str, T]:
    """The instances that are there: one behind a shut gate is None, and absent by declaration."""
    return {name: instance for name, instance in instances.items() if instance is not None}


@dataclass(frozen=True, slots=True)
class Health:
    """One health check, in Llama Stack's words; message says what is wrong, never a secret."""

    status: Literal["OK", "Error", "Not Implemented"]
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One configured provider, as `/v1/providers` shows it.

    config: its config dataclass; secrets in it print as asterisks. health: its check, None where it has none.
    """

    api: str
    id: str
    type: str
    config: object
    health: Callable[[], Awaitable[Health]] | None


class Checked(Protocol):
    """Every configured provider."""

    async def health(self) -> Health: ...


def listed(api: str, id: str, type: str, config: object, instance: Checked | None) -> list[Listed]:
    """The entry of one configured provider; none where it stands behind a shut gate."""
    return [] if instance is None else [Listed(api=api, id=id, type=type, config=config, health=instance.health)]


@dataclass(frozen=True, slots=True)
class RouteFact:
    """One route of the server, as `/v1/inspect/routes` shows it. level: v1, v1beta or v1alpha."""

    route: str
    method: str
    provider_types: tuple[str, ...]
    level: str
    deprecated: bool
