"""From the vectors of a text's tokens to one of the text: pooling, then what modules.json says."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..model_files import BadModel
from .layout import Dense, Layout, Mode, Normalize
from .weights import Floats, read_weights

Step: TypeAlias = Callable[[Floats], Floats]


def pool(hidden: Floats, lengths: NDArray[np.int64], modes: Sequence[Mode]) -> Floats:
    """hidden: [tokens of all texts, width], one text after another, of these lengths. → [texts, width × modes]"""
    return np.concatenate([_pool(hidden, lengths, mode) for mode in modes], axis=1)


def _pool(hidden: Floats, lengths: NDArray[np.int64], mode: Mode) -> Floats:
    starts = np.cumsum(lengths) - lengths
    count = lengths[:, None].astype(np.float32)
    if mode == "cls":
        return _floats(hidden[starts])
    if mode == "lasttoken":
        return _floats(hidden[starts + lengths - 1])
    if mode == "max":
        return _floats(np.maximum.reduceat(hidden, starts))
    if mode == "weightedmean":
        place = np.concatenate([np.arange(1, each + 1) for each in lengths]).astype(np.float32)
        return _floats(np.add.reduceat(hidden * place[:, None], starts) / (count * (count + 1) / 2))
    total = np.add.reduceat(hidden, starts)
    return _floats(total / (count if mode == "mean" else np.sqrt(count)))


def read_steps(layout: Layout) -> list[Step]:
    """What follows pooling. Raises BadModel."""
    return [_normalize if isinstance(each, Normalize) else _dense(each) for each in layout.after]


def _normalize(vectors: Floats) -> Floats:
    return _floats(vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12))


def _dense(layer: Dense) -> Step:
    weights = read_weights((layer.folder / "model.safetensors",))
    matrix, offset = weights.get("linear.weight"), weights.get("linear.bias")
    if matrix is None:
        raise BadModel(f"{layer.folder / 'model.safetensors'} lacks the weights linear.weight")

    def apply(vectors: Floats) -> Floats:
        found = vectors @ matrix.T
        if offset is not None:
            found = found + offset
        if layer.activation == "Tanh":
            return _floats(np.tanh(found))
        return _floats(np.maximum(found, 0)) if layer.activation == "ReLU" else _floats(found)

    return apply


def _floats(array: NDArray[np.floating]) -> Floats:
    return array.astype(np.float32, copy=False)
