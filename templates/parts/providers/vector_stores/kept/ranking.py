"""Two lists of hits as one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ....runtime.vector_index import Hit


@dataclass(frozen=True, slots=True)
class Fusion:
    """rrf: 1 / (constant + rank) of each list, added up. weighted: alpha of a hit's place between the least and the
    greatest score by vector, the rest of that by words.
    """

    ranker: Literal["rrf", "weighted"]
    constant: float = 60.0
    alpha: float = 0.5


def fused(by_vector: Sequence[Hit], by_words: Sequence[Hit], fusion: Fusion) -> list[Hit]:
    """Best first; those of one score in the order of their ids, so that the same question has the same answer."""
    if fusion.ranker == "rrf":
        first, second = _ranks(by_vector, fusion.constant), _ranks(by_words, fusion.constant)
        alpha = beta = 1.0
    else:
        first, second = _scaled(by_vector), _scaled(by_words)
        alpha, beta = fusion.alpha, 1 - fusion.alpha
    hits = [Hit(id, alpha * first.get(id, 0.0) + beta * second.get(id, 0.0)) for id in {**first, **second}]
    return sorted(hits, key=lambda hit: (-hit.score, hit.id))


def _ranks(hits: Sequence[Hit], constant: float) -> dict[str, float]:
    # Capped for constants so small that a sum would be more than a score can be.
    return {hit.id: min(0.5, 1.0 / (constant + rank)) for rank, hit in enumerate(hits, 1)}


def _scaled(hits: Sequence[Hit]) -> dict[str, float]:
    scores = [hit.score for hit in hits]
    if not scores:
        return {}
    least, range_ = min(scores), max(scores) - min(scores)
    return {hit.id: (hit.score - least) / range_ if range_ else 1.0 for hit in hits}
