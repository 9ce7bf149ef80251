"""What the tests of safety share: patience for tests, and every provider opened on a fake of its service."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from guards import guard_model, guardrail, moderations, nemo
from parts.contracts.safety import Safety
from parts.providers.inference.openai_compatible import RemoteConfig, open_openai_compatible
from parts.providers.safety.bedrock import BedrockSafetyConfig, open_bedrock_safety
from parts.providers.safety.llama_guard import LlamaGuardConfig, open_llama_guard
from parts.providers.safety.nvidia import NvidiaSafetyConfig, open_nvidia_safety
from parts.providers.safety.passthrough import PassthroughSafetyConfig, open_passthrough_safety
from parts.providers.safety.sambanova import SambaNovaSafetyConfig, open_sambanova_safety
from parts.runtime.secret import Secret
from parts.runtime.upstream_config import NetworkConfig, TimeoutConfig
from upstreams import Script

KEY = "sk-very-secret-key-0123456789"
QUICK = NetworkConfig(timeout=TimeoutConfig(connect=1.0, read=1.0), backoff=0.001)
ID, SECRET = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
"""A credential that Amazon's documents have for examples."""

REMOTE: Mapping[str, Script] = {
    "llama-guard": guard_model,
    "sambanova": guard_model,
    "nvidia": nemo,
    "passthrough": moderations,
    "bedrock": guardrail,
}
"""The providers that ask a service, and the fake of it."""


@asynccontextmanager
async def opened(name: str, url: str, network: NetworkConfig = QUICK) -> AsyncIterator[Safety]:
    """The provider of this name, over a service at a URL."""
    match name:
        case "llama-guard":
            remote = RemoteConfig(base_url=url, api_key=Secret(KEY), network=network)
            async with (
                open_openai_compatible(remote, instance="openai") as inference,
                open_llama_guard(LlamaGuardConfig(), instance="llama-guard", inference=inference) as guard,
            ):
                yield guard
        case "sambanova":
            sambanova = SambaNovaSafetyConfig(base_url=url, api_key=Secret(KEY), network=network)
            async with open_sambanova_safety(sambanova, instance="s", credential="sambanova_api_key") as service:
                yield service
        case "nvidia":
            async with open_nvidia_safety(NvidiaSafetyConfig(base_url=url, config_id="c", network=network)) as rails:
                yield rails
        case "passthrough":
            config = PassthroughSafetyConfig(base_url=url, api_key=Secret(KEY), network=network)
            async with open_passthrough_safety(config, instance="p", credential="passthrough_api_key") as there:
                yield there
        case _:
            bedrock = BedrockSafetyConfig(
                region_name="us-east-1",
                aws_access_key_id=Secret(ID),
                aws_secret_access_key=Secret(SECRET),
                endpoint_url=url,
                network=network,
            )
            async with open_bedrock_safety(bedrock, instance="b") as guardrails:
                yield guardrails
