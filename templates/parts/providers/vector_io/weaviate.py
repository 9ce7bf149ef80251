"""Vectors in a Weaviate server."""

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
    from .on_weaviate.index import WeaviateIndex

_HERE = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True, kw_only=True)
class WeaviateConfig:
    """cluster_url: where the server is. api_key: None where it asks for none."""

    cluster_url: str = "localhost:8080"
    api_key: Secret | None = None
    network: NetworkConfig = field(default_factory=NetworkConfig)


@asynccontextmanager
async def open_weaviate(config: WeaviateConfig, *, instance: str) -> AsyncIterator[WeaviateIndex]:
    """Raises SettingsError for an address or a key that can be none. The server need not be there yet."""
    # Imported here: the client, which a server without this instance does not need.
    from ...runtime.upstream import open_upstream
    from .on_weaviate.index import WeaviateIndex
    from .on_weaviate.server import Server
    from .services import header_key

    key = header_key(config.api_key, f"{instance}.api_key")
    async with open_upstream(address(config.cluster_url, instance), config.network) as upstream:
        yield WeaviateIndex(Server(upstream, key))


def address(said: str, instance: str) -> str:
    """The base URL. One without a scheme is a cluster of Weaviate Cloud, over TLS, unless it is this machine."""
    try:
        host = urlsplit(said if "//" in said else f"//{said}").hostname
        url = said if "//" in said else f"{'http' if host in _HERE else 'https'}://{said}"
        parts = urlsplit(url)
        right = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        url, right = "", False
    if not right:
        message = "expected a URL like https://abc.weaviate.cloud, or localhost:8080"
        raise SettingsError([f"{instance}.cluster_url: {message}"])
    return url.rstrip("/")
