"""What Chroma leaves to whoever searches.

It tells which records have a word, and not how well. How rare a word is follows from how many have it; the records that
have most of what is rare are then read, and ranked as BM25 does.

Its index of vectors does not find all that there are, where all are asked for. What it has missed is compared here.
"""

from __future__ import annotations

import asyncio
import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from operator import mul
from typing import TYPE_CHECKING

from ....runtime.vector_filters import predicate
from ....runtime.vector_index import Hit
from ..marks import is_exact
from .metadata import attributes_of, condition

if TYPE_CHECKING:
    from ....runtime.vector_filters import Filter
    from .index import Record, Records
    from .metadata import Where

READ_AT_LEAST = 1000
_READ_AT_ONCE = 500
_CALLS_AT_ONCE = 4
_SATURATION, _LENGTH_SHARE, _USUAL_LENGTH = 1.2, 0.75, 256


async def best_by_words(
    records: Records, store: str, words: Sequence[str], limit: int, where: Filter | None
) -> list[Hit]:
    """The best, of which there are `READ_AT_LEAST` to choose from."""
    among = None if where is None else condition(where)
    turn = asyncio.Semaphore(_CALLS_AT_ONCE)

    async def having(word: str) -> list[str]:
        async with turn:
            return await records.ids(store, f" {word} ", among)

    total = await records.count(store)
    lists = await asyncio.gather(*(having(word) for word in words))
    rarity = {word: _rarity(len(ids), total) for word, ids in zip(words, lists, strict=True)}
    sums: defaultdict[str, float] = defaultdict(float)
    for word, ids in zip(words, lists, strict=True):
        for id in ids:
            sums[id] += rarity[word]
    promising = sorted(sums, key=lambda id: (-sums[id], id))
    holds = None if where is None or is_exact(where) else predicate(where)
    hits: list[Hit] = []
    for start in range(0, len(promising), _READ_AT_ONCE):
        for record in await records.read(store, promising[start : start + _READ_AT_ONCE], "documents"):
            if holds is None or holds(attributes_of(record.metadata)):
                hits.append(_hit(record, rarity))
        if len(hits) >= max(READ_AT_LEAST, limit):
            break
    return sorted(hits, key=lambda hit: (-hit.score, hit.id))[:limit]


async def with_missed(
    records: Records, store: str, vector: Sequence[float], found: Sequence[Record], where: Where | None
) -> list[Record]:
    """The records that were found, and all others that the condition lets through, in their order."""
    known = {each.id for each in found}
    missed = [id for id in await records.ids(store, None, where) if id not in known]
    whole = list(found)
    for start in range(0, len(missed), _READ_AT_ONCE):
        for each in await records.read(store, missed[start : start + _READ_AT_ONCE], "embeddings"):
            whole.append(replace(each, distance=1.0 - _cosine(vector, each.vector)))
    return sorted(whole, key=lambda each: each.distance) if missed else whole


def _cosine(one: Sequence[float], other: Sequence[float]) -> float:
    lengths = math.hypot(*one) * math.hypot(*other)
    return sum(map(mul, one, other)) / lengths if lengths else 0.0


def _rarity(having: int, total: int) -> float:
    """Others may add while this is asked."""
    return math.log(1 + (max(total, having) - having + 0.5) / (having + 0.5))


def _hit(record: Record, rarity: Mapping[str, float]) -> Hit:
    counts = Counter(record.document.split())
    length = 1 - _LENGTH_SHARE + _LENGTH_SHARE * counts.total() / _USUAL_LENGTH
    fit = sum(
        rarity[word] * count * (_SATURATION + 1) / (count + _SATURATION * length)
        for word in rarity
        if (count := counts[word])
    )
    return Hit(record.id, fit / (1 + fit))
