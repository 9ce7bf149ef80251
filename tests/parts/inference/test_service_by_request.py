"""Azure and passthrough: services whose place, key and headers a request may choose, as far as it is allowed to."""

from __future__ import annotations

import json
from typing import Any

import pytest
from parts.contracts.inference.requests import CreateChatCompletionRequest
from parts.providers.inference.openai_compatible import RemoteConfig
from parts.providers.inference.passthrough import Passthrough
from parts.runtime.errors import BadRequest, Forbidden, SettingsError, Unauthenticated
from parts.runtime.secret import Secret
from parts.runtime.upstream import open_upstream
from parts.runtime.upstream_config import NetworkConfig
from parts.runtime.wiring import Health
from services import CHAT, context, fake_service, open_spec
from upstreams import answers

OWN = {"POST /openai/v1/chat/completions": answers(CHAT), "POST /v1/chat/completions": answers(CHAT)}
URL_KEY = {"azure": "azure_api_base", "passthrough": "passthrough_url"}
API = {"azure": "/openai/v1", "passthrough": "/v1"}

both = pytest.mark.parametrize("name", URL_KEY)


async def chat(service: Any, **provider_data: str) -> None:
    said = {"model": "m", "messages": [{"role": "user", "content": "Hello"}]}
    request = CreateChatCompletionRequest.model_validate(said)
    await service.create_chat_completion(request, context(json.dumps(said).encode(), **provider_data))


# ── URLs of requests ────────────────────────────────────────────────────────────────────────────────────────────────


@both
async def test_a_url_in_a_request_is_refused_unless_the_distribution_allows_it(name: str) -> None:
    async with fake_service(OWN) as own, fake_service(OWN) as other, open_spec(name, own.url, api_key="k") as service:
        with pytest.raises(Forbidden, match="allow_url_from_header"):
            await chat(service, **{URL_KEY[name]: other.url})
    assert own.requests == other.requests == []


@both
async def test_the_configured_url_may_always_be_named(name: str) -> None:
    async with fake_service(OWN) as own, open_spec(name, own.url, api_key="ours") as service:
        await chat(service, **{URL_KEY[name]: own.url + "/"})
        await chat(service, **{URL_KEY[name]: own.url + API[name]})
    assert len(own.requests) == 2


@both
async def test_where_it_is_allowed_the_other_place_gets_the_clients_key_and_nothing_of_ours(name: str) -> None:
    network = NetworkConfig(retries=0, headers={"X-Ours": "secret"})
    async with (
        fake_service(OWN) as own,
        fake_service(OWN) as other,
        open_spec(name, own.url, api_key="ours", network=network, allow_url_from_header=True) as service,
    ):
        await chat(service, **{URL_KEY[name]: other.url, f"{name}_api_key": "theirs"})
        await chat(service)
    (seen,) = other.requests
    assert seen.path == f"{API[name]}/chat/completions"
    assert "theirs" in seen.headers[{"azure": "api-key", "passthrough": "authorization"}[name]]
    assert "x-ours" not in seen.headers
    assert own.requests[0].headers["x-ours"] == "secret"


async def test_azure_never_sends_its_own_key_to_a_place_that_a_client_names() -> None:
    async with (
        fake_service(OWN) as own,
        fake_service(OWN) as other,
        open_spec("azure", own.url, api_key="ours", allow_url_from_header=True) as service,
    ):
        with pytest.raises(Unauthenticated):
            await chat(service, azure_api_base=other.url)
    assert other.requests == []


async def test_passthrough_never_sends_its_own_key_to_a_place_that_a_client_names() -> None:
    async with (
        fake_service(OWN) as own,
        fake_service(OWN) as other,
        open_spec("passthrough", own.url, api_key="ours", allow_url_from_header=True) as service,
    ):
        await chat(service, passthrough_url=other.url)
    assert "authorization" not in other.requests[0].headers


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.com",
        "file:///etc/passwd",
        "http://",
        "http://user:pass@example.com",
        "http://example.com/?x=1",
        "http://example.com/#x",
        "http://example.com:port",
        "http://exa mple.com",
        "http://example.com\r\nX: y",
        "example.com",
    ],
)
async def test_what_is_no_plain_url_is_refused(url: str) -> None:
    async with open_spec("passthrough", None, allow_url_from_header=True) as service:
        with pytest.raises(BadRequest, match="passthrough_url"):
            await chat(service, passthrough_url=url)


@both
async def test_without_a_configured_url_every_request_brings_one(name: str) -> None:
    with pytest.raises(SettingsError, match="base_url is required"):
        async with open_spec(name, None):
            pass
    async with fake_service(OWN) as other, open_spec(name, None, allow_url_from_header=True) as service:
        with pytest.raises(BadRequest, match=URL_KEY[name]):
            await chat(service)
        await chat(service, **{URL_KEY[name]: other.url, f"{name}_api_key": "theirs"})
        assert await service.list_models() == []
        assert await service.health() == Health("Not Implemented", f"each request names its server as {URL_KEY[name]}")
        assert not service.lists_all
    assert len(other.requests) == 1


# ── Azure ───────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_azures_api_version_goes_with_every_request() -> None:
    table = {**OWN, "GET /openai/v1/models": answers({"data": []})}
    async with fake_service(table) as fake, open_spec("azure", fake.url, api_key="k", api_version="preview") as service:
        await chat(service)
        await chat(service, azure_api_version="2025-04-01-preview")
        await service.list_models()
    assert [seen.path for seen in fake.requests] == [
        "/openai/v1/chat/completions?api-version=preview",
        "/openai/v1/chat/completions?api-version=2025-04-01-preview",
        "/openai/v1/models?api-version=preview",
    ]


async def test_azures_v1_api_wants_no_version() -> None:
    async with fake_service(OWN) as fake, open_spec("azure", fake.url, api_key="k") as service:
        await chat(service)
    assert fake.requests[0].path == "/openai/v1/chat/completions"


async def test_an_entra_token_goes_as_a_bearer_token() -> None:
    async with fake_service(OWN) as fake:
        async with open_spec("azure", fake.url, api_key="token", api_type="azure_ad") as service:
            await chat(service)
            await chat(service, azure_api_key="key", azure_api_type="azure")
        async with open_spec("azure", fake.url, api_key="key") as service:
            await chat(service, azure_api_key="token", azure_api_type="azure_ad")
            with pytest.raises(BadRequest, match="azure_api_type"):
                await chat(service, azure_api_key="token", azure_api_type="open")
    kinds = [(seen.headers.get("authorization"), seen.headers.get("api-key")) for seen in fake.requests]
    assert kinds == [("Bearer token", None), (None, "key"), ("Bearer token", None)]


# ── passthrough ─────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_chosen_provider_data_becomes_headers() -> None:
    forwarded = {"tenant": "X-Tenant", "token": "authorization"}
    async with fake_service(OWN) as fake:
        async with open_spec("passthrough", fake.url, forward_headers=forwarded) as service:
            await chat(service, tenant="acme", token="Basic eDp5", other="no")
        async with open_spec("passthrough", fake.url, api_key="ours", forward_headers=forwarded) as service:
            await chat(service, token="Basic eDp5")
    first, second = (seen.headers for seen in fake.requests)
    assert (first["x-tenant"], first["authorization"]) == ("acme", "Basic eDp5")
    assert "no" not in first.values()
    assert second["authorization"] == "Bearer ours"


async def test_a_header_is_never_sent_twice() -> None:
    config = RemoteConfig(base_url="http://localhost:1/v1", api_key=Secret("ours"))
    async with open_upstream(config.base_url, config.network) as upstream:
        forwarded = {"token": "AUTHORIZATION", "id": "x-request-id"}
        service = Passthrough(upstream, config, instance="it", forward_headers=forwarded)
        call = service.call("chat/completions", "m", b"{}", context(token="theirs", id="theirs"))
    names = [name.lower() for name in call.headers]
    assert len(names) == len(set(names))
    assert "theirs" not in call.headers.values()


@pytest.mark.parametrize("value", ["a\r\nX-Evil: 1", "ü", "x" * 9000])
async def test_a_value_that_no_header_can_carry_is_refused(value: str) -> None:
    async with (
        fake_service(OWN) as fake,
        open_spec("passthrough", fake.url, forward_headers={"tenant": "X-Tenant"}) as service,
    ):
        with pytest.raises(BadRequest, match="X-Tenant"):
            await chat(service, tenant=value)
    assert fake.requests == []


@pytest.mark.parametrize(
    ("headers", "blocked", "problem"),
    [
        ({"a": "Host"}, [], "may not be forwarded"),
        ({"a": "content-length"}, [], "may not be forwarded"),
        ({"a": "X-Mine"}, ["x-mine"], "may not be forwarded"),
        ({"a": "X Mine"}, [], "no header's name"),
        ({"a": ""}, [], "no header's name"),
        ({"a": "X-Mine", "b": "x-mine"}, [], "another key"),
    ],
)
async def test_headers_that_may_not_be_forwarded(headers: dict[str, str], blocked: list[str], problem: str) -> None:
    with pytest.raises(SettingsError, match=problem):
        async with open_spec(
            "passthrough", "http://localhost:1", forward_headers=headers, extra_blocked_headers=blocked
        ):
            pass
