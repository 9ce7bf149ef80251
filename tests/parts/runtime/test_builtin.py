"""The inspect and providers APIs, as the bundled parts serve them."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass

import pytest
from parts.contracts.inspect.requests import HealthRequest, ListRoutesRequest, VersionRequest
from parts.contracts.providers.requests import InspectProviderRequest, ListProvidersRequest
from parts.providers.inspect.builtin import open_inspect
from parts.providers.providers import builtin
from parts.providers.providers.builtin import ProvidersConfig, open_providers
from parts.runtime.context import Context
from parts.runtime.errors import NotFound, UpstreamError
from parts.runtime.redact import redacted
from parts.runtime.secret import Secret
from parts.runtime.wiring import Health, Listed, RouteFact

CTX = Context(request_id="r")
ROUTES = (
    RouteFact("/v1/a", "GET", ("inline::x",), "v1", False),
    RouteFact("/v1beta/a", "GET", (), "v1beta", False),
    RouteFact("/v1alpha/a", "POST", (), "v1alpha", False),
    RouteFact("/v1/openai/v1/a", "GET", (), "v1", True),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Proxy:
    url: str = "http://user:sk-secret@proxy:3128/x"


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    api_key: Secret
    base_url: str
    headers: Mapping[str, str]
    proxy: Proxy
    models: tuple[str, ...] | None
    retries: int = 2


CONFIG = Config(
    api_key=Secret("sk-secret"), base_url="https://h/v1", headers={"X-Key": "sk-secret"}, proxy=Proxy(), models=("a",)
)


async def test_health_and_version() -> None:
    async with open_inspect(routes=ROUTES, version="1.2") as inspect:
        assert (await inspect.health(HealthRequest(), CTX)).status == "OK"
        assert (await inspect.version(VersionRequest(), CTX)).version == "1.2"


@pytest.mark.parametrize(
    ("wanted", "routes"),
    [
        (None, ["/v1/a", "/v1beta/a", "/v1alpha/a"]),
        ("v1", ["/v1/a"]),
        ("v1beta", ["/v1beta/a"]),
        ("v1alpha", ["/v1alpha/a"]),
        ("deprecated", ["/v1/openai/v1/a"]),
    ],
)
async def test_routes_of_a_level(wanted: str | None, routes: list[str]) -> None:
    async with open_inspect(routes=ROUTES, version="1") as inspect:
        answer = await inspect.list_routes(ListRoutesRequest.model_validate({"api_filter": wanted}), CTX)
    assert [each.route for each in answer.data] == routes


def test_a_config_is_shown_without_its_secrets() -> None:
    assert redacted(CONFIG) == {
        "api_key": "********",
        "base_url": "https://h/v1",
        "headers": {"X-Key": "********"},
        "proxy": {"url": "http://proxy:3128/x"},
        "models": ["a"],
        "retries": 2,
    }
    assert "sk-secret" not in json.dumps(redacted(CONFIG))
    assert redacted("https://h/v1?key=sk-secret") == "https://h/v1?********"


async def well() -> Health:
    return Health("OK")


async def hangs() -> Health:
    await asyncio.sleep(60)
    raise AssertionError


async def raises() -> Health:
    raise ValueError("sk-secret inside")


async def refused() -> Health:
    raise UpstreamError("h refused the connection")


async def test_health_is_asked_for_in_the_background_and_never_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(builtin, "PROBE_SECONDS", 0.2)
    probes = {"well": well, "hangs": hangs, "raises": raises, "refused": refused, "none": None}
    listing = [Listed(api="inference", id=id, type="t", config=CONFIG, health=probe) for id, probe in probes.items()]
    async with open_providers(ProvidersConfig(health_interval_seconds=30), listing=listing) as providers:
        started = time.monotonic()
        first = (await providers.list_providers(ListProvidersRequest(), CTX)).data
        assert time.monotonic() - started < 0.1
        assert [each.health.status for each in first] == ["Not Implemented"] * 5
        assert first[0].health.message == "not checked yet"
        await asyncio.sleep(0.3)
        data = (await providers.list_providers(ListProvidersRequest(), CTX)).data
        assert {each.provider_id: (each.health.status, each.health.message) for each in data} == {
            "well": ("OK", None),
            "hangs": ("Error", "no answer within 0.2 s"),
            "raises": ("Error", "the check failed: ValueError"),
            "refused": ("Error", "h refused the connection"),
            "none": ("Not Implemented", "this provider has no health check"),
        }
        one = await providers.inspect_provider(InspectProviderRequest(provider_id="well"), CTX)
        assert one.model_dump(exclude_unset=True)["health"] == {"status": "OK"}
        with pytest.raises(NotFound, match="nobody"):
            await providers.inspect_provider(InspectProviderRequest(provider_id="nobody"), CTX)
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_health_is_asked_for_again() -> None:
    asked = 0

    async def count() -> Health:
        nonlocal asked
        asked += 1
        return Health("OK")

    listed = Listed(api="inference", id="a", type="t", config=CONFIG, health=count)
    async with open_providers(ProvidersConfig(health_interval_seconds=0.02), listing=[listed]):
        await asyncio.sleep(0.2)
    assert asked > 3
