"""A key-value store in a MongoDB database."""

from __future__ import annotations

import logging
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from ...runtime.errors import SettingsError
from ...runtime.secret import Secret
from .kv.namespaces import Namespaces
from .waiting import when_there


@dataclass(frozen=True, slots=True, kw_only=True)
class KvMongodbConfig:
    """user, auth_source: whom to log in as, and the database that knows the user. namespace: what the names of all
    namespaces begin with, None for nothing. ca_cert_path: PEM file of authorities, None for the system's. All times are
    in seconds.
    """

    host: str = "localhost"
    port: int = 27017
    db: str
    user: str | None = None
    password: Secret | None = None
    auth_source: str = "admin"
    replica_set: str | None = None
    collection_name: str = "stackgen_kv"
    namespace: str | None = None
    tls: bool = False
    ca_cert_path: str | None = None
    pool_size: int = 16
    connect_seconds: float = 5.0
    timeout_seconds: float = 10.0
    start_seconds: float = 60.0


@asynccontextmanager
async def open_kv_mongodb(config: KvMongodbConfig, *, instance: str) -> AsyncIterator[Namespaces]:
    """The store, once MongoDB answers. Raises SettingsError where it refuses these settings or has no transactions, and
    Unavailable where it does not answer for `start_seconds`.

    instance: the backend's name, by which errors call it.
    """
    # Imported here: the driver, which a server without this backend does not need.
    from pymongo import AsyncMongoClient

    from .kv.mongodb_store import Document, MongoStore

    if config.tls and config.ca_cert_path is not None:
        try:
            ssl.create_default_context(cafile=config.ca_cert_path)
        except OSError as error:
            why = f"{config.ca_cert_path} holds no certificates that can be read: {error}"
            raise SettingsError([f"storage.{instance}.ca_cert_path: {why}"]) from None
    # It would log whole commands at the level `debug`, with what clients keep in them.
    logging.getLogger("pymongo").setLevel(logging.INFO)
    client: AsyncMongoClient[Document] = AsyncMongoClient(
        config.host,
        config.port,
        username=config.user,
        password=None if config.password is None else config.password.reveal(),
        authSource=config.auth_source,
        replicaSet=config.replica_set,
        tls=config.tls,
        tlsCAFile=config.ca_cert_path if config.tls else None,
        maxPoolSize=config.pool_size,
        connectTimeoutMS=round(config.connect_seconds * 1000),
        serverSelectionTimeoutMS=round(config.connect_seconds * 1000),
        socketTimeoutMS=round(config.timeout_seconds * 1000),
        tz_aware=True,
        appname=f"stackgen {instance}",
    )
    try:
        store = MongoStore(
            client, db=config.db, collection=config.collection_name, seconds=config.timeout_seconds, instance=instance
        )
        where = f"MongoDB at {config.host} port {config.port}"
        await when_there(store.prepare, seconds=config.start_seconds, instance=instance, where=where)
        yield Namespaces(store, config.namespace)
    finally:
        await client.close()
