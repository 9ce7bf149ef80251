"""pgvector in the tests' PostgreSQL."""

from __future__ import annotations

from typing import Any

from parts.providers.vector_io.pgvector import PgVectorConfig
from parts.runtime.secret import Secret
from real_servers import Database


def pgvector_config(database: Database, **said: Any) -> PgVectorConfig:
    return PgVectorConfig(
        host=database.host,
        port=database.port,
        db=database.name,
        user=database.user,
        password=Secret(database.password),
        **said,
    )
