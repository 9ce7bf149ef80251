"""What clients attach to an object under `metadata`: OpenAI's rules, which JSON Schema here cannot say."""

from __future__ import annotations

from collections.abc import Mapping

from .errors import BadRequest

MOST_PAIRS = 16
LONGEST_KEY = 64
LONGEST_VALUE = 512


def checked(metadata: Mapping[str, str] | None) -> dict[str, str]:
    """The same, {} for None. Raises BadRequest for more than is kept, lengths counted in characters."""
    pairs = dict(metadata or {})
    if len(pairs) > MOST_PAIRS:
        raise BadRequest(f"metadata has {len(pairs)} pairs; at most {MOST_PAIRS} are kept", param="metadata")
    for key, value in pairs.items():
        if len(key) > LONGEST_KEY:
            raise BadRequest(
                f"metadata: the key that begins {key[:20]!r} has {len(key)} characters; at most {LONGEST_KEY} are kept",
                param="metadata",
            )
        if len(value) > LONGEST_VALUE:
            raise BadRequest(
                f"metadata.{key} has {len(value)} characters; at most {LONGEST_VALUE} are kept",
                param=f"metadata.{key}",
            )
    return pairs
