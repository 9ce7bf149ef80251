"""From a step's logits to each row's next token.

What a sampler does is the library's own: its processors, in the order in which its `generate` has them, and a draw from
a generator of the row's own, so that a seed gives the tokens that `generate` would after `torch.manual_seed`. Warpers
work on each row of a batch by itself; rows that ask for the same share one call.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

import torch
from transformers.generation import logits_process as library

from .loading import Tensors

NEVER = float("-inf")


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Warp:
    """How the distribution is bent before a token is drawn. top_k 0, top_p 1, typical_p 1 and min_p 0: not at all."""

    temperature: float
    top_k: int
    top_p: float
    min_p: float
    typical_p: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """What one request asks of the sampler. warp: None for the likeliest token always. bias: token → what is added.

    The rest is of the model's generation_config: see the library's classes of these names.
    """

    warp: Warp | None
    seed: int | None
    presence: float = 0.0
    frequency: float = 0.0
    repetition: float = 1.0
    bias: Mapping[int, float] = field(default_factory=dict)
    no_repeat_ngram: int = 0
    bad_words: tuple[tuple[int, ...], ...] = ()
    suppress: tuple[int, ...] = ()
    begin_suppress: tuple[int, ...] = ()
    min_new_tokens: int = 0


class Sampler:
    """One row's sampler. history: the row's tokens so far, prompt and answer, kept up by `see`."""

    def __init__(self, sampling: Sampling, prompt: Sequence[int], ends: Sequence[int], device: Tensors) -> None:
        self.warp = sampling.warp
        self.random: Tensors = None
        if sampling.warp is not None:
            self.random = torch.Generator(device=device)
            # Seeds are 64 bits; torch wants those below zero as they are.
            _ = self.random.seed() if sampling.seed is None else self.random.manual_seed(sampling.seed)
        self._device = device
        self._processors = list(_processors(sampling, len(prompt), list(ends), device))
        self._history: Tensors = None
        if self._processors:
            self._history = torch.tensor([prompt], dtype=torch.long, device=device)
        self._bias: Tensors = None
        if sampling.bias:
            self._bias = torch.tensor(list(sampling.bias), dtype=torch.long, device=device)
            self._added = torch.tensor(list(sampling.bias.values()), dtype=torch.float32, device=device)
        self._presence, self._frequency = sampling.presence, sampling.frequency
        self._counts: Tensors = None
        self.plain = not (self._processors or sampling.bias or self._presence or self._frequency)

    def process(self, scores: Tensors) -> Tensors:
        """The row's scores [1, vocabulary] with what depends on the row alone."""
        for processor in self._processors:
            scores = processor(self._history, scores)
        if self._bias is not None:
            scores = scores.index_add(1, self._bias, self._added[None])
        if self._counts is not None:
            scores = scores - self._frequency * self._counts - self._presence * (self._counts > 0)
        return scores

    def see(self, token: int, vocabulary: int) -> None:
        """The row's new token."""
        if self._history is not None:
            new = torch.tensor([[token]], dtype=torch.long, device=self._device)
            self._history = torch.cat([self._history, new], dim=1)
        if self._presence or self._frequency:
            if self._counts is None:
                self._counts = torch.zeros((1, vocabulary), dtype=torch.float32, device=self._device)
            self._counts[0, token] += 1


def _processors(sampling: Sampling, prompt: int, ends: list[int], device: Tensors) -> Iterable[Tensors]:
    """The library's processors that look at a row's tokens, in the order of its `generate`."""
    if sampling.repetition != 1.0:
        yield library.RepetitionPenaltyLogitsProcessor(sampling.repetition)
    if sampling.no_repeat_ngram > 0:
        yield library.NoRepeatNGramLogitsProcessor(sampling.no_repeat_ngram)
    if sampling.bad_words:
        yield library.NoBadWordsLogitsProcessor([list(words) for words in sampling.bad_words], ends or None)
    if sampling.min_new_tokens > 0 and ends:
        yield library.MinNewTokensLengthLogitsProcessor(prompt, sampling.min_new_tokens, ends, device=device)
    if sampling.suppress:
        yield library.SuppressTokensLogitsProcessor(list(sampling.suppress), device=device)
    if sampling.begin_suppress:
        yield library.SuppressTokensAtBeginLogitsProcessor(list(sampling.begin_suppress), prompt, device=device)


def _warpers(warp: Warp) -> Iterable[Tensors]:
    if warp.temperature != 1.0:
        yield library.TemperatureLogitsWarper(warp.temperature)
    if warp.top_k > 0:
        yield library.TopKLogitsWarper(warp.top_k)
    if warp.top_p < 1.0:
        yield library.TopPLogitsWarper(warp.top_p)
    if warp.min_p > 0.0:
        yield library.MinPLogitsWarper(warp.min_p)
    if warp.typical_p < 1.0:
        yield library.TypicalLogitsWarper(warp.typical_p)


def choose(scores: Tensors, samplers: Sequence[Sampler]) -> Tensors:
    """Each row's next token [rows], on the scores' device. scores: [rows, vocabulary], processed by the rows."""
    if all(sampler.warp is None for sampler in samplers):
        return scores.argmax(dim=-1)
    chosen: list[Tensors] = [None] * len(samplers)
    keyed = sorted(range(len(samplers)), key=lambda row: _key(samplers[row]))
    for _, group in groupby(keyed, key=lambda row: _key(samplers[row])):
        rows = list(group)
        _choose_alike(scores, samplers, rows, chosen)
    return torch.stack(chosen)


def _choose_alike(scores: Tensors, samplers: Sequence[Sampler], rows: list[int], chosen: list[Tensors]) -> None:
    """The tokens of rows that have one way to choose."""
    some = scores if len(rows) == len(samplers) and rows == sorted(rows) else scores[rows]
    warp = samplers[rows[0]].warp
    if warp is None:
        for row, token in zip(rows, some.argmax(dim=-1), strict=True):
            chosen[row] = token
        return
    for warper in _warpers(warp):
        some = warper(None, some)
    probabilities = torch.nn.functional.softmax(some, dim=-1)
    for place, row in enumerate(rows):
        drawn = torch.multinomial(probabilities[place : place + 1], 1, generator=samplers[row].random)
        chosen[row] = drawn[0, 0]


def _key(sampler: Sampler) -> tuple[float, ...]:
    warp = sampler.warp
    if warp is None:
        return ()
    return (warp.temperature, warp.top_k, warp.top_p, warp.min_p, warp.typical_p)
