"""Inference inside the server: a model of the transformers library in torch.

One instance is one model, for text or for reranking; two instances are two models side by side. A model that cannot be
had does not stop the server: it is listed, its calls answer 503 with the reason, and its health tells.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel
from pydantic_core import from_json

from ...runtime.context import Context
from ...runtime.errors import BadRequest, Unavailable
from ...runtime.models import ModelType, ProviderModel
from ...runtime.reply import Answer, Events
from ...runtime.wiring import Health
from .ranking import ranked, text_of
from .torch_text.problems import BadModel
from .torch_text.references import name_of

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
    """model: a folder or a repository of the hub (`references`). model_id: the name to serve it under, None for its
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


class Transformers:
    """One configured model: `text` or `reranker`, or why it is neither."""

    lists_all = True
    allowed_models: tuple[str, ...] | None = None
    refresh_models = False

    def __init__(
        self,
        config: TransformersConfig,
        name: str,
        *,
        text: Text | None = None,
        reranker: Reranker | None = None,
        problem: str = "",
    ) -> None:
        self.config = config
        self.name = name
        self.text = text
        self.reranker = reranker
        self.problem = problem

    # ── the contract ────────────────────────────────────────────────────────────────────────────────────────────────

    async def create_chat_completion(
        self, request: CreateChatCompletionRequest, ctx: Context
    ) -> Answer[CreateChatCompletionResponse] | Events[CreateChatCompletionStreamResponse]:
        text = self._for_text("chat completions")
        if not text.chats:
            raise BadRequest(
                f"model {self.name!r} has no chat template; use /v1/completions, or set chat_template for it",
                code="no_chat_template",
                param="model",
            )
        document = _document(request, ctx)
        if request.stream:
            options = request.stream_options
            wants_usage = options is not None and bool(options.include_usage)
            return Events(await _begun(text.chat_events(document, ctx.usage, wants_usage=wants_usage)))
        return Answer(await text.chat(document, ctx.usage))

    async def create_completion(
        self, request: CreateCompletionRequest, ctx: Context
    ) -> Answer[CreateCompletionResponse] | Events[CreateCompletionResponse]:
        text = self._for_text("completions")
        document = _document(request, ctx)
        if request.stream:
            options = request.stream_options
            wants_usage = options is not None and bool(options.include_usage)
            return Events(await _begun(text.completion_events(document, ctx.usage, wants_usage=wants_usage)))
        return Answer(await text.completion(document, ctx.usage))

    async def rerank(self, request: RerankRequest, ctx: Context) -> Answer[RerankResponse]:
        self._check("rerank", "rerank")
        if self.reranker is None:
            raise self._unavailable()
        query, items = text_of(request.query), [text_of(item) for item in request.items]
        found, ctx.usage.prompt_tokens = await self.reranker.rank(query, items)
        return ranked(found, request.max_num_results)

    async def list_models(self) -> list[ProviderModel]:
        kind: ModelType = "rerank" if self.config.task == "rerank" else "llm"
        served = self.text or self.reranker
        metadata: dict[str, object] = {} if served is None else {"context_length": served.loaded.context}
        return [ProviderModel(id=self.name, model_type=kind, metadata=metadata)]

    async def health(self) -> Health:
        """Whether the model is loaded, and why it is not."""
        return Health("Error", self.problem) if self.problem else Health("OK")

    # ── inside ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def _for_text(self, operation: str) -> Text:
        self._check(operation, "text")
        if self.text is None:
            raise self._unavailable()
        return self.text

    def _check(self, operation: str, task: str) -> None:
        """Raises Unavailable without a model, BadRequest where it is for the other task."""
        if self.problem:
            raise self._unavailable()
        if self.config.task != task:
            raise BadRequest(
                f"model {self.name!r} does not offer {operation}: its task is {self.config.task}",
                code="unsupported_operation",
                param="model",
            )

    def _unavailable(self) -> Unavailable:
        return Unavailable(f"model {self.name!r} is not available: {self.problem}", code="model_unavailable")


def _document(request: BaseModel, ctx: Context) -> Mapping[str, Any]:
    """The request as an object, without its nulls, which say the same as nothing."""
    body = ctx.body or request.model_dump_json(by_alias=True, exclude_unset=True).encode()
    return {key: value for key, value in from_json(body).items() if value is not None}


async def _begun(blocks: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    """The stream once its first event is there. Raises StackError where there will be none."""
    try:
        await anext(blocks, b"")
    except BaseException:
        await blocks.aclose()
        raise
    return blocks


# ── opening ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@asynccontextmanager
async def open_transformers(config: TransformersConfig, *, instance: str) -> AsyncIterator[Transformers]:
    """The model, loaded if it can be; start-up says at once what is wrong with one that cannot."""
    name = config.model_id or name_of(config.model)
    async with AsyncExitStack() as stack:
        log.info("loading %s", name)
        try:
            opened = _opened_text(config, name) if config.task == "text" else _opened_reranker(config, name)
            provider = await stack.enter_async_context(opened)
        except BadModel as error:
            provider = Transformers(config, name, problem=str(error))
            log.error("provider %s: model %s is not available: %s", instance, name, error)
        if provider.text is not None and not provider.text.chats:
            log.warning("provider %s: model %s has no chat template: it serves completions only", instance, name)
        yield provider


@asynccontextmanager
async def _opened_text(config: TransformersConfig, name: str) -> AsyncIterator[Transformers]:
    """Raises BadModel."""
    # Imported here: seconds of start-up, and none where this instance is switched off.
    from .torch_text.loading import load_text
    from .torch_text.service import open_text

    loaded = await asyncio.to_thread(load_text, config)
    opened = open_text(loaded, name, template=config.chat_template, rows=config.max_batch_size, seed=config.torch_seed)
    async with opened as text:
        yield Transformers(config, name, text=text)


@asynccontextmanager
async def _opened_reranker(config: TransformersConfig, name: str) -> AsyncIterator[Transformers]:
    """Raises BadModel."""
    from .torch_text.loading import load_reranker
    from .torch_text.rerank import open_reranker

    loaded = await asyncio.to_thread(load_reranker, config)
    async with open_reranker(loaded, config.max_batch_size) as reranker:
        yield Transformers(config, name, reranker=reranker)
