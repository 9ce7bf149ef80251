"""The labels of a completion (`metadata`), and how many there may be."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic_core import to_json

from ...runtime.errors import BadRequest

MOST_LABELS = 16
LONGEST_KEY = 64
LONGEST_VALUE = 512


def fault(labels: Mapping[str, str]) -> str | None:
    """What is wrong with them; None where nothing is."""
    if len(labels) > MOST_LABELS:
        return f"metadata has {len(labels)} labels, and at most {MOST_LABELS} are possible"
    for key, value in labels.items():
        if len(key) > LONGEST_KEY:
            return f"a key of metadata has {len(key)} characters, and at most {LONGEST_KEY} are possible"
        if len(value) > LONGEST_VALUE:
            return f"a value of metadata has {len(value)} characters, and at most {LONGEST_VALUE} are possible"
        if "\x00" in key or "\x00" in value:
            return "metadata holds the character NUL, which cannot be kept"
    return None


def checked(labels: Mapping[str, str]) -> None:
    """Raises BadRequest where they are too many or too long."""
    if (wrong := fault(labels)) is not None:
        raise BadRequest(wrong, code="invalid_metadata", param="metadata")


def dump(labels: Mapping[str, str] | None) -> str | None:
    """As they are kept."""
    return to_json(labels).decode() if labels else None
