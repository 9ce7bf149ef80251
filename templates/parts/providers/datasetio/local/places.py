"""The bytes that a URI means: in itself, in a folder of this machine, on the web.

What the distribution declares may be anywhere. What a client names may hold its rows itself, or be a file below the
folder that the distribution sets apart; and of the web what `client_uris` says, within the public addresses unless told
otherwise.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import os
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from http import HTTPStatus
from pathlib import Path
from urllib.parse import unquote, unquote_to_bytes, urljoin, urlsplit

from ....runtime.errors import BadRequest, Forbidden, StackError, TooLarge, UpstreamError
from ....runtime.public_addresses import PublicResolver, may_be_public
from ....runtime.upstream import Call, Upstream, open_upstream
from ....runtime.upstream_config import NetworkConfig, ProxyConfig, proxy_for
from ....runtime.upstream_reply import Reply
from .parsing import Form, form_of

PARAM = "source.uri"
REDIRECTS = 5
_MOVED = frozenset(
    {
        HTTPStatus.MOVED_PERMANENTLY,
        HTTPStatus.FOUND,
        HTTPStatus.SEE_OTHER,
        HTTPStatus.TEMPORARY_REDIRECT,
        HTTPStatus.PERMANENT_REDIRECT,
    }
)
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_SCHEMES = ("data", "lsfs", "file", "http", "https")


@dataclass(frozen=True, slots=True)
class Found:
    """The content of a file, and what it is."""

    content: bytes
    form: Form


def is_known(uri: str) -> bool:
    """Whether it is of a kind that is read here."""
    scheme = _SCHEME.match(uri)
    return scheme is None or scheme[1].lower() in _SCHEMES


class Places:
    """folder: for files that clients name, None for none. most: bytes of a file. anywhere: the way to URLs of the
    distribution. public: to those of clients, None where they may name none. resolver: of those, where they have to be
    public. proxy: what is on the way.
    """

    def __init__(
        self,
        folder: Path | None,
        most: int,
        anywhere: Upstream,
        public: Upstream | None,
        resolver: PublicResolver | None,
        proxy: ProxyConfig,
    ) -> None:
        self._folder = folder
        self._most = most
        self._anywhere = anywhere
        self._public = public
        self._resolver = resolver
        self._proxy = proxy

    async def read(self, uri: str, *, declared: bool) -> Found:
        """Raises StackError: the URI is none, may not be named, or what is there is no such file."""
        scheme = _SCHEME.match(uri)
        match scheme[1].lower() if scheme else "file":
            case "data":
                return self._of_data(uri)
            case "http" | "https":
                return await self._of_web(uri, declared=declared)
            case "file" | "lsfs":
                return await asyncio.to_thread(self._of_folder, uri, declared=declared)
            case other:
                message = f"{other}: URIs are not read by this provider; expected one of {', '.join(_SCHEMES)}"
                raise BadRequest(message, code="unsupported_source", param=PARAM)

    # ── in itself ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _of_data(self, uri: str) -> Found:
        head, comma, body = uri.partition(":")[2].partition(",")
        if not comma:
            raise BadRequest("a data: URI has a comma before its content; there is none", param=PARAM)
        media, *more = head.split(";")
        try:
            content = base64.b64decode(unquote(body), validate=True) if "base64" in more else unquote_to_bytes(body)
        except (binascii.Error, ValueError):
            raise BadRequest("the content of the data: URI is no base64", param=PARAM) from None
        return Found(content, form_of("", media.strip()))

    # ── in a folder ─────────────────────────────────────────────────────────────────────────────────────────────────

    def _of_folder(self, uri: str, *, declared: bool) -> Found:
        path = self._path(uri, declared=declared)
        try:
            with path.open("rb") as file:
                if os.fstat(file.fileno()).st_size > self._most:
                    raise self._too_large(path.name)
                content = file.read(self._most + 1)
        except (OSError, ValueError) as error:
            reason = (isinstance(error, OSError) and error.strerror) or "it is no path"
            raise BadRequest(f"{path.name[:100]!r} cannot be read: {reason}", param=PARAM) from None
        if len(content) > self._most:
            raise self._too_large(path.name)
        return Found(content, form_of(path.name))

    def _path(self, uri: str, *, declared: bool) -> Path:
        scheme, _, rest = uri.partition(":") if _SCHEME.match(uri) else ("", "", uri)
        parts = urlsplit(uri) if scheme.lower() == "file" else None
        if parts is not None and parts.netloc not in ("", "localhost"):
            raise BadRequest("a file: URI names a file of this machine, as in file:///folder/rows.jsonl", param=PARAM)
        path = Path(unquote(parts.path if parts is not None else rest.removeprefix("//")))
        if declared:
            return path.expanduser() if path.is_absolute() or self._folder is None else self._folder / path
        if self._folder is None:
            message = "this server reads no files of its own for clients; files_dir of its provider would name a folder"
            raise Forbidden(message, code="source_not_allowed", param=PARAM)
        try:
            # Whatever links and `..` say, and nothing of what lies elsewhere is told of.
            target = (self._folder / path).resolve()
            inside = target.is_relative_to(self._folder.resolve()) and target.is_file()
        except (OSError, ValueError):
            inside = False
        if not inside:
            raise BadRequest("there is no such file in the folder for datasets", code="source_not_found", param=PARAM)
        return target

    # ── on the web ──────────────────────────────────────────────────────────────────────────────────────────────────

    async def _of_web(self, uri: str, *, declared: bool) -> Found:
        upstream = self._anywhere if declared else self._public
        if upstream is None:
            message = "this server fetches nothing for clients; client_uris of its provider says so"
            raise Forbidden(message, code="source_not_allowed", param=PARAM)
        url = uri
        for _ in range(REDIRECTS + 1):
            await self._check(url, declared=declared)
            reply = await _opened(upstream, url)
            try:
                if reply.status not in _MOVED:
                    content = bytearray()
                    while piece := await reply.chunk():
                        content += piece
                        if len(content) > self._most:
                            raise self._too_large(_host(url))
                    return Found(bytes(content), form_of(urlsplit(uri).path, reply.content_type))
                url = urljoin(url, reply.header("Location") or "")
            finally:
                reply.close()
        raise UpstreamError(f"{_host(uri)} sends its clients from one place to another without end")

    async def _check(self, url: str, *, declared: bool) -> None:
        """Raises BadRequest for what is no URL, Forbidden for one that clients may not name."""
        try:
            parts = urlsplit(url)
            host, _ = parts.hostname or "", parts.port  # raises for a port that is none
        except ValueError:
            parts, host = urlsplit(""), ""
        if parts.scheme not in ("http", "https") or not host or not url.isascii() or not url.isprintable():
            message = "it is no URL that starts with http:// or https:// and names a host"
            raise BadRequest(message, param=PARAM)
        if parts.username or parts.password:
            raise BadRequest("a URL that is kept and shown has no user and no password", param=PARAM)
        if declared or self._resolver is None:
            return
        # A proxy looks up names by itself.
        proxied = proxy_for(self._proxy, parts.scheme, host) is not None
        if not may_be_public(host) or (not proxied and await self._resolver.knows_as_private(host)):
            message = f"{host} is at no public address, and clients of this server may name no other"
            raise Forbidden(message, code="source_not_allowed", param=PARAM)

    def _too_large(self, name: str) -> TooLarge:
        message = f"{name[:100]} has more than {self._most} bytes, the most of this server"
        return TooLarge(message, code="dataset_too_large", param=PARAM)


@asynccontextmanager
async def open_places(folder: str | None, most: int, client_uris: str, network: NetworkConfig) -> AsyncIterator[Places]:
    """client_uris: what clients may name of the web: "none", "public" or "any"."""
    proxies = [each.reveal() for each in (network.proxy.url, network.proxy.http, network.proxy.https) if each]
    async with AsyncExitStack() as stack:
        # No service of its own: each call has a whole URL.
        nowhere = "http://localhost"
        anywhere = await stack.enter_async_context(open_upstream(nowhere, network))
        public, resolver = None, None
        if client_uris == "public":
            resolver = PublicResolver([urlsplit(each).hostname or "" for each in proxies])
            stack.push_async_callback(resolver.close)
        if client_uris != "none":
            # A place that a client names gets nothing of the configuration's: no extra headers, no certificate.
            bare = replace(network, headers={}, tls=replace(network.tls, client_cert=None, client_key=None))
            public = await stack.enter_async_context(open_upstream(nowhere, bare, resolver=resolver))
        path = None if folder is None else Path(folder).expanduser()
        yield Places(path, most, anywhere, public, resolver, network.proxy)


async def _opened(upstream: Upstream, url: str) -> Reply:
    """Raises BadRequest where the place refuses: it is the client who has named it."""
    try:
        return await upstream.open(Call("GET", url, expected=_MOVED))
    except StackError as error:
        if error.status < HTTPStatus.INTERNAL_SERVER_ERROR:
            message = f"{_host(url)} does not give it: {error.message}"
            raise BadRequest(message, code="source_not_found", param=PARAM) from None
        raise


def _host(url: str) -> str:
    return urlsplit(url).netloc.rpartition("@")[2]
