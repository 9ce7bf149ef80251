"""Inference inside the server: a GGUF model in llama.cpp.

One instance is one model, for text or for embeddings; two instances are two models side by side. A model that cannot be
had does not stop the server: it is listed, its calls answer 503 with the reason, and its health tells.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel

from ...runtime.context import Context
from ...runtime.errors import BadRequest, Unavailable
from ...runtime.models import ModelType, ProviderModel
from ...runtime.packages import calm_threads
from ...runtime.reply import Answer, Events
from ...runtime.wiring import Health
from .gguf.answers import Document, documents, embedded, events, whole_chat, whole_completion
from .gguf.header import Header, read_header
from .gguf.references import locate, name_of
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
from .model_files import BadFile

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
    """model: a file, a folder or a repository of the hub (`references`). model_id: the name to serve it under, None for
    its own. embeddings: whether it is a model for embeddings. context_size: tokens of one request, None for the model's
    own up to USUAL_CONTEXT. slots: requests at once. threads: None for one per processor. gpu_layers: None for as many
    as fit. chat_template: a Jinja file, None for the model's own.
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


class LlamaCpp:
    """One configured model: `loaded`, or why it is not."""

    lists_all = True
    allowed_models: tuple[str, ...] | None = None
    refresh_models = False

    def __init__(self, config: LlamaCppConfig, name: str, *, loaded: Loaded | None, problem: str = "") -> None:
        self.config = config
        self.name = name
        self.loaded = loaded
        self.problem = problem

    # ── the contract ────────────────────────────────────────────────────────────────────────────────────────────────

    async def create_chat_completion(
        self, request: CreateChatCompletionRequest, ctx: Context
    ) -> Answer[CreateChatCompletionResponse] | Events[CreateChatCompletionStreamResponse]:
        loaded = self._for_text("chat completions")
        if not loaded.chats:
            raise BadRequest(
                f"model {self.name!r} has no chat template; use /v1/completions, or set chat_template for it",
                code="no_chat_template",
                param="model",
            )
        document = with_named_tool(prepare(ctx.body or _dump(request)))
        check_chat(document)
        check_length(document, loaded.context)
        said = self._generate(loaded, loaded.engine.server.handle_chat_completions, document, ctx)
        if request.stream:
            options = request.stream_options
            wants_usage = options is not None and bool(options.include_usage)
            return Events(await _begun(events(said, ctx.usage, wants_usage=wants_usage, legacy=False)))
        return Answer(await whole_chat(said, ctx.usage))

    async def create_completion(
        self, request: CreateCompletionRequest, ctx: Context
    ) -> Answer[CreateCompletionResponse] | Events[CreateCompletionResponse]:
        loaded = self._for_text("completions")
        document = prepare(ctx.body or _dump(request))
        check_completion(document)
        check_length(document, loaded.context)
        said = self._generate(loaded, loaded.engine.server.handle_completions, document, ctx)
        if request.stream:
            options = request.stream_options
            wants_usage = options is not None and bool(options.include_usage)
            return Events(await _begun(events(said, ctx.usage, wants_usage=wants_usage, legacy=True)))
        return Answer(await whole_completion(said, ctx.usage))

    async def create_embedding(self, request: CreateEmbeddingRequest, ctx: Context) -> Answer[CreateEmbeddingResponse]:
        loaded = self._loaded()
        if not self.config.embeddings:
            raise self._unsupported("embeddings", "it is one for text")
        body = ctx.body or _dump(request)
        document = prepare(body)
        check_embedding(document, loaded.vector)
        check_length(document, loaded.context)
        return Answer(embedded(await loaded.engine.embed(body), ctx.usage, loaded.context))

    async def list_models(self) -> list[ProviderModel]:
        kind: ModelType = "embedding" if self.config.embeddings else "llm"
        metadata: dict[str, object] = {}
        if self.loaded is not None:
            metadata["context_length"] = self.loaded.context
            if self.config.embeddings and self.loaded.vector is not None:
                metadata["embedding_dimension"] = self.loaded.vector
        return [ProviderModel(id=self.name, model_type=kind, metadata=metadata)]

    async def health(self) -> Health:
        """Whether the model is loaded, and why it is not."""
        return Health("OK") if self.loaded is not None else Health("Error", self.problem)

    # ── inside ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def _loaded(self) -> Loaded:
        if self.loaded is None:
            raise Unavailable(f"model {self.name!r} is not available: {self.problem}", code="model_unavailable")
        return self.loaded

    def _for_text(self, operation: str) -> Loaded:
        loaded = self._loaded()
        if self.config.embeddings:
            raise self._unsupported(operation, "it is one for embeddings")
        return loaded

    def _unsupported(self, operation: str, reason: str) -> BadRequest:
        return BadRequest(
            f"model {self.name!r} does not offer {operation}: {reason}", code="unsupported_operation", param="model"
        )

    def _generate(self, loaded: Loaded, handle: Handle, document: Json, ctx: Context) -> AsyncGenerator[Document, None]:
        return documents(loaded.engine.generate(handle, streamed(document)), ctx.usage, loaded.context)


async def _begun(blocks: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    """The stream once its first event is there. Raises StackError where there will be none."""
    await anext(blocks, b"")
    return blocks


def _dump(request: BaseModel) -> bytes:
    """The body of a request that was made inside the server."""
    return request.model_dump_json(by_alias=True, exclude_unset=True).encode()


# ── opening ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@asynccontextmanager
async def open_llama_cpp(config: LlamaCppConfig, *, instance: str) -> AsyncIterator[LlamaCpp]:
    """The model, loaded if it can be; start-up says at once what is wrong with one that cannot."""
    name = config.model_id or name_of(config.model)
    async with AsyncExitStack() as stack:
        try:
            loaded, problem = await stack.enter_async_context(_open(config, name)), ""
        except BadFile as error:
            loaded, problem = None, str(error)
            log.error("provider %s: model %s is not available: %s", instance, name, problem)
        if loaded is not None and not loaded.chats and not config.embeddings:
            log.warning("provider %s: model %s has no chat template: it serves completions only", instance, name)
        yield LlamaCpp(config, name, loaded=loaded, problem=problem)


@asynccontextmanager
async def _open(config: LlamaCppConfig, name: str) -> AsyncIterator[Loaded]:
    """Raises BadFile."""
    # llama.cpp shares its work out by OpenMP, which reads how to wait as it is loaded.
    calm_threads()
    from .gguf.engine import Options, memory, open_engine

    path = await asyncio.to_thread(locate, config.model)
    header = await asyncio.to_thread(read_header, path)
    template = await asyncio.to_thread(_read_template, config.chat_template)
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
    """most: bytes there are. Raises BadFile where the context can have no room: llama.cpp would try for long, or be
    ended by the system.
    """
    least = header.cache_bytes(context * slots)
    if least > most or context * slots > _MOST_TOKENS:
        needed = (
            f" take at least {least >> 30} GiB, and there are {most >> 30} GiB" if least > most else " are too many"
        )
        raise BadFile(f"{context} tokens in each of {slots} slots{needed}: set a smaller context_size, or fewer slots")


def _read_template(file: str | None) -> str | None:
    """The text of a template's file. Raises BadFile."""
    if file is None:
        return None
    try:
        return Path(file).expanduser().read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadFile(f"the chat template {file} cannot be read: {error}") from None
