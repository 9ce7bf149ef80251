"""Vectors in a Milvus server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ...runtime.secret import Secret
from ...runtime.upstream_config import NetworkConfig

if TYPE_CHECKING:
    from .on_milvus.index import MilvusIndex


@dataclass(frozen=True, slots=True, kw_only=True)
class MilvusConfig:
    """uri: where the server is. token: an API key, or `user:password`. db_name: its database, None for the default.
    consistency_level: how much of what was written a search has to see.
    """

    uri: str
    token: Secret | None = None
    db_name: str | None = None
    consistency_level: str = "Strong"
    network: NetworkConfig = field(default_factory=NetworkConfig)


@asynccontextmanager
async def open_milvus(config: MilvusConfig, *, instance: str) -> AsyncIterator[MilvusIndex]:
    """Raises SettingsError for a token that can be none. The server need not be there yet."""
    # Imported here: the client, which a server without this instance does not need.
    from ...runtime.upstream import open_upstream
    from .on_milvus.index import MilvusIndex
    from .on_milvus.rest import Server
    from .services import header_key

    key = header_key(config.token, f"{instance}.token")
    async with open_upstream(config.uri, config.network) as upstream:
        yield MilvusIndex(Server(upstream, key, config.db_name, config.consistency_level))
