"""The config of services whose credential Llama Stack calls a token."""

from __future__ import annotations

from dataclasses import dataclass, field

from ...runtime.secret import Secret
from ...runtime.upstream_config import NetworkConfig
from .openai_compatible import RemoteConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenConfig:
    """As RemoteConfig, with api_token for its key."""

    base_url: str
    api_token: Secret | None = None
    allowed_models: tuple[str, ...] | None = None
    refresh_models: bool = False
    network: NetworkConfig = field(default_factory=NetworkConfig)


def remote(config: TokenConfig, *, base_url: str | None = None) -> RemoteConfig:
    """The same, as every remote service has it. base_url: instead of the config's."""
    return RemoteConfig(
        base_url=base_url or config.base_url,
        api_key=config.api_token,
        allowed_models=config.allowed_models,
        refresh_models=config.refresh_models,
        network=config.network,
    )
