"""Vectors in an Elasticsearch server."""

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
    from .on_elasticsearch.index import ElasticsearchIndex


@dataclass(frozen=True, slots=True, kw_only=True)
class ElasticsearchConfig:
    """url: of the server; without a scheme it is asked over plain HTTP. api_key: as Elasticsearch encodes it."""

    url: str = "localhost:9200"
    api_key: Secret | None = None
    network: NetworkConfig = field(default_factory=NetworkConfig)


@asynccontextmanager
async def open_elasticsearch(config: ElasticsearchConfig, *, instance: str) -> AsyncIterator[ElasticsearchIndex]:
    """Raises SettingsError for an address or a key that can be none. The server need not be there yet."""
    # Imported here: the client, which a server without this instance does not need.
    from ...runtime.upstream import open_upstream
    from .on_elasticsearch.index import ElasticsearchIndex
    from .on_elasticsearch.rest import Server
    from .services import header_key

    url = config.url if "//" in config.url else f"http://{config.url}"
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise SettingsError([f"{instance}.url: expected a URL like https://elasticsearch.example.com:9200"])
    key = header_key(config.api_key, f"{instance}.api_key")
    async with open_upstream(url, config.network) as upstream:
        yield ElasticsearchIndex(Server(upstream, key))
