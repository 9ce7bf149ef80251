"""Bedrock without a key: who signs, what is signed, and what is said where nobody can.

STS is moto's, a real server of its API; Bedrock is a fake at the socket.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from moto.server import ThreadedMotoServer
from parts.contracts.inference.requests import CreateChatCompletionRequest
from parts.providers.inference.bedrock import BedrockConfig, dialect_of, read_foundation_models
from parts.runtime.errors import SettingsError, Unauthenticated, Unavailable, UpstreamError
from parts.runtime.wiring import Health
from services import CHAT, context, fake_service, open_spec
from upstreams import Seen, answers, chunk, streams

ID, SECRET = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
"""A credential that Amazon's documents have for examples."""

KEYS = {"aws_access_key_id": ID, "aws_secret_access_key": SECRET}
ROLE = "arn:aws:iam::123456789012:role/models"
API = "/openai/v1"
SERVES = {
    f"POST {API}/chat/completions": answers(CHAT),
    f"GET {API}/models": answers({"data": [{"id": "openai.gpt-oss-20b"}]}),
}


async def chat(service: Any, **provider_data: str) -> None:
    said = {"model": "m", "messages": [{"role": "user", "content": "Hello"}]}
    request = CreateChatCompletionRequest.model_validate(said)
    await service.create_chat_completion(request, context(json.dumps(said).encode(), **provider_data))


def signature_of(seen: Seen, host: str, token: str | None = None) -> str:
    """What botocore makes of a request as it arrived."""
    headers = {"Content-Type": "application/json"} if seen.body else {}
    request = AWSRequest(seen.method, host + seen.path, headers, seen.body or None)
    signer = SigV4Auth(Credentials(ID, SECRET, token), "bedrock", "us-east-2")
    request.context["timestamp"] = request.headers["X-Amz-Date"] = seen.headers["x-amz-date"]
    if token is not None:
        request.headers["X-Amz-Security-Token"] = token
    text = signer.string_to_sign(request, signer.canonical_request(request))
    return str(signer.signature(text, request))


@pytest.mark.parametrize("token", [None, "a-temporary-one"])
async def test_without_a_key_every_request_is_signed_as_it_arrives(token: str | None) -> None:
    async with (
        fake_service(SERVES) as fake,
        open_spec("bedrock", fake.url + API, **KEYS, aws_session_token=token) as service,
    ):
        await chat(service)
        assert [model.id for model in await service.list_models()] == ["openai.gpt-oss-20b"]
    assert [seen.method for seen in fake.requests] == ["POST", "GET"]
    for seen in fake.requests:
        assert seen.headers["authorization"].rpartition("Signature=")[2] == signature_of(seen, fake.url, token)
        assert SECRET not in str(seen)


async def test_a_key_of_the_client_or_the_configuration_goes_before_a_signature() -> None:
    async with fake_service(SERVES) as fake, open_spec("bedrock", fake.url + API, **KEYS) as service:
        await chat(service, aws_bearer_token_bedrock="theirs")
    async with fake_service(SERVES) as other, open_spec("bedrock", other.url + API, api_key="k1", **KEYS) as service:
        await chat(service)
    assert fake.requests[0].headers["authorization"] == "Bearer theirs"
    assert other.requests[0].headers["authorization"] == "Bearer k1"


async def test_a_stream_is_signed_and_relayed() -> None:
    used = {"prompt_tokens": 7, "completion_tokens": 5, "total_tokens": 12}
    table = {f"POST {API}/chat/completions": streams(chunk("Hi"), chunk(finish="stop", usage=used))}
    async with fake_service(table) as fake, open_spec("bedrock", fake.url + API, **KEYS) as service:
        said = {"model": "m", "messages": [{"role": "user", "content": "Hello"}], "stream": True}
        ctx = context(json.dumps(said).encode())
        events = await service.create_chat_completion(CreateChatCompletionRequest.model_validate(said), ctx)
        text = b"".join([block async for block in events])
    assert text.count(b"data: ") == 2
    assert ctx.usage.completion_tokens == 5
    seen = fake.requests[0]
    assert seen.headers["authorization"].rpartition("Signature=")[2] == signature_of(seen, fake.url)


async def test_where_nobody_can_sign_clients_learn_how_and_nothing_is_sent() -> None:
    async with fake_service(SERVES) as fake, open_spec("bedrock", fake.url + API) as service:
        with pytest.raises(Unauthenticated, match=r"aws_bearer_token_bedrock.*AWS credentials"):
            await chat(service)
        assert fake.requests == []
        assert await service.health() == Health(
            "OK", "reachable; no api_key is set, so it serves only clients that send their own"
        )
        assert [(seen.method, seen.path) for seen in fake.requests] == [("GET", "/")]
    async with open_spec("bedrock", fake.url + API) as service:
        assert (await service.health()).status == "Error"


@pytest.mark.parametrize(
    ("given", "what"),
    [
        ({"aws_access_key_id": ID}, "both or neither"),
        ({"profile_name": "nobody"}, "nobody"),
        ({"aws_web_identity_token_file": "/var/run/token"}, "aws_role_arn"),
    ],
)
async def test_half_an_identity_ends_the_start(given: dict[str, str], what: str) -> None:
    with pytest.raises(SettingsError, match=what):
        async with open_spec("bedrock", "http://127.0.0.1:1", **given):
            pass


# ── roles ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def sts(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Where moto's STS listens."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", f"http://{host}:{port}")
    yield f"http://{host}:{port}"
    server.stop()


@pytest.mark.parametrize("how", ["a web identity", "the server's credentials"])
async def test_a_role_is_taken_with(how: str, sts: str, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("eyJhbGciOiJub25lIn0.e30.")
    proof = {"aws_web_identity_token_file": str(token)} if how == "a web identity" else KEYS
    async with (
        fake_service(SERVES) as fake,
        open_spec("bedrock", fake.url + API, aws_role_arn=ROLE, session_ttl=3600, **proof) as service,
    ):
        await chat(service)
        await chat(service)
    first, second = fake.requests
    assert "Credential=ASIA" in first.headers["authorization"]
    assert ID not in first.headers["authorization"]
    # It was taken once.
    assert first.headers["x-amz-security-token"] == second.headers["x-amz-security-token"]


async def test_what_keeps_a_role_from_being_taken_is_the_logs_matter(
    caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    missing = tmp_path / "no-token"
    given = {"aws_role_arn": ROLE, "aws_web_identity_token_file": str(missing)}
    async with fake_service(SERVES) as fake, open_spec("bedrock", fake.url + API, **given) as service:
        with pytest.raises(Unavailable) as caught:
            await chat(service)
    assert str(missing) not in caught.value.message
    assert str(missing) in caplog.text
    assert fake.requests == []


# ── what there is ───────────────────────────────────────────────────────────────────────────────────────────────────


async def test_the_region_lists_what_writes_text() -> None:
    listed = {
        "modelSummaries": [
            {"modelId": "openai.gpt-oss-20b-1:0", "providerName": "OpenAI", "outputModalities": ["TEXT"]},
            {"modelId": "amazon.titan-embed-text-v2:0", "outputModalities": ["EMBEDDING"]},
            {"modelId": "old.one", "outputModalities": ["TEXT"], "modelLifecycle": {"status": "LEGACY"}},
            "nonsense",
        ]
    }
    asked = []

    async def fetch(path: str) -> object:
        asked.append(path)
        return listed

    found = await dialect_of(BedrockConfig(region_name="eu-west-1")).list_models(fetch)
    assert [(model.id, model.owned_by, model.model_type) for model in found] == [
        ("openai.gpt-oss-20b-1:0", "OpenAI", "llm")
    ]
    assert asked == ["https://bedrock.eu-west-1.amazonaws.com/foundation-models?byInferenceType=ON_DEMAND"]


@pytest.mark.parametrize("document", [None, [], {}, {"modelSummaries": "x"}])
def test_what_is_no_list_is_the_services_fault(document: object) -> None:
    with pytest.raises(UpstreamError, match="unexpected shape"):
        read_foundation_models(document)
