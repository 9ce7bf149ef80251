"""The shields of the distribution, as the table has them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ShieldResource:
    """A shield declared by the distribution.

    shield_id, provider_id: None (an empty slot) leaves the shield out. provider_shield_id: the guard's name at its
    provider, None for the same name.
    """

    shield_id: str | None
    provider_id: str | None
    provider_shield_id: str | None
    params: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One shield as clients see it, and whose guard it is."""

    id: str
    instance: str
    provider_shield_id: str
    params: Mapping[str, object]


def declared(resources: Sequence[ShieldResource], instances: Collection[str]) -> dict[str, Entry]:
    """The distribution's shields, by id. One of a provider that is switched off is absent with it."""
    return {
        each.shield_id: Entry(
            id=each.shield_id,
            instance=each.provider_id,
            provider_shield_id=each.provider_shield_id or each.shield_id,
            params=each.params,
        )
        for each in resources
        if each.shield_id and each.provider_id and each.provider_id in instances
    }
