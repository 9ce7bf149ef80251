"""One service on the network: a pool of kept connections, retries, and failures told as StackErrors.

    async with open_upstream("https://api.example.com/v1", network) as upstream:
        body = await upstream.fetch(Call("POST", "embeddings", body=b"{…}", headers=…, secrets=(key,)))
        answer = await upstream.open(Call("POST", "chat/completions", …))   # its body is still to come

A call is tried again only while nothing of its answer has been handed on.
"""

from __future__ import annotations

import asyncio
import random
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from types import MappingProxyType
from urllib.parse import urlsplit

import aiohttp
from yarl import URL

from .errors import StackError, UpstreamError, UpstreamTimeout
from .secret import Secret
from .upstream_config import NetworkConfig, proxy_for, tls_context
from .upstream_errors import failure, refusal, retry_after

FIRST_BACKOFF = 0.5
LONGEST_BACKOFF = 8.0
LONGEST_RETRY_AFTER = 30.0
LARGEST_ERROR_BODY = 65536

_NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Call:
    """One request.

    path: below the base URL; with a leading `/` below its host; or a whole URL.
    secrets: what must not show in an error beside the values of `headers`... see `Upstream.secrets`.
    retries, patience (seconds of silence): instead of the network's own.
    """

    method: str
    path: str
    body: bytes | None = None
    headers: Mapping[str, str] = _NOTHING
    query: Mapping[str, str] = _NOTHING
    secrets: tuple[Secret, ...] = ()
    retries: int | None = None
    patience: float | None = None


class Reply:
    """An answer of status 2xx whose body is still to be read; whoever holds it closes it."""

    __slots__ = ("_response", "host", "secrets")

    def __init__(self, response: aiohttp.ClientResponse, host: str, secrets: tuple[Secret | str, ...]) -> None:
        self._response = response
        self.host = host
        self.secrets = secrets

    @property
    def content_type(self) -> str:
        """Without parameters, in lower case; "application/octet-stream" if the upstream did not say."""
        return self._response.content_type.lower()

    async def read(self) -> bytes:
        """All of it. Raises StackError."""
        try:
            return await self._response.read()
        except (aiohttp.ClientError, asyncio.TimeoutError) as error:
            raise failure(self.host, error) from None

    async def chunk(self) -> bytes:
        """What has come by now, waiting for at least a byte; b"" at the end. Raises StackError."""
        try:
            return await self._response.content.readany()
        except (aiohttp.ClientError, asyncio.TimeoutError) as error:
            raise failure(self.host, error) from None

    def close(self) -> None:
        """Gives the connection back if the answer was read to its end, else cuts it, which tells the upstream to stop."""
        self._response.release()
