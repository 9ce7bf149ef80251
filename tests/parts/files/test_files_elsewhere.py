"""Files in a bucket and at OpenAI: what is peculiar to each, and what happens where it is not there."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from moto.server import ThreadedMotoServer
from parts.contracts.files.requests import DeleteFileRequest
from parts.providers.files.keeping import KeptFiles
from parts.providers.files.openai import OpenAIFilesConfig, open_openai_files
from parts.providers.files.rows import FILES, LEASE, SECOND
from parts.providers.files.s3 import S3Config, open_s3
from parts.providers.files.sweeping import sweep
from parts.runtime.errors import SettingsError
from parts.runtime.secret import Secret
from parts.runtime.upstream_config import NetworkConfig
from parts.testing.files.asking import caller, content_of, every_page, uploaded
from parts.testing.suite import refused
from places import MOST, FakeOpenAI, database, local, served
from sqlalchemy import select

QUICK = NetworkConfig(retries=1, backoff=0.01)
KEY = "sk-upstream-key"
NOBODY = "http://127.0.0.1:9"


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Has every lease be over. Nothing is swept but by hand."""

    async def never(*what: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr("parts.providers.files.keeping.sweeping", never)

    def move() -> None:
        from parts.providers.files import rows

        now = rows.now
        monkeypatch.setattr(rows, "now", lambda: now() + LEASE + SECOND)

    return move


async def states(files: KeptFiles) -> list[str]:
    async with files._rows._sql.reading() as connection:
        return list(await connection.scalars(select(FILES.c.state)))


# ── S3 ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


class Bucket:
    """A bucket that nobody has made yet, at moto's server, whose buckets are those of the whole process."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
        self.server.start()
        self.url = "http://{}:{}".format(*self.server.get_host_and_port())

    def names(self) -> set[str]:
        import boto3

        client = boto3.client(
            "s3", endpoint_url=self.url, region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b"
        )
        return {each["Key"] for each in client.list_objects_v2(Bucket=self.name).get("Contents", [])}


@pytest.fixture
def bucket(tmp_path: Path) -> Any:
    found = Bucket(f"bucket-{hash(tmp_path) % 10**12}")
    yield found
    found.server.stop()


@asynccontextmanager
async def s3(folder: Path, **config: Any) -> AsyncIterator[KeptFiles]:
    keys = {"aws_access_key_id": Secret("who"), "aws_secret_access_key": Secret("s3cr3t-words")}
    settings = S3Config(**{"bucket_name": "the-bucket", "max_file_bytes": MOST, "network": QUICK, **keys, **config})
    async with database(folder) as sql, open_s3(settings, metadata_store=sql) as files:
        yield files


async def test_a_bucket_that_is_not_there(tmp_path: Path, bucket: Bucket) -> None:
    async with s3(tmp_path, endpoint_url=bucket.url, bucket_name=bucket.name) as files:
        error = await refused(uploaded(files, b"1"))
        assert (error.status, error.code) == (503, "storage_unavailable")
        assert await states(files) == []


async def test_a_bucket_is_made_once(tmp_path: Path, bucket: Bucket) -> None:
    async with s3(tmp_path, endpoint_url=bucket.url, bucket_name=bucket.name, auto_create_bucket=True) as files:
        found = await asyncio.gather(*(uploaded(files, b"%d" % number) for number in range(5)))
        assert bucket.names() == {each.id for each in found}


async def test_nobody_answers(tmp_path: Path, later: Callable[[], None], caplog: pytest.LogCaptureFixture) -> None:
    async with s3(tmp_path, endpoint_url=NOBODY) as files:
        error = await refused(uploaded(files, b"1"))
        assert (error.status, error.code) == (503, "storage_unavailable")
        assert await states(files) == ["deleting"], "whether there is anything, nobody knows"
        assert await every_page(files) == []
        assert (await files.health()).status == "Error"
        assert "s3cr3t" not in caplog.text + error.message
        assert "Signature" not in caplog.text


async def test_a_bucket_that_is_away_for_a_while(tmp_path: Path, bucket: Bucket, later: Callable[[], None]) -> None:
    async with s3(tmp_path, endpoint_url=bucket.url, bucket_name=bucket.name, auto_create_bucket=True) as files:
        file, kept = await uploaded(files, b"1"), await uploaded(files, b"2")
        away = files._blobs._upstream._base  # type: ignore[attr-defined]
        sign = files._blobs._signed  # type: ignore[attr-defined]

        async def nowhere(method: str, name: str) -> str:
            return (await sign(method, name)).replace(away, NOBODY)

        files._blobs._signed = nowhere  # type: ignore[attr-defined]
        assert (await refused(content_of(files, kept.id))).status == 503
        assert (await files.delete_file(DeleteFileRequest(file_id=file.id), caller())).deleted
        assert await every_page(files) == [kept.id]
        assert bucket.names() == {file.id, kept.id}
        files._blobs._signed = sign  # type: ignore[attr-defined]
        later()
        assert await sweep(files._rows, files._blobs) == 1
        assert bucket.names() == {kept.id}


async def test_an_object_that_somebody_has_removed(tmp_path: Path, bucket: Bucket) -> None:
    async with s3(tmp_path, endpoint_url=bucket.url, bucket_name=bucket.name, auto_create_bucket=True) as files:
        file = await uploaded(files, b"1")
        await files._blobs.delete(file.id)
        assert (await refused(content_of(files, file.id))).status == 404


async def test_half_a_credential(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="both or neither"):
        async with s3(tmp_path, endpoint_url=NOBODY, aws_secret_access_key=None):
            pass


# ── OpenAI ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@asynccontextmanager
async def openai(folder: Path, key: str = KEY) -> AsyncIterator[tuple[KeptFiles, KeptFiles, FakeOpenAI]]:
    """Our files, the service's, and what stands before them there."""
    fake = FakeOpenAI(KEY)
    async with (
        local(folder / "there") as there,
        served(there, fake.before) as port,
        database(folder) as sql,
        open_openai_files(
            OpenAIFilesConfig(
                base_url=f"http://127.0.0.1:{port}/v1", api_key=Secret(key), network=QUICK, ttl_secs=None
            ),
            metadata_store=sql,
        ) as files,
    ):
        yield files, there, fake


async def test_the_service_s_id_and_expiry_are_the_file_s(tmp_path: Path) -> None:
    async with openai(tmp_path) as (files, there, _):
        file = await uploaded(files, b"{}", 'a "b" ö.jsonl', expires_after={"anchor": "created_at", "seconds": 3600})
        (theirs,) = await there._rows.page(caller(), after=None, limit=9, newest_first=True, purpose=None)
        assert (file.id, file.expires_at) == (theirs.id, theirs.expires // SECOND if theirs.expires else None)
        assert file.filename == 'a "b" ö.jsonl'
        assert theirs.filename.endswith("-a %22b%22 ö.jsonl")


async def test_an_upload_whose_answer_is_lost_leaves_nothing(tmp_path: Path) -> None:
    async with openai(tmp_path) as (files, there, fake):
        other = await uploaded(files, b"another")
        fake.answers = False
        assert (await refused(uploaded(files, b"unheard"))).status == 502
        assert await every_page(there) == [other.id], "it was found by its name"
        assert await states(files) == ["ready"]


async def test_a_key_that_is_refused_is_the_server_s_trouble(tmp_path: Path, later: Callable[[], None]) -> None:
    async with openai(tmp_path, key="sk-wrong-key-of-ours") as (files, there, fake):
        error = await refused(uploaded(files, b"1"))
        assert (error.status, error.code) == (503, "storage_unavailable")
        assert "sk-wrong" not in error.message
        assert fake.refused
        assert await every_page(there) == []
        assert (await files.health()).status == "Error"


async def test_a_file_that_is_deleted_there(tmp_path: Path) -> None:
    async with openai(tmp_path) as (files, there, _):
        file = await uploaded(files, b"1")
        await there.delete_file(DeleteFileRequest(file_id=file.id), caller())
        assert (await refused(content_of(files, file.id))).status == 404
        assert (await files.delete_file(DeleteFileRequest(file_id=file.id), caller())).deleted
