"""Documents that clients bring, as text: what they hold themselves, or what is at their URL.

To fetch whatever a client names is to lend it this server's place in the network; the rule is that of servers of
tools: public addresses, unless the distribution allows any or none.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Literal
from urllib.parse import unquote_to_bytes, urlsplit

from ....contracts.shared.content import TextContentItem
from ....contracts.tool_runtime.requests import DocumentURL
from ....runtime.errors import BadRequest, Forbidden, StackError, TooLarge
from ....runtime.public_addresses import PublicResolver, may_be_public
from ....runtime.upstream import Call, Upstream, open_upstream
from ....runtime.upstream_config import NetworkConfig
from ...vector_stores.kept.reading import Unreadable, text_of

if TYPE_CHECKING:
    from ....contracts.tool_runtime.requests import RAGDocument

Allowed = Literal["none", "public", "any"]

LARGEST = 32 * 1024 * 1024
"""Bytes of a document that is fetched."""

_URLS = ("http://", "https://", "data:")


class Documents:
    """Reads documents. Made by `open_documents`."""

    def __init__(self, upstream: Upstream, allowed: Allowed) -> None:
        self._upstream = upstream
        self._allowed = allowed

    async def text(self, document: RAGDocument, where: str) -> str:
        """where: the document's place in the request. Raises BadRequest for what cannot be read, Forbidden for a URL
        that may not be.
        """
        content = document.content
        url = content.uri if isinstance(content, DocumentURL) else content if isinstance(content, str) else ""
        if url.startswith(_URLS):
            body, name = await self._bytes(url, f"{where}.content")
            try:
                return await asyncio.to_thread(text_of, body, _named(name, document.mime_type))
            except Unreadable as error:
                message = f"{where}.content: {error.message}"
                raise BadRequest(message, code=error.code, param=f"{where}.content") from None
        if isinstance(content, DocumentURL):
            message = f"{where}.content.uri: expected a URL that starts with http://, https:// or data:"
            raise BadRequest(message, param=f"{where}.content.uri")
        pieces = content if isinstance(content, list) else [content]
        texts = [
            each if isinstance(each, str) else each.text for each in pieces if isinstance(each, str | TextContentItem)
        ]
        if len(texts) < len(pieces):
            message = f"{where}.content: images cannot be looked up; expected text"
            raise BadRequest(message, code="unsupported_content", param=f"{where}.content")
        return "\n".join(texts)

    async def _bytes(self, url: str, where: str) -> tuple[bytes, str]:
        """(what is there, what it is called)"""
        if url.startswith("data:"):
            return _data(url, where), url[5:100].partition(",")[0].partition(";")[0]
        if self._allowed == "none":
            message = f"{where}: documents are not fetched here; send the text, or a data: URL"
            raise Forbidden(message, code="url_not_allowed", param=where)
        host = urlsplit(url).hostname or ""
        if self._allowed == "public" and not may_be_public(host):
            raise Forbidden(f"{where}: {host} is at no public address", code="url_not_allowed", param=where)
        try:
            reply = await self._upstream.open(Call("GET", url))
        except StackError as error:
            message = f"{where} could not be fetched: {error.message}"
            raise BadRequest(message, code="url_not_fetched", param=where) from None
        try:
            body = bytearray()
            while chunk := await reply.chunk():
                body += chunk
                if len(body) > LARGEST:
                    message = f"{where}: what is there is larger than {LARGEST} bytes"
                    raise TooLarge(message, param=where)
            return bytes(body), reply.content_type if "html" in reply.content_type else urlsplit(url).path
        finally:
            reply.close()


def _data(url: str, where: str) -> bytes:
    head, comma, body = url[5:].partition(",")
    try:
        if comma:
            sent = unquote_to_bytes(body)
            return base64.b64decode(sent, validate=True) if head.endswith(";base64") else sent
    except binascii.Error:
        pass
    raise BadRequest(f"{where}: it is no data: URL as RFC 2397 has it", param=where)


def _named(name: str, mime: str | None) -> str:
    """A name by which HTML is known."""
    return "document.html" if "html" in name or "html" in (mime or "") else name


@asynccontextmanager
async def open_documents(allowed: Allowed, network: NetworkConfig) -> AsyncIterator[Documents]:
    """Raises SettingsError for a network that cannot be."""
    # A place that a client names gets nothing of the configuration's: no extra headers, no certificate.
    network = replace(network, headers={}, tls=replace(network.tls, client_cert=None, client_key=None))
    async with AsyncExitStack() as stack:
        resolver = None
        if allowed == "public":
            proxies = (network.proxy.url, network.proxy.http, network.proxy.https)
            hosts = [urlsplit(each.reveal()).hostname or "" for each in proxies if each is not None]
            resolver = PublicResolver(hosts)
            stack.push_async_callback(resolver.close)
        upstream = await stack.enter_async_context(open_upstream("http://localhost", network, resolver=resolver))
        yield Documents(upstream, allowed)
