"""Reranking at the services that offer it: Jina's shape under two names, and NVIDIA's own."""

from __future__ import annotations

import json
from typing import Any

import pytest
from parts.contracts.inference.requests import RerankRequest
from parts.contracts.inference.responses import RerankResponse
from parts.providers.inference.nvidia import Nvidia, is_hosted, nvidia_dialect
from parts.providers.inference.openai_compatible import RemoteConfig
from parts.runtime.errors import BadRequest, Unauthenticated, UpstreamError
from parts.runtime.secret import Secret
from parts.runtime.upstream import open_upstream
from parts.runtime.upstream_config import NetworkConfig
from services import REMOTE, capabilities, context, default_path, fake_service, open_spec, properties
from upstreams import answers

ITEMS = ["zero", {"type": "text", "text": "one"}, "two"]

# What it is called at, and what the ranked list is called.
JINA = {
    "together": ("/v1/rerank", "results"),
    "fireworks": ("/inference/v1/rerank", "data"),
    "vllm": ("/v1/rerank", "results"),
    "llama-cpp-server": ("/v1/rerank", "results"),
}


async def rerank(service: Any, **more: object) -> list[tuple[int, float]]:
    said = {"model": "m", "query": "q", "items": ITEMS, **more}
    request = RerankRequest.model_validate(said)
    answer = await service.rerank(request, context(json.dumps({**said, "model": "it/m"}).encode()))
    return [(each.index, each.relevance_score) for each in answer.parse(RerankResponse).data]


def key_of(name: str) -> dict[str, str]:
    return {"api_token" if "api_token" in properties(name) else "api_key": "k1"}


def test_every_service_with_the_capability_is_here() -> None:
    assert [name for name in REMOTE if "rerank" in capabilities(name)] == sorted([*JINA, "nvidia"])


@pytest.mark.parametrize("name", JINA)
async def test_the_request_and_the_ranking(name: str) -> None:
    path, results = JINA[name]
    ranking = [{"index": 2, "relevance_score": 0.1}, {"index": 1, "relevance_score": 0.9, "document": {"text": "one"}}]
    table = {f"POST {path}": answers({"object": "rerank", results: ranking, "usage": {"prompt_tokens": 4}})}
    async with fake_service(table) as fake:
        base = fake.url + (default_path(name) or "/v1")
        async with open_spec(name, base, **key_of(name)) as service:
            assert await rerank(service, max_num_results=2) == [(1, 0.9), (2, 0.1)]
            assert await rerank(service) == [(1, 0.9), (2, 0.1)]
    first, second = fake.requests
    assert first.json == {"model": "m", "query": "q", "documents": ["zero", "one", "two"], "top_n": 2}
    assert second.json == {"model": "m", "query": "q", "documents": ["zero", "one", "two"]}
    assert first.headers["authorization"] == "Bearer k1"


@pytest.mark.parametrize(
    "answer",
    [
        {"results": [{"index": 0}]},
        {"results": ["x"]},
        {"data": []},
        [],
        b'{"results": [{"index": 1e999, "relevance_score": 1}]}',
        b'{"results": [{"index": 0, "relevance_score": NaN}]}',
    ],
)
async def test_a_ranking_of_the_wrong_shape(answer: object) -> None:
    async with (
        fake_service({"POST /v1/rerank": answers(answer)}) as fake,
        open_spec("together", fake.url + "/v1", api_key="k1") as service,
    ):
        with pytest.raises(UpstreamError):
            await rerank(service)


async def test_images_are_refused() -> None:
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}
    async with open_spec("vllm", "http://localhost:1/v1") as service:
        with pytest.raises(BadRequest, match="not images"):
            await rerank(service, items=[image])


# ── NVIDIA ──────────────────────────────────────────────────────────────────────────────────────────────────────────

RANKINGS = {"rankings": [{"index": 1, "logit": 2.5}, {"index": 0, "logit": -3.25}, {"index": 2, "logit": -4.0}]}


async def test_a_nim_of_ones_own_ranks_below_its_url() -> None:
    async with (
        fake_service({"POST /v1/ranking": answers(RANKINGS)}) as fake,
        open_spec("nvidia", fake.url + "/v1") as service,
    ):
        assert await rerank(service, max_num_results=2) == [(1, 2.5), (0, -3.25)]
    passages = [{"text": "zero"}, {"text": "one"}, {"text": "two"}]
    assert fake.requests[0].json == {"model": "m", "query": {"text": "q"}, "passages": passages, "truncate": "END"}


async def test_the_hosted_endpoint_ranks_at_a_url_per_model_which_it_does_not_list() -> None:
    listing = {"data": [{"id": "meta/llama"}, {"id": "m"}]}
    table = {"GET /v1/models": answers(listing), "POST /v1/retrieval/m/reranking": answers(RANKINGS)}
    async with fake_service(table) as fake, open_upstream(fake.url, NetworkConfig()) as upstream:
        dialect = nvidia_dialect({"m": f"{fake.url}/v1/retrieval/m/reranking"}, hosted=True)
        config = RemoteConfig(base_url=f"{fake.url}/v1", api_key=Secret("nvapi-1"))
        async with open_upstream(config.base_url, config.network) as upstream:
            service = Nvidia(upstream, config, instance="it", credential="nvidia_api_key", dialect=dialect)
            assert (await rerank(service))[0] == (1, 2.5)
            listed = {model.id: model.model_type for model in await service.list_models()}
    assert fake.requests[0].headers["authorization"] == "Bearer nvapi-1"
    assert listed == {"meta/llama": "llm", "m": "rerank"}


async def test_the_hosted_endpoint_needs_a_key() -> None:
    schema = properties("nvidia")
    assert is_hosted(schema["base_url"]["default"])
    assert all(is_hosted(url) for url in schema["rerank_model_to_url"]["default"].values())
    assert not is_hosted("http://nim.example/api.nvidia.com")
    assert not is_hosted("https://notapi.nvidia.com.example/v1")
    async with open_spec("nvidia", schema["base_url"]["default"]) as service:
        with pytest.raises(Unauthenticated, match="nvidia_api_key"):
            await rerank(service)
