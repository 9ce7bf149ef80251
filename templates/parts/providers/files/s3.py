"""Files in a bucket of S3, or of a service that speaks its API.

obstore finds the credentials, as AWS's own tools do, and signs URLs; the requests are made as to any other upstream. A
file is sent in one PUT, which a store either takes whole or not at all, so that a crash leaves no parts of it behind.
"""

from __future__ import annotations

import asyncio
import logging
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ...runtime.errors import NotFound, SettingsError, StackError, Unavailable
from ...runtime.upload import Spool
from ...runtime.upstream import Call, Upstream, open_upstream
from ...runtime.upstream_config import NetworkConfig
from ...runtime.wiring import Health
from .settings import FilesConfig

if TYPE_CHECKING:
    from obstore.store import S3Config as S3Settings
    from obstore.store import S3Store

    from ...contracts.files.requests import CreateFileRequest
    from ...runtime.secret import Secret
    from ...runtime.sql import Sql
    from .keeping import KeptFiles, Placed

log = logging.getLogger(__name__)

SIGNED_FOR = timedelta(minutes=15)
CREDENTIALS_SECONDS = 10.0
HEALTH_SECONDS = 3.0
HOME = "us-east-1"
"""The region whose buckets are made without saying where."""


@dataclass(frozen=True, slots=True, kw_only=True)
class S3Config(FilesConfig):
    """region: of the bucket. aws_access_key_id, aws_secret_access_key: None for what the machine has. endpoint_url:
    None for AWS. auto_create_bucket: whether a bucket that is not there is made with the first file.
    """

    bucket_name: str
    region: str = HOME
    aws_access_key_id: Secret | None = None
    aws_secret_access_key: Secret | None = None
    endpoint_url: str | None = None
    auto_create_bucket: bool = False
    network: NetworkConfig = field(default_factory=NetworkConfig)


@asynccontextmanager
async def open_s3(config: S3Config, *, metadata_store: Sql) -> AsyncIterator[KeptFiles]:
    """Raises SettingsError for a network that cannot be; the bucket is not asked for yet."""
    from .keeping import keeping

    spool = Spool(folder=Path(tempfile.gettempdir()), max_file_bytes=config.max_file_bytes)
    base = config.endpoint_url or f"https://s3.{config.region}.amazonaws.com"
    async with open_upstream(base, config.network) as upstream:
        blobs = S3Blobs(upstream, _store(config), config)
        place = f"s3/{config.bucket_name}"
        async with keeping(metadata_store, blobs, config, place=place, spool=spool) as files:
            yield files


class S3Blobs:
    """One object for each, named by its id (`keeping.Blobs`)."""

    def __init__(self, upstream: Upstream, store: S3Store, config: S3Config) -> None:
        self._upstream = upstream
        self._store = store
        self._config = config

    async def put(self, id: str, request: CreateFileRequest) -> Placed:
        from .keeping import Placed

        headers = {"Content-Length": str(request.file.size), "Content-Type": "application/octet-stream"}

        async def send() -> None:
            call = Call("PUT", await self._signed("PUT", id), request.file.pieces, headers)
            await self._upstream.fetch(call)

        try:
            try:
                await send()
            except NotFound:
                if not self._config.auto_create_bucket:
                    raise
                await self._make_bucket()
                await send()
        except StackError as error:
            raise self._trouble("written", error) from error
        return Placed(id)

    def get(self, id: str) -> AsyncGenerator[bytes, None]:
        return self._read(id, {})

    def part(self, id: str, start: int, stop: int) -> AsyncGenerator[bytes, None]:
        # A signature is over the URL and the host, so that any header may come along.
        return self._read(id, {"Range": f"bytes={start}-{stop - 1}"})

    async def _read(self, id: str, headers: Mapping[str, str]) -> AsyncGenerator[bytes, None]:
        try:
            reply = await self._upstream.open(Call("GET", await self._signed("GET", id), headers=headers))
        except NotFound as error:
            if error.code == "NoSuchBucket":
                raise self._trouble("read", error) from error
            raise NotFound(f"the content of {id} is gone", code="file_not_found") from None
        except StackError as error:
            raise self._trouble("read", error) from error
        try:
            if headers and not reply.is_part:
                raise Unavailable("the bucket gives no parts of files", code="storage_unavailable")
            while piece := await reply.chunk():
                yield piece
        finally:
            reply.close()

    async def delete(self, id: str) -> None:
        try:
            await self._upstream.fetch(Call("DELETE", await self._signed("DELETE", id)))
        except NotFound:
            # Without a bucket there is nothing in it.
            return
        except StackError as error:
            raise self._trouble("removed", error) from error

    async def health(self) -> Health:
        try:
            async with asyncio.timeout(HEALTH_SECONDS):
                await self._upstream.fetch(Call("HEAD", await self._signed("HEAD", ""), retries=0))
        except TimeoutError:
            return Health("Error", f"{self._upstream.host} did not answer within {HEALTH_SECONDS:g} s")
        except StackError as error:
            return Health("Error", error.message)
        return Health("OK")

    async def _make_bucket(self) -> None:
        where = ""
        if self._config.region != HOME:
            said = f"<LocationConstraint>{self._config.region}</LocationConstraint>"
            space = "http://s3.amazonaws.com/doc/2006-03-01/"
            where = f'<CreateBucketConfiguration xmlns="{space}">{said}</CreateBucketConfiguration>'
        try:
            await self._upstream.fetch(Call("PUT", await self._signed("PUT", ""), where.encode()))
        except StackError as error:
            # Another worker was faster.
            if error.code not in ("BucketAlreadyOwnedByYou", "OperationAborted"):
                raise

    async def _signed(self, method: Literal["GET", "PUT", "DELETE", "HEAD"], name: str) -> str:
        """A URL that whoever has it may use once or more for a while, so none to be shown. Raises Unavailable."""
        import obstore
        from obstore.exceptions import BaseError

        try:
            async with asyncio.timeout(CREDENTIALS_SECONDS):
                return await obstore.sign_async(self._store, method, name, SIGNED_FOR)
        except (BaseError, OSError, TimeoutError) as error:
            log.warning("no request to %s can be signed: %s", self._upstream.host, type(error).__name__)
            raise Unavailable("there are no credentials for the bucket", code="storage_unavailable") from None

    def _trouble(self, what: str, error: StackError) -> Unavailable:
        """For the client, whose doing it is not, whatever the store said."""
        log.warning("the bucket %s: %s (%s)", self._config.bucket_name, error.message, error.code or error.status)
        return Unavailable(
            f"files cannot be {what} at present", code="storage_unavailable", retry_after=error.retry_after
        )


def _store(config: S3Config) -> S3Store:
    """Raises SettingsError for half a credential."""
    from obstore.store import S3Store

    key, secret = config.aws_access_key_id, config.aws_secret_access_key
    if (key is None) != (secret is None):
        raise SettingsError(["aws_access_key_id and aws_secret_access_key are given both or neither"])
    terms: S3Settings = {
        "bucket": config.bucket_name,
        "region": config.region,
        # A bucket as a host's name is AWS's way; a dot in it would not fit its certificate.
        "virtual_hosted_style_request": config.endpoint_url is None and "." not in config.bucket_name,
    }
    if key is not None and secret is not None:
        terms |= {"access_key_id": key.reveal(), "secret_access_key": secret.reveal()}
    if config.endpoint_url is not None:
        terms["endpoint"] = config.endpoint_url
    return S3Store(config=terms, client_options={"allow_http": True})
