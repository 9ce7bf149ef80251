"""Vectors in a PostgreSQL database, compared by its extension pgvector."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from ...runtime.errors import SettingsError
from ...runtime.secret import Secret

if TYPE_CHECKING:
    from .postgres.index import PgVectorIndex
    from .postgres.measure import Quick


@dataclass(frozen=True, slots=True, kw_only=True)
class VectorIndexConfig:
    """type: of pgvector's indexes, or none. m, ef_construction, ef_search: of HNSW. lists, probes: of IVFFlat."""

    type: Literal["HNSW", "IVFFlat", "none"] = "HNSW"
    m: int = 16
    ef_construction: int = 64
    ef_search: int = 40
    lists: int = 100
    probes: int = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class PgVectorConfig:
    """host, port, db, user, password: the database, and whom to log in as. ssl_mode: in PostgreSQL's words.
    ca_cert_path: PEM of the authorities to trust, None for the system's. table_name: of the table of stores. pool_*,
    *_seconds: connections, and patience.
    """

    host: str = "localhost"
    port: int = 5432
    db: str = "postgres"
    user: str = "postgres"
    password: Secret | None = None
    ssl_mode: Literal["disable", "allow", "prefer", "require", "verify-ca", "verify-full"] = "prefer"
    ca_cert_path: str | None = None
    table_name: str = "stackgen_vectors"
    distance_metric: Literal["COSINE", "L2", "L1", "INNER_PRODUCT"] = "COSINE"
    vector_index: VectorIndexConfig = field(default_factory=VectorIndexConfig)
    pool_size: int = 10
    pool_seconds: float = 10.0
    connect_seconds: float = 10.0
    statement_seconds: float = 30.0
    start_seconds: float = 60.0


@asynccontextmanager
async def open_pgvector(config: PgVectorConfig, *, instance: str) -> AsyncIterator[PgVectorIndex]:
    """The vectors, once the database can be reached. Raises SettingsError where it refuses these settings, lacks the
    extension, or a newer server has made its tables, and Unavailable where it cannot be reached for `start_seconds`.
    """
    # Imported here: asyncpg, which a server without this instance does not need.
    from ..storage.postgres.login import Login
    from ..storage.postgres.pool import Limits, Pool
    from ..storage.postgres.tables import bring_up
    from ..storage.postgres.tls import tls_of
    from .postgres.extension import find_extension, set_up
    from .postgres.index import PgVectorIndex, steps
    from .postgres.measure import METRICS

    quick = _quick(config, instance)
    login = Login(
        instance=instance,
        place=instance,
        host=config.host,
        port=config.port,
        database=config.db,
        user=config.user,
        password=config.password,
        tls=tls_of(config.ssl_mode, config.ca_cert_path, instance),
        seconds=config.connect_seconds,
    )
    await login.reached(config.start_seconds)
    schema = await find_extension(login)
    limits = Limits(
        pool_size=config.pool_size, pool_seconds=config.pool_seconds, statement_seconds=config.statement_seconds
    )
    named = f"the database of vectors {instance}"
    pool = Pool(login, limits, named, set_up(schema, {} if quick is None else quick.settings))
    try:
        await pool.begin()
        await bring_up(pool, login, config.table_name, steps(config.table_name))
        yield PgVectorIndex(pool, config.table_name, METRICS[config.distance_metric], quick)
    finally:
        await pool.close()


def _quick(config: PgVectorConfig, instance: str) -> Quick | None:
    """Raises SettingsError for what PostgreSQL would refuse once the first store has grown large."""
    from .postgres.measure import Quick

    said, where = config.vector_index, f"{instance}.vector_index"
    if said.type == "none":
        return None
    if said.type == "HNSW":
        if said.ef_construction < 2 * said.m:
            raise SettingsError([f"{where}.ef_construction: expected at least twice m, which is {2 * said.m}"])
        # Goes on looking, in the right order, where a filter leaves too few.
        settings = {"hnsw.ef_search": str(said.ef_search), "hnsw.iterative_scan": "strict_order"}
        return Quick("hnsw", f"m = {said.m}, ef_construction = {said.ef_construction}", settings)
    if config.distance_metric == "L1":
        raise SettingsError([f"{where}.type: IVFFlat knows no L1; use HNSW, or another distance_metric"])
    if said.probes >= said.lists:
        raise SettingsError([f"{where}.probes: expected fewer than lists; to compare all, set type to none"])
    settings = {"ivfflat.probes": str(said.probes), "ivfflat.iterative_scan": "relaxed_order"}
    return Quick("ivfflat", f"lists = {said.lists}", settings)
