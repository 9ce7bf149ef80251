"""Providers of ours before the suites that third parties prove theirs with (`stackgen_api.testing.inference`)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest
from conftest import KEY, QUICK
from encoder_folders import minilm
from gguf_files import TEMPLATE, gemma
from openai_answers import ANSWER
from parts.providers.inference.llama_cpp import LlamaCpp, LlamaCppConfig, open_llama_cpp
from parts.providers.inference.onnx_embeddings import OnnxEmbeddings, OnnxEmbeddingsConfig, open_onnx_embeddings
from parts.providers.inference.openai_compatible import OpenAICompatible, RemoteConfig, open_openai_compatible
from parts.runtime.secret import Secret
from parts.testing.inference import BrokenChatSuite, ChatSuite, CompletionsSuite, EmbeddingsSuite
from upstreams import STORY, Seen, answers, fake_upstream, refuses, streams

WHOLE = {**ANSWER, "object": "chat.completion", "created": 1, "model": "m"}
WHOLE_TEXT = {**WHOLE, "object": "text_completion", "choices": [{"index": 0, "text": "four", "finish_reason": "stop"}]}
TEXT_CHUNKS = [{**WHOLE_TEXT, "choices": [{"index": 0, "text": " f", "finish_reason": end}]} for end in (None, "stop")]


async def service(seen: Seen, writer: asyncio.StreamWriter) -> bool:
    """A fake service with two models, `m` and `v`."""
    if seen.method == "GET":
        return await answers({"data": [{"id": "m"}, {"id": "v", "type": "embedding"}]})(seen, writer)
    asked = seen.json
    if asked["model"] not in ("m", "v"):
        return await refuses(404, "no such model")(seen, writer)
    operation = seen.path.rpartition("/")[2]
    if operation == "embeddings":
        return await answers(vectors(asked["input"]))(seen, writer)
    if asked.get("stream"):
        events = TEXT_CHUNKS if "prompt" in asked else STORY
        return await streams(*events)(seen, writer)
    return await answers(WHOLE_TEXT if "prompt" in asked else WHOLE)(seen, writer)


def vectors(texts: object) -> dict[str, object]:
    asked = texts if isinstance(texts, list) else [texts]
    data = [
        {"object": "embedding", "index": number, "embedding": [float(len(str(text))), 1.0]}
        for number, text in enumerate(asked)
    ]
    return {"object": "list", "data": data, "model": "v", "usage": {"prompt_tokens": 4, "total_tokens": 4}}


class TestOpenAICompatible(
    ChatSuite[OpenAICompatible], CompletionsSuite[OpenAICompatible], EmbeddingsSuite[OpenAICompatible]
):
    chat_model = completion_model = "m"
    embedding_model = "v"
    endless = False

    @asynccontextmanager
    async def opens(self) -> AsyncIterator[OpenAICompatible]:
        async with fake_upstream(self._serves) as self.fake, open_remote_at(self.fake.url) as provider:
            yield provider

    def test_a_chat_stream_can_be_left(self) -> None:
        self.endless = True
        super().test_a_chat_stream_can_be_left()

    async def after_leaving(self, provider: OpenAICompatible) -> None:
        await asyncio.wait_for(self.fake.cut.wait(), 10)

    async def _serves(self, seen: Seen, writer: asyncio.StreamWriter) -> bool:
        if self.endless and seen.method == "POST" and seen.json.get("stream"):
            return await streams(*STORY[:2], done=False, ending="hang")(seen, writer)
        return await service(seen, writer)


def open_remote_at(url: str) -> AbstractAsyncContextManager[OpenAICompatible]:
    config = RemoteConfig(base_url=url, api_key=Secret(KEY), network=QUICK)
    return open_openai_compatible(config, instance="acme", credential="acme_api_key")


class TestAServiceThatIsGone(BrokenChatSuite[OpenAICompatible]):
    secret = KEY

    @asynccontextmanager
    async def opens(self) -> AsyncIterator[OpenAICompatible]:
        async with fake_upstream(service) as fake:
            url = fake.url
        async with open_remote_at(url) as provider:
            yield provider


class TestAModelThatIsNotThere(BrokenChatSuite[LlamaCpp]):
    def opens(self) -> AbstractAsyncContextManager[LlamaCpp]:
        return open_llama_cpp(LlamaCppConfig(model="/no/such/model.gguf"), instance="here")


@pytest.mark.slow
class TestOnnxEmbeddings(EmbeddingsSuite[OnnxEmbeddings]):
    embedding_model = "minilm"

    def opens(self) -> AbstractAsyncContextManager[OnnxEmbeddings]:
        config = OnnxEmbeddingsConfig(model=str(minilm()), model_id="minilm", threads=1)
        return open_onnx_embeddings(config, instance="here")


@pytest.mark.slow
class TestLlamaCpp(ChatSuite[LlamaCpp], CompletionsSuite[LlamaCpp]):
    chat_model = completion_model = "gemma"

    def opens(self) -> AbstractAsyncContextManager[LlamaCpp]:
        config = LlamaCppConfig(
            model=str(gemma()), model_id="gemma", context_size=512, threads=2, chat_template=str(TEMPLATE)
        )
        return open_llama_cpp(config, instance="here")
