"""Settings as they may be shown: as JSON, without secrets, and without those in a URL."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from urllib.parse import urlsplit

from .secret import Secret

_HIDDEN = "********"


class _Object(dict[str, object]):
    """What a dataclass became, as against a mapping whose names are free."""


def redacted(value: object) -> object:
    """JSON values of a config: a dataclass becomes an object, a Secret asterisks."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return _shown(dataclasses.asdict(value, dict_factory=_Object))
    return _shown(value)


def _shown(value: object) -> object:
    if isinstance(value, Secret):
        return _HIDDEN if value.reveal() else ""
    if isinstance(value, str):
        return _without_credentials(value)
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, _Object):
        return {name: _shown(item) for name, item in value.items()}
    if isinstance(value, Mapping):
        # Free names with texts are headers more often than not, and those carry credentials.
        return {str(name): _HIDDEN if isinstance(item, str) else _shown(item) for name, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_shown(item) for item in value]
    return _HIDDEN


def _without_credentials(text: str) -> str:
    """The text; if it is a URL, without `user:password@` and what its query says, where some services have the key."""
    if "://" not in text or ("@" not in text and "?" not in text):
        return text
    try:
        parts = urlsplit(text)
    except ValueError:
        return _HIDDEN
    query = _HIDDEN if parts.query else ""
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query=query).geturl()
