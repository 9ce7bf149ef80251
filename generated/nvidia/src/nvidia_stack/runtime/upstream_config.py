"""How to reach an upstream: TLS, proxy, patience, connections.

The keys are Llama Stack's `network` block, with limits and retries added. What each one means, its bounds and its
default stand in the spec of the shared config; the defaults here are the same.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field

from .secret import Secret

_VERSIONS = {"TLSv1.2": ssl.TLSVersion.TLSv1_2, "TLSv1.3": ssl.TLSVersion.TLSv1_3}


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsConfig:
    """verify: False accepts any certificate. ca_file: PEM of the authorities to trust instead of the system's.
    min_version: "TLSv1.2" or "TLSv1.3". ciphers: OpenSSL names, for TLS 1.2. client_cert, client_key: PEM files.
    """

    verify: bool = True
    ca_file: str | None = None
    min_version: str | None = None
    ciphers: tuple[str, ...] = ()
    client_cert: str | None = None
    client_key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxyConfig:
    """url: for every request; http, https: for requests of that scheme, before `url`; secret, as they may hold a
    password.
    cacert: PEM of an authority to trust beside the others, for a proxy that signs its own certificates.
    no_proxy: hosts to reach directly: a name, `.domain` for all under it, or `*`.
    """

    url: Secret | None = None
    http: Secret | None = None
    https: Secret | None = None
    cacert: str | None = None
    no_proxy: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeoutConfig:
    """In seconds. connect: TCP and TLS. read: the longest silence. total: the whole request with its retries and its
    stream.
    """

    connect: float = 10.0
    read: float = 600.0
    total: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkConfig:
    """retries: attempts after the first. backoff: seconds before the second attempt, doubled before each further one.
    max_connections: open at once; more requests wait. keepalive: seconds that an idle connection is kept. headers:
    sent with every request, and stronger than ours of the same name.
    """

    tls: TlsConfig = field(default_factory=TlsConfig)
    proxy: ProxyConfig = field(default_factory=ProxyConfig)
    timeout: TimeoutConfig = field(default_factory=TimeoutConfig)
    headers: Mapping[str, str] = field(default_factory=dict)
    retries: int = 2
    backoff: float = 0.5
    max_connections: int = 1000
    keepalive: float = 30.0


def tls_context(tls: TlsConfig, proxy_authority: str | None = None) -> ssl.SSLContext:
    """The one TLS context of an instance. Raises OSError or ssl.SSLError for a file that is missing or no PEM."""
    context = ssl.create_default_context(cafile=tls.ca_file)
    if proxy_authority is not None:
        context.load_verify_locations(cafile=proxy_authority)
    if not tls.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if tls.min_version is not None:
        context.minimum_version = _VERSIONS[tls.min_version]
    if tls.ciphers:
        context.set_ciphers(":".join(tls.ciphers))
    if tls.client_cert is not None:
        context.load_cert_chain(tls.client_cert, tls.client_key)
    return context


def proxy_for(proxy: ProxyConfig, scheme: str, host: str) -> str | None:
    """The URL of the proxy to use for a host, None to connect directly."""
    for name in proxy.no_proxy:
        domain = name.lstrip(".").lower()
        if name == "*" or host.lower() == domain or host.lower().endswith("." + domain):
            return None
    url = (proxy.https if scheme == "https" else proxy.http) or proxy.url
    return url.reveal() if url is not None and url.reveal() else None
