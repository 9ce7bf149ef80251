"""What a caller shows a server: headers, which live as long as the session that was opened with them, in memory only.

They come with each request, in one of two ways of Llama Stack's: a token as `authorization`, which is sent as a bearer
token; or headers by the server's URL, in the provider-data header:

    X-LlamaStack-Provider-Data: {"mcp_headers": {"https://mcp.example.com/mcp": {"X-Api-Key": "…"}}}
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from pydantic_core import from_json

from ....runtime.context import Context
from ....runtime.errors import BadRequest
from ....runtime.secret import Secret

MCP_HEADERS = "mcp_headers"

SHORTEST_SECRET = 4
"""Shorter values are words and numbers, and asterisks for them would only spoil messages."""

_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_OURS = frozenset(
    {
        "accept", "accept-encoding", "connection", "content-encoding", "content-length", "content-type", "expect",
        "host", "keep-alive", "last-event-id", "mcp-protocol-version", "mcp-session-id", "proxy-authorization",
        "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade",
    }
)  # fmt: skip
"""Headers that belong to the connection or to the protocol."""


@dataclass(frozen=True, slots=True)
class Credential:
    """headers: by lower-case name, sorted. Equal ones are the same caller to a server."""

    headers: tuple[tuple[str, Secret], ...] = ()

    def revealed(self) -> dict[str, str]:
        return {name: value.reveal() for name, value in self.headers}

    def secrets(self) -> tuple[Secret, ...]:
        """What must not show in an error: the values, and a token without the word before it."""
        tails = (Secret(value.reveal().partition(" ")[2]) for _, value in self.headers)
        found = (*(value for _, value in self.headers), *tails)
        return tuple(each for each in found if len(each.reveal()) >= SHORTEST_SECRET)


def credential_for(endpoint: str, authorization: str | None, ctx: Context) -> Credential:
    """What this request shows at an endpoint. Raises BadRequest, which never repeats a value."""
    headers = _headers_for(endpoint, ctx.provider_data.get(MCP_HEADERS))
    if authorization:
        if "authorization" in headers:
            message = f"the token is given twice: as authorization, and in {MCP_HEADERS} of the provider-data header"
            raise BadRequest(message, param="authorization")
        token = authorization.strip()
        if not token or not token.isascii() or not token.isprintable():
            raise BadRequest("authorization holds what no header can carry", param="authorization")
        headers["authorization"] = Secret(token if " " in token else f"Bearer {token}")
    return Credential(tuple(sorted(headers.items())))


def _headers_for(endpoint: str, said: Secret | None) -> dict[str, Secret]:
    if said is None:
        return {}
    # The header's reader has seen to it that this is an object.
    for url, headers in from_json(said.reveal()).items():
        if url.rstrip("/") == endpoint.rstrip("/"):
            if not isinstance(headers, Mapping):
                raise _bad("what stands under a URL must be an object of headers")
            return {name.lower(): _value(name, value) for name, value in headers.items()}
    return {}


def _value(name: str, value: object) -> Secret:
    if not _NAME.fullmatch(name):
        raise _bad("a name in it is no header's name")
    if name.lower() in _OURS:
        raise _bad(f"the header {name} belongs to the connection, and may not be given")
    if not isinstance(value, str) or not value.isascii() or not value.isprintable():
        raise _bad(f"the header {name} must be printable ASCII text")
    return Secret(value.strip())


def _bad(what: str) -> BadRequest:
    return BadRequest(f"{MCP_HEADERS} in the provider-data header: {what}", code="invalid_provider_data")
