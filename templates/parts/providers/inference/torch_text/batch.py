"""The rows of a model that run: one forward pass gives each its next logits.

Rows come and go between two passes. Where every layer keeps plain keys and values, the rows are one batch: their caches
are padded on the left to one length, and the mask and the positions leave the padding out (`Together`). A layer with a
state of another kind cannot be padded: such a model's rows go one by one (`Alone`).

A sliding window is kept as a mask over the whole cache, which takes more memory than the window and can be padded.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import torch
from transformers.cache_utils import DynamicCache, DynamicLayer, DynamicSlidingWindowLayer

from .loading import Loaded, Tensors

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Start:
    """A prompt that is being read. done: its tokens that the model has seen. state: what it remembers of them."""

    prompt: Sequence[int]
    done: int = 0
    state: Tensors = None


class Running(Protocol):
    """shares: whether several rows can begin with one reading of their prompt."""

    @property
    def shares(self) -> bool: ...

    def read(self, start: Start, most: int) -> Tensors:
        """Reads on, at most so many tokens: the logits [1, vocabulary] after the last, None while there are more."""
        ...

    def join(self, start: Start, copies: int) -> None:
        """Adds rows that have been read, after those there are. Nothing has changed where it raises."""
        ...

    def step(self, tokens: Tensors) -> Tensors:
        """Each row's logits [rows, vocabulary] after its new token; tokens: [rows]."""
        ...

    def keep(self, places: Sequence[int]) -> None:
        """Goes on with these rows alone, in this order."""
        ...


def open_batch(loaded: Loaded) -> Running:
    """The right kind for the model."""
    if can_merge(loaded):
        return Together(loaded)
    log.info("the model's memory cannot be padded: its requests take turns instead of sharing a batch")
    return Alone(loaded)


@dataclass(slots=True)
class _Rows:
    """The rows of a batch. lengths: tokens of each. width: of the longest, and of the cache."""

    cache: Tensors = None
    lengths: list[int] = field(default_factory=list)
    mask: Tensors = None
    positions: Tensors = None

    @property
    def width(self) -> int:
        return max(self.lengths, default=0)


class Together:
    shares = True

    def __init__(self, loaded: Loaded) -> None:
        self._model = loaded.model
        self._device = loaded.device
        self._last = _last_logits(loaded.model)
        self._rows = _Rows()

    def read(self, start: Start, most: int) -> Tensors:
        if start.state is None:
            start.state = DynamicCache()
        end = min(start.done + most, len(start.prompt))
        ids = torch.tensor([start.prompt[start.done : end]], dtype=torch.long, device=self._device)
        places = torch.arange(start.done, end, device=self._device)[None]
        found = self._model(
            input_ids=ids, position_ids=places, past_key_values=start.state, use_cache=True, **self._last
        )
        start.done = end
        return found.logits[:, -1] if end == len(start.prompt) else None

    def join(self, start: Start, copies: int) -> None:
        rows, cache = self._rows, start.state
        lengths = [*rows.lengths, *[len(start.prompt)] * copies]
        width = max(lengths)
        merged = []
        for index, layer in enumerate(cache.layers):
            if layer.is_initialized:
                old = rows.cache.layers[index] if rows.lengths else None
                keys = _joined(None if old is None else old.keys, layer.keys, copies, width)
                values = _joined(None if old is None else old.values, layer.values, copies, width)
                merged.append((layer, keys, values))
        for layer, keys, values in merged:
            layer.keys, layer.values = keys, values
        self._rows = _Rows(cache=cache, lengths=lengths)
        self._place()

    def step(self, tokens: Tensors) -> Tensors:
        rows = self._rows
        if rows.mask is not None:
            rows.mask = torch.nn.functional.pad(rows.mask, (0, 1), value=1)
        found = self._model(
            input_ids=tokens[:, None],
            attention_mask=rows.mask,
            position_ids=rows.positions,
            past_key_values=rows.cache,
            use_cache=True,
            **self._last,
        )
        rows.lengths = [length + 1 for length in rows.lengths]
        rows.positions = rows.positions + 1
        return found.logits[:, -1]

    def keep(self, places: Sequence[int]) -> None:
        rows = self._rows
        if not places:
            self._rows = _Rows()
            return
        lengths = [rows.lengths[place] for place in places]
        spare = rows.width - max(lengths)
        wanted = torch.tensor(places, dtype=torch.long, device=self._device)
        for layer in rows.cache.layers:
            if layer.is_initialized:
                layer.keys = layer.keys[:, :, spare:].index_select(0, wanted)
                layer.values = layer.values[:, :, spare:].index_select(0, wanted)
        rows.lengths = lengths
        self._place()

    def _place(self) -> None:
        """The positions of the next tokens, and the mask, of which there is none without padding."""
        rows = self._rows
        rows.positions = torch.tensor(rows.lengths, dtype=torch.long, device=self._device)[:, None]
        rows.mask = None
        if min(rows.lengths) < rows.width:
            columns = torch.arange(rows.width, device=self._device)[None]
            rows.mask = (columns >= rows.width - rows.positions).long()


class Alone:
    shares = False

    def __init__(self, loaded: Loaded) -> None:
        self._model = loaded.model
        self._device = loaded.device
        self._last = _last_logits(loaded.model)
        self._states: list[dict[str, Tensors]] = []

    def read(self, start: Start, most: int) -> Tensors:
        """At one go: not every state can be read into piece by piece."""
        ids = torch.tensor([start.prompt], dtype=torch.long, device=self._device)
        state = {"attention_mask": torch.ones_like(ids), "use_cache": True, **self._last}
        logits, start.state = self._forward(ids, state, first=True)
        start.done = len(start.prompt)
        return logits

    def join(self, start: Start, copies: int) -> None:
        self._states.append(start.state)

    def step(self, tokens: Tensors) -> Tensors:
        found = []
        for place, state in enumerate(self._states):
            logits, self._states[place] = self._forward(tokens[place : place + 1, None], state, first=False)
            found.append(logits)
        return torch.cat(found)

    def keep(self, places: Sequence[int]) -> None:
        self._states = [self._states[place] for place in places]

    def _forward(self, ids: Tensors, state: dict[str, Tensors], *, first: bool) -> tuple[Tensors, dict[str, Tensors]]:
        # As the library's generate does it, which knows what each model calls its memory.
        inputs = self._model.prepare_inputs_for_generation(
            ids, next_sequence_length=ids.shape[1], is_first_iteration=first, **state
        )
        found = self._model(**inputs, return_dict=True)
        return found.logits[:, -1], self._model._update_model_kwargs_for_generation(found, state)


def _joined(old: Tensors, new: Tensors, copies: int, width: int) -> Tensors:
    """Keys or values [rows, heads, width, size] of the rows there are and of new ones."""
    new = _padded(new, width)
    if copies > 1:
        new = new.expand(copies, -1, -1, -1)
    return new if old is None else torch.cat([_padded(old, width), new])


def _padded(states: Tensors, width: int) -> Tensors:
    missing = width - states.shape[-2]
    return torch.nn.functional.pad(states, (0, 0, missing, 0)) if missing else states


def _last_logits(model: Tensors) -> dict[str, int]:
    """What makes a forward pass compute the last token's logits alone, where the model knows how."""
    return {"logits_to_keep": 1} if model._supports_logits_to_keep() else {}


# ── which models ────────────────────────────────────────────────────────────────────────────────────────────────────

_MERGE = (DynamicLayer, DynamicSlidingWindowLayer)
_ATTENTION = {"full_attention", "sliding_attention"}


def can_merge(loaded: Loaded) -> bool:
    """Whether rows of different lengths can share a batch: every layer's memory is keys and values alone, and the model
    gives what it gives to each alone, on a trial.
    """
    said = loaded.model.config.get_text_config().to_dict()
    if not set(said.get("layer_types") or ()) <= _ATTENTION:
        return False
    try:
        layers = DynamicCache(config=loaded.model.config).layers
        # Exactly these: their subclasses keep more.
        with torch.inference_mode():
            return all(type(layer) in _MERGE for layer in layers) and _agrees(loaded)
    except (TypeError, ValueError, AttributeError, KeyError, RuntimeError, IndexError):
        log.debug("the model cannot run in a batch of different lengths", exc_info=True)
        return False


def _agrees(loaded: Loaded) -> bool:
    """Whether a short row beside a longer one has the logits that it has alone."""
    some = min(loaded.model.config.get_text_config().vocab_size, 7)
    short, long = [each % some for each in (1, 2, 3)], [each % some for each in (6, 5, 4, 3, 2)]
    tokens = torch.tensor([1 % some, 2 % some], device=loaded.device)
    both, alone = Together(loaded), Together(loaded)
    for prompt in (short, long):
        start = Start(prompt)
        both.read(start, len(prompt))
        both.join(start, 1)
    start = Start(short)
    alone.read(start, len(short))
    alone.join(start, 1)
    wanted, got = alone.step(tokens[:1])[0].float(), both.step(tokens)[0].float()
    off = float((wanted - got).abs().max())
    exact = loaded.model.dtype == torch.float32
    return off <= (0.01 if exact else 0.25) * float(wanted.std() + 1e-6)
