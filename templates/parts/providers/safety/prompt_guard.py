"""Prompt Guard inside the server: a small model in torch that tells texts which are to make a model do what it should
not.

A long text is read in windows that overlap, and the worst of them counts, so that nothing hides behind its length. What
the last to speak said is judged: what was said before has been.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ...runtime.context import Context
from ...runtime.errors import BadRequest
from ...runtime.openmp import calm_threads
from ..inference.model_files import BadModel, HubModel, fetch, locate_folder, name_of, names_in
from ..inference.one_model import Missing, OneModel, model_or_why
from .guard import Asked, Guard, refuse_images
from .turns import Turn
from .verdict import Verdict

if TYPE_CHECKING:
    from ..inference.sentences.batches import Batches
    from .prompt_classes.classifier import Classifier, Ids

MESSAGE = "This looks like an attempt to have the model act against its instructions, so it is not answered."

PADDED_TOKENS = 16_384
"""Of one batch at most: what 32 windows of 512 tokens are."""

MOST_WINDOWS = 256
"""Of one text, about 60,000 tokens: a minute of work on a slow processor."""

_WANTED = (".json", ".txt", ".model", ".safetensors")


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptGuardConfig:
    """model: a folder or a repository of the hub (`model_files`). guard_type: "injection" for orders within what a
    model is given to read and attempts to free it of its instructions, "jailbreak" for the latter alone. threshold: the
    score from which a text is a violation. device: "auto" for what is there. threads: of one batch, None for torch's
    choice.
    """

    model: str
    guard_type: str = "injection"
    threshold: float = 0.5
    device: str = "auto"
    threads: int | None = None


@dataclass(frozen=True, slots=True)
class Loaded:
    """A model that judges, and the queue in front of it."""

    classifier: Classifier
    batches: Batches[Ids]


class PromptGuard(Guard, OneModel[Loaded]):
    """One configured model, whatever a shield calls it."""

    def __init__(self, name: str, opened: Loaded | Missing, config: PromptGuardConfig) -> None:
        super().__init__(name, opened)
        self._kind = config.guard_type
        self._threshold = config.threshold

    async def judge(self, asked: Asked, turns: Sequence[Turn], ctx: Context) -> Verdict:
        loaded = self._serving()
        refuse_images(turns, "Prompt Guard")
        # Other requests go on meanwhile.
        windows = await asyncio.to_thread(loaded.classifier.windows, turns[-1].text)
        if len(windows) > MOST_WINDOWS:
            message = f"the text has {len(windows)} windows of tokens, and at most {MOST_WINDOWS} are read at once"
            raise BadRequest(message, code="input_too_long", param="messages")
        read = await loaded.batches.embed(windows)
        ctx.usage.prompt_tokens = (ctx.usage.prompt_tokens or 0) + read.tokens
        score = max(loaded.classifier.score(row, self._kind) for row in read.rows)
        flagged = score >= self._threshold
        return Verdict(
            flagged=flagged,
            message=MESSAGE if flagged else None,
            scores={self._kind: score},
            found=frozenset({self._kind} if flagged else ()),
            metadata={"violation_type": self._kind, "score": score} if flagged else {},
        )


@asynccontextmanager
async def open_prompt_guard(config: PromptGuardConfig, *, instance: str) -> AsyncIterator[PromptGuard]:
    """The model, loaded if it can be; start-up says at once what is wrong with one that cannot."""
    name = name_of(config.model)
    async with model_or_why(_open(config, instance), instance=instance, name=name) as opened:
        yield PromptGuard(name, opened, config)


@asynccontextmanager
async def _open(config: PromptGuardConfig, instance: str) -> AsyncIterator[Loaded]:
    """Raises BadModel."""
    classifier = await asyncio.to_thread(_load, config)
    from ..inference.sentences.batches import Batches

    batches = Batches(classifier, texts=32, tokens=PADDED_TOKENS, name=instance)
    try:
        yield Loaded(classifier, batches)
    finally:
        await batches.close()


def _load(config: PromptGuardConfig) -> Classifier:
    """Blocks, for seconds: torch and the library are imported here. Raises BadModel."""
    folder = _locate(config.model)
    calm_threads()
    from .prompt_classes.classifier import load

    return load(folder, None if config.device == "auto" else config.device, config.threads)


def _locate(reference: str) -> Path:
    def wanted(names: Sequence[str], where: str) -> list[str]:
        _check(names, where)
        return [name for name in names if "/" not in name and name.endswith(_WANTED)]

    def fetched(hub: HubModel) -> Path:
        return fetch(hub, wanted).folder

    folder = locate_folder(reference, fetched)
    _check(names_in(folder), reference)
    return folder


def _check(names: Sequence[str], where: str) -> None:
    """Raises BadModel where files of these names are no model that is loaded without unpickling."""
    if "config.json" not in names:
        raise BadModel(f"{where} has no config.json, so it is no model of the transformers library")
    if not any(name.endswith(".safetensors") for name in names):
        raise BadModel(f"{where} holds no weights: no file in it ends in .safetensors")
