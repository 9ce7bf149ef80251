"""Groq: a stream's usage stands in `x_groq`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from .dialect import Dialect, Json
from .openai_compatible import OpenAICompatible, RemoteConfig, open_remote


def groq_usage(document: Json) -> object:
    """The usage of an answer, or of a stream's last event, which has it in `x_groq`, with or without being asked."""
    extra = document.get("x_groq")
    return document.get("usage") or (extra.get("usage") if isinstance(extra, dict) else None)


GROQ = Dialect(usage=groq_usage)


@asynccontextmanager
async def open_groq(
    config: RemoteConfig, *, instance: str, credential: str | None = None
) -> AsyncIterator[OpenAICompatible]:
    """credential: the key's name in the provider-data header."""
    async with open_remote(config, instance=instance, credential=credential, dialect=GROQ) as service:
        yield service
