"""A classifier of texts in torch, for the queue of `inference/sentences/batches.py`: a row holds the probabilities of
its classes."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import Lock
from typing import TypeAlias

import numpy as np
import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer, PreTrainedTokenizerBase
from transformers.utils.logging import disable_progress_bar

from ...inference.model_files import BadModel, short
from ...inference.refusals import is_out_of_memory
from ...inference.sentences.batches import Input, OutOfMemory, Rows

log = logging.getLogger(__name__)

Ids: TypeAlias = list[int]
"""A window's tokens, with the special ones around them."""

WINDOW_TOKENS = 512
"""What these models were trained with, special tokens included."""

KINDS: Mapping[int, Mapping[str, tuple[int, ...]]] = {
    2: {"injection": (1,), "jailbreak": (1,)},
    3: {"injection": (1, 2), "jailbreak": (2,)},
}
"""By the number of classes, the classes whose probabilities add up to a score. The first of Prompt Guard's versions
tells injections (1) from jailbreaks (2), the second has one class (1) for both; 0 is harmless.
"""


class Classifier:
    """model, tokenizer: of the transformers library. The queue calls it from one thread, but for `windows`."""

    context: int | None = WINDOW_TOKENS

    def __init__(
        self, model: torch.nn.Module, tokenizer: PreTrainedTokenizerBase, classes: int, threads: int | None
    ) -> None:
        self._model = model
        self._tokenizer = tokenizer
        self._classes = classes
        self._threads = threads
        self._device = next(model.parameters()).device
        self._reading = Lock()
        bare, whole = self._ids("a", special=False), self._ids("a", special=True)
        at = next(start for start in range(len(whole)) if whole[start : start + len(bare)] == bare)
        self._before, self._after = whole[:at], whole[at + len(bare) :]
        self._pad = tokenizer.pad_token_id or 0

    def windows(self, text: str) -> list[Input]:
        """The text in windows that overlap by half, at least one; blocks."""
        with self._reading:
            ids = self._ids(text, special=False)
        room = WINDOW_TOKENS - len(self._before) - len(self._after)
        starts = range(0, max(len(ids) - room // 2, 1), room // 2)
        return [[*self._before, *ids[start : start + room], *self._after] for start in starts]

    def score(self, row: Sequence[float], kind: str) -> float:
        """0 to 1, of a row of `encode`; 1 for what is no number."""
        score = math.fsum(float(row[index]) for index in KINDS[self._classes][kind])
        return min(max(score, 0.0), 1.0) if math.isfinite(score) else 1.0

    # ── of the queue ────────────────────────────────────────────────────────────────────────────────────────────────

    def enter(self) -> None:
        if self._threads is not None:
            torch.set_num_threads(self._threads)

    def tokenize(self, inputs: Sequence[Input]) -> list[Ids]:
        return [each for each in inputs if not isinstance(each, str)]

    def encode(self, batch: Sequence[Ids]) -> Rows:
        longest = max(map(len, batch))
        ids = torch.tensor([[*each, *[self._pad] * (longest - len(each))] for each in batch], device=self._device)
        mask = torch.tensor([[1] * len(each) + [0] * (longest - len(each)) for each in batch], device=self._device)
        try:
            with torch.inference_mode():
                logits = self._model(input_ids=ids, attention_mask=mask).logits
                rows: Rows = torch.softmax(logits.float(), dim=-1).cpu().numpy().astype(np.float32)
        except Exception as error:
            if is_out_of_memory(error):
                raise OutOfMemory from None
            raise
        return rows

    def _ids(self, text: str, *, special: bool) -> list[int]:
        return list(self._tokenizer(text, add_special_tokens=special, truncation=False, verbose=False)["input_ids"])


def load(folder: Path, device: str | None, threads: int | None) -> Classifier:
    """The model of a folder, tried with a word; blocks. Raises BadModel."""
    disable_progress_bar()
    where = device or ("cuda" if torch.cuda.is_available() else "cpu")
    try:
        tokenizer = AutoTokenizer.from_pretrained(str(folder), local_files_only=True)
        model = AutoModelForSequenceClassification.from_pretrained(
            str(folder), local_files_only=True, use_safetensors=True, dtype=torch.float32 if where == "cpu" else "auto"
        )
        classes = int(model.config.num_labels)
        if classes not in KINDS:
            raise BadModel(f"{folder} has {classes} classes; Prompt Guard has 2 or 3, the first for what is harmless")
        classifier = Classifier(model.to(where).eval(), tokenizer, classes, threads)
        row = classifier.encode(classifier.tokenize(classifier.windows("word")))[0]
    except BadModel:
        raise
    except OutOfMemory:
        raise BadModel(f"there is not enough memory for {folder}") from None
    except Exception as error:  # torch and transformers raise what they like
        log.debug("%s cannot be loaded", folder, exc_info=True)
        raise BadModel(f"{folder} cannot be loaded: {type(error).__name__}: {short(error)}") from None
    if not np.isfinite(row).all():
        raise BadModel(f"{folder} gives what are no numbers")
    return classifier
