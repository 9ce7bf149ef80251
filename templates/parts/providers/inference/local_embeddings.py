"""Embeddings inside the server, by whatever the reference leads to: a GGUF model in llama.cpp, or one in
sentence-transformers' layout in ONNX Runtime.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ...runtime.context import Context
from ...runtime.models import ProviderModel
from ...runtime.reply import Answer
from ...runtime.wiring import Health
from .model_files import BadModel, names_at_hub, parse_hub
from .onnx_embeddings import OnnxEmbeddings, OnnxEmbeddingsConfig, open_onnx_embeddings
from .onnx_encoder.references import is_layout

if TYPE_CHECKING:
    from ...contracts.inference.requests import CreateEmbeddingRequest
    from ...contracts.inference.responses import CreateEmbeddingResponse
    from .llama_cpp import LlamaCpp

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalEmbeddingsConfig:
    """model: a GGUF file, a folder with one or in sentence-transformers' layout, or a repository of the hub with either
    (`is_gguf`). model_id: the name to serve it under, None for its own. threads: None for one per processor.
    """

    model: str
    model_id: str | None = None
    threads: int | None = None


class LocalEmbeddings:
    """One configured model, in whichever library runs it."""

    lists_all = True
    allowed_models: tuple[str, ...] | None = None
    refresh_models = False

    def __init__(self, model: OnnxEmbeddings | LlamaCpp) -> None:
        self.model = model

    async def create_embedding(self, request: CreateEmbeddingRequest, ctx: Context) -> Answer[CreateEmbeddingResponse]:
        return await self.model.create_embedding(request, ctx)

    async def list_models(self) -> list[ProviderModel]:
        return await self.model.list_models()

    async def health(self) -> Health:
        return await self.model.health()


@asynccontextmanager
async def open_local_embeddings(config: LocalEmbeddingsConfig, *, instance: str) -> AsyncIterator[LocalEmbeddings]:
    """The one of the two that can open the model; it tells what is wrong with one that cannot be had."""
    if await asyncio.to_thread(is_gguf, config.model):
        # Imported here: llama.cpp, which the other kind of model does not need.
        from .llama_cpp import LlamaCppConfig, open_llama_cpp

        gguf = LlamaCppConfig(model=config.model, model_id=config.model_id, embeddings=True, threads=config.threads)
        async with open_llama_cpp(gguf, instance=instance) as llama_cpp:
            yield LocalEmbeddings(llama_cpp)
    else:
        onnx = OnnxEmbeddingsConfig(model=config.model, model_id=config.model_id, threads=config.threads)
        async with open_onnx_embeddings(onnx, instance=instance) as embeddings:
            yield LocalEmbeddings(embeddings)


def is_gguf(reference: str) -> bool:
    """Whether a reference leads to a GGUF model; where it leads to both kinds, the one with full weights is taken,
    unless it names a quantisation. Blocks.
    """
    path = Path(reference).expanduser()
    if path.is_file():
        return True
    if path.is_dir():
        names = [str(each.relative_to(path)) for each in path.rglob("*")]
        return not is_layout(names) and any(name.endswith(".gguf") for name in names)
    hub = parse_hub(reference)
    if hub is None:
        return reference.endswith(".gguf")
    if hub.wanted is not None:
        return True
    try:
        names = names_at_hub(hub)
    except BadModel:
        log.debug("%s cannot be looked at", reference, exc_info=True)
        return False
    return not is_layout(names) and any(name.endswith(".gguf") for name in names)
