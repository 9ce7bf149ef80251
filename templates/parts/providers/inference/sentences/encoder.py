"""A model of sentence-transformers: texts to tokens, tokens to vectors, as the library's own `encode` makes them.

`encode` cuts a text that is too long, and tells nobody how many tokens it read; so tokens are made here, once, and the
model's modules get them in the form in which the library's own preprocessing gives them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.base.modules import Normalize
from sentence_transformers.sentence_transformer.modules import StaticEmbedding

from ..model_files import BadModel
from ..refusals import is_out_of_memory
from .batches import Input, OutOfMemory, Rows

UNBOUNDED = 10**9
"""A context from which on the tokenizer means that it has none."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """A text as the model reads it, special tokens included. types: of each token, where the model has them."""

    ids: list[int]
    types: list[int] | None

    def __len__(self) -> int:
        return len(self.ids)


class Encoder:
    """A loaded model. dimensions: of its vectors. context: tokens of a text at most. vocabulary: its ids are below.
    lengths: those that its vectors may have. normalized: whether they are of length one.
    """

    def __init__(self, model: SentenceTransformer, *, prompt: str, lengths: Sequence[int], threads: int | None) -> None:
        """prompt: the text before every text. threads: None for torch's own choice. Raises BadModel."""
        self._model = model.eval()
        self._threads = threads
        self._prompt = prompt
        self._tokenizer = model[0].tokenizer
        self._static = isinstance(model[0], StaticEmbedding)
        self._truncate = model.truncate_dim
        context = model.max_seq_length
        self.context: int | None = int(context) if context is not None and context < UNBOUNDED else None
        self.dimensions = int(model.get_embedding_dimension())
        self.vocabulary = int(self._tokenizer.get_vocab_size() if self._static else len(self._tokenizer))
        # The library cuts to a model's own `truncate_dim` after everything else.
        self.normalized = isinstance(model[-1], Normalize) and self._truncate is None
        self.lengths = lengths
        self._before, self._after = self._around()
        self._prompt_tokens = self._measure(self._prompt) if self._prompt else 0

    # ── the queue's side ────────────────────────────────────────────────────────────────────────────────────────────

    def enter(self) -> None:
        # For the threads that torch starts from this one.
        if self._threads is not None:
            torch.set_num_threads(self._threads)

    def tokenize(self, inputs: Sequence[Input]) -> list[Tokens]:
        """A text's tokens are the model's with its special tokens around them; tokens that a client has made get those
        too, unless they have them. After a prompt they are read as the text that they stand for, since what comes
        before a text can change how it begins.
        """
        texts = [self._text(each) for each in inputs]
        made = iter(self._tokens([text for text in texts if text is not None]))
        return [
            self._given(each) if text is None and not isinstance(each, str) else next(made)
            for each, text in zip(inputs, texts, strict=True)
        ]

    def encode(self, batch: Sequence[Tokens]) -> Rows:
        try:
            with torch.inference_mode():
                features = self._features(batch)
                if self._prompt_tokens:
                    features["prompt_length"] = self._prompt_tokens
                vectors = self._model(features)["sentence_embedding"]
                if self._truncate is not None:
                    vectors = vectors[..., : self._truncate]
                rows: Rows = vectors.float().cpu().numpy()
                return rows
        except (MemoryError, RuntimeError) as error:
            if not is_out_of_memory(error):
                raise
        # Outside the handler: by now nothing holds what the batch had taken.
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        raise OutOfMemory

    def shortened(self, rows: Rows, length: int) -> Rows:
        """The vectors by their first so many numbers, of length one again if they were."""
        if length >= rows.shape[1]:
            return rows
        cut = rows[:, :length]
        if not self.normalized:
            return cut
        norms = np.linalg.norm(cut, axis=1, keepdims=True)
        shorter: Rows = cut / np.maximum(norms, np.finfo(np.float32).tiny)
        return shorter

    # ── tokens ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def _text(self, given: Input) -> str | None:
        """None for tokens that can be read as they are."""
        if isinstance(given, str):
            return self._prompt + given
        return self._prompt + str(self._tokenizer.decode(given, skip_special_tokens=True)) if self._prompt else None

    def _tokens(self, texts: list[str]) -> list[Tokens]:
        if not texts:
            return []
        if self._static:
            encoded = self._tokenizer.encode_batch(texts, add_special_tokens=False)
            return [Tokens(each.ids, None) for each in encoded]
        said = self._tokenizer(texts, padding=False, truncation=False, return_attention_mask=False, verbose=False)
        types = said.get("token_type_ids") or [None] * len(texts)
        return [Tokens(ids, kinds) for ids, kinds in zip(said["input_ids"], types, strict=True)]

    def _given(self, ids: list[int]) -> Tokens:
        before, after = self._before, self._after
        whole = ids[: len(before)] == before and ids[len(ids) - len(after) :] == after
        if not whole:
            ids = [*before, *ids, *after]
        return Tokens(ids, [0] * len(ids) if "token_type_ids" in self._names() else None)

    def _around(self) -> tuple[list[int], list[int]]:
        """The special tokens before a text, and those after it."""
        if self._static:
            return [], []
        bare = self._tokenizer("a", add_special_tokens=False)["input_ids"]
        whole = self._tokenizer("a")["input_ids"]
        for start in range(len(whole) - len(bare) + 1):
            if whole[start : start + len(bare)] == bare:
                return whole[:start], whole[start + len(bare) :]
        raise BadModel("its tokenizer changes a text where it adds special tokens")

    def _measure(self, prompt: str) -> int:
        """Tokens of a prompt, which some models leave out of the mean: all before the text."""
        ids = self._tokens([prompt])[0].ids
        ends = not self._static and ids[-1] in self._tokenizer.all_special_ids
        return len(ids) - ends

    def _names(self) -> list[str]:
        return [] if self._static else list(self._tokenizer.model_input_names)

    # ── features ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _features(self, batch: Sequence[Tokens]) -> dict[str, object]:
        device = self._model.device
        if self._static:
            ids = np.concatenate([np.asarray(each.ids, np.int64) for each in batch])
            starts = np.cumsum([0, *(len(each) for each in batch[:-1])])
            return {"input_ids": _tensor(ids, device), "offsets": _tensor(starts, device)}
        left = self._tokenizer.padding_side == "left"
        width = max(map(len, batch))
        pad = self._tokenizer.pad_token_id or 0
        features: dict[str, object] = {
            "modality": "text",
            "input_ids": _tensor(_padded([each.ids for each in batch], width, pad, left), device),
            "attention_mask": _tensor(_padded([[1] * len(each) for each in batch], width, 0, left), device),
        }
        types = [each.types for each in batch if each.types is not None]
        if len(types) == len(batch):
            kind = self._tokenizer.pad_token_type_id
            features["token_type_ids"] = _tensor(_padded(types, width, kind, left), device)
        return features


def _padded(rows: Sequence[list[int]], width: int, filler: int, left: bool) -> npt.NDArray[np.int64]:
    whole = np.full((len(rows), width), filler, np.int64)
    for row, values in zip(whole, rows, strict=True):
        if left:
            row[width - len(values) :] = values
        else:
            row[: len(values)] = values
    return whole


def _tensor(values: npt.NDArray[np.int64], device: torch.device) -> torch.Tensor:
    return torch.from_numpy(values).to(device)
