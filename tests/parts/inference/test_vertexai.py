"""Vertex AI: where it is asked, under which names, and with which credentials of Google Cloud.

Google's token endpoint, its metadata server and Vertex AI are fakes at the socket.
"""

from __future__ import annotations

import asyncio
import base64
import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from google.oauth2 import credentials as google_credentials
from parts.contracts.inference.requests import CreateChatCompletionRequest
from parts.providers.inference.vertexai import VertexAIConfig, base_of, dialect_of, published
from parts.runtime.errors import BadRequest, SettingsError, StackError, Unauthenticated, Unavailable, UpstreamError
from parts.runtime.google_tokens import GoogleTokens, Token
from parts.runtime.secret import Secret
from parts.runtime.wiring import Health
from services import CHAT, context, fake_service, open_spec
from upstreams import Seen, answers, fake_upstream, refuses

API = "/v1/projects/p/locations/l/endpoints/openapi"
SERVES = {f"POST {API}/chat/completions": answers(CHAT), f"GET {API}/models": answers({"data": []})}
GRANTED = {"access_token": "ya29.the-token", "expires_in": 3599, "token_type": "Bearer"}
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PEM = KEY.private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
).decode()


async def chat(service: Any, model: str = "m", **provider_data: str) -> None:
    said = {"model": model, "messages": [{"role": "user", "content": "Hello"}]}
    request = CreateChatCompletionRequest.model_validate(said)
    await service.create_chat_completion(request, context(json.dumps(said).encode(), **provider_data))


def written(folder: Path, **content: str) -> str:
    file = folder / "credentials.json"
    file.write_text(json.dumps(content))
    return str(file)


def account(folder: Path, tokens: str) -> str:
    """The file of a service account whose tokens come from there."""
    return written(
        folder,
        type="service_account",
        client_email="robot@p.iam.gserviceaccount.com",
        private_key_id="k",
        private_key=PEM,
        token_uri=tokens,
    )


def asked_of(seen: Seen) -> dict[str, Any]:
    """What a token was asked for with, of a JWT whose signature is right."""
    (assertion,) = parse_qs(seen.body.decode())["assertion"]
    head, body, signature = (base64.urlsafe_b64decode(part + "==") for part in assertion.split("."))
    assert json.loads(head)["alg"] == "RS256"
    signed = assertion.rpartition(".")[0].encode()
    KEY.public_key().verify(signature, signed, padding.PKCS1v15(), hashes.SHA256())
    claims = json.loads(body)
    assert isinstance(claims, dict)
    return claims


# ── credentials ─────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_service_accounts_token_is_asked_for_once_for_all_who_wait(tmp_path: Path) -> None:
    async with (
        fake_upstream(answers(GRANTED)) as google,
        fake_service(SERVES) as fake,
        open_spec("vertexai", fake.url + API, project="p", credentials_file=account(tmp_path, google.url)) as service,
    ):
        await asyncio.gather(*(chat(service) for _ in range(5)))
        await chat(service)
    (seen,) = google.requests
    claims = asked_of(seen)
    assert claims["iss"] == "robot@p.iam.gserviceaccount.com"
    assert claims["aud"] == "https://oauth2.googleapis.com/token"
    assert "cloud-platform" in claims["scope"]
    assert {each.headers["authorization"] for each in fake.requests} == {"Bearer ya29.the-token"}
    assert len(fake.requests) == 6


@pytest.mark.parametrize("where", ["GOOGLE_APPLICATION_CREDENTIALS", "CLOUDSDK_CONFIG"])
async def test_a_persons_token_is_renewed_with_what_gcloud_left(
    where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = {"type": "authorized_user", "client_id": "c", "client_secret": "s", "refresh_token": "the-refresh-token"}
    file = written(tmp_path, **content)
    if where == "CLOUDSDK_CONFIG":
        Path(file).rename(tmp_path / "application_default_credentials.json")
    monkeypatch.setenv(where, str(tmp_path) if where == "CLOUDSDK_CONFIG" else file)
    async with fake_upstream(answers(GRANTED)) as google, fake_service(SERVES) as fake:
        monkeypatch.setattr(google_credentials, "_GOOGLE_OAUTH2_TOKEN_ENDPOINT", google.url)
        async with open_spec("vertexai", fake.url + API, project="p") as service:
            await chat(service)
    assert parse_qs(google.requests[0].body.decode())["refresh_token"] == ["the-refresh-token"]
    assert fake.requests[0].headers["authorization"] == "Bearer ya29.the-token"


async def test_on_a_machine_of_googles_the_metadata_server_has_the_token(monkeypatch: pytest.MonkeyPatch) -> None:
    async with fake_upstream(answers(GRANTED)) as metadata, fake_service(SERVES) as fake:
        monkeypatch.setenv("GCE_METADATA_HOST", metadata.url.removeprefix("http://").removesuffix("/v1"))
        async with open_spec("vertexai", fake.url + API, project="p") as service:
            await chat(service)
            assert await service.health() == Health("OK")
    (seen,) = metadata.requests
    assert seen.path.startswith("/computeMetadata/v1/instance/service-accounts/default/token?scopes=https")
    assert seen.headers["metadata-flavor"] == "Google"
    assert fake.requests[0].headers["authorization"] == "Bearer ya29.the-token"


async def test_where_there_are_no_credentials_clients_learn_how_to_send_theirs() -> None:
    async with fake_service(SERVES) as fake, open_spec("vertexai", fake.url + API, project="p") as service:
        with pytest.raises(Unauthenticated, match="vertex_access_token"):
            await chat(service)
        assert fake.requests == []
        await chat(service, vertex_access_token="theirs")
        assert fake.requests[0].headers["authorization"] == "Bearer theirs"
        assert (
            await service.health()
        ).message == "reachable; no api_key is set, so it serves only clients that send their own"


async def test_what_google_refuses_is_no_clients_fault_and_shows_no_secret(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    refusing = answers({"error": "invalid_grant", "error_description": "Invalid JWT Signature."}, status=400)
    async with (
        fake_upstream(refusing) as google,
        fake_service(SERVES) as fake,
        open_spec("vertexai", fake.url + API, project="p", credentials_file=account(tmp_path, google.url)) as service,
    ):
        with pytest.raises(Unavailable, match="Google Cloud credentials"):
            await chat(service)
    assert "invalid_grant" in caplog.text
    assert "PRIVATE KEY" not in caplog.text
    assert fake.requests == []


async def test_the_token_never_shows_in_an_error(tmp_path: Path) -> None:
    table = {f"POST {API}/chat/completions": refuses(400, "you sent ya29.the-token")}
    async with (
        fake_upstream(answers(GRANTED)) as google,
        fake_service(table) as fake,
        open_spec("vertexai", fake.url + API, project="p", credentials_file=account(tmp_path, google.url)) as service,
    ):
        with pytest.raises(StackError) as caught:
            await chat(service)
    assert "ya29" not in caught.value.message
    assert "you sent" in caught.value.message


@pytest.mark.parametrize(
    "content", [{}, {"type": "external_account_authorized_user"}, {"type": "service_account", "private_key": "x"}]
)
async def test_a_file_without_credentials_ends_the_start(content: dict[str, str], tmp_path: Path) -> None:
    for file in (written(tmp_path, **content), str(tmp_path / "none.json")):
        with pytest.raises(SettingsError, match="cannot be used"):
            async with open_spec("vertexai", "http://127.0.0.1:9", project="p", credentials_file=file):
                pass


async def test_a_token_is_renewed_before_its_end_and_used_up_where_that_fails() -> None:
    given = iter([Token(Secret("a"), asyncio.get_running_loop().time() + 200), None, Token(Secret("b"), 1e12)])

    async def ask() -> Token:
        if (token := next(given)) is None:
            raise Unavailable("no answer")
        return token

    tokens = GoogleTokens(ask)
    assert [(await tokens.token()).reveal() for _ in range(4)] == ["a", "a", "b", "b"]


# ── places and names ────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_location_has_a_host_of_its_own_and_global_has_none() -> None:
    assert base_of("p", "us-central1").startswith(
        "https://us-central1-aiplatform.googleapis.com/v1/projects/p/locations/"
    )
    assert base_of("p", "global") == (
        "https://aiplatform.googleapis.com/v1/projects/p/locations/global/endpoints/openapi"
    )


@pytest.mark.parametrize(
    ("said", "sent"),
    [
        ("gemini-2.5-flash", "google/gemini-2.5-flash"),
        ("google/gemini-2.5-flash", "google/gemini-2.5-flash"),
        ("publishers/google/models/gemini-2.5-flash", "google/gemini-2.5-flash"),
        ("meta/llama-4", "meta/llama-4"),
    ],
)
def test_names_that_mean_the_same(said: str, sent: str) -> None:
    assert published(said) == sent


async def test_a_clients_project_needs_the_clients_token(monkeypatch: pytest.MonkeyPatch) -> None:
    theirs = "/v1/projects/theirs/locations/l/endpoints/openapi"
    async with fake_service({f"POST {theirs}/chat/completions": answers(CHAT)}) as fake:
        monkeypatch.setattr(
            "parts.providers.inference.vertexai.origin_of", lambda location: fake.url if location == "l" else ""
        )
        async with open_spec("vertexai", None, project="p", location="l", access_token="ours") as service:
            with pytest.raises(BadRequest, match="vertex_access_token"):
                await chat(service, vertex_project="theirs")
            for bad in ("../p", "p/locations/x", "p?x=1"):
                with pytest.raises(BadRequest, match="vertex_project"):
                    await chat(service, vertex_project=bad, vertex_access_token="t")
            with pytest.raises(BadRequest, match="vertex_location"):
                await chat(service, vertex_location="evil.example/", vertex_access_token="t")
            await chat(service, vertex_project="theirs", vertex_access_token="t")
    (seen,) = fake.requests
    assert seen.headers["authorization"] == "Bearer t"


async def test_googles_list_is_read_to_its_end() -> None:
    pages = {
        "": ({"name": "publishers/google/models/gemini-2.5-flash"}, {"name": "publishers/google/models/imagen-4"}),
        "t 2": ({"name": "publishers/google/models/gemini-embedding-001"}, "nonsense", {"name": "x"}),
    }

    async def fetch(path: str) -> object:
        page = parse_qs(path.partition("?")[2]).get("pageToken", [""])[0]
        return {"publisherModels": list(pages[page]), "nextPageToken": "" if page else "t 2"}

    listed = await dialect_of(VertexAIConfig(project="p")).list_models(fetch)
    assert [model.id for model in listed] == ["google/gemini-2.5-flash"]

    async def nonsense(path: str) -> object:
        return ["x"]

    with pytest.raises(UpstreamError, match="unexpected shape"):
        await dialect_of(VertexAIConfig(project="p")).list_models(nonsense)
