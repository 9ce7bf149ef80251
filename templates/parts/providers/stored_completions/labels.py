"""The labels of a completion (`metadata`), and how many there may be."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic_core import to_json

from ...runtime.errors import BadRequest
from ...runtime.labels import fault as shared_fault


def fault(labels: Mapping[str, str]) -> str | None:
    """What is wrong with them; None where nothing is."""
    if (wrong := shared_fault(labels)) is not None:
        return wrong
    if any("\x00" in text for pair in labels.items() for text in pair):
        return "metadata holds the character NUL, which cannot be kept"
    return None


def checked(labels: Mapping[str, str]) -> None:
    """Raises BadRequest where they are too many or too long."""
    if (wrong := fault(labels)) is not None:
        raise BadRequest(wrong, code="invalid_metadata", param="metadata")


def dump(labels: Mapping[str, str] | None) -> str | None:
    """As they are kept."""
    return to_json(labels).decode() if labels else None
