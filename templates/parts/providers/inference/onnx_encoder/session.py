"""A model in ONNX Runtime: token ids in, a vector for each token out."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol, TypeAlias

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from ..model_files import BadModel
from .families import FAMILIES
from .graph import Built, Shape, build
from .layout import Layout
from .weights import Floats, Weights, read_weights

Ids: TypeAlias = Sequence[Sequence[int]]

_GIVEN = ("input_ids", "attention_mask", "token_type_ids", "position_ids")
_VECTORS = ("last_hidden_state", "token_embeddings")


class Model(Protocol):
    """positions: tokens of one text, where the model bounds them. vocabulary: how many ids there are, where known."""

    positions: int | None
    vocabulary: int | None

    def run(self, texts: Ids) -> Floats:
        """[tokens of all texts, width], one text after another. Blocks."""
        ...


def load_model(layout: Layout, threads: int | None) -> Model:
    """Blocks. Raises BadModel."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or os.cpu_count() or 1
    options.log_severity_level = 3
    # Threads that wait for work sleep, and memory for one size of batch is not kept for the next.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.enable_mem_pattern = False
    options.enable_cpu_mem_arena = False
    if layout.weights[0].suffix == ".onnx":
        return _FromFile(layout, options)
    weights = Weights(read_weights(layout.weights), layout.transformer)
    try:
        family = FAMILIES[layout.kind]
        built = build(weights, family, Shape.of(layout.config, family))
    except ValueError as error:
        raise BadModel(f"{layout.transformer} has weights whose shapes do not fit: {error}") from None
    return _FromWeights(built, options, layout.transformer)


class _FromWeights:
    """The graph made here, which computes no padding."""

    def __init__(self, built: Built, options: onnxruntime.SessionOptions, where: Path) -> None:
        values = [onnxruntime.OrtValue.ortvalue_from_numpy(array) for array in built.weights.values()]
        options.add_external_initializers(list(built.weights), values)
        self.positions: int | None = built.positions
        self.vocabulary: int | None = built.vocabulary
        self._session = _session(built.model, options, where)

    def run(self, texts: Ids) -> Floats:
        lengths = np.array([len(each) for each in texts])
        longest = int(lengths.max())
        mask = np.arange(longest) < lengths[:, None]
        starts = np.cumsum(lengths) - lengths
        wide = np.broadcast_to(mask[:, None, None, :], (len(texts), 1, longest, longest))
        feed = {
            "ids": np.concatenate([np.asarray(each, dtype=np.int64) for each in texts]),
            "positions": np.concatenate([np.arange(length) for length in lengths]),
            "rows": np.where(mask, starts[:, None] + np.arange(longest), 0),
            "places": np.flatnonzero(mask),
            "mask": np.ascontiguousarray(wide),
            "padded": np.array(not mask.all()),
        }
        (hidden,) = self._session.run(None, feed)
        return np.asarray(hidden)


class _FromFile:
    """A graph that others made, which takes texts filled up to the longest."""

    def __init__(self, layout: Layout, options: onnxruntime.SessionOptions) -> None:
        path = layout.weights[0]
        self.positions: int | None = None
        vocabulary = layout.config.get("vocab_size")
        self.vocabulary: int | None = vocabulary if isinstance(vocabulary, int) else None
        self._padding = _padding(layout.config)
        self._session = _session(str(path), options, path)
        self._inputs = [each.name for each in self._session.get_inputs()]
        unknown = [name for name in self._inputs if name not in _GIVEN]
        if unknown or "input_ids" not in self._inputs:
            raise BadModel(f"{path} takes {', '.join(self._inputs)}; what can be given is {', '.join(_GIVEN)}")
        self._output = _output(self._session, path)

    def run(self, texts: Ids) -> Floats:
        lengths = np.array([len(each) for each in texts])
        longest = int(lengths.max())
        mask = np.arange(longest) < lengths[:, None]
        ids = np.full(mask.shape, self._padding, dtype=np.int64)
        ids[mask] = np.concatenate([np.asarray(each, dtype=np.int64) for each in texts])
        feed: Mapping[str, NDArray[np.int64]] = {
            "input_ids": ids,
            "attention_mask": mask.astype(np.int64),
            "token_type_ids": np.zeros_like(ids),
            "position_ids": np.broadcast_to(np.arange(longest), mask.shape),
        }
        (hidden,) = self._session.run([self._output], {name: feed[name] for name in self._inputs})
        return np.asarray(hidden[mask], dtype=np.float32)


def _session(model: bytes | str, options: onnxruntime.SessionOptions, where: Path) -> onnxruntime.InferenceSession:
    try:
        return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    except Exception as error:
        if not is_of_onnxruntime(error):
            raise
        raise BadModel(f"ONNX Runtime cannot load {where}: {str(error)[:500]}") from None


def is_of_onnxruntime(error: Exception) -> bool:
    """Its errors have no base of their own."""
    return type(error).__module__.startswith("onnxruntime")


def _padding(config: Mapping[str, object]) -> int:
    found = config.get("pad_token_id")
    return found if isinstance(found, int) else 0


def _output(session: onnxruntime.InferenceSession, path: Path) -> str:
    """The output that has a vector for each token. Raises BadModel."""
    outputs: dict[str, int] = {each.name: len(each.shape) for each in session.get_outputs()}
    for name in (*_VECTORS, *outputs):
        if outputs.get(name) == 3:
            return name
    raise BadModel(f"{path} has no output with a vector for each token: it has {', '.join(outputs)}")
