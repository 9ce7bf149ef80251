"""Vectors in a Qdrant server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ...runtime.errors import SettingsError
from ...runtime.secret import Secret
from ...runtime.upstream_config import NetworkConfig

if TYPE_CHECKING:
    from .on_qdrant.index import QdrantIndex


@dataclass(frozen=True, slots=True, kw_only=True)
class QdrantConfig:
    """url: where the REST API is; else host, https and prefix are. port: where the URL names none.
    timeout: seconds of silence, None for the network's.
    """

    url: str | None = None
    host: str | None = None
    port: int = 6333
    https: bool | None = None
    prefix: str | None = None
    api_key: Secret | None = None
    timeout: float | None = None
    network: NetworkConfig = field(default_factory=NetworkConfig)


@asynccontextmanager
async def open_qdrant(config: QdrantConfig, *, instance: str) -> AsyncIterator[QdrantIndex]:
    """Raises SettingsError for an address or a key that can be none. The server need not be there yet."""
    # Imported here: the client, which a server without this instance does not need.
    from ...runtime.upstream import open_upstream
    from .on_qdrant.index import QdrantIndex
    from .on_qdrant.rest import Server
    from .services import header_key, patient

    key = header_key(config.api_key, f"{instance}.api_key")
    async with open_upstream(address(config, instance), patient(config.network, config.timeout)) as upstream:
        yield QdrantIndex(Server(upstream, key))


def address(config: QdrantConfig, instance: str) -> str:
    """The base URL that a config means. A key without `https` said otherwise asks for TLS, as Qdrant's client does."""
    if config.url and config.host:
        raise SettingsError([f"{instance}.url, {instance}.host: expected one of them"])
    if config.url:
        try:
            parts = urlsplit(config.url if "//" in config.url else f"http://{config.url}")
            named = parts.port is not None
        except ValueError:
            parts, named = urlsplit(""), False
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise SettingsError([f"{instance}.url: expected a URL like https://qdrant.example.com:6333"])
        scheme, host, path = parts.scheme, parts.netloc if named else f"{parts.netloc}:{config.port}", parts.path
    else:
        secure = config.https if config.https is not None else bool(config.host and config.api_key)
        scheme, host, path = "https" if secure else "http", f"{config.host or 'localhost'}:{config.port}", ""
    prefix = (config.prefix or "").strip("/")
    return f"{scheme}://{host}{path.rstrip('/')}" + (f"/{prefix}" if prefix else "")
