"""Which servers may be talked to.

Those that the distribution names, wherever they are; others have to be at public addresses, unless the distribution
allows any or none.
"""

from __future__ import annotations

from urllib.parse import urljoin, urlsplit

from ....runtime.errors import BadRequest, Forbidden, UpstreamError
from ....runtime.public_addresses import PublicResolver, may_be_public


def check_url(url: str, param: str) -> None:
    """Raises BadRequest for what is no endpoint: a URL that is kept and shown holds no credential."""
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises for a port that is none
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in ("http", "https") or not parts.hostname or not url.isascii() or not url.isprintable():
        raise BadRequest("the endpoint is no URL that starts with http:// or https:// and names a host", param=param)
    if parts.username or parts.password or parts.query or parts.fragment or " " in url:
        message = "the endpoint is to be a URL without user, query and fragment; credentials come with each request"
        raise BadRequest(message, param=param)


def same_place(url: str, said: str | None, host: str) -> str:
    """Where a server of `url` sends us: within its own origin only, since credentials go along."""
    target = urljoin(url, said or "")
    if not said or urlsplit(target)[:2] != urlsplit(url)[:2]:
        raise UpstreamError(f"{host} sends its clients to another place, which is not followed")
    return target


def check_public(url: str) -> None:
    """Raises Forbidden for a URL whose host is an address of no public network, or this machine's name."""
    host = urlsplit(url).hostname or ""
    if not may_be_public(host):
        raise not_public(host)


async def check_resolved(url: str, resolver: PublicResolver) -> None:
    """Raises Forbidden for a URL whose host is a name, and has addresses of which none is public."""
    host = urlsplit(url).hostname or ""
    if await resolver.knows_as_private(host):
        raise not_public(host)


def not_public(host: str) -> Forbidden:
    message = (
        f"{host} is at no public address; whoever runs this server can declare the endpoint as a tool group, "
        "or set client_endpoints to any"
    )
    return Forbidden(message, code="endpoint_not_allowed", param="mcp_endpoint")
