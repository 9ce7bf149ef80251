"""What the tests of remote inference share: a service opened on a fake, and requests to make of it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Any, Protocol

import pytest
from parts.providers.inference.dialect import OPENAI, Dialect
from parts.providers.inference.openai_compatible import OpenAICompatible, RemoteConfig, open_remote
from parts.runtime.context import Context
from parts.runtime.secret import Secret
from parts.runtime.upstream_config import NetworkConfig, TimeoutConfig
from pydantic import BaseModel, ConfigDict
from upstreams import FakeUpstream

KEY = "sk-very-secret-key-0123456789"

# Patience and backoff for tests: nothing waits longer than it must to be seen.
QUICK = NetworkConfig(timeout=TimeoutConfig(connect=1.0, read=1.0), backoff=0.001)


class StreamOptions(BaseModel):
    include_usage: bool | None = None


class Request(BaseModel):
    """As much of a request model as a provider looks at."""

    model_config = ConfigDict(extra="allow")

    model: str
    stream: bool | None = None
    stream_options: StreamOptions | None = None


class OpenService(Protocol):
    async def __call__(
        self, fake: FakeUpstream | str, *, network: NetworkConfig = ..., dialect: Dialect = ..., key: str | None = ...
    ) -> OpenAICompatible: ...


@pytest.fixture
async def open_service() -> AsyncIterator[OpenService]:
    """Opens an OpenAI-compatible service on a fake, and closes it after the test."""
    async with AsyncExitStack() as stack:

        async def opens(
            fake: FakeUpstream | str,
            *,
            network: NetworkConfig = QUICK,
            dialect: Dialect = OPENAI,
            key: str | None = KEY,
        ) -> OpenAICompatible:
            url = fake if isinstance(fake, str) else fake.url
            config = RemoteConfig(base_url=url, api_key=None if key is None else Secret(key), network=network)
            remote = open_remote(config, instance="acme", credential="acme_api_key", dialect=dialect)
            return await stack.enter_async_context(remote)

        yield opens


@pytest.fixture
def ask() -> Callable[..., tuple[Any, Context]]:
    """A request as the router hands it on: the body names the client's model, the request the provider's."""

    def make(provider_data: dict[str, str] | None = None, **body: object) -> tuple[Any, Context]:
        said = {"model": "acme/m", "messages": [{"role": "user", "content": "hi"}], **body}
        request = Request.model_validate(said)
        request.model = "m"
        sent = {name: Secret(value) for name, value in (provider_data or {}).items()}
        trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
        ctx = Context(request_id="req-1", body=json.dumps(said).encode(), provider_data=sent, trace=trace)
        return request, ctx

    return make
