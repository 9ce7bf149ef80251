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
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from types import MappingProxyType
from urllib.parse import unquote, urlencode, urlsplit

import aiohttp

from .errors import SettingsError, UpstreamError
from .secret import Secret
from .upstream_config import NetworkConfig, TlsConfig, proxy_for, tls_context
from .upstream_errors import failure, refusal, retry_after, worth_another_try

LONGEST_BACKOFF = 8.0
LONGEST_RETRY_AFTER = 30.0
LARGEST_ERROR_BODY = 65536
# An answer is held in memory whole. The largest that there is reason for, a few thousand embeddings of 4096 numbers
# each, is half of this; one without an end must not take the server down.
LARGEST_ANSWER = 512 * 1024 * 1024
ERROR_BODY_SECONDS = 5.0
# Shorter header values are words like "true", and asterisks for them would only spoil messages.
SHORTEST_SECRET_HEADER = 8

BROKEN = (aiohttp.ClientError, TimeoutError)
"""How the end of a connection, or of patience with it, shows."""

_NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Call:
    """One request.

    path: below the base URL; with a leading `/` below its host; or a whole URL.
    body: bytes, or what begins to give them anew for each attempt; then the header Content-Length says how many.
    secrets: what stands in it that must not show in an error; headers and proxies of the network config are known
    already.
    retries: attempts after the first, None for the network's. patience: seconds of silence, None for the network's.
    """

    method: str
    path: str
    body: bytes | Callable[[], AsyncIterator[bytes]] | None = None
    headers: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    query: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    secrets: tuple[Secret, ...] = ()
    retries: int | None = None
    patience: float | None = None


class Reply:
    """An answer of status 2xx whose body is still to be read; whoever holds it closes it.

    receive: gives what has come by now, waiting for at least a byte; b"" at the end. Whoever awaits it many times does
    so between `silence.since = now()` and `silence.since = None`, and tells its BROKEN errors by `failure`; `chunk`
    does that for once.
    """

    __slots__ = ("_response", "host", "receive", "secrets", "silence")

    def __init__(
        self, response: aiohttp.ClientResponse, silence: Silence, host: str, secrets: tuple[Secret | str, ...]
    ) -> None:
        self._response = response
        self.receive = response.content.readany
        self.silence = silence
        self.host = host
        self.secrets = secrets

    @property
    def content_type(self) -> str:
        """Without parameters, in lower case; "application/octet-stream" if the upstream did not say."""
        return self._response.content_type.lower()

    async def read(self) -> bytes:
        """All of it. Raises StackError, also where it is larger than LARGEST_ANSWER."""
        pieces: list[bytes] = []
        size = 0
        while piece := await self.chunk():
            pieces.append(piece)
            size += len(piece)
            if size > LARGEST_ANSWER:
                raise UpstreamError(
                    f"{self.host} answered more than {LARGEST_ANSWER} bytes", code="upstream_invalid_answer"
                )
        return b"".join(pieces)

    async def chunk(self) -> bytes:
        """What has come by now, waiting for at least a byte; b"" at the end. Raises StackError."""
        self.silence.since = _now()
        try:
            return await self.receive()
        except BROKEN as error:
            raise failure(self.host, error) from None
        finally:
            self.silence.since = None

    async def drain(self, seconds: float) -> None:
        """Waits a moment for the end of a body of which all that matters has come, so that its connection can be
        kept.
        """
        if self._response.content.at_eof():
            return
        with suppress(*BROKEN):
            async with asyncio.timeout(seconds):
                while await self._response.content.readany():
                    pass

    def close(self) -> None:
        """Cuts the connection, which tells the upstream to stop; a body read to its end has given its connection back
        already.
        """
        self.silence.end()
        self._response.close()


class Silence:
    """Ends an answer that its reader has waited for too long. One timer serves all its pieces: one set anew for each is
    a tenth of what it costs to relay a piece.

    since: the loop's time at which the reader began to wait, None while it does not.
    """

    __slots__ = ("_content", "_loop", "_seconds", "_timer", "since")

    def __init__(self, response: aiohttp.ClientResponse, seconds: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._content = response.content
        self._seconds = seconds
        self._timer: asyncio.TimerHandle | None = None
        self.since: float | None = None
        connection = response.connection
        # There is none any more once the body has come, as that of a short answer does with its head.
        if connection is not None and connection.protocol is not None:
            self._timer = self._loop.call_later(seconds, self._look)
            connection.protocol.read_timeout = None

    def end(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _look(self) -> None:
        left = self._seconds if self.since is None else self.since + self._seconds - self._loop.time()
        if left > 0:
            self._timer = self._loop.call_later(left, self._look)
        else:
            self._content.set_exception(aiohttp.SocketTimeoutError("Timeout on reading data from socket"))


class Upstream:
    """One service. Made by `open_upstream`."""

    def __init__(self, session: aiohttp.ClientSession, base_url: str, network: NetworkConfig) -> None:
        self._session = session
        self._base = base_url.rstrip("/")
        self._origin = "://".join(urlsplit(base_url)[:2])
        self._network = network
        self._secrets = _secrets_of(network)
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
        """The answer once its status has come, which is 2xx. Raises StackError."""
        network = self._network
        url = self._url(call)
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
                if 200 <= response.status < 300:
                    return Reply(response, Silence(response, self._silence(call)), host, secrets)
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
async def open_upstream(base_url: str, network: NetworkConfig) -> AsyncIterator[Upstream]:
    """A service and its pool, which is closed on leaving. Raises SettingsError for a certificate file or a proxy that
    cannot be used.
    """
    _check_proxy(base_url, network)
    connector = aiohttp.TCPConnector(
        limit=network.max_connections, keepalive_timeout=network.keepalive, ssl=_tls(base_url, network)
    )
    # Bytes are relayed, so the upstream is asked not to compress them; should it all the same, the client unpacks.
    async with aiohttp.ClientSession(
        connector=connector,
        headers={"Accept-Encoding": "identity", "User-Agent": "stackgen"},
        cookie_jar=aiohttp.DummyCookieJar(),
        skip_auto_headers=("Content-Type",),
    ) as session:
        yield Upstream(session, base_url, network)


def _tls(base_url: str, network: NetworkConfig) -> ssl.SSLContext | bool:
    """The instance's own context where it asks for anything special: the client's shared one costs nothing."""
    if network.tls == TlsConfig() and network.proxy.cacert is None:
        return True
    try:
        return tls_context(network.tls, network.proxy.cacert)
    except (OSError, ValueError) as error:
        files = (network.tls.ca_file, network.tls.client_cert, network.tls.client_key, network.proxy.cacert)
        named = ", ".join(file for file in files if file is not None)
        reason = (isinstance(error, OSError) and error.strerror) or str(error)
        raise SettingsError([f"network.tls of {_host(base_url)}: {reason} ({named})"]) from None


def _check_proxy(base_url: str, network: NetworkConfig) -> None:
    for name, proxy in (("url", network.proxy.url), ("http", network.proxy.http), ("https", network.proxy.https)):
        text = proxy.reveal() if proxy is not None else ""
        if text and (urlsplit(text).scheme not in ("http", "https") or not urlsplit(text).hostname):
            expected = "expected a URL that starts with http:// or https:// and names a host"
            raise SettingsError([f"network.proxy.{name} of {_host(base_url)}: {expected}"])


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


def _secrets_of(network: NetworkConfig) -> tuple[Secret | str, ...]:
    proxies = (network.proxy.url, network.proxy.http, network.proxy.https)
    passwords = [urlsplit(proxy.reveal()).password for proxy in proxies if proxy is not None]
    headers = [value for value in network.headers.values() if len(value) >= SHORTEST_SECRET_HEADER]
    return (*(unquote(password) for password in passwords if password), *headers)


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
