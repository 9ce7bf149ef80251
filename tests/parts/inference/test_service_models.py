"""How services list their models and say how they are, each in its own way."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from parts.contracts.inference.requests import CreateChatCompletionRequest
from parts.runtime.errors import StackError, UpstreamError
from services import CHAT, context, fake_service, open_spec, routes
from upstreams import Script, Seen, answers, fake_upstream


async def chat(service: Any, model: str) -> None:
    said = {"model": model, "messages": [{"role": "user", "content": "Hello"}]}
    request = CreateChatCompletionRequest.model_validate(said)
    await service.create_chat_completion(request, context(json.dumps(said).encode()))


# ── listings ────────────────────────────────────────────────────────────────────────────────────────────────────────


def claude_pages() -> Script:
    """A fake of Anthropic's list of models: a model a page."""
    pages = {"": ("a", True), "a": ("b&2", True), "b&2": ("c", False)}

    async def script(seen: Seen, writer: Any) -> bool:
        after = parse_qs(urlsplit(seen.path).query).get("after_id", [""])
        ident, more = pages[after[0]]
        entry = {"type": "model", "id": ident, "display_name": ident.upper(), "created_at": "2025-02-19T00:00:00Z"}
        return await answers({"data": [entry], "has_more": more, "first_id": ident, "last_id": ident})(seen, writer)

    return script


async def test_anthropics_pages_are_all_read() -> None:
    async with (
        fake_service({"GET /v1/models": claude_pages()}) as fake,
        open_spec("anthropic", fake.url + "/v1", api_key="k1") as service,
    ):
        listed = await service.list_models()
    assert [model.id for model in listed] == ["a", "b&2", "c"]
    assert listed[0].created == 1739923200
    assert listed[0].metadata == {"display_name": "A"}
    assert all(seen.headers["x-api-key"] == "k1" and "authorization" not in seen.headers for seen in fake.requests)


async def test_anthropics_chat_takes_a_bearer_token() -> None:
    async with (
        fake_service({"POST /v1/chat/completions": answers(CHAT)}) as fake,
        open_spec("anthropic", fake.url + "/v1", api_key="k1") as service,
    ):
        await chat(service, "claude-x")
    assert "x-api-key" not in fake.requests[0].headers


async def test_a_tgi_server_without_a_list_is_asked_for_its_info() -> None:
    table = {"GET /info": answers({"model_id": "bigscience/bloom", "max_total_tokens": 2048})}
    async with fake_service(table) as fake, open_spec("tgi", fake.url) as service:
        assert [model.id for model in await service.list_models()] == ["bigscience/bloom"]
    assert [seen.path for seen in fake.requests] == ["/v1/models", "/info"]


async def test_a_tgi_server_below_a_path_keeps_it() -> None:
    table = {"GET /mine/info": answers({"model_id": "m"}), "GET /mine/health": answers(b"")}
    async with fake_service(table) as fake, open_spec("tgi", fake.url + "/mine/v1") as service:
        assert [model.id for model in await service.list_models()] == ["m"]
        assert (await service.health()).status == "OK"


async def test_an_info_that_names_no_model() -> None:
    async with fake_service({"GET /info": answers({})}) as fake, open_spec("tgi", fake.url) as service:
        with pytest.raises(UpstreamError, match="model_id"):
            await service.list_models()


@pytest.mark.parametrize("path", ["", "/serving-endpoints", "/serving-endpoints/"])
async def test_databricks_is_listed_at_its_workspace(path: str) -> None:
    endpoint = {"name": "e", "task": "llm/v1/completions", "creation_timestamp": 1700000000999}
    table = {
        "GET /api/2.0/serving-endpoints": answers({"endpoints": [endpoint]}),
        "POST /serving-endpoints/chat/completions": answers(CHAT),
    }
    async with fake_service(table) as fake, open_spec("databricks", fake.url + path, api_token="k1") as service:
        (listed,) = await service.list_models()
        assert (listed.id, listed.model_type, listed.created) == ("e", "llm", 1700000000)
        await chat(service, "my-endpoint")
    assert not service.lists_all


@pytest.mark.parametrize(
    ("name", "base", "model"),
    [
        ("ollama", "/v1", "llama3"),  # listed as llama3:latest
        ("gemini", "/v1beta/openai", "models/gemini-flash"),  # listed as gemini-flash
        ("azure", "/openai/v1", "my-deployment"),  # not listed at all
    ],
)
async def test_names_that_are_not_listed_are_served(name: str, base: str, model: str) -> None:
    key = {} if name == "ollama" else {"api_key": "k1"}
    table = {f"POST {base}/chat/completions": answers(CHAT)}
    async with fake_service(table) as fake, open_spec(name, fake.url + base, **key) as service:
        assert not service.lists_all
        await chat(service, model)
    assert fake.requests[0].json["model"] == model


@pytest.mark.parametrize("name", ["openai", "together", "groq", "vllm", "llama-cpp-server"])
async def test_elsewhere_a_name_that_is_not_listed_is_not_served(name: str) -> None:
    async with open_spec(name, "http://localhost:1/v1") as service:
        assert service.lists_all


@pytest.mark.parametrize("wrong", [{"data": "x", "endpoints": "x"}, {"data": 5, "endpoints": 5}, "x"])
@pytest.mark.parametrize("name", ["openai", "together", "gemini", "anthropic", "databricks", "azure"])
async def test_a_list_of_the_wrong_shape(name: str, wrong: object) -> None:
    key = {"api_token" if name == "databricks" else "api_key": "k1"}
    async with fake_upstream(answers(wrong)) as fake, open_spec(name, fake.url, **key) as service:
        with pytest.raises(StackError):
            await service.list_models()


# ── health ──────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_llama_cpp_server_that_still_loads_is_not_healthy() -> None:
    loading = {"error": {"code": 503, "message": "Loading model", "type": "unavailable_error"}}
    async with (
        fake_upstream(routes({"GET /health": answers(loading, status=503)})) as fake,
        open_spec("llama-cpp-server", fake.url) as service,
    ):
        health = await service.health()
    assert health.status == "Error"
    assert "Loading model" in health.message


@pytest.mark.parametrize(
    ("name", "path"),
    [("vllm", "/health"), ("tgi", "/health"), ("llama-cpp-server", "/health"), ("ollama", "/api/version")],
)
async def test_health_is_asked_where_the_service_has_it(name: str, path: str) -> None:
    async with fake_service({f"GET {path}": answers(b"")}) as fake, open_spec(name, fake.url + "/v1") as service:
        assert (await service.health()).status == "OK"
    assert [seen.path for seen in fake.requests] == [path]


async def test_a_service_that_only_lacks_a_key_of_ours_is_healthy() -> None:
    refusing = answers({"type": "error", "error": {"message": "x-api-key header is required"}}, status=401)
    async with fake_upstream(refusing) as fake, open_spec("anthropic", fake.url) as service:
        assert (await service.health()).status == "OK"
    async with fake_upstream(refusing) as fake, open_spec("anthropic", fake.url, api_key="wrong") as service:
        assert (await service.health()).status == "Error"


# ── TLS ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("said", "verify"), [(None, True), (True, True), (False, False)])
async def test_vllms_tls_verify_overrides_the_networks(said: bool | None, verify: bool) -> None:
    async with open_spec("vllm", "https://localhost:1/v1", tls_verify=said) as service:
        assert service.config.network.tls.verify is verify
