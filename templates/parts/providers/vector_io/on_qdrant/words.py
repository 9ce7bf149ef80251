"""Texts as sparse vectors: a number for each word, weighted as BM25 does. How rare a word is, Qdrant adds itself."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b

_WORD = re.compile(r"\w+")
_SATURATION = 1.2
_LENGTH_SHARE = 0.75
_USUAL_LENGTH = 256
"""Words of a usual text. A true average would change with each text, and with it all weights."""


@dataclass(frozen=True, slots=True)
class Weights:
    """A sparse vector. indices: words, as numbers of 32 bits."""

    indices: list[int]
    values: list[float]


def of_text(text: str) -> Weights:
    counts = Counter(_numbers(_WORD.findall(text)))
    length = 1 - _LENGTH_SHARE + _LENGTH_SHARE * counts.total() / _USUAL_LENGTH
    values = [count * (_SATURATION + 1) / (count + _SATURATION * length) for count in counts.values()]
    return Weights(list(counts), values)


def of_query(words: Iterable[str]) -> Weights:
    """Each word counts once. A "word" of several is taken apart as texts are."""
    numbers = dict.fromkeys(_numbers(each for word in words for each in _WORD.findall(word)))
    return Weights(list(numbers), [1.0] * len(numbers))


def _numbers(words: Iterable[str]) -> list[int]:
    return [int.from_bytes(blake2b(word.lower().encode(), digest_size=4).digest(), "big") for word in words]
