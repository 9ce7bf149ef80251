"""What services do in their own way in chats, embeddings and streams."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from parts.contracts.inference.requests import CreateChatCompletionRequest, CreateEmbeddingRequest
from parts.contracts.inference.responses import CreateEmbeddingResponse
from parts.providers.inference.bodies import with_default
from parts.runtime.context import Context
from parts.runtime.errors import SettingsError
from services import CHAT, context, fake_service, open_spec
from upstreams import answers, chunk, streams

USED = {"prompt_tokens": 7, "completion_tokens": 5, "total_tokens": 12}
MESSAGES = [{"role": "user", "content": "Hello"}]


async def chat(service: Any, **more: object) -> None:
    said = {"model": "m", "messages": MESSAGES, **more}
    await service.create_chat_completion(
        CreateChatCompletionRequest.model_validate(said), context(json.dumps(said).encode())
    )


async def stream(service: Any, **more: object) -> tuple[list[dict[str, Any]], Context]:
    """The events that the client gets, and the account of the request."""
    said = {"model": "m", "messages": MESSAGES, "stream": True, **more}
    ctx = context(json.dumps(said).encode())
    events = await service.create_chat_completion(CreateChatCompletionRequest.model_validate(said), ctx)
    text = b"".join([block async for block in events])
    return [json.loads(event.removeprefix(b"data: ")) for event in text.split(b"\n\n") if event], ctx


async def embed(service: Any, **more: object) -> Any:
    said = {"model": "m", "input": "x", **more}
    request = CreateEmbeddingRequest.model_validate(said)
    return await service.create_embedding(request, context(json.dumps(said).encode()))


# ── usage in streams ────────────────────────────────────────────────────────────────────────────────────────────────


async def test_groq_has_a_streams_usage_in_x_groq() -> None:
    last = chunk(finish="stop", x_groq={"id": "req_1", "usage": USED})
    table = {"POST /openai/v1/chat/completions": streams(chunk("Hi", x_groq={"id": "req_1"}), last)}
    async with fake_service(table) as fake, open_spec("groq", fake.url + "/openai/v1", api_key="k") as service:
        events, ctx = await stream(service)
    assert (ctx.usage.prompt_tokens, ctx.usage.completion_tokens) == (7, 5)
    assert events[-1]["x_groq"]["usage"] == USED


async def test_fireworks_has_a_streams_usage_beside_the_finish_reason() -> None:
    table = {"POST /inference/v1/chat/completions": streams(chunk("Hi"), chunk(finish="stop", usage=USED))}
    async with fake_service(table) as fake, open_spec("fireworks", fake.url + "/inference/v1", api_key="k") as service:
        events, ctx = await stream(service)
    assert (ctx.usage.prompt_tokens, ctx.usage.completion_tokens) == (7, 5)
    assert events[-1]["choices"][0]["finish_reason"] == "stop"


@pytest.mark.parametrize(("name", "api"), [("gemini", "/v1beta/openai"), ("databricks", "/serving-endpoints")])
async def test_usage_in_every_chunk_is_counted_once(name: str, api: str) -> None:
    early = {**USED, "completion_tokens": 1}
    table = {f"POST {api}/chat/completions": streams(chunk("Hi", usage=early), chunk(finish="stop", usage=USED))}
    key = {"gemini": "api_key", "databricks": "api_token"}[name]
    async with fake_service(table) as fake, open_spec(name, fake.url + api, **{key: "k"}) as service:
        events, ctx = await stream(service)
    assert (ctx.usage.prompt_tokens, ctx.usage.completion_tokens) == (7, 5)
    assert len(events) == 2
    assert ("stream_options" in fake.requests[0].json) == (name == "gemini")


# ── requests ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("said", "sent"),
    [
        ({}, {"max_tokens": 4096}),
        ({"max_tokens": None}, {"max_tokens": 4096}),
        ({"max_tokens": 9}, {"max_tokens": 9}),
        ({"max_completion_tokens": 9}, {"max_completion_tokens": 9}),
    ],
)
async def test_vllm_limits_a_chat_that_names_no_limit(said: dict[str, Any], sent: dict[str, Any]) -> None:
    async with (
        fake_service({"POST /v1/chat/completions": answers(CHAT)}) as fake,
        open_spec("vllm", fake.url + "/v1") as service,
    ):
        await chat(service, **said)
    assert {key: value for key, value in fake.requests[0].json.items() if key.startswith("max")} == sent


async def test_vllm_leaves_the_limit_to_the_server_if_told_so() -> None:
    async with (
        fake_service({"POST /v1/chat/completions": answers(CHAT)}) as fake,
        open_spec("vllm", fake.url + "/v1", max_tokens=0) as service,
    ):
        await chat(service)
    assert "max_tokens" not in fake.requests[0].json


@pytest.mark.parametrize(
    ("model", "said", "sent"),
    [
        ("nvidia/nv-embedqa-e5-v5", {}, "query"),
        ("nvidia/nv-embedqa-e5-v5", {"input_type": "passage"}, "passage"),
        ("nvidia/nv-embedqa-e5-v5-passage", {}, None),
        ("baai/bge-m3", {}, None),
    ],
)
async def test_nvidia_tells_retrievers_that_the_input_is_a_query(
    model: str, said: dict[str, Any], sent: str | None
) -> None:
    table = {"POST /v1/embeddings": answers({"data": []})}
    async with fake_service(table) as fake, open_spec("nvidia", fake.url + "/v1") as service:
        await embed(service, model=model, **said)
    assert fake.requests[0].json.get("input_type") == sent


async def test_nvidias_timeout_is_the_longest_silence() -> None:
    async with open_spec("nvidia", "http://localhost:1/v1", timeout=7.5) as service:
        assert service.config.network.timeout.read == 7.5


@pytest.mark.parametrize("usage", [None, {"prompt_tokens": 4, "total_tokens": 4}])
async def test_geminis_embeddings_get_a_usage(usage: dict[str, int] | None) -> None:
    vector = {"object": "embedding", "index": 0, "embedding": [0.5, -0.5]}
    answer = {"object": "list", "data": [vector], "model": "m"} | ({"usage": usage} if usage else {})
    table = {"POST /v1beta/openai/embeddings": answers(answer)}
    async with fake_service(table) as fake, open_spec("gemini", fake.url + "/v1beta/openai", api_key="k") as service:
        given = (await embed(service)).parse(CreateEmbeddingResponse)
    assert given.data[0].embedding == [0.5, -0.5]
    assert given.usage.prompt_tokens == (4 if usage else 0)


def test_a_default_changes_no_other_byte() -> None:
    body = b'{"a": 1.0, "b": {"k": 2}}'
    assert with_default(body, "k", 3) == b'{"k":3,"a": 1.0, "b": {"k": 2}}'
    assert with_default(b'{"k" : null , "a":1}', "k", 3) == b'{"k" : 3 , "a":1}'
    assert with_default(b"{}", "k", 3) == b'{"k":3}'
    assert with_default(body, "k", 3, unless=("a",)) == body


# ── Google's tokens ─────────────────────────────────────────────────────────────────────────────────────────────────


async def test_geminis_oauth_token_goes_with_its_project_and_a_clients_key_without() -> None:
    table = {"POST /v1beta/openai/chat/completions": answers(CHAT)}
    async with (
        fake_service(table) as fake,
        open_spec("gemini", fake.url + "/v1beta/openai", access_token="ya29", project="acme-1") as service,
    ):
        said = {"model": "m", "messages": MESSAGES}
        request = CreateChatCompletionRequest.model_validate(said)
        await service.create_chat_completion(request, context(json.dumps(said).encode()))
        await service.create_chat_completion(request, context(json.dumps(said).encode(), gemini_api_key="theirs"))
    ours, theirs = (seen.headers for seen in fake.requests)
    assert (ours["authorization"], ours["x-goog-user-project"]) == ("Bearer ya29", "acme-1")
    assert theirs["authorization"] == "Bearer theirs"
    assert "x-goog-user-project" not in theirs


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"api_key": "k", "access_token": "t", "project": "p"}, "exclude each other"),
        ({"access_token": "t"}, "it.project"),
        ({"api_key": "k", "project": "p"}, "is for providers.inference.it.access_token"),
    ],
)
async def test_geminis_credentials_may_not_contradict_each_other(given: dict[str, str], problem: str) -> None:
    with pytest.raises(SettingsError, match=problem):
        async with open_spec("gemini", "http://localhost:1", **given):
            pass


async def test_a_base_url_that_ends_in_a_slash_is_the_same_place() -> None:
    async with (
        fake_service({"POST /compat/v1/chat/completions": answers(CHAT)}) as fake,
        open_spec("llama-openai-compat", fake.url + "/compat/v1/", api_key="k") as service,
    ):
        await chat(service)
    assert fake.requests[0].path == "/compat/v1/chat/completions"


@given(
    st.dictionaries(
        st.sampled_from(["k", "other", "model", 'k"', "\u00e9"]), st.one_of(st.none(), st.text(), st.integers())
    ),
    st.booleans(),
    st.booleans(),
)
def test_a_default_is_what_a_parser_would_add(document: dict[str, Any], escaped: bool, spaced: bool) -> None:
    body = json.dumps(document, ensure_ascii=escaped, separators=None if spaced else (",", ":"))
    body = body.replace('"k"', '"\\u006b"') if escaped else body
    wanted = document if document.get("k") is not None or document.get("other") is not None else {**document, "k": 3}
    assert json.loads(with_default(body.encode(), "k", 3, unless=("other",))) == wanted
