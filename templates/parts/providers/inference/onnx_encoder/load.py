"""A model from its reference: found, read, loaded, and tried once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from ..model_files import BadModel
from ..sentences.batches import Input, OutOfMemory, Rows
from .layout import Layout, read_layout
from .pooling import pool, read_steps
from .references import locate
from .session import Ids, is_of_onnxruntime, load_model
from .tokens import Tokens

SCORES = 2**20
"""Of texts that are computed together: their number times the square of the longest one's tokens, at most. Attention's
memory grows with it.
"""

FILL = 1.25
"""How much longer the longest of them may be than the shortest, beside 4 tokens."""


class Encoder:
    """A model that is loaded; called from one thread. vocabulary: its ids are below. dimensions: of its vectors."""

    def __init__(self, layout: Layout, threads: int | None) -> None:
        self._steps = read_steps(layout)
        self._modes = layout.pooling
        self._model = load_model(layout, threads)
        positions = self._model.positions
        self._tokens = Tokens(layout, layout.tokens if positions is None else min(layout.tokens, positions))
        self.context: int = self._tokens.most
        self.vocabulary = self._model.vocabulary or self._tokens.vocabulary
        self.dimensions = _try(self.encode, layout.transformer)

    def enter(self) -> None:
        """Nothing of it belongs to a thread."""

    def tokenize(self, inputs: Sequence[Input]) -> list[Sequence[int]]:
        return [self._tokens.of(each) for each in inputs]

    def encode(self, batch: Ids) -> Rows:
        """Blocks. Raises OutOfMemory."""
        found: dict[int, Rows] = {}
        for places in alike([len(each) for each in batch]):
            found.update(zip(places, self._vectors([batch[each] for each in places]), strict=True))
        return np.array([found[each] for each in range(len(batch))])

    def _vectors(self, texts: Ids) -> Rows:
        try:
            hidden = self._model.run(texts)
        except Exception as error:
            if isinstance(error, MemoryError) or (is_of_onnxruntime(error) and "alloc" in str(error)):
                raise OutOfMemory from None
            raise
        vectors = pool(hidden, np.array([len(each) for each in texts]), self._modes)
        for step in self._steps:
            vectors = step(vectors)
        return vectors


def alike(lengths: Sequence[int]) -> Iterator[list[int]]:
    """The places of texts that are computed together: of like length, so that little is filled up."""
    places: list[int] = []
    for place in sorted(range(len(lengths)), key=lengths.__getitem__):
        length = lengths[place]
        if places and ((len(places) + 1) * length * length > SCORES or length > FILL * lengths[places[0]] + 4):
            yield places
            places = []
        places.append(place)
    if places:
        yield places


def _try(encode: Callable[[Ids], Rows], where: Path) -> int:
    """The length of its vectors. Texts of one length and of two: what does not fit together is told now, not to the
    first client. Raises BadModel.
    """
    try:
        encode([[0], [0, 0]])
        return int(encode([[0], [0]]).shape[1])
    except Exception as error:
        if not (isinstance(error, ValueError) or is_of_onnxruntime(error)):
            raise
        raise BadModel(f"{where} is loaded, and fails with its first text: {str(error)[:500]}") from None


def load(reference: str, threads: int | None) -> Encoder:
    """Blocks. Raises BadModel."""
    return Encoder(read_layout(locate(reference)), threads)
