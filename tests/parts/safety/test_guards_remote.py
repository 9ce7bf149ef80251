"""What is peculiar to the services that judge: how they are asked, signed and answered."""

from __future__ import annotations

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from guards import guardrail, moderations, nemo
from opened import ID, KEY, QUICK, SECRET, opened
from parts.contracts.safety import Safety
from parts.contracts.safety.requests import CreateModerationRequest, RunShieldRequest
from parts.contracts.shared.violation import SafetyViolation
from parts.providers.safety.bedrock import BedrockSafetyConfig, open_bedrock_safety
from parts.providers.safety.passthrough import PassthroughSafetyConfig, open_passthrough_safety
from parts.runtime.context import Context
from parts.runtime.errors import BadRequest, SettingsError, Unavailable
from parts.runtime.secret import Secret
from upstreams import Seen, answers, fake_upstream, refuses

ARN = "arn:aws:bedrock:us-east-1:123456789012:guardrail/abc123"


async def violation(
    guard: Safety, *messages: object, shield: str = "guard", **params: object
) -> SafetyViolation | None:
    said = {"shield_id": shield, "messages": messages, "params": params}
    return (await guard.run_shield(RunShieldRequest.model_validate(said), Context("r1"))).violation


def says(text: object, role: str = "user") -> dict[str, object]:
    return {"role": role, "content": text}


def image(url: str) -> dict[str, object]:
    return says([{"type": "image_url", "image_url": {"url": url}}])


# ── Bedrock ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def signature_of(seen: Seen, url: str) -> str:
    """What botocore makes of a request as it arrived."""
    request = AWSRequest("POST", url.removesuffix("/v1") + seen.path, {"Content-Type": "application/json"}, seen.body)
    request.context["timestamp"] = seen.headers["x-amz-date"]
    signer = SigV4Auth(Credentials(ID, SECRET), "bedrock", "us-east-1")
    request.headers["X-Amz-Date"] = seen.headers["x-amz-date"]
    text = signer.string_to_sign(request, signer.canonical_request(request))
    return str(signer.signature(text, request))


@pytest.mark.parametrize("shield", ["abc123", ARN])
async def test_bedrock_is_asked_with_a_signature_of_what_arrives(shield: str) -> None:
    async with fake_upstream(guardrail) as fake, opened("bedrock", fake.url) as guard:
        found = await violation(guard, says("a bomb"), shield=shield, guardrailVersion="3")
    assert found is not None
    assert found.user_message == "Let us speak of something else."
    seen = fake.requests[0]
    assert seen.path.endswith("/version/3/apply")
    assert seen.json == {"content": [{"text": {"text": "a bomb"}}], "source": "INPUT"}
    assert seen.headers["authorization"].rpartition("Signature=")[2] == signature_of(seen, fake.url)
    assert SECRET not in str(seen)


async def test_bedrock_is_told_who_spoke_last_and_shown_images() -> None:
    async with fake_upstream(guardrail) as fake, opened("bedrock", fake.url) as guard:
        await violation(guard, image("data:image/png;base64,iVBORw0KGgo="), says("a cake", "assistant"))
    shown = {"image": {"format": "png", "source": {"bytes": "iVBORw0KGgo="}}}
    assert fake.requests[0].json == {"content": [shown, {"text": {"text": "a cake"}}], "source": "OUTPUT"}
    assert "/version/DRAFT/" in fake.requests[0].path


@pytest.mark.parametrize(
    "url", ["http://example.com/x.png", "data:image/png;base64,####", "data:image/tiff;base64,AA=="]
)
async def test_bedrock_refuses_images_that_it_would_not_see(url: str) -> None:
    async with fake_upstream(guardrail) as fake, opened("bedrock", fake.url) as guard:
        with pytest.raises(BadRequest, match="data: URLs"):
            await violation(guard, image(url))
        with pytest.raises(BadRequest, match="guardrailVersion"):
            await violation(guard, says("x"), guardrailVersion="../1")
    assert fake.requests == []


async def test_bedrocks_findings_are_categories() -> None:
    async with fake_upstream(guardrail) as fake, opened("bedrock", fake.url) as guard:
        request = CreateModerationRequest.model_validate({"model": "abc123", "input": "a bomb"})
        result = (await guard.create_moderation(request, Context("r"))).results[0]
    assert result.categories.model_dump()["VIOLENCE"] is True
    assert "HATE" not in result.categories.model_dump()


async def test_bedrock_without_credentials_judges_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", f"{tmp_path}/none")
    monkeypatch.setenv("AWS_CONFIG_FILE", f"{tmp_path}/none")
    async with fake_upstream(guardrail) as fake:
        config = BedrockSafetyConfig(region_name="us-east-1", endpoint_url=fake.url, network=QUICK)
        async with open_bedrock_safety(config, instance="b") as guard:
            with pytest.raises(Unavailable, match="no AWS credentials"):
                await violation(guard, says("a cake"))
    assert fake.requests == []


async def test_half_a_credential_ends_the_start(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    monkeypatch.setenv("AWS_CONFIG_FILE", f"{tmp_path}/none")
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for config, what in (
        (BedrockSafetyConfig(region_name="r", aws_access_key_id=Secret("a")), "both or neither"),
        (BedrockSafetyConfig(), "region_name is missing"),
        (BedrockSafetyConfig(profile_name="nobody"), "nobody"),
    ):
        with pytest.raises(SettingsError, match=what):
            async with open_bedrock_safety(config, instance="b"):
                pass


# ── the others ──────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_nemo_is_asked_for_its_rails() -> None:
    async with fake_upstream(nemo) as fake, opened("nvidia", fake.url) as guard:
        found = await violation(guard, says("hi"), says("a bomb", "assistant"))
        with pytest.raises(BadRequest, match="texts only"):
            await violation(guard, image("http://x/y.png"))
    assert found is not None
    assert found.metadata == {"rails_status": {"self check input": {"status": "blocked"}}}
    asked = fake.requests[0].json
    assert asked["guardrails"] == {"config_id": "c"}
    assert asked["messages"] == [says("hi"), says("a bomb", "assistant")]


@pytest.mark.parametrize("name", ["nvidia", "bedrock"])
async def test_the_servers_own_credential_is_not_the_clients_fault(name: str) -> None:
    async with fake_upstream(refuses(403, "who are you")) as fake, opened(name, fake.url) as guard:
        with pytest.raises(Unavailable, match="refuses the server's credential"):
            await violation(guard, says("hi"))


async def test_passthrough_sends_what_it_may_and_answers_as_the_service() -> None:
    async with fake_upstream(moderations) as fake:
        config = PassthroughSafetyConfig(
            base_url=fake.url, api_key=Secret(KEY), forward_headers={"tenant": "X-Tenant"}, network=QUICK
        )
        async with open_passthrough_safety(config, instance="p", credential="passthrough_api_key") as guard:
            ctx = Context("r", provider_data={"tenant": Secret("t1"), "passthrough_api_key": Secret("theirs")})
            request = CreateModerationRequest.model_validate({"model": "omni", "input": ["a cake", "a bomb"]})
            answer = await guard.create_moderation(request, ctx)
            await violation(guard, image("http://x/y.png"), says("hi", "assistant"))
    seen = fake.requests[0]
    assert seen.json == {"model": "omni", "input": ["a cake", "a bomb"]}
    assert (seen.headers["authorization"], seen.headers["x-tenant"]) == ("Bearer theirs", "t1")
    bomb = answer.results[1].model_dump(by_alias=True)
    assert bomb["category_scores"]["violence"] == 0.9
    assert bomb["category_applied_input_types"]["illicit"] == [], "it does not know that category"
    assert [each.json["input"] for each in fake.requests[1:]] == [
        [{"type": "image_url", "image_url": {"url": "http://x/y.png"}}],
        [{"type": "text", "text": "hi"}],
    ]
    assert fake.requests[1].headers["authorization"] == f"Bearer {KEY}"


async def test_passthrough_forwards_no_header_of_the_connection() -> None:
    config = PassthroughSafetyConfig(base_url="http://x/v1", forward_headers={"a": "Host"})
    with pytest.raises(SettingsError, match="may not be forwarded"):
        async with open_passthrough_safety(config, instance="p", credential="k"):
            pass


async def test_health_tells_who_is_away() -> None:
    async with fake_upstream(answers({})) as fake:
        for name in ("nvidia", "passthrough", "bedrock"):
            async with opened(name, fake.url) as guard:
                assert (await guard.health()).status == "OK"  # type: ignore[attr-defined]
    for name in ("nvidia", "passthrough", "bedrock"):
        async with opened(name, fake.url) as guard:
            assert (await guard.health()).status == "Error"  # type: ignore[attr-defined]
