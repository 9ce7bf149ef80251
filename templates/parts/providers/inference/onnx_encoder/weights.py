"""Weights in safetensors files, as 32-bit floats."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from ..model_files import BadModel

Floats: TypeAlias = NDArray[np.float32]

_WORDS = "embeddings.word_embeddings.weight"


def read_weights(files: tuple[Path, ...]) -> dict[str, Floats]:
    """Every weight by its name. Raises BadModel where a file is damaged or incomplete."""
    return {name: array for file in files for name, array in _read(file)}


def _read(file: Path) -> Iterator[tuple[str, Floats]]:
    try:
        with safe_open(file, framework="np") as weights:
            for name in weights.keys():  # noqa: SIM118 (no mapping)
                yield name, np.ascontiguousarray(weights.get_tensor(name), dtype=np.float32)
    except (SafetensorError, OSError, TypeError, ValueError) as error:
        raise BadModel(f"{file} is damaged or incomplete ({file.stat().st_size} bytes): {error}") from None


class Weights:
    """Those of one architecture, below whatever a training put before their names."""

    def __init__(self, found: Mapping[str, Floats], where: Path) -> None:
        name = next((each for each in found if each.endswith(_WORDS)), None)
        if name is None:
            raise BadModel(f"{where} has no weights named {_WORDS}")
        self._found = found
        self._prefix = name.removesuffix(_WORDS)
        self._where = where

    def get(self, name: str) -> Floats:
        """Raises BadModel where there is none of that name."""
        # Norms of models trained long ago have other names.
        old = name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta")
        for each in (name, old):
            if (array := self._found.get(self._prefix + each)) is not None:
                return array
        raise BadModel(f"{self._where} lacks the weights {self._prefix}{name}")
