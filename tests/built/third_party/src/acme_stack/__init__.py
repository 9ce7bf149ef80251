"""A third party's provider: it says again what it is told, word for word."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from stackgen_api.contracts.inference.requests import CreateChatCompletionRequest
from stackgen_api.contracts.inference.responses import CreateChatCompletionResponse, CreateChatCompletionStreamResponse
from stackgen_api.runtime.context import Context
from stackgen_api.runtime.errors import BadRequest, SettingsError, Unavailable
from stackgen_api.runtime.models import ProviderModel
from stackgen_api.runtime.reply import Answer, Events
from stackgen_api.runtime.secret import Secret
from stackgen_api.runtime.sse import event
from stackgen_api.runtime.wiring import Health

MODEL = "echo"


@dataclass(frozen=True, slots=True, kw_only=True)
class AcmeConfig:
    """api_key: `broken` is one that the service does not accept. volume: how loud."""

    api_key: Secret
    volume: int


class Acme:
    lists_all = True
    allowed_models: tuple[str, ...] | None = None
    refresh_models = False

    def __init__(self, config: AcmeConfig) -> None:
        self._broken = config.api_key.reveal() == "broken"
        self._volume = config.volume

    async def create_chat_completion(
        self, request: CreateChatCompletionRequest, ctx: Context
    ) -> Answer[CreateChatCompletionResponse] | Events[CreateChatCompletionStreamResponse]:
        if self._broken:
            raise Unavailable("acme does not accept the key")
        said = request.messages[-1].content
        if not isinstance(said, str):
            raise BadRequest("acme reads plain text only", code="acme_text", param="messages")
        words = f"{self._volume}: {said}".split(" ")
        ctx.usage.prompt_tokens, ctx.usage.completion_tokens = len(words) - 1, len(words)
        if request.stream:
            asks = request.stream_options is not None and request.stream_options.include_usage
            return Events(_events(request.model, words, usage=_usage(words) if asks else None))
        message = {"role": "assistant", "content": " ".join(words), "refusal": None}
        choice = {"index": 0, "finish_reason": "stop", "logprobs": None, "message": message}
        whole = {"id": "a", "object": "chat.completion", "created": 1, "model": request.model, "choices": [choice]}
        return Answer.of(CreateChatCompletionResponse.model_validate({**whole, "usage": _usage(words)}))

    async def list_models(self) -> list[ProviderModel]:
        return [ProviderModel(id=MODEL, owned_by="acme")]

    async def health(self) -> Health:
        return Health("Error", "acme does not accept the key") if self._broken else Health("OK", "acme is awake")


def _usage(words: list[str]) -> dict[str, int]:
    count = len(words)
    return {"prompt_tokens": count - 1, "completion_tokens": count, "total_tokens": 2 * count - 1}


async def _events(model: str, words: list[str], usage: dict[str, int] | None) -> AsyncGenerator[bytes, None]:
    base = {"id": "a", "object": "chat.completion.chunk", "created": 1, "model": model}
    for number, word in enumerate(words):
        delta = {"content": word if number == 0 else f" {word}"}
        yield _event({**base, "choices": [{"index": 0, "finish_reason": None, "delta": delta}]})
    yield _event({**base, "choices": [{"index": 0, "finish_reason": "stop", "delta": {}}]})
    if usage is not None:
        yield _event({**base, "choices": [], "usage": usage})


def _event(chunk: dict[str, object]) -> bytes:
    said = CreateChatCompletionStreamResponse.model_validate(chunk)
    return event(said.model_dump_json(exclude_unset=True).encode())


@asynccontextmanager
async def open_acme(config: AcmeConfig, *, instance: str) -> AsyncIterator[Acme]:
    if config.volume > 11:
        raise SettingsError([f"providers.inference.{instance}.volume: nothing is louder than 11"])
    yield Acme(config)
