"""How to reach an upstream: TLS, proxy, patience, connections.

The keys are Llama Stack's `network` block, with limits and retries added. What each one means, its bounds and its
default stand in the spec of the shared config; the defaults here are the same.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from .errors import SettingsError
from .secret import Secret

# Shorter header values are words like "true", and asterisks for them would only spoil messages.
SHORTEST_SECRET_HEADER = 8

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


def tls_for(network: NetworkConfig, host: str) -> ssl.SSLContext | None:
    """The instance's own TLS context where it asks for anything special; None: the client's shared one costs nothing.
    Raises SettingsError for a file that is missing or cannot be used.
    """
    if network.tls == TlsConfig() and network.proxy.cacert is None:
        return None
    try:
        return tls_context(network.tls, network.proxy.cacert)
    except (OSError, ValueError) as error:
        files = (network.tls.ca_file, network.tls.client_cert, network.tls.client_key, network.proxy.cacert)
        named = ", ".join(file for file in files if file is not None)
        reason = (isinstance(error, OSError) and error.strerror) or str(error)
        raise SettingsError([f"network.tls of {host}: {reason} ({named})"]) from None


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


def check_proxies(proxy: ProxyConfig, host: str) -> None:
    """Raises SettingsError for a proxy that is no URL. host: the instance's, for the message."""
    for name, url in (("url", proxy.url), ("http", proxy.http), ("https", proxy.https)):
        text = url.reveal() if url is not None else ""
        if text and (urlsplit(text).scheme not in ("http", "https") or not urlsplit(text).hostname):
            expected = "expected a URL that starts with http:// or https:// and names a host"
            raise SettingsError([f"network.proxy.{name} of {host}: {expected}"])


def proxy_for(proxy: ProxyConfig, scheme: str, host: str) -> str | None:
    """The URL of the proxy to use for a host, None to connect directly."""
    for name in proxy.no_proxy:
        domain = name.lstrip(".").lower()
        if name == "*" or host.lower() == domain or host.lower().endswith("." + domain):
            return None
    url = (proxy.https if scheme == "https" else proxy.http) or proxy.url
    return url.reveal() if url is not None and url.reveal() else None


def secrets_in(network: NetworkConfig) -> tuple[Secret | str, ...]:
    """What must not show in an error: passwords of proxies, and headers, which may hold keys."""
    proxies = (network.proxy.url, network.proxy.http, network.proxy.https)
    passwords = [urlsplit(proxy.reveal()).password for proxy in proxies if proxy is not None]
    headers = [value for value in network.headers.values() if len(value) >= SHORTEST_SECRET_HEADER]
    return (*(unquote(password) for password in passwords if password), *headers)
