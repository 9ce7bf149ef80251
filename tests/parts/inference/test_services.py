"""Each remote service at its HTTP boundary: URL, credential, model listing, errors, health.

Its peculiarities are in test_service_*.py.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from parts.contracts.inference.requests import (
    CreateChatCompletionRequest,
    CreateCompletionRequest,
    CreateEmbeddingRequest,
)
from parts.runtime.errors import StackError, Unauthenticated
from parts.runtime.reply import Answer
from parts.runtime.wiring import Health
from service_table import CASES
from services import CHAT, REMOTE, Case, capabilities, context, default_path, fake_service, open_spec, read_spec
from upstreams import Script, answers

MESSAGES = [{"role": "user", "content": "Hello"}]
BODY = json.dumps({"model": "it/m", "messages": MESSAGES, "top_k": 3}).encode()

each = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


def url(case: Case, host: str) -> str:
    return host + (default_path(case.name) if case.at is None else case.at)


def keyed(case: Case) -> dict[str, str]:
    return {**case.given, **({case.setting: "k1"} if case.setting else {})}


def serving(case: Case) -> dict[str, Script]:
    """The routes of a fake of the service."""
    path, listing, _ = case.listing
    return {
        f"POST {case.api}/chat/completions": answers(CHAT),
        f"GET {path}": answers(listing),
        "GET /health": answers(b""),
        "GET /api/version": answers({"version": "0.12"}),
    }


async def chat(service: Any, **provider_data: str) -> dict[str, Any]:
    request = CreateChatCompletionRequest.model_validate({"model": "m", "messages": MESSAGES})
    answer = await service.create_chat_completion(request, context(BODY, **provider_data))
    assert isinstance(answer, Answer)
    document = json.loads(answer.body)
    assert isinstance(document, dict)
    return document


def test_every_bundled_remote_service_has_a_case() -> None:
    assert sorted(case.name for case in CASES) == REMOTE
    assert len(REMOTE) == 20


@pytest.mark.parametrize("name", REMOTE)
def test_a_spec_that_differs_by_its_url_alone_says_so_and_every_spec_names_its_sources(name: str) -> None:
    spec = read_spec(name)
    alone = spec["part"] == "providers/inference/openai_compatible.py" and name != "openai"
    assert ("Differs from remote::openai by its URL alone" in spec["summary"]) == alone
    assert spec["sources"]
    assert name == spec["type"].removeprefix("remote::")


@each
async def test_url_and_body(case: Case) -> None:
    async with fake_service(serving(case)) as fake, open_spec(case.name, url(case, fake.url), **keyed(case)) as service:
        assert await chat(service) == CHAT
    (seen,) = fake.requests
    assert (seen.method, seen.path) == ("POST", f"{case.api}/chat/completions")
    assert seen.headers["content-type"] == "application/json"
    assert {"model": case.model, "messages": MESSAGES, "top_k": 3}.items() <= seen.json.items()


@each
async def test_key_of_the_configuration(case: Case) -> None:
    async with fake_service(serving(case)) as fake, open_spec(case.name, url(case, fake.url), **keyed(case)) as service:
        await chat(service)
    header, value = case.key_header
    assert fake.requests[0].headers.get(header) == (value if case.setting else None)


@each
async def test_key_of_the_request_comes_first(case: Case) -> None:
    if not case.sent:
        assert "provider_data" not in read_spec(case.name)
        return
    assert read_spec(case.name)["provider_data"][case.sent] == {"format": "password"}
    async with fake_service(serving(case)) as fake, open_spec(case.name, url(case, fake.url), **keyed(case)) as service:
        await chat(service, **{case.sent: "theirs"})
    header, value = case.key_header
    assert fake.requests[0].headers[header] == value.replace("k1", "theirs")


@each
async def test_no_key_at_all(case: Case) -> None:
    async with fake_service(serving(case)) as fake, open_spec(case.name, url(case, fake.url), **case.given) as service:
        if not case.needs_key:
            await chat(service)
            assert case.key_header[0] not in fake.requests[0].headers
            return
        with pytest.raises(Unauthenticated) as caught:
            await chat(service)
        assert f"providers.inference.it.{case.setting}" in caught.value.message
        assert case.sent in caught.value.message
        assert fake.requests == []


@each
async def test_model_listing(case: Case) -> None:
    path, _, expected = case.listing
    async with fake_service(serving(case)) as fake, open_spec(case.name, url(case, fake.url), **keyed(case)) as service:
        listed = await service.list_models()
    assert {model.id: model.model_type for model in listed} == expected
    (seen,) = fake.requests
    assert seen.path.partition("?")[0] == path
    header, value = case.key_header
    asked = case.asks or ({header: value} if case.setting else {})
    assert asked.items() <= seen.headers.items()


@each
async def test_error_mapping(case: Case) -> None:
    status, body, error, message, code = case.refusal
    refusing = {**serving(case), f"POST {case.api}/chat/completions": answers(body, status=status)}
    async with fake_service(refusing) as fake, open_spec(case.name, url(case, fake.url), **keyed(case)) as service:
        with pytest.raises(StackError) as caught:
            await chat(service)
    assert type(caught.value) is error
    assert message in caught.value.message
    assert caught.value.code == code
    assert "k1" not in caught.value.message


@each
async def test_health(case: Case) -> None:
    async with fake_service(serving(case)) as fake, open_spec(case.name, url(case, fake.url), **keyed(case)) as service:
        assert await service.health() == Health("OK")
    async with open_spec(case.name, url(case, fake.url), **keyed(case)) as service:
        assert (await service.health()).status == "Error"


OTHERS = [(case, name) for case in CASES for name in ("completions", "embeddings") if name in capabilities(case.name)]


@pytest.mark.parametrize(("case", "operation"), OTHERS, ids=lambda value: getattr(value, "name", value))
async def test_url_of_the_other_operations(case: Case, operation: str) -> None:
    replies = {"completions": CHAT, "embeddings": {"object": "list", "data": [], "model": "m"}}
    table = {f"POST {case.api}/{operation}": answers(replies[operation])}
    async with fake_service(table) as fake, open_spec(case.name, url(case, fake.url), **keyed(case)) as service:
        if operation == "completions":
            said: dict[str, Any] = {"model": "m", "prompt": "x"}
            ctx = context(json.dumps(said).encode())
            await service.create_completion(CreateCompletionRequest.model_validate(said), ctx)
        else:
            said = {"model": "m", "input": "x"}
            ctx = context(json.dumps(said).encode())
            await service.create_embedding(CreateEmbeddingRequest.model_validate(said), ctx)
    (seen,) = fake.requests
    assert seen.path == f"{case.api}/{operation}"
    assert seen.json == said
