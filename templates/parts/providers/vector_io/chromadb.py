"""Vectors in a Chroma server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from ...runtime.secret import Secret
from ...runtime.upstream_config import NetworkConfig

if TYPE_CHECKING:
    from .on_chroma.index import ChromaIndex


@dataclass(frozen=True, slots=True, kw_only=True)
class ChromaDbConfig:
    """url: of the server. tenant, database: that collections are in. api_key: sent in `auth_header`."""

    url: str
    tenant: str = "default_tenant"
    database: str = "default_database"
    api_key: Secret | None = None
    auth_header: Literal["X-Chroma-Token", "Authorization"] = "X-Chroma-Token"
    network: NetworkConfig = field(default_factory=NetworkConfig)


@asynccontextmanager
async def open_chromadb(config: ChromaDbConfig, *, instance: str) -> AsyncIterator[ChromaIndex]:
    """Raises SettingsError for a key that no header can carry. The server need not be there yet."""
    # Imported here: the client, which a server without this instance does not need.
    from ...runtime.upstream import open_upstream
    from .on_chroma.index import ChromaIndex
    from .on_chroma.rest import Access, Server
    from .services import header_key

    key = header_key(config.api_key, f"{instance}.api_key")
    async with open_upstream(f"{config.url.rstrip('/')}/api/v2", config.network) as upstream:
        yield ChromaIndex(Server(upstream, Access(config.tenant, config.database, config.auth_header, key)))
