"""inline::transformers with models that compare."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")

import tiny
import transformers
from parts.contracts.inference.requests import CreateChatCompletionRequest, RerankRequest
from parts.providers.inference.torch_text import rerank
from parts.providers.inference.transformers import Transformers, TransformersConfig, open_transformers
from parts.runtime.context import Context
from parts.runtime.errors import BadRequest, StackError

pytestmark = pytest.mark.torch

ITEMS = ["ping", "hello there user " * 5, "日本語", "pong hello"]


def bert(labels: int, **more: Any) -> Any:
    torch.manual_seed(6)
    config = transformers.BertConfig(
        vocab_size=len(tiny.tokenizer()) + 8,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        max_position_embeddings=64,
        num_labels=labels,
        pad_token_id=2,
        **more,
    )
    return transformers.BertForSequenceClassification(config)


async def ranked(provider: Transformers, ctx: Context | None = None, **body: Any) -> list[tuple[int, float]]:
    request = RerankRequest.model_validate({"model": "m", "query": "ping", "items": ITEMS, **body})
    answer = await provider.rerank(request, ctx or Context("r"))
    return [(each["index"], each["relevance_score"]) for each in json.loads(answer.body)["data"]]


def logits(provider: Transformers, item: str) -> Any:
    """What the model alone makes of one pair."""
    assert provider.reranker is not None
    loaded = provider.reranker.loaded
    pair = loaded.tokenizer("ping", item, return_tensors="pt", truncation="longest_first", max_length=64)
    with torch.inference_mode():
        return loaded.model(**pair).logits[0]


SCORES: dict[str, tuple[Callable[[], Any], Callable[[Any], float]]] = {
    "one-label": (lambda: bert(1), lambda found: float(torch.sigmoid(found[0]))),
    "one-label-raw": (
        lambda: bert(1, sentence_transformers={"activation_fn": "torch.nn.modules.linear.Identity"}),
        lambda found: float(found[0]),
    ),
    "two-labels": (lambda: bert(2), lambda found: float(torch.softmax(found, -1)[1])),
}


@pytest.mark.parametrize(("make", "score"), SCORES.values(), ids=SCORES)
async def test_a_classifier(make: Callable[[], Any], score: Callable[[Any], float], tmp_path: Path) -> None:
    folder = tiny.save(make(), tmp_path / "cross")
    config = TransformersConfig(model=str(folder), task="rerank", max_batch_size=3)
    async with open_transformers(config, instance="here") as provider:
        assert (await provider.health()).message == ""
        ctx = Context("r")
        found = await ranked(provider, ctx)
        assert dict(found) == pytest.approx(
            {n: score(logits(provider, item)) for n, item in enumerate(ITEMS)}, abs=1e-5
        )
        assert [value for _, value in found] == sorted((value for _, value in found), reverse=True)
        assert await ranked(provider, max_num_results=2) == found[:2]
        assert (ctx.usage.prompt_tokens or 0) > 10
        long = await ranked(provider, items=["ping " * 500])
        assert long[0][1] == pytest.approx(score(logits(provider, "ping " * 500)), abs=1e-5)
        assert [(each.id, each.model_type) for each in await provider.list_models()] == [("cross", "rerank")]
        chat = CreateChatCompletionRequest.model_validate(
            {"model": "m", "messages": [{"role": "user", "content": "x"}]}
        )
        with pytest.raises(BadRequest, match="does not offer chat completions") as caught:
            await provider.create_chat_completion(chat, Context("r"))
        assert caught.value.code == "unsupported_operation"
        with pytest.raises(BadRequest, match="not images"):
            await ranked(provider, items=[{"type": "image_url", "image_url": {"url": "data:,"}}])


async def test_more_labels_than_two_are_told(tmp_path: Path) -> None:
    config = TransformersConfig(model=str(tiny.save(bert(3), tmp_path / "m")), task="rerank")
    async with open_transformers(config, instance="here") as provider:
        assert "one label or two, and this one has 3" in (await provider.health()).message


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a model that generates and has the tokens for yes and no."""
    return tiny.save(tiny.llama(), tmp_path_factory.mktemp("models") / "asked")


async def test_a_model_that_is_asked(asked: Path) -> None:
    config = TransformersConfig(model=str(asked), task="rerank", max_batch_size=3)
    async with open_transformers(config, instance="here") as provider:
        found = await ranked(provider)
        assert provider.reranker is not None
        loaded, encode = provider.reranker.loaded, tiny.tokenizer().encode
        for index, score in found:
            question = f"<Instruct>: {rerank._INSTRUCTION}\n<Query>: ping\n<Document>: {ITEMS[index]}"
            text = f"{rerank._BEFORE}{question}{rerank._AFTER}"
            with torch.inference_mode():
                last = loaded.model(torch.tensor([encode(text, add_special_tokens=False)])).logits[0, -1]
            no, yes = (float(last[encode(word)[0]]) for word in ("no", "yes"))
            assert score == pytest.approx(float(torch.sigmoid(torch.tensor(yes - no))), abs=1e-5)
        assert len(await ranked(provider, items=["ping " * 3000])) == 1


async def test_want_of_memory_is_503(asked: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = TransformersConfig(model=str(asked), task="rerank")
    async with open_transformers(config, instance="here") as provider:
        assert provider.reranker is not None

        def scores(pairs: Any) -> Any:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory")

        with monkeypatch.context() as patch:
            patch.setattr(provider.reranker._scorer, "scores", scores)
            with pytest.raises(StackError, match="memory") as caught:
                await ranked(provider)
        assert caught.value.status == 503
        both = await asyncio.gather(ranked(provider), ranked(provider))
        assert both[0] == both[1]


async def test_a_score_that_is_no_number_is_a_failure(asked: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with open_transformers(TransformersConfig(model=str(asked), task="rerank"), instance="here") as provider:
        assert provider.reranker is not None
        monkeypatch.setattr(provider.reranker._scorer, "scores", lambda pairs: [float("nan")] * len(pairs))
        with pytest.raises(StackError, match="not finite") as caught:
            await ranked(provider)
        assert (caught.value.status, caught.value.code) == (500, "inference_failed")


async def test_closing_refuses_what_is_compared(asked: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = TransformersConfig(model=str(asked), task="rerank", max_batch_size=1)
    async with open_transformers(config, instance="here") as provider:
        assert provider.reranker is not None
        whole, begun, go = provider.reranker._scorer.scores, threading.Event(), threading.Event()

        def scores(pairs: Any) -> list[float]:
            begun.set()
            go.wait()
            return whole(pairs)

        monkeypatch.setattr(provider.reranker._scorer, "scores", scores)
        tasks = [asyncio.create_task(ranked(provider)) for _ in range(2)]
        await asyncio.to_thread(begun.wait)
        asyncio.get_running_loop().call_later(0.1, go.set)
    for answer in await asyncio.gather(*tasks, return_exceptions=True):
        assert isinstance(answer, StackError), answer
        assert answer.code == "server_stopping"
