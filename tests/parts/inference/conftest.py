"""What the tests of remote inference share: a service opened on a fake, and requests to make of it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Protocol

import pytest
from huggingface_hub import constants
from parts.contracts.inference.requests import (
    CreateChatCompletionRequest,
    CreateCompletionRequest,
    CreateEmbeddingRequest,
)
from parts.providers.inference.dialect import OPENAI, Dialect
from parts.providers.inference.openai_compatible import OpenAICompatible, RemoteConfig, open_remote
from parts.runtime.context import Context
from parts.runtime.secret import Secret
from parts.runtime.upstream_config import NetworkConfig, TimeoutConfig
from upstreams import FakeUpstream

KEY = "sk-very-secret-key-0123456789"

# Patience and backoff for tests: nothing waits longer than it must to be seen.
QUICK = NetworkConfig(timeout=TimeoutConfig(connect=1.0, read=1.0), backoff=0.001)


CONTENT: Mapping[type[Any], Mapping[str, object]] = {
    CreateChatCompletionRequest: {"messages": [{"role": "user", "content": "hi"}]},
    CreateCompletionRequest: {"prompt": "hi"},
    CreateEmbeddingRequest: {"input": "hi"},
}


class OpenService(Protocol):
    async def __call__(
        self, fake: FakeUpstream | str, *, network: NetworkConfig = ..., dialect: Dialect = ..., key: str | None = ...
    ) -> OpenAICompatible: ...


@pytest.fixture(autouse=True)
def nobody_in_a_cloud(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No credentials of AWS and Google Cloud, whoever runs the tests."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_ROLE_ARN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS", raising=False)
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path / "no-gcloud"))
    monkeypatch.setenv("GCE_METADATA_HOST", "127.0.0.1:9")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "no-credentials"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "no-config"))


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

    def make(
        provider_data: dict[str, str] | None = None, *, kind: type[Any] = CreateChatCompletionRequest, **body: object
    ) -> tuple[Any, Context]:
        said = {"model": "acme/m", **CONTENT[kind], **body}
        request = kind.model_validate(said)
        request.model = "m"
        sent = {name: Secret(value) for name, value in (provider_data or {}).items()}
        trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
        ctx = Context(request_id="req-1", body=json.dumps(said).encode(), provider_data=sent, trace=trace)
        return request, ctx

    return make


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Has the hub's client ask this URL, with a cache that is empty at first."""
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(constants, "HF_XET_CACHE", str(tmp_path / "xet"))

    def ask(url: str) -> None:
        monkeypatch.setattr(constants, "ENDPOINT", url)
        template = "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", url + template)

    return ask
