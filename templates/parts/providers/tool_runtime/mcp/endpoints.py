"""Which servers may be talked to.

Those that the distribution names, wherever they are. To connect wherever a client says is to lend it this server's
place in the network; so others have to be at public addresses, unless the distribution allows any or none. The rule is
applied to the addresses that are connected to, not to the name: a name may mean something else a moment later.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Collection
from urllib.parse import urljoin, urlsplit

from aiohttp import ThreadedResolver
from aiohttp.abc import AbstractResolver, ResolveResult

from ....runtime.errors import BadRequest, Forbidden, UpstreamError

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


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


def is_public(address: str) -> bool:
    """Whether an IP address is one of the internet's, also where an IPv6 address stands for one of IPv4."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if inner is None and ip in _NAT64:
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(str(inner))
    return ip.is_global and not ip.is_multicast


def check_public(url: str) -> None:
    """Raises Forbidden for a URL whose host is an address of no public network, or this machine's name."""
    host = (urlsplit(url).hostname or "").rstrip(".")
    try:
        public = is_public(host)
    except ValueError:  # it is a name, of which the resolver will tell
        public = host != "localhost" and not host.endswith(".localhost")
    if not public:
        raise not_public(host)


def not_public(host: str) -> Forbidden:
    message = (
        f"{host} is at no public address; whoever runs this server can declare the endpoint as a tool group, "
        "or set client_endpoints to any"
    )
    return Forbidden(message, code="endpoint_not_allowed", param="mcp_endpoint")


class PublicResolver(AbstractResolver):
    """The system's, less addresses that are not public. besides: names of our own, as those of proxies."""

    def __init__(self, besides: Collection[str]) -> None:
        self._system = ThreadedResolver()
        self._besides = frozenset(besides)

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = await self._system.resolve(host, port, family)
        if host in self._besides:
            return found
        public = [each for each in found if is_public(each["host"])]
        if not public:
            raise OSError(f"{host} has no public address")
        return public

    async def close(self) -> None:
        await self._system.close()

    async def check(self, url: str) -> None:
        """Raises Forbidden where a name has addresses, and none of them is public."""
        host = urlsplit(url).hostname or ""
        try:
            found = await self._system.resolve(host, 0, socket.AF_UNSPEC)
        except OSError:
            return  # the connection tells of it
        if not any(is_public(each["host"]) for each in found):
            raise not_public(host)
