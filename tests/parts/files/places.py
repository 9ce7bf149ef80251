"""Places for files: ours over a database of their own, and services that stand behind them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from parts.contracts.files.requests import (
    CreateFileRequest,
    DeleteFileRequest,
    DownloadFileRequest,
    ListFilesRequest,
    RetrieveFileRequest,
)
from parts.providers.files.keeping import KeptFiles
from parts.providers.files.localfs import LocalFsConfig, open_localfs
from parts.providers.storage.sql_sqlite import SqlSqliteConfig, open_sql_sqlite
from parts.runtime.http import App, Http
from parts.runtime.http_download import download
from parts.runtime.http_upload import upload
from parts.runtime.metrics import Accounts
from parts.runtime.serve import Process, ServerConfig, bind
from parts.runtime.sql import Sql

MOST = 4 * 1024 * 1024


@asynccontextmanager
async def database(folder: Path) -> AsyncIterator[Sql]:
    async with open_sql_sqlite(SqlSqliteConfig(db_path=str(folder / "sql.db")), instance="sql_default") as sql:
        yield sql


@asynccontextmanager
async def local(folder: Path, **config: Any) -> AsyncIterator[KeptFiles]:
    """Files below a folder, with their database."""
    settings = LocalFsConfig(storage_dir=str(folder / "files"), **{"max_file_bytes": MOST, **config})
    async with database(folder) as sql, open_localfs(settings, metadata_store=sql) as files:
        yield files


def app(files: KeptFiles, accounts: Accounts) -> App:
    """The routes of the Files API, as a generated app.py has them."""
    http = Http(accounts, max_body_bytes=1000)
    return http.app(
        [
            http.get("/v1/files", ListFilesRequest, files.list_files),
            upload("/v1/files", CreateFileRequest, files.create_file, files.spool),
            http.get("/v1/files/{file_id}", RetrieveFileRequest, files.retrieve_file),
            http.delete("/v1/files/{file_id}", DeleteFileRequest, files.delete_file),
            download("/v1/files/{file_id}/content", DownloadFileRequest, files.download_file),
        ]
    )


@asynccontextmanager
async def served(files: KeptFiles, wrap: Any = lambda app: app) -> AsyncIterator[int]:
    """These files on a port. wrap: what stands before the application."""
    config = ServerConfig(port=0, shutdown_seconds=1)
    listener = bind(config)
    ready = asyncio.Event()
    process: list[Process] = []

    async def main() -> None:
        process.append(Process(config, listener, ready.set))
        await process[0].serve(wrap(app(files, process[0].accounts)))

    task = asyncio.create_task(main())
    await ready.wait()
    try:
        yield listener.getsockname()[1]
    finally:
        process[0].stop()
        await asyncio.wait_for(task, 10)


@dataclass
class FakeOpenAI:
    """Stands for OpenAI's service, which cannot be had: our own Files API over a folder, which wants a key.

    refused: paths that it was asked for without the key. broken: how many bytes of uploads' answers go out before the
    connection is lost; None for all.
    """

    key: str
    refused: list[str] = field(default_factory=list)
    answers: bool = True
    inner: Any = None

    def before(self, app: App) -> Any:
        self.inner = app
        return self

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if dict(scope["headers"]).get(b"authorization") != f"Bearer {self.key}".encode():
            self.refused.append(scope["path"])
            body = b'{"error": {"message": "Incorrect API key", "type": "x", "param": null, "code": "invalid_api_key"}}'
            await send({"type": "http.response.start", "status": 401, "headers": []})
            await send({"type": "http.response.body", "body": body})
            return
        if scope["method"] == "POST" and not self.answers:
            # The file is kept, and nobody hears of it.
            async def unheard(message: Any) -> None:
                return

            await self.inner(scope, receive, unheard)
            raise ConnectionError("the connection is lost")
        await self.inner(scope, receive, send)
