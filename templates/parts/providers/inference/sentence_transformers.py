"""Embeddings inside the server: a model of sentence-transformers in torch.

One instance is one model (`one_model`).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...runtime.context import Context
from ...runtime.models import ProviderModel
from ...runtime.openmp import calm_threads
from ...runtime.reply import Answer
from .model_files import BadModel, name_of
from .one_model import OneModel, model_or_why
from .sentences.folder import locate

if TYPE_CHECKING:
    from ...contracts.inference.requests import CreateEmbeddingRequest
    from ...contracts.inference.responses import CreateEmbeddingResponse
    from .sentences.batches import Batches
    from .sentences.encoder import Encoder, Tokens

log = logging.getLogger(__name__)

PADDED_TOKENS = 16_384
"""Of one batch at most: what 32 texts of 512 tokens are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SentenceTransformersConfig:
    """model: a folder or a repository of the hub (`model_files`). model_id: the name to serve it under, None for its
    own. device, dtype: "auto" for what is there and suits it. quantization: "int8", None for none. prompt_name: which
    of the model's prompts stands before every text, None for its default. matryoshka: whether clients may shorten its
    vectors, None for what it says of itself. max_batch_size: texts. threads: of one batch, None for torch's choice.
    trust_remote_code: whether the model's own Python code may run.
    """

    model: str = "nomic-ai/nomic-embed-text-v1.5"
    model_id: str | None = None
    device: str = "auto"
    dtype: str = "auto"
    quantization: str | None = None
    prompt_name: str | None = None
    matryoshka: bool | None = None
    max_batch_size: int = 32
    threads: int | None = None
    trust_remote_code: bool = False


@dataclass(frozen=True, slots=True)
class Loaded:
    """A model that serves, and the queue in front of it."""

    encoder: Encoder
    batches: Batches[Tokens]


class SentenceTransformers(OneModel[Loaded]):
    """One configured model."""

    async def create_embedding(self, request: CreateEmbeddingRequest, ctx: Context) -> Answer[CreateEmbeddingResponse]:
        loaded = self._serving()
        from .sentences.wire import answered, check_length, inputs_of

        encoder = loaded.encoder
        inputs = inputs_of(request, encoder.vocabulary)
        check_length(request.dimensions, encoder.dimensions, encoder.lengths)
        embedded = await loaded.batches.embed(inputs)
        ctx.usage.prompt_tokens = embedded.tokens
        rows = encoder.shortened(embedded.rows, request.dimensions or encoder.dimensions)
        return await answered(request, rows, embedded.tokens, self.name)

    async def list_models(self) -> list[ProviderModel]:
        metadata: dict[str, object] = {}
        if self.loaded is not None:
            metadata["embedding_dimension"] = self.loaded.encoder.dimensions
            if self.loaded.encoder.context is not None:
                metadata["context_length"] = self.loaded.encoder.context
        return [ProviderModel(id=self.name, model_type="embedding", metadata=metadata)]


# ── opening ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@asynccontextmanager
async def open_sentence_transformers(
    config: SentenceTransformersConfig, *, instance: str
) -> AsyncIterator[SentenceTransformers]:
    """The model, loaded if it can be; start-up says at once what is wrong with one that cannot."""
    name = config.model_id or name_of(config.model)
    async with model_or_why(_open(config, instance), instance=instance, name=name) as opened:
        yield SentenceTransformers(name, opened)


@asynccontextmanager
async def _open(config: SentenceTransformersConfig, instance: str) -> AsyncIterator[Loaded]:
    """Raises BadModel."""
    encoder = await asyncio.to_thread(_load, config)
    from .sentences.batches import Batches

    batches = Batches(encoder, texts=config.max_batch_size, tokens=PADDED_TOKENS, name=instance)
    try:
        yield Loaded(encoder, batches)
    finally:
        await batches.close()


def _load(config: SentenceTransformersConfig) -> Encoder:
    """Blocks, for seconds: torch and the library are imported here. Raises BadModel."""
    calm_threads()
    # What is wrong with a folder is told whether there is torch or not.
    folder = locate(config.model, code=config.trust_remote_code, before=_need_torch)
    _need_torch()
    from .sentences.loading import Options, load

    options = Options(
        device=None if config.device == "auto" else config.device,
        dtype=None if config.dtype == "auto" else config.dtype,
        quantization=config.quantization,
        prompt_name=config.prompt_name,
        matryoshka=config.matryoshka,
        threads=config.threads,
        code=config.trust_remote_code,
    )
    return load(folder, options)


def _need_torch() -> None:
    """Raises BadModel where a model could not be loaded: it need not be fetched then."""
    try:
        from .sentences import loading  # noqa: F401
    except (ImportError, OSError) as error:
        # OSError: it is there, but a library that it loads is not.
        missing = error.name if isinstance(error, ModuleNotFoundError) else None
        trouble = f"{missing} is not installed where this server runs" if missing else "torch cannot be imported"
        log.debug("torch cannot be imported", exc_info=True)
        raise BadModel(f"it needs torch: {trouble}; the server's README says how to install it") from None
