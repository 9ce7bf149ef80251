"""One store in memory: its vectors in faiss, scaled to the length 1, so that their products are cosines."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import faiss
import numpy as np

from ....runtime.vector_filters import Filter, predicate
from ....runtime.vector_index import Hit


@dataclass(frozen=True, slots=True)
class Change:
    """vector: None where it was removed. attributes: JSON."""

    id: str
    vector: bytes | None
    attributes: str


class Loaded:
    """token, revision: of the store when it was read last. For one thread at a time."""

    def __init__(self, token: str, dimension: int) -> None:
        self.token = token
        self.revision = 0
        self._index = faiss.IndexIDMap2(faiss.IndexFlatIP(dimension))
        self._numbers: dict[str, int] = {}
        self._entries: dict[int, tuple[str, Mapping[str, object]]] = {}
        self._next = 0

    def take(self, changes: Iterable[Change]) -> None:
        """What was added, replaced and removed since."""
        new: list[tuple[int, Any]] = []
        old: list[int] = []
        for each in changes:
            if (number := self._numbers.pop(each.id, None)) is not None:
                old.append(number)
                del self._entries[number]
            if each.vector is not None:
                self._numbers[each.id] = self._next
                self._entries[self._next] = (each.id, json.loads(each.attributes))
                new.append((self._next, _unit(each.vector)))
                self._next += 1
        if old:
            self._index.remove_ids(faiss.IDSelectorBatch(np.array(old, dtype=np.int64)))
        if new:
            vectors = np.stack([vector for _, vector in new])
            self._index.add_with_ids(vectors, np.array([number for number, _ in new], dtype=np.int64))

    def near(self, vector: bytes, limit: int, where: Filter | None) -> list[Hit]:
        options = None
        if where is not None:
            holds = predicate(where)
            among = [number for number, (_, attributes) in self._entries.items() if holds(attributes)]
            if not among:
                return []
            options = faiss.SearchParameters()
            options.sel = faiss.IDSelectorBatch(np.array(among, dtype=np.int64))
        most = min(limit, len(self._entries))
        if not most:
            return []
        scores, found = self._index.search(_unit(vector)[None, :], most, params=options)
        pairs = zip(found[0].tolist(), scores[0].tolist(), strict=True)
        return [Hit(self._entries[n][0], min(1.0, max(0.0, score))) for n, score in pairs if n >= 0]


def _unit(vector: bytes) -> Any:
    numbers = np.frombuffer(vector, dtype=np.float32)
    length = float(np.linalg.norm(numbers))
    return numbers / np.float32(length) if length else numbers
