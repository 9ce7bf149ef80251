"""Environment slots of run configs, as a distribution writes them.

${env.OLLAMA_URL:http://localhost}   →  ${env.OLLAMA_URL:=http://localhost}    (the form before 2025)
${env.VLLM_URL:=}, may not be empty  →  ${env.VLLM_URL}
${env.OLLAMA_URL:=http://h:1} + /v1  →  ${env.OLLAMA_URL:=http://h:1}/v1
"""

from __future__ import annotations

import re

from ..plan import Slot
from ..resolve.slots import Malformed, cut, holds_slot

_OLD = re.compile(r"\$\{env\.([A-Z0-9_]+):(?![=+?-])([^}]*)\}")


def modern(text: str) -> str:
    """The text with its slots in today's form."""
    return _OLD.sub(r"${env.\1:=\2}", text)


def only_slot(text: str) -> Slot | None:
    """The slot, if a text is one slot and nothing else."""
    parts = cut(text) if holds_slot(text) else ()
    if isinstance(parts, Malformed) or len(parts) != 1:
        return None
    return parts[0] if isinstance(parts[0], Slot) else None


def lengthened(text: str, tail: str) -> str:
    """A URL with a path added to it, unless it ends so; a slot's default tells how its other values end."""
    slot = only_slot(text)
    if slot is None or slot.mode != "default":
        return text if text.rstrip("/").endswith(tail) else text.rstrip("/") + tail
    if slot.text.rstrip("/").endswith(tail):
        return text
    return f"${{env.{slot.variable}:={slot.text.rstrip('/')}}}{tail}"
