"""RunPod: OpenAI's API at a URL per endpoint, with a token."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from .dialect import Dialect
from .openai_compatible import OpenAICompatible, open_remote
from .tokens import TokenConfig, remote

RUNPOD = Dialect(key_setting="api_token")


@asynccontextmanager
async def open_runpod(
    config: TokenConfig, *, instance: str, credential: str | None = None
) -> AsyncIterator[OpenAICompatible]:
    """credential: the token's name in the provider-data header."""
    async with open_remote(remote(config), instance=instance, credential=credential, dialect=RUNPOD) as service:
        yield service
