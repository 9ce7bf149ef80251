"""Inference inside the server: a GGUF model in llama.cpp.

One instance is one model, for text or for embeddings; two instances are two models side by side (`one_model`).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...runtime.context import Context
from ...runtime.models import ModelType, ProviderModel
from ...runtime.openmp import calm_threads
from ...runtime.reply import Answer, Events
from .gguf.answers import Document, documents, embedded, events, whole_chat, whole_completion
from .gguf.header import Header, read_header
from .gguf.references import locate
from .gguf.requests import (
    Json,
    check_chat,
    check_completion,
    check_embedding,
    check_length,
    prepare,
    streamed,
    with_named_tool,
)
from .model_files import BadModel, name_of, read_template
from .one_model import Missing, OneModel, begun, body_of, document_of, model_or_why, wants_usage

if TYPE_CHECKING:
    from ...contracts.inference.requests import (
        CreateChatCompletionRequest,
        CreateCompletionRequest,
        CreateEmbeddingRequest,
    )
    from ...contracts.inference.responses import (
        CreateChatCompletionResponse,
        CreateChatCompletionStreamResponse,
        CreateCompletionResponse,
        CreateEmbeddingResponse,
    )
    from .gguf.engine import Engine, Handle

log = logging.getLogger(__name__)

USUAL_CONTEXT = 8192
"""Tokens of one request where the config does not say, unless the model has fewer."""

_MOST_TOKENS = 2**31 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class LlamaCppConfig:
    """model: a file, a folder or a repository of the hub (`model_files`). model_id: the name to serve it under, None
    for its own. embeddings: whether it is a model for embeddings. context_size: tokens of one request, None for the
    model's own up to USUAL_CONTEXT. slots: requests at once. threads: None for one per processor. gpu_layers: None for
    as many as fit. chat_template: a Jinja file, None for the model's own.
    """

    model: str
    model_id: str | None = None
    embeddings: bool = False
    context_size: int | None = None
    slots: int = 2
    threads: int | None = None
    gpu_layers: int | None = None
    chat_template: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A model that serves. chats: whether it has a chat template. vector: length of its embeddings, if it says."""

    engine: Engine
    context: int
    chats: bool
    vector: int | None


class LlamaCpp(OneModel[Loaded]):
    """One configured model."""

    def __init__(self, config: LlamaCppConfig, name: str, opened: Loaded | Missing) -> None:
        super().__init__(name, opened)
        self.config = config

    # ── the contract ────────────────────────────────────────────────────────────────────────────────────────────────

    async def create_chat_completion(
        self, request: CreateChatCompletionRequest, ctx: Context
    ) -> Answer[CreateChatCompletionResponse] | Events[CreateChatCompletionStreamResponse]:
        loaded = self._for_text("chat completions")
        if not loaded.chats:
            raise self._no_chat_template()
        document = with_named_tool(prepare(document_of(request, ctx), loaded.context))
        check_chat(document)
        check_length(document, loaded.context)
        said = self._generate(loaded, loaded.engine.server.handle_chat_completions, document, ctx)
        if request.stream:
            told = wants_usage(request.stream_options)
            return Events(await begun(events(said, ctx.usage, wants_usage=told, legacy=False)))
        return Answer(await whole_chat(said, ctx.usage))

    async def create_completion(
        self, request: CreateCompletionRequest, ctx: Context
    ) -> Answer[CreateCompletionResponse] | Events[CreateCompletionResponse]:
        loaded = self._for_text("completions")
        document = prepare(document_of(request, ctx), loaded.context)
        check_completion(document)
        check_length(document, loaded.context)
        said = self._generate(loaded, loaded.engine.server.handle_completions, document, ctx)
        if request.stream:
            told = wants_usage(request.stream_options)
            return Events(await begun(events(said, ctx.usage, wants_usage=told, legacy=True)))
        return Answer(await whole_completion(said, ctx.usage))

    async def create_embedding(self, request: CreateEmbeddingRequest, ctx: Context) -> Answer[CreateEmbeddingResponse]:
        loaded = self._serving()
        if not self.config.embeddings:
            raise self._unsupported("embeddings", "it is one for text")
        document = document_of(request, ctx)
        check_embedding(document, loaded.vector)
        check_length(document, loaded.context)
        return Answer(embedded(await loaded.engine.embed(body_of(request, ctx)), ctx.usage, loaded.context))

    async def list_models(self) -> list[ProviderModel]:
        kind: ModelType = "embedding" if self.config.embeddings else "llm"
        metadata: dict[str, object] = {}
        if self.loaded is not None:
            metadata["context_length"] = self.loaded.context
            if self.config.embeddings and self.loaded.vector is not None:
                metadata["embedding_dimension"] = self.loaded.vector
        return [ProviderModel(id=self.name, model_type=kind, metadata=metadata)]

    # ── inside ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def _serving(self) -> Loaded:
        """Raises Unavailable without a model, and once it is being closed."""
        loaded = super()._serving()
        loaded.engine.check_open()
        return loaded

    def _for_text(self, operation: str) -> Loaded:
        loaded = self._serving()
        if self.config.embeddings:
            raise self._unsupported(operation, "it is one for embeddings")
        return loaded

    def _generate(self, loaded: Loaded, handle: Handle, document: Json, ctx: Context) -> AsyncGenerator[Document, None]:
        return documents(loaded.engine.generate(handle, streamed(document)), ctx.usage, loaded.context)


# ── opening ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@asynccontextmanager
async def open_llama_cpp(config: LlamaCppConfig, *, instance: str) -> AsyncIterator[LlamaCpp]:
    """The model, loaded if it can be; start-up says at once what is wrong with one that cannot."""
    name = config.model_id or name_of(config.model)
    async with model_or_why(_open(config, name), instance=instance, name=name) as opened:
        if isinstance(opened, Loaded) and not opened.chats and not config.embeddings:
            log.warning("provider %s: model %s has no chat template: it serves completions only", instance, name)
        yield LlamaCpp(config, name, opened)


@asynccontextmanager
async def _open(config: LlamaCppConfig, name: str) -> AsyncIterator[Loaded]:
    """Raises BadModel."""
    # llama.cpp shares its work out by OpenMP, which reads how to wait as it is loaded.
    calm_threads()
    from .gguf.engine import Options, memory, open_engine

    path = await asyncio.to_thread(locate, config.model)
    header = await asyncio.to_thread(read_header, path)
    template = await asyncio.to_thread(read_template, config.chat_template)
    context = _context(config, header)
    _check_memory(header, context, config.slots, memory())
    options = Options(
        name=name,
        context=context,
        slots=config.slots,
        threads=config.threads,
        gpu_layers=config.gpu_layers,
        chat_template=template,
        embeddings=config.embeddings,
        pooling=header.number("pooling_type") is None,
    )
    log.info("loading %s from %s", name, path)
    async with open_engine(path, options) as engine:
        yield Loaded(
            engine=engine,
            context=context,
            chats=template is not None or header.chat_template is not None,
            vector=header.number("embedding_length"),
        )


def _context(config: LlamaCppConfig, header: Header) -> int:
    trained = header.number("context_length") or USUAL_CONTEXT
    return config.context_size or min(trained, USUAL_CONTEXT)


def _check_memory(header: Header, context: int, slots: int, most: int) -> None:
    """most: bytes there are. Raises BadModel where the context can have no room: llama.cpp would try for long, or be
    ended by the system.
    """
    least = header.cache_bytes(context * slots)
    if least > most or context * slots > _MOST_TOKENS:
        needed = (
            f" take at least {least >> 30} GiB, and there are {most >> 30} GiB" if least > most else " are too many"
        )
        raise BadModel(f"{context} tokens in each of {slots} slots{needed}: set a smaller context_size, or fewer slots")
