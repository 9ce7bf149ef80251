"""A key-value store in Redis."""

from __future__ import annotations

import logging
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from ...runtime.errors import SettingsError
from ...runtime.secret import Secret
from .kv.namespaces import Namespaces
from .waiting import when_there

if TYPE_CHECKING:
    from redis.asyncio import BlockingConnectionPool

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class KvRedisConfig:
    """namespace: what the names of all namespaces begin with, None for nothing. ca_cert_path: PEM file of authorities,
    None for the system's. All times are in seconds.
    """

    host: str = "localhost"
    port: int = 6379
    db: int = 0
    username: str | None = None
    password: Secret | None = None
    namespace: str | None = None
    tls: bool = False
    ca_cert_path: str | None = None
    pool_size: int = 16
    connect_seconds: float = 5.0
    timeout_seconds: float = 10.0
    start_seconds: float = 60.0


@asynccontextmanager
async def open_kv_redis(config: KvRedisConfig, *, instance: str) -> AsyncIterator[Namespaces]:
    """The store, once Redis answers. Raises SettingsError where Redis refuses these settings, and Unavailable where it
    does not answer for `start_seconds`.

    instance: the backend's name, by which errors call it.
    """
    # Imported here: the client, which a server without this backend does not need.
    from redis.asyncio import Redis

    from .kv.redis_store import RedisStore

    redis = Redis.from_pool(_pool(config, instance))
    try:
        store = RedisStore(redis, instance=instance)
        where = f"Redis at {config.host} port {config.port}"
        facts = await when_there(store.facts, seconds=config.start_seconds, instance=instance, where=where)
        _warn(facts, instance)
        yield Namespaces(store, config.namespace)
    finally:
        await redis.aclose()


def _pool(config: KvRedisConfig, instance: str) -> BlockingConnectionPool:
    from redis.asyncio import BlockingConnectionPool, Connection, SSLConnection
    from redis.asyncio.retry import Retry
    from redis.backoff import NoBackoff
    from redis.maint_notifications import MaintNotificationsConfig

    if config.tls and config.ca_cert_path is not None:
        try:
            ssl.create_default_context(cafile=config.ca_cert_path)
        except OSError as error:
            why = f"{config.ca_cert_path} holds no certificates that can be read: {error}"
            raise SettingsError([f"storage.{instance}.ca_cert_path: {why}"]) from None
    pool = partial(
        BlockingConnectionPool,
        max_connections=config.pool_size,
        timeout=config.timeout_seconds,
        host=config.host,
        port=config.port,
        db=config.db,
        username=config.username,
        password=None if config.password is None else config.password.reveal(),
        socket_connect_timeout=config.connect_seconds,
        socket_timeout=config.timeout_seconds,
        # One more attempt could find its own first one and call it another's.
        retry=Retry(NoBackoff(), 0),
        protocol=2,
        maint_notifications_config=MaintNotificationsConfig(enabled=False),
    )
    if config.tls:
        return pool(connection_class=SSLConnection, ssl_ca_certs=config.ca_cert_path)
    return pool(connection_class=Connection)


def _warn(facts: Mapping[str, object], instance: str) -> None:
    """Of what makes Redis forget."""
    if str(facts.get("maxmemory_policy", "")).startswith("allkeys"):
        log.warning(
            "storage.%s: this Redis throws away keys when its memory is full (maxmemory-policy %s), whole namespaces "
            "of this server's too; set it to noeviction",
            instance,
            facts["maxmemory_policy"],
        )
    if facts.get("aof_enabled") == 0:
        log.warning(
            "storage.%s: this Redis forgets what came after its last snapshot when it ends (appendonly is off); "
            "set appendonly to yes, and appendfsync to always for writes that survive a power cut",
            instance,
        )
