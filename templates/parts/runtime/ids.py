"""Ids of what the server keeps."""

from __future__ import annotations

import secrets

_BYTES = 24


def new_id(kind: str) -> str:
    """`conv` → `conv_` and 48 hexadecimal digits, which nobody guesses."""
    return f"{kind}_{secrets.token_hex(_BYTES)}"
