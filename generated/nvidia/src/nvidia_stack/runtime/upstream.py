"""One service on the network: a pool of kept connections, retries, and failures told as StackErrors.

    async with open_upstream("https://api.example.com/v1", network) as upstream:
        body = await upstream.fetch(Call("POST", "embeddings", body=b"{…}", headers=…, secrets=(key,)))
        reply = await upstream.open(Call("POST", "chat/completions", …))   # its body is still to come

A call is tried again only while nothing of an answer has come: once there is a status 2xx, work was done and may be
billed.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from types import MappingProxyType
from urllib.parse import urlencode, urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver

from .secret import Secret
from .upstream_config import NetworkConfig, check_proxies, proxy_for, secrets_in, tls_for
from .upstream_errors import failure, refusal, retry_after, worth_another_try
from .upstream_reply import BROKEN, Connector, Reply

LONGEST_BACKOFF = 8.0
LONGEST_RETRY_AFTER = 30.0
LARGEST_ERROR_BODY = 65536
ERROR_BODY_SECONDS = 5.0

_NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Call:
    """One request.

    path: below the base URL; with a leading `/` below its host; or a whole URL.
    body: bytes, or what begins to give them anew for each attempt; then the header Content-Length says how many.
    secrets: what stands in it that must not show in an error; headers and proxies of the network config are known
    already.
    retries: attempts after the first, None for the network's. patience: seconds of silence, None for the network's.
    expected: statuses beside 2xx that are no failure to the caller.
    """

    method: str
    path: str
    body: bytes | Callable[[], AsyncIterator[bytes]] | None = None
    headers: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    query: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    secrets: tuple[Secret, ...] = ()
    retries: int | None = None
    patience: float | None = None
    expected: frozenset[int] = frozenset()


Prepare = Callable[[Call, str], Awaitable[Call]]
"""Makes of a call and its whole URL the call to send, as with a signature of both. Raises StackError."""


class Upstream:
    """One service. Made by `open_upstream`."""

    def __init__(
        self, session: aiohttp.ClientSession, base_url: str, network: NetworkConfig, prepare: Prepare | None = None
    ) -> None:
        self._session = session
        self._prepare = prepare
        self._base = base_url.rstrip("/")
        self._origin = "://".join(urlsplit(base_url)[:2])
        self._network = network
        self._secrets = secrets_in(network)
        self._proxy = _proxy_to(network, base_url)
        self._timeout = _timeout(network, network.timeout.read, None)
        self.host = _host(base_url)

    async def fetch(self, call: Call) -> bytes:
        """The whole body of the answer. Raises StackError."""
        reply = await self.open(call)
        try:
            return await reply.read()
        finally:
            reply.close()

    async def open(self, call: Call) -> Reply:
        """The answer once its status has come, which is 2xx or expected. Raises StackError."""
        network = self._network
        url = self._url(call)
        if self._prepare is not None:
            call = await self._prepare(call, url)
        host = self.host if url.startswith(self._origin + "/") else _host(url)
        secrets = (*call.secrets, *self._secrets)
        left = network.retries if call.retries is None else call.retries
        deadline = None if network.timeout.total is None else _now() + network.timeout.total
        backoff = network.backoff
        while True:
            try:
                response = await self._send(call, url, deadline)
            except (aiohttp.ClientError, TimeoutError, ValueError) as cause:
                error, again, wait = failure(host, cause), worth_another_try(cause), None
            else:
                if 200 <= response.status < 300 or response.status in call.expected:
                    return Reply(response, self._silence(call), deadline, host, secrets)
                error = refusal(host, response.status, response.headers, await _error_body(response), secrets)
                again, wait = _asks_for_another_try(response), retry_after(response.headers)
            delay = min(backoff, LONGEST_BACKOFF) * random.uniform(0.75, 1.0) if wait is None else wait
            if (
                not again
                or left < 1
                or delay > LONGEST_RETRY_AFTER
                or (deadline is not None and _now() + delay >= deadline)
            ):
                raise error from None
            await asyncio.sleep(delay)
            left -= 1
            backoff *= 2

    async def _send(self, call: Call, url: str, deadline: float | None) -> aiohttp.ClientResponse:
        at_home = url.startswith(self._origin + "/")
        usual = call.patience is None and deadline is None
        return await self._session.request(
            call.method,
            url,
            data=call.body() if callable(call.body) else call.body,
            headers={**call.headers, **self._network.headers},
            # A redirect would carry the key to wherever it points, and turn a POST into a GET.
            allow_redirects=False,
            proxy=self._proxy if at_home else _proxy_to(self._network, url),
            timeout=self._timeout if usual else _timeout(self._network, self._silence(call), deadline),
        )

    def _silence(self, call: Call) -> float:
        return self._network.timeout.read if call.patience is None else call.patience

    def _url(self, call: Call) -> str:
        if call.path.startswith(("http://", "https://")):
            url = call.path
        elif call.path.startswith("/"):
            url = self._origin + call.path
        else:
            url = f"{self._base}/{call.path}"
        return url + ("&" if "?" in url else "?") + urlencode(call.query) if call.query else url


@asynccontextmanager
async def open_upstream(
    base_url: str,
    network: NetworkConfig,
    *,
    resolver: AbstractResolver | None = None,
    prepare: Prepare | None = None,
) -> AsyncIterator[Upstream]:
    """A service and its pool, which is closed on leaving. resolver: what finds the addresses of names, None for the
    system. prepare: has every call before it is sent. Raises SettingsError for a certificate file or a proxy that
    cannot be used.
    """
    host = _host(base_url)
    check_proxies(network.proxy, host)
    tls = tls_for(network, host)
    connector = Connector(
        limit=network.max_connections,
        keepalive=network.keepalive,
        tls=True if tls is None else tls,
        resolver=resolver,
    )
    # Bytes are relayed, so the upstream is asked not to compress them; should it all the same, the client unpacks.
    async with aiohttp.ClientSession(
        connector=connector,
        headers={"Accept-Encoding": "identity", "User-Agent": "stackgen"},
        cookie_jar=aiohttp.DummyCookieJar(),
        skip_auto_headers=("Content-Type",),
    ) as session:
        yield Upstream(session, base_url, network, prepare)


def _proxy_to(network: NetworkConfig, url: str) -> str | None:
    target = urlsplit(url)
    return proxy_for(network.proxy, target.scheme, target.hostname or "")


def _timeout(network: NetworkConfig, silence: float, deadline: float | None) -> aiohttp.ClientTimeout:
    """silence: seconds. deadline: the loop's time."""
    return aiohttp.ClientTimeout(
        total=None if deadline is None else max(deadline - _now(), 0.001),
        connect=silence,  # with the wait for a free connection of the pool
        sock_connect=network.timeout.connect,
        sock_read=silence,
    )


def _asks_for_another_try(response: aiohttp.ClientResponse) -> bool:
    said = response.headers.get("X-Should-Retry")
    if said in ("true", "false"):
        return said == "true"
    return response.status in (408, 429) or (response.status >= 500 and response.status != 501)


async def _error_body(response: aiohttp.ClientResponse) -> bytes:
    """The beginning of it; whatever goes wrong here, the status is known and matters more."""
    body = bytearray()
    try:
        async with asyncio.timeout(ERROR_BODY_SECONDS):
            while len(body) < LARGEST_ERROR_BODY and (chunk := await response.content.readany()):
                body += chunk
    except BROKEN:
        pass
    finally:
        response.close()
    return bytes(body[:LARGEST_ERROR_BODY])


def _host(url: str) -> str:
    """Host and port, without user and password."""
    return urlsplit(url).netloc.rpartition("@")[2]


def _now() -> float:
    return asyncio.get_running_loop().time()
