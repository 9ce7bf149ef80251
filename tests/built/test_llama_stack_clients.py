"""Llama Stack's own clients against built servers: llama-stack-client and its successor ogx-client, where they fit.

The last llama-stack-client for Python 3.11 takes the `[DONE]` of a stream for JSON, so only its successor streams here.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from llama_stack_client import LlamaStackClient
from ogx_client import OgxClient

from .conftest import Served

pytestmark = pytest.mark.slow

MESSAGES = [{"role": "user", "content": "Count: one two three four"}]


@pytest.fixture
def client(served: Served) -> Iterator[LlamaStackClient]:
    with LlamaStackClient(base_url=served.url, max_retries=0) as client:
        yield client


@pytest.fixture
def ogx(served: Served) -> Iterator[OgxClient]:
    with OgxClient(base_url=served.url, max_retries=0) as client:
        yield client


def test_health(client: LlamaStackClient) -> None:
    assert client.inspect.health().status == "OK"


def test_version(client: LlamaStackClient) -> None:
    assert client.inspect.version().version


def test_routes_are_listed_with_the_types_that_serve_them(client: LlamaStackClient) -> None:
    routes = {(route.method, route.route): route.provider_types for route in client.routes.list()}
    assert "remote::" in "".join(routes["POST", "/v1/chat/completions"])


def test_providers_are_listed_with_their_health(client: LlamaStackClient, served: Served) -> None:
    # As in Llama Stack, an id is one within its API: `nvidia` stands for inference and for safety.
    found = {(provider.api, provider.provider_id): provider for provider in client.providers.list()}
    assert found["inference", served.instance].health["status"] == "OK"


def test_a_listed_provider_shows_no_secret(client: LlamaStackClient) -> None:
    assert "not-a-secret" not in "".join(str(provider.config) for provider in client.providers.list())


def test_one_provider_is_retrieved(client: LlamaStackClient, served: Served) -> None:
    assert client.providers.retrieve(served.instance).provider_id == served.instance


def test_models_are_listed(client: LlamaStackClient, served: Served) -> None:
    """This client reads the older shape of a model, of which `/v1/models` keeps what fits beside OpenAI's."""
    assert served.model in [model.to_dict().get("id") for model in client.models.list()]


def test_a_chat_completion_by_the_old_prefix(client: LlamaStackClient, served: Served) -> None:
    answer = client.chat.completions.create(model=served.model, messages=MESSAGES, max_tokens=8)
    assert answer.choices[0].message.content


def test_embeddings(client: LlamaStackClient, served: Served) -> None:
    assert len(client.embeddings.create(model=served.model, input="one").data[0].embedding) == 640


def test_the_successor_lists_models(ogx: OgxClient, served: Served) -> None:
    assert served.model in [model.id for model in ogx.models.list().data]


def test_the_successor_chats(ogx: OgxClient, served: Served) -> None:
    answer = ogx.chat.completions.create(model=served.model, messages=MESSAGES, max_tokens=8)
    assert answer.choices[0].message.content


def test_the_successor_streams(ogx: OgxClient, served: Served) -> None:
    chunks = ogx.chat.completions.create(model=served.model, messages=MESSAGES, max_tokens=8, stream=True)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks)


def test_the_successor_inspects(ogx: OgxClient, served: Served) -> None:
    assert ogx.inspect.health().status == "OK"
    assert served.instance in [provider.provider_id for provider in ogx.providers.list()]
