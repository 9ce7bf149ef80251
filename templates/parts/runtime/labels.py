"""What clients attach to an object under `metadata`: OpenAI's rules, which JSON Schema here cannot say."""

from __future__ import annotations

from collections.abc import Mapping

from .errors import BadRequest

MOST_PAIRS = 16
LONGEST_KEY = 64
LONGEST_VALUE = 512


def fault(pairs: Mapping[str, str]) -> str | None:
    """What is wrong with them, lengths counted in characters; None where nothing is."""
    if len(pairs) > MOST_PAIRS:
        return f"metadata has {len(pairs)} pairs; at most {MOST_PAIRS} are kept"
    for key, value in pairs.items():
        if len(key) > LONGEST_KEY:
            begin = f"metadata: the key that begins {key[:20]!r}"
            return f"{begin} has {len(key)} characters; at most {LONGEST_KEY} are kept"
        if len(value) > LONGEST_VALUE:
            return f"metadata.{key} has {len(value)} characters; at most {LONGEST_VALUE} are kept"
    return None


def checked(metadata: Mapping[str, str] | None) -> dict[str, str]:
    """The same, {} for None. Raises BadRequest for more than is kept."""
    pairs = dict(metadata or {})
    if (wrong := fault(pairs)) is not None:
        raise BadRequest(wrong, code="invalid_metadata", param="metadata")
    return pairs
