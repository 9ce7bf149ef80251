"""What requests say, checked beyond what JSON Schema can, and turned into what the rest works with."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

from ....contracts.shared.filters import ComparisonFilter, CompoundFilter
from ....contracts.vector_stores.requests import AutoChunkingStrategyRequestParam
from ....runtime.errors import BadRequest
from ....runtime.vector_filters import Compare, Every, Filter, Some, kind_of
from .chunking import Chunking

if TYPE_CHECKING:
    from ....contracts.vector_stores.requests import ChunkingStrategyRequestParam, VectorStoreFileAttributes

MOST_PAIRS = 16
LONGEST_KEY = 64
LONGEST_TEXT = 512
DEEPEST = 16
MOST_PARTS = 256


def checked_chunking(said: ChunkingStrategyRequestParam | None, default: Chunking) -> Chunking:
    """Raises BadRequest."""
    if said is None or isinstance(said, AutoChunkingStrategyRequestParam):
        return default
    size, overlap = said.static.max_chunk_size_tokens, said.static.chunk_overlap_tokens
    if overlap > size // 2:
        message = f"chunk_overlap_tokens: expected at most {size // 2}, half of max_chunk_size_tokens, not {overlap}"
        raise BadRequest(message, code="invalid_chunking_strategy", param="chunking_strategy")
    return Chunking(size, overlap)


def checked_attributes(said: VectorStoreFileAttributes) -> str:
    """As JSON. Raises BadRequest for more than is kept."""
    pairs = dict(said or {})
    wrong = None
    if len(pairs) > MOST_PAIRS:
        wrong = f"attributes has {len(pairs)} pairs; at most {MOST_PAIRS} are kept"
    for key, value in pairs.items():
        if len(key) > LONGEST_KEY:
            wrong = f"attributes: the key that begins {key[:20]!r} has {len(key)} characters, of at most {LONGEST_KEY}"
        elif isinstance(value, str) and len(value) > LONGEST_TEXT:
            wrong = f"attributes.{key} has {len(value)} characters; at most {LONGEST_TEXT} are kept"
        elif isinstance(value, float) and not math.isfinite(value):
            wrong = f"attributes.{key} is no number"
    if wrong is not None:
        raise BadRequest(wrong, code="invalid_attributes", param="attributes")
    return as_json(pairs)


def as_json(value: Mapping[str, object]) -> str:
    """Raises BadRequest for half a surrogate pair, which no database keeps."""
    text = json.dumps(value, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:
        raise BadRequest("there is half a surrogate pair in a text", code="invalid_text") from None
    if "\\u0000" in text:
        raise BadRequest("there is a zero character in a text", code="invalid_text")
    return text


def checked_filter(said: ComparisonFilter | CompoundFilter | None) -> Filter | None:
    """Raises BadRequest where a comparison cannot be."""
    return None if said is None else _filter(said, "filters", [0])


def _filter(said: ComparisonFilter | CompoundFilter, where: str, parts: list[int], depth: int = 1) -> Filter:
    parts[0] += 1
    if depth > DEEPEST or parts[0] > MOST_PARTS:
        message = f"filters: expected at most {MOST_PARTS} of them, at most {DEEPEST} within each other"
        raise BadRequest(message, code="invalid_filter", param="filters")
    if isinstance(said, CompoundFilter):
        made = tuple(_filter(each, f"{where}.filters.{n}", parts, depth + 1) for n, each in enumerate(said.filters))
        if not made:
            raise _wrong(f"{where}.filters", "one filter at least")
        return Every(made) if said.type == "and" else Some(made)
    value, operator = said.value, said.type
    as_json({said.key: value})
    if operator in ("in", "nin"):
        if not isinstance(value, list):
            raise _wrong(f"{where}.value", f"a list, as {operator!r} has one")
        return Compare(said.key, operator, tuple(value))
    if isinstance(value, list):
        raise _wrong(f"{where}.value", f"one value, as {operator!r} has no list")
    if operator not in ("eq", "ne") and kind_of(value) == "boolean":
        raise _wrong(f"{where}.value", f"a number or a text, since {operator!r} asks for an order")
    return Compare(said.key, operator, value)


def _wrong(where: str, expected: str) -> BadRequest:
    return BadRequest(f"{where}: expected {expected}", code="invalid_filter", param=where)
