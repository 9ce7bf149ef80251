"""Embeddings inside the server: a model in sentence-transformers' layout, in ONNX Runtime.

A model that cannot be had does not stop the server: it is listed, its calls answer 503 with the reason, and its health
tells.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...runtime.context import Context
from ...runtime.errors import Unavailable
from ...runtime.models import ProviderModel
from ...runtime.reply import Answer
from ...runtime.wiring import Health
from .gguf.references import name_of
from .model_files import BadFile

if TYPE_CHECKING:
    from ...contracts.inference.requests import CreateEmbeddingRequest
    from ...contracts.inference.responses import CreateEmbeddingResponse
    from .onnx_encoder.load import Encoder
    from .sentences.batches import Batches

log = logging.getLogger(__name__)

TURN_TEXTS, TURN_TOKENS = 64, 8192
"""What is computed before others get their turn, at most; a single longer text is a turn too."""

LONG_ANSWER = 100_000
"""Numbers of an answer that is written on another thread: on the event loop's it would hold up the others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OnnxEmbeddingsConfig:
    """model: a folder or a repository of the hub (`onnx_encoder.references`). model_id: the name to serve it under,
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


class OnnxEmbeddings:
    """One configured model: `loaded`, or why it is not."""

    lists_all = True
    allowed_models: tuple[str, ...] | None = None
    refresh_models = False

    def __init__(self, name: str, *, loaded: Loaded | None, problem: str = "") -> None:
        self.name = name
        self.loaded = loaded
        self.problem = problem

    async def create_embedding(self, request: CreateEmbeddingRequest, ctx: Context) -> Answer[CreateEmbeddingResponse]:
        if self.loaded is None:
            raise Unavailable(f"model {self.name!r} is not available: {self.problem}", code="model_unavailable")
        from .sentences.wire import answer, check_length, inputs_of

        encoder = self.loaded.encoder
        inputs = inputs_of(request, encoder.vocabulary)
        check_length(request.dimensions, encoder.dimensions, (encoder.dimensions,))
        embedded = await self.loaded.batches.embed(inputs)
        ctx.usage.prompt_tokens = embedded.tokens
        arguments = (embedded.rows, embedded.tokens, self.name)
        base64 = request.encoding_format == "base64"
        if embedded.rows.size < LONG_ANSWER:
            return Answer(answer(*arguments, base64=base64))
        return Answer(await asyncio.to_thread(answer, *arguments, base64=base64))

    async def list_models(self) -> list[ProviderModel]:
        metadata: dict[str, object] = {}
        if self.loaded is not None:
            metadata = {
                "context_length": self.loaded.encoder.context,
                "embedding_dimension": self.loaded.encoder.dimensions,
            }
        return [ProviderModel(id=self.name, model_type="embedding", metadata=metadata)]

    async def health(self) -> Health:
        """Whether the model is loaded, and why it is not."""
        return Health("OK") if self.loaded is not None else Health("Error", self.problem)


# ── opening ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@asynccontextmanager
async def open_onnx_embeddings(config: OnnxEmbeddingsConfig, *, instance: str) -> AsyncIterator[OnnxEmbeddings]:
    """The model, loaded if it can be; start-up says at once what is wrong with one that cannot."""
    name = config.model_id or name_of(config.model)
    async with AsyncExitStack() as stack:
        try:
            loaded, problem = await stack.enter_async_context(_open(config, name, instance)), ""
        except BadFile as error:
            loaded, problem = None, str(error)
            log.error("provider %s: model %s is not available: %s", instance, name, problem)
        yield OnnxEmbeddings(name, loaded=loaded, problem=problem)


@asynccontextmanager
async def _open(config: OnnxEmbeddingsConfig, name: str, instance: str) -> AsyncIterator[Loaded]:
    """Raises BadFile."""
    # Imported here: numpy, onnx and ONNX Runtime, which a server without this model does not need.
    from .onnx_encoder.load import load
    from .sentences.batches import Batches

    log.info("loading %s from %s", name, config.model)
    encoder = await asyncio.to_thread(load, config.model, config.threads)
    batches = Batches(encoder, texts=TURN_TEXTS, tokens=TURN_TOKENS, name=instance)
    try:
        yield Loaded(encoder=encoder, batches=batches)
    finally:
        await batches.close()
