"""Providers of models that list what a test says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from parts.contracts.inference.requests import CreateChatCompletionRequest
from parts.providers.models.entries import ModelResource
from parts.runtime.context import Context
from parts.runtime.errors import UpstreamError
from parts.runtime.models import ModelType, ProviderModel
from parts.runtime.reply import Answer


@dataclass
class Source:
    """A provider that lists `names`, or fails while `down`."""

    names: Sequence[str] = ()
    lists_all: bool = True
    allowed_models: tuple[str, ...] | None = None
    refresh_models: bool = False
    down: bool = False
    seen: list[str] = field(default_factory=list)
    asked: int = 0

    async def list_models(self) -> list[ProviderModel]:
        self.asked += 1
        if self.down:
            raise UpstreamError("refused")
        return [ProviderModel(id=n, model_type="embedding" if "embed" in n else "llm", created=7) for n in self.names]

    async def create_chat_completion(self, request: CreateChatCompletionRequest, ctx: Context) -> Answer:
        self.seen.append(request.model)
        return Answer(b"{}")


def resource(
    model_id: str | None, provider_id: str | None, name: str | None = None, kind: ModelType = "llm"
) -> ModelResource:
    return ModelResource(
        model_id=model_id, provider_id=provider_id, provider_model_id=name, model_type=kind, metadata={}
    )
