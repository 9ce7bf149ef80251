"""Inference inside the server: a model of the transformers library in torch.

One instance is one model, for text or for reranking; two instances are two models side by side (`one_model`).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from ...runtime.context import Context
from ...runtime.errors import BadRequest
from ...runtime.models import ModelType, ProviderModel
from ...runtime.reply import Answer, Events
from .model_files import name_of
from .one_model import Missing, OneModel, begun, document_of, model_or_why, wants_usage
from .ranking import ranked, text_of

if TYPE_CHECKING:
    from ...contracts.inference.requests import CreateChatCompletionRequest, CreateCompletionRequest, RerankRequest
    from ...contracts.inference.responses import (
        CreateChatCompletionResponse,
        CreateChatCompletionStreamResponse,
        CreateCompletionResponse,
        RerankResponse,
    )
    from .torch_text.rerank import Reranker
    from .torch_text.service import Text

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class TransformersConfig:
    """model: a folder or a repository of the hub (`model_files`). model_id: the name to serve it under, None for its
    own. max_seq_len: tokens of one request, None for the model's own up to a usual bound. max_batch_size: answers at
    once. torch_seed: of requests without a seed. threads: None for torch's choice. chat_template: a Jinja file, None
    for the model's own. trust_remote_code: whether Python files that come with the model are run.
    """

    model: str
    model_id: str | None = None
    task: Literal["text", "rerank"] = "text"
    device: str = "auto"
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    quantization: Literal["int8", "int4", "fp8"] | None = None
    max_seq_len: int | None = None
    max_batch_size: int = 16
    torch_seed: int | None = None
    threads: int | None = None
    chat_template: str | None = None
    trust_remote_code: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """What is loaded, by the config's task."""

    text: Text | None = None
    reranker: Reranker | None = None


class Transformers(OneModel[Served]):
    """One configured model."""

    def __init__(self, config: TransformersConfig, name: str, opened: Served | Missing) -> None:
        super().__init__(name, opened)
        self.config = config

    @property
    def text(self) -> Text | None:
        return None if self.loaded is None else self.loaded.text

    @property
    def reranker(self) -> Reranker | None:
        return None if self.loaded is None else self.loaded.reranker

    # ── the contract ────────────────────────────────────────────────────────────────────────────────────────────────

    async def create_chat_completion(
        self, request: CreateChatCompletionRequest, ctx: Context
    ) -> Answer[CreateChatCompletionResponse] | Events[CreateChatCompletionStreamResponse]:
        text = self._for_text("chat completions")
        if not text.chats:
            raise self._no_chat_template()
        document = document_of(request, ctx)
        if request.stream:
            told = wants_usage(request.stream_options)
            return Events(await begun(text.chat_events(document, ctx.usage, wants_usage=told)))
        return Answer(await text.chat(document, ctx.usage))

    async def create_completion(
        self, request: CreateCompletionRequest, ctx: Context
    ) -> Answer[CreateCompletionResponse] | Events[CreateCompletionResponse]:
        text = self._for_text("completions")
        document = document_of(request, ctx)
        if request.stream:
            told = wants_usage(request.stream_options)
            return Events(await begun(text.completion_events(document, ctx.usage, wants_usage=told)))
        return Answer(await text.completion(document, ctx.usage))

    async def rerank(self, request: RerankRequest, ctx: Context) -> Answer[RerankResponse]:
        reranker = self._serving().reranker
        if reranker is None:
            raise self._other_task("rerank")
        query, items = text_of(request.query), [text_of(item) for item in request.items]
        found, ctx.usage.prompt_tokens = await reranker.rank(query, items)
        return ranked(found, request.max_num_results)

    async def list_models(self) -> list[ProviderModel]:
        kind: ModelType = "rerank" if self.config.task == "rerank" else "llm"
        served = self.text or self.reranker
        metadata: dict[str, object] = {} if served is None else {"context_length": served.loaded.context}
        return [ProviderModel(id=self.name, model_type=kind, metadata=metadata)]

    # ── inside ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def _for_text(self, operation: str) -> Text:
        text = self._serving().text
        if text is None:
            raise self._other_task(operation)
        return text

    def _other_task(self, operation: str) -> BadRequest:
        return self._unsupported(operation, f"its task is {self.config.task}")


# ── opening ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@asynccontextmanager
async def open_transformers(config: TransformersConfig, *, instance: str) -> AsyncIterator[Transformers]:
    """The model, loaded if it can be; start-up says at once what is wrong with one that cannot."""
    name = config.model_id or name_of(config.model)
    opening = _opened_text(config, name) if config.task == "text" else _opened_reranker(config)
    async with model_or_why(opening, instance=instance, name=name) as opened:
        provider = Transformers(config, name, opened)
        if provider.text is not None and not provider.text.chats:
            log.warning("provider %s: model %s has no chat template: it serves completions only", instance, name)
        yield provider


@asynccontextmanager
async def _opened_text(config: TransformersConfig, name: str) -> AsyncIterator[Served]:
    """Raises BadModel."""
    # Imported here: seconds of start-up, and none where this instance is switched off.
    from .torch_text.loading import load_text
    from .torch_text.service import open_text

    loaded = await asyncio.to_thread(load_text, config)
    opened = open_text(loaded, name, template=config.chat_template, rows=config.max_batch_size, seed=config.torch_seed)
    async with opened as text:
        yield Served(text=text)


@asynccontextmanager
async def _opened_reranker(config: TransformersConfig) -> AsyncIterator[Served]:
    """Raises BadModel."""
    from .torch_text.loading import load_reranker
    from .torch_text.rerank import open_reranker

    loaded = await asyncio.to_thread(load_reranker, config)
    async with open_reranker(loaded, config.max_batch_size) as reranker:
        yield Served(reranker=reranker)
