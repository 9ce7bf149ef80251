"""How well texts fit a query: sequence classifiers, and models that are asked and say yes or no."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial
from typing import Protocol, TypeVar

import torch

from ..model_files import BadModel
from ..pools import on_pool
from ..refusals import failed, is_out_of_memory, not_finite
from .loading import Loaded, Tensors

log = logging.getLogger(__name__)

T = TypeVar("T")

# Qwen3-Reranker's prompt, as its model card gives it.
_BEFORE = (
    "<|im_start|>system\nJudge whether the Document meets the requirements based on the Query and the Instruct "
    'provided. Note that the answer can only be "yes" or "no".<|im_end|>\n<|im_start|>user\n'
)
_AFTER = "<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n"
_INSTRUCTION = "Given a web search query, retrieve relevant passages that answer the query"


class Scorer(Protocol):
    """What compares."""

    def tokens(self, query: str, item: str) -> list[list[int]]:
        """[tokens, their types] of a pair, cut to what the model reads; types empty where the model has none."""
        ...

    def scores(self, pairs: Sequence[list[list[int]]]) -> list[float]:
        """Each pair's score, from 0 to 1 unless the model's config wants it raw. Blocks."""
        ...


class Reranker:
    """A model that compares, on a thread of its own. rows: pairs at once."""

    def __init__(self, loaded: Loaded, rows: int) -> None:
        self.loaded = loaded
        self._scorer = open_scorer(loaded)
        self._rows = rows
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="torch-rerank")

    async def rank(self, query: str, items: Sequence[str]) -> tuple[list[tuple[int, float]], int]:
        """([(index, score)], tokens read). Between two batches others have their turn, and it can be left.

        Raises StackError.
        """
        pairs = await on_pool(self._pool, partial(self._read, query, items))
        # Those of like length together, so that little is padding.
        order = sorted(range(len(items)), key=lambda index: len(pairs[index][0]))
        found: list[tuple[int, float]] = []
        for first in range(0, len(order), self._rows):
            some = order[first : first + self._rows]
            found.extend(zip(some, await on_pool(self._pool, partial(self._score, pairs, some)), strict=True))
        return found, sum(len(pair[0]) for pair in pairs)

    def _read(self, query: str, items: Sequence[str]) -> list[list[list[int]]]:
        return self._told(lambda: [self._scorer.tokens(query, item) for item in items])

    def _score(self, pairs: Sequence[list[list[int]]], some: Sequence[int]) -> list[float]:
        scores = self._told(lambda: self._scorer.scores([pairs[index] for index in some]))
        if not all(map(math.isfinite, scores)):
            raise not_finite()
        return scores

    def _told(self, work: Callable[[], T]) -> T:
        """Raises StackError for whatever the work raises."""
        try:
            with torch.inference_mode():
                return work()
        except Exception as error:  # whatever torch raises
            if not is_out_of_memory(error):
                log.exception("a comparison failed")
            raise failed(error) from None

    async def close(self) -> None:
        await asyncio.to_thread(self._pool.shutdown, wait=True, cancel_futures=True)


@asynccontextmanager
async def open_reranker(loaded: Loaded, rows: int) -> AsyncIterator[Reranker]:
    """Raises BadModel where the model is none that compares."""
    reranker = Reranker(loaded, rows)
    try:
        yield reranker
    finally:
        await reranker.close()


def open_scorer(loaded: Loaded) -> Scorer:
    """The right kind for the model. Raises BadModel."""
    names = loaded.model.config.architectures or [type(loaded.model).__name__]
    if str(names[0]).endswith("ForSequenceClassification"):
        return _Classifier(loaded)
    return _Asked(loaded)


class _Classifier:
    """One label is a logit of fitting, two are not fitting and fitting."""

    def __init__(self, loaded: Loaded) -> None:
        self._loaded = loaded
        config = loaded.model.config
        self._labels = config.num_labels
        if self._labels not in (1, 2):
            raise BadModel(f"a model that reranks has one label or two, and this one has {self._labels}")
        # Cross-encoders of sentence-transformers say in their config what their one logit goes through.
        said = config.to_dict()
        own = said.get("sentence_transformers")
        told = own.get("activation_fn") if isinstance(own, dict) else said.get("sbert_ce_default_activation_function")
        self._raw = str(told or "").endswith("Identity")
        if config.pad_token_id is None:
            config.pad_token_id = loaded.tokenizer.pad_token_id

    def tokens(self, query: str, item: str) -> list[list[int]]:
        found = self._loaded.tokenizer(query, item, truncation="longest_first", max_length=self._loaded.context)
        return [list(found["input_ids"]), list(found.get("token_type_ids") or ())]

    def scores(self, pairs: Sequence[list[list[int]]]) -> list[float]:
        pad = self._loaded.tokenizer.pad_token_id or 0
        width = max(len(pair[0]) for pair in pairs)
        inputs = {
            "input_ids": [pair[0] + [pad] * (width - len(pair[0])) for pair in pairs],
            "attention_mask": [[1] * len(pair[0]) + [0] * (width - len(pair[0])) for pair in pairs],
        }
        if all(pair[1] for pair in pairs):
            inputs["token_type_ids"] = [pair[1] + [0] * (width - len(pair[1])) for pair in pairs]
        logits = self._loaded.model(**_tensors(inputs, self._loaded.device)).logits.float()
        if self._labels == 2:
            found = torch.softmax(logits, dim=-1)[:, 1]
        else:
            found = logits[:, 0] if self._raw else torch.sigmoid(logits[:, 0])
        return [float(score) for score in found.tolist()]


class _Asked:
    """A model that generates, asked whether the item fits: how much likelier yes is than no."""

    def __init__(self, loaded: Loaded) -> None:
        self._loaded = loaded
        self._encode = loaded.tokenizer.backend_tokenizer.encode
        self._before, self._after = self._plain(_BEFORE), self._plain(_AFTER)
        answers = [self._plain(word) for word in ("no", "yes")]
        if any(len(answer) != 1 for answer in answers):
            raise BadModel(
                'a model that reranks by its answer needs the tokens "yes" and "no", and this one lacks them'
            )
        self._answers = [answer[0] for answer in answers]
        if loaded.context <= len(self._before) + len(self._after):
            raise BadModel(f"max_seq_len is {loaded.context}, and the question alone takes as much")

    def _plain(self, text: str) -> list[int]:
        return list(self._encode(text, add_special_tokens=False).ids)

    def tokens(self, query: str, item: str) -> list[list[int]]:
        room = self._loaded.context - len(self._before) - len(self._after)
        asked = f"<Instruct>: {_INSTRUCTION}\n<Query>: {query}\n<Document>: {item}"
        return [self._before + self._plain(asked)[:room] + self._after, []]

    def scores(self, pairs: Sequence[list[list[int]]]) -> list[float]:
        width = max(len(pair[0]) for pair in pairs)
        # Padded on the left: the answer follows the last token of each.
        inputs = {
            "input_ids": [[0] * (width - len(pair[0])) + pair[0] for pair in pairs],
            "attention_mask": [[0] * (width - len(pair[0])) + [1] * len(pair[0]) for pair in pairs],
        }
        inputs["position_ids"] = [[0] * (width - len(pair[0])) + list(range(len(pair[0]))) for pair in pairs]
        logits = self._loaded.model(**_tensors(inputs, self._loaded.device), logits_to_keep=1).logits[:, -1].float()
        found = torch.softmax(logits[:, self._answers], dim=-1)[:, 1]
        return [float(score) for score in found.tolist()]


def _tensors(inputs: dict[str, list[list[int]]], device: Tensors) -> dict[str, Tensors]:
    return {name: torch.tensor(rows, dtype=torch.long, device=device) for name, rows in inputs.items()}
