"""Amazon Bedrock at its OpenAI-compatible endpoint, with a Bedrock API key, or signed with AWS credentials.

A key, the client's own or the configured one, goes before credentials. What there is stands in Bedrock's own API on
another host: it lists what the region has on demand. Not all of that takes chat completions, and what it leaves out,
as inference profiles, may.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

from ...runtime.aws import AwsIdentity, open_signer
from ...runtime.errors import Unauthenticated, UpstreamError
from ...runtime.models import ProviderModel
from ...runtime.secret import Secret
from ...runtime.upstream import Call, open_upstream
from ...runtime.upstream_config import NetworkConfig
from .dialect import Dialect, Fetch, list_openai_models
from .openai_compatible import OpenAICompatible, RemoteConfig
from .unsigned import answers_unsigned

SERVICE = "bedrock"
"""By which name requests to it are signed, whichever its host."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BedrockConfig:
    """As RemoteConfig. base_url: None for the region's. aws_*, profile_name: who asks where there is no key; None for
    whoever the machine's AWS settings say. session_ttl: seconds that a role is taken for.
    """

    base_url: str | None = None
    api_key: Secret | None = None
    region_name: str = "us-east-2"
    aws_access_key_id: Secret | None = None
    aws_secret_access_key: Secret | None = None
    aws_session_token: Secret | None = None
    profile_name: str | None = None
    aws_role_arn: str | None = None
    aws_web_identity_token_file: str | None = None
    aws_role_session_name: str | None = None
    session_ttl: int | None = None
    allowed_models: tuple[str, ...] | None = None
    refresh_models: bool = False
    network: NetworkConfig = field(default_factory=NetworkConfig)


class Bedrock(OpenAICompatible):
    """One region."""

    def no_credentials(self) -> Unauthenticated:
        message = f"{self.how_to_send_a_key()}, or give the server AWS credentials"
        return Unauthenticated(message, code="invalid_api_key")

    async def probe(self, path: str) -> object:
        """Where nobody's credential is known here, any answer shows that the region is there."""
        try:
            return await super().probe(path)
        except Unauthenticated:
            if self._lacks_key():
                await answers_unsigned(self.upstream)
            raise


def read_foundation_models(document: object) -> list[ProviderModel]:
    """The models of Bedrock's ListFoundationModels that write text. Raises UpstreamError for what is no such list."""
    summaries = document.get("modelSummaries") if isinstance(document, dict) else None
    if not isinstance(summaries, list):
        raise UpstreamError("Bedrock's list of models has an unexpected shape")
    return [
        ProviderModel(id=each["modelId"], owned_by=str(each.get("providerName", "")))
        for each in summaries
        if isinstance(each, dict) and isinstance(each.get("modelId"), str) and _writes(each)
    ]


def _writes(summary: dict[str, object]) -> bool:
    lifecycle, outputs = summary.get("modelLifecycle"), summary.get("outputModalities")
    retired = isinstance(lifecycle, dict) and lifecycle.get("status") not in (None, "ACTIVE")
    return not retired and (not isinstance(outputs, list) or "TEXT" in outputs)


def dialect_of(config: BedrockConfig) -> Dialect:
    """A place of one's own is asked for OpenAI's list, which other endpoints of Bedrock have."""
    listing = f"https://bedrock.{config.region_name}.amazonaws.com/foundation-models?byInferenceType=ON_DEMAND"

    async def regions(fetch: Fetch) -> list[ProviderModel]:
        return read_foundation_models(await fetch(listing))

    list_models = regions if config.base_url is None else list_openai_models

    async def check(fetch: Fetch) -> None:
        await list_models(fetch)

    return Dialect(needs_key=False, list_models=list_models, lists_all=False, check=check)


@asynccontextmanager
async def open_bedrock(config: BedrockConfig, *, instance: str, credential: str | None) -> AsyncIterator[Bedrock]:
    """Raises SettingsError for half a credential, an unknown profile, or a network that cannot be."""
    identity = AwsIdentity(
        access_key_id=config.aws_access_key_id,
        secret_access_key=config.aws_secret_access_key,
        session_token=config.aws_session_token,
        profile_name=config.profile_name,
        role_arn=config.aws_role_arn,
        web_identity_token_file=config.aws_web_identity_token_file,
        role_session_name=config.aws_role_session_name,
        role_seconds=config.session_ttl if config.aws_role_arn is not None else None,
    )
    signer = await open_signer(identity, SERVICE, config.region_name, at=f"providers.inference.{instance}")
    base_url = config.base_url or f"https://bedrock-runtime.{config.region_name}.amazonaws.com/openai/v1"

    async def sign(call: Call, url: str) -> Call:
        if "Authorization" in call.headers:
            return call
        added = await signer.sign(call.method, url, call.body if isinstance(call.body, bytes) else None)
        if added is None:
            raise service.no_credentials()
        secrets = tuple(Secret(added[name]) for name in ("Authorization", "X-Amz-Security-Token") if name in added)
        return replace(call, headers={**call.headers, **added}, secrets=(*call.secrets, *secrets))

    remote = RemoteConfig(
        base_url=base_url,
        api_key=config.api_key,
        allowed_models=config.allowed_models,
        refresh_models=config.refresh_models,
        network=config.network,
    )
    async with open_upstream(base_url, config.network, prepare=sign) as upstream:
        service = Bedrock(upstream, remote, instance=instance, credential=credential, dialect=dialect_of(config))
        yield service
