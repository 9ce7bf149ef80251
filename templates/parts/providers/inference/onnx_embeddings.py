"""Embeddings inside the server: a model in sentence-transformers' layout, in ONNX Runtime.

One instance is one model (`one_model`).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...runtime.context import Context
from ...runtime.models import ProviderModel
from ...runtime.reply import Answer
from .model_files import name_of
from .one_model import OneModel, model_or_why

if TYPE_CHECKING:
    from ...contracts.inference.requests import CreateEmbeddingRequest
    from ...contracts.inference.responses import CreateEmbeddingResponse
    from .onnx_encoder.load import Encoder
    from .sentences.batches import Batches

TURN_TEXTS, TURN_TOKENS = 64, 8192
"""What is computed before others get their turn, at most; a single longer text is a turn too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OnnxEmbeddingsConfig:
    """model: a folder or a repository of the hub (`model_files`). model_id: the name to serve it under,
    None for its own. threads: None for one per processor.
    """

    model: str
    model_id: str | None = None
    threads: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A model that serves, and the queue in front of it."""

    encoder: Encoder
    batches: Batches[Sequence[int]]


class OnnxEmbeddings(OneModel[Loaded]):
    """One configured model."""

    async def create_embedding(self, request: CreateEmbeddingRequest, ctx: Context) -> Answer[CreateEmbeddingResponse]:
        loaded = self._serving()
        from .sentences.wire import answered, check_length, inputs_of

        encoder = loaded.encoder
        inputs = inputs_of(request, encoder.vocabulary)
        check_length(request.dimensions, encoder.dimensions, (encoder.dimensions,))
        embedded = await loaded.batches.embed(inputs)
        ctx.usage.prompt_tokens = embedded.tokens
        return await answered(request, embedded.rows, embedded.tokens, self.name)

    async def list_models(self) -> list[ProviderModel]:
        metadata: dict[str, object] = {}
        if self.loaded is not None:
            metadata = {
                "context_length": self.loaded.encoder.context,
                "embedding_dimension": self.loaded.encoder.dimensions,
            }
        return [ProviderModel(id=self.name, model_type="embedding", metadata=metadata)]


# ── opening ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@asynccontextmanager
async def open_onnx_embeddings(config: OnnxEmbeddingsConfig, *, instance: str) -> AsyncIterator[OnnxEmbeddings]:
    """The model, loaded if it can be; start-up says at once what is wrong with one that cannot."""
    name = config.model_id or name_of(config.model)
    async with model_or_why(_open(config, instance), instance=instance, name=name) as opened:
        yield OnnxEmbeddings(name, opened)


@asynccontextmanager
async def _open(config: OnnxEmbeddingsConfig, instance: str) -> AsyncIterator[Loaded]:
    """Raises BadModel."""
    # Imported here: numpy, onnx and ONNX Runtime, which a server without this model does not need.
    from .onnx_encoder.load import load
    from .sentences.batches import Batches

    encoder = await asyncio.to_thread(load, config.model, config.threads)
    batches = Batches(encoder, texts=TURN_TEXTS, tokens=TURN_TOKENS, name=instance)
    try:
        yield Loaded(encoder=encoder, batches=batches)
    finally:
        await batches.close()
