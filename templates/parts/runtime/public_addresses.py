"""Which addresses are the internet's.

To connect wherever a client says is to lend it this server's place in the network. So what clients name has to be at
public addresses, unless the distribution says otherwise. The rule is applied to the addresses that are connected to,
not to the name: a name may mean something else a moment later.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Collection

from aiohttp import ThreadedResolver
from aiohttp.abc import AbstractResolver, ResolveResult

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


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


def may_be_public(host: str) -> bool:
    """False for an address of no public network, and for this machine's name; of other names a resolver tells."""
    host = host.rstrip(".")
    try:
        return is_public(host)
    except ValueError:
        return host != "localhost" and not host.endswith(".localhost")


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

    async def knows_as_private(self, host: str) -> bool:
        """Whether a name has addresses, and none of them is public."""
        try:
            found = await self._system.resolve(host, 0, socket.AF_UNSPEC)
        except OSError:
            return False  # the connection tells of it
        return not any(is_public(each["host"]) for each in found)
