"""The places for files before the suite that third parties prove theirs with (`stackgen_api.testing.files`)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest
from moto.server import ThreadedMotoServer
from parts.providers.files.keeping import KeptFiles
from parts.providers.files.localfs import LocalFsConfig, open_localfs
from parts.providers.files.openai import OpenAIFilesConfig, open_openai_files
from parts.providers.files.s3 import S3Config, open_s3
from parts.runtime.secret import Secret
from parts.testing.files import FilesSuite
from parts.testing.files.asking import uploaded
from places import MOST, FakeOpenAI, database, local, served
from real_servers import Postgres
from sql_backends import postgres_at


class TestLocalFs(FilesSuite[KeptFiles]):
    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path) -> None:
        self.folder = tmp_path / "a" / "b"

    def opens(self) -> AbstractAsyncContextManager[KeptFiles]:
        return local(self.folder)


@pytest.fixture(scope="module")
def s3_url() -> Iterator[str]:
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


class TestS3(FilesSuite[KeptFiles]):
    """moto's server: S3's API over HTTP, its objects in memory."""

    @pytest.fixture(autouse=True)
    def _server(self, tmp_path: Path, s3_url: str) -> None:
        self.folder, self.url = tmp_path, s3_url

    @asynccontextmanager
    async def opens(self) -> AsyncIterator[KeptFiles]:
        config = S3Config(
            bucket_name=f"suite-{abs(hash(self.folder))}",
            region="eu-central-1",
            aws_access_key_id=Secret("who"),
            aws_secret_access_key=Secret("secret"),
            endpoint_url=self.url,
            auto_create_bucket=True,
            max_file_bytes=MOST,
        )
        async with database(self.folder) as sql, open_s3(config, metadata_store=sql) as files:
            yield files

    def test_it_is_healthy(self) -> None:
        async def test(provider: KeptFiles) -> None:
            assert (await provider.health()).status == "Error"
            await uploaded(provider, b"the first makes the bucket")
            assert (await provider.health()).status == "OK"

        self.run(test)


class TestOpenAI(FilesSuite[KeptFiles]):
    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path) -> None:
        self.folder = tmp_path

    @asynccontextmanager
    async def opens(self) -> AsyncIterator[KeptFiles]:
        fake = FakeOpenAI("sk-upstream-key")
        async with (
            local(self.folder / "there") as there,
            served(there, fake.before) as port,
            database(self.folder) as sql,
            open_openai_files(
                OpenAIFilesConfig(
                    base_url=f"http://127.0.0.1:{port}/v1",
                    api_key=Secret("sk-upstream-key"),
                    max_file_bytes=MOST,
                    ttl_secs=None,
                ),
                metadata_store=sql,
            ) as files,
        ):
            yield files
        assert not fake.refused


@pytest.mark.slow
class TestLocalFsOverPostgres(FilesSuite[KeptFiles]):
    @pytest.fixture(autouse=True)
    def _database(self, tmp_path: Path, postgres: Postgres) -> None:
        self.folder, self.database = tmp_path, postgres.database()

    @asynccontextmanager
    async def opens(self) -> AsyncIterator[KeptFiles]:
        config = LocalFsConfig(storage_dir=str(self.folder / "files"), max_file_bytes=MOST)
        async with postgres_at(self.database) as sql, open_localfs(config, metadata_store=sql) as files:
            yield files
