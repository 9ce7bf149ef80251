"""Access tokens of Google Cloud, found as Google's own tools do (Application Default Credentials).

    async with open_google_tokens(None, network, at="providers.inference.vertex") as tokens:
        token = await tokens.token()

In this order: the file that is configured, the one that GOOGLE_APPLICATION_CREDENTIALS names, gcloud's own, the
metadata server of the machine. google-auth makes tokens of files; it blocks, so that it works in a thread, and asks
through our upstream, with its proxy and certificates. A token is kept until shortly before its end, and one request
for a new one serves all who wait.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic_core import from_json

from .errors import SettingsError, StackError, Unauthenticated, Unavailable
from .secret import Secret
from .upstream import Call, Upstream, open_upstream
from .upstream_config import NetworkConfig, ProxyConfig, TimeoutConfig

if TYPE_CHECKING:
    from google.auth.credentials import Credentials

log = logging.getLogger(__name__)

SCOPE = "https://www.googleapis.com/auth/cloud-platform"
TOKENS_AT = "https://oauth2.googleapis.com"
METADATA_TOKEN = "computeMetadata/v1/instance/service-accounts/default/token"

EARLY = 300.0
"""Seconds before its end that a token is renewed; the metadata server keeps one for as long."""

SECONDS = 30.0
"""What getting a token may take."""

ANY_STATUS = frozenset(range(300, 600))


@dataclass(frozen=True, slots=True)
class Token:
    """expires: of the monotonic clock."""

    secret: Secret
    expires: float


class GoogleTokens:
    """Tokens of one identity, each asked for once."""

    def __init__(self, ask: Callable[[], Awaitable[Token]]) -> None:
        self._ask = ask
        self._lock = asyncio.Lock()
        self._held: Token | None = None

    async def token(self) -> Secret:
        """Raises Unauthenticated where there is no identity, Unavailable where its token cannot be had."""
        if (held := self._fresh()) is None:
            async with self._lock:
                if (held := self._fresh()) is None:
                    held = self._held = await self._renewed()
        return held.secret

    def _fresh(self) -> Token | None:
        return self._held if self._held is not None and self._held.expires - EARLY > time.monotonic() else None

    async def _renewed(self) -> Token:
        try:
            async with asyncio.timeout(SECONDS):
                return await self._ask()
        except (StackError, TimeoutError) as error:
            # One that has a little left is better than none.
            if self._held is not None and self._held.expires > time.monotonic():
                return self._held
            if isinstance(error, Unauthenticated):
                raise
            raise Unavailable("this server cannot get its Google Cloud credentials at present") from None


@asynccontextmanager
async def open_google_tokens(file: str | None, network: NetworkConfig, *, at: str) -> AsyncIterator[GoogleTokens]:
    """file: of credentials, None for where Google's tools look. at: where it is configured, for messages.
    Raises SettingsError for a file that is not there, or holds no credentials.
    """
    # Extra headers are for the service, and may be keys.
    network = replace(network, headers={})
    path = file or os.environ.get("GOOGLE_APPLICATION_CREDENTIALS") or _gclouds()
    if path is None:
        host = os.environ.get("GCE_METADATA_HOST") or "metadata.google.internal"
        near = replace(network, proxy=ProxyConfig(), timeout=TimeoutConfig(connect=3.0, read=10.0))
        async with open_upstream(f"http://{host}", near) as upstream:
            yield GoogleTokens(lambda: _machines(upstream))
        return
    try:
        credentials = await asyncio.to_thread(_read, path)
    except (OSError, ValueError, KeyError) as error:
        why = error.strerror if isinstance(error, OSError) else "it holds no credentials of Google Cloud"
        raise SettingsError([f"{at}: the credentials in {path} cannot be used: {why}"]) from None
    async with open_upstream(TOKENS_AT, network) as upstream:
        yield GoogleTokens(lambda: _of_file(credentials, upstream))


def _gclouds() -> str | None:
    """The file that `gcloud auth application-default login` leaves."""
    folder = os.environ.get("CLOUDSDK_CONFIG") or "~/.config/gcloud"
    path = Path(folder, "application_default_credentials.json").expanduser()
    return str(path) if path.is_file() else None


async def _machines(upstream: Upstream) -> Token:
    call = Call("GET", METADATA_TOKEN, headers={"Metadata-Flavor": "Google"}, query={"scopes": SCOPE})
    try:
        said = from_json(await upstream.fetch(call))
        return Token(Secret(str(said["access_token"])), time.monotonic() + float(said["expires_in"]))
    except (StackError, ValueError, KeyError, TypeError) as error:
        log.info("the metadata server has no token: %s", error.message if isinstance(error, StackError) else error)
        raise Unauthenticated("there are no Google Cloud credentials here") from None


def _read(path: str) -> Credentials:
    """Blocks. Raises OSError, ValueError or KeyError."""
    from google.auth import identity_pool, impersonated_credentials
    from google.auth.exceptions import GoogleAuthError
    from google.oauth2 import credentials, service_account

    held = json.loads(Path(path).read_text("utf-8"))
    kind = held.get("type") if isinstance(held, dict) else None
    try:
        match kind:
            case "service_account":
                return service_account.Credentials.from_service_account_info(held, scopes=[SCOPE])
            case "authorized_user":
                return credentials.Credentials.from_authorized_user_info(held, [SCOPE])
            case "external_account":
                return identity_pool.Credentials.from_info(held, scopes=[SCOPE])
            case "impersonated_service_account":
                made = impersonated_credentials.Credentials.from_impersonated_service_account_info
                return made(held, scopes=[SCOPE])
    except GoogleAuthError as error:
        raise ValueError(type(error).__name__) from None
    raise ValueError(kind)


async def _of_file(credentials: Credentials, upstream: Upstream) -> Token:
    """A new token. Raises Unavailable."""
    from google.auth.exceptions import GoogleAuthError, TransportError

    loop = asyncio.get_running_loop()

    def ask(
        url: str,
        method: str = "GET",
        body: bytes | str | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
        **_: object,
    ) -> _Response:
        sent = body.encode() if isinstance(body, str) else body
        call = Call(method, url, sent, headers or {}, retries=0, expected=ANY_STATUS)
        try:
            return asyncio.run_coroutine_threadsafe(_fetched(upstream, call), loop).result(SECONDS)
        except (StackError, TimeoutError) as error:
            raise TransportError(str(error)) from None

    try:
        await asyncio.to_thread(credentials.refresh, ask)
    except GoogleAuthError as error:
        log.warning("no token of Google Cloud could be had: %s", str(error.args[0] if error.args else error)[:200])
        raise Unavailable("no token of Google Cloud could be had") from None
    # It is UTC, without saying so.
    left = credentials.expiry.replace(tzinfo=UTC).timestamp() - time.time()
    return Token(Secret(str(credentials.token)), time.monotonic() + left)


@dataclass(frozen=True, slots=True)
class _Response:
    """What google-auth's transports answer."""

    status: int
    headers: Mapping[str, str]
    data: bytes


async def _fetched(upstream: Upstream, call: Call) -> _Response:
    reply = await upstream.open(call)
    try:
        return _Response(reply.status, {}, await reply.read())
    finally:
        reply.close()
