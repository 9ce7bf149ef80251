"""A built server that keeps files, before OpenAI's, Llama Stack's and OGX's own clients."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread
from typing import get_args

import httpx
import openai
import psutil
import pytest
from llama_stack_client import LlamaStackClient
from ogx_client import OgxClient
from openai import OpenAI
from openai.types import FilePurpose
from stackgen.environment import environment_for

from .conftest import Built
from .servers import CACHE, Running, stackgen

pytestmark = pytest.mark.slow

DISTRIBUTION = """
name: filebox
summary: Files alone.
apis: [files, inspect, providers]
providers:
  files:
    - id: localfs
      type: inline::localfs
      config: {storage_dir: "${env.FILES_STORAGE_DIR}", max_file_bytes: 300000000}
storage:
  backends:
    sql_default: {type: inline::sql-sqlite, config: {db_path: "${env.SQLITE_STORE_DIR}/sql.db"}}
"""


@pytest.fixture(scope="module")
def filebox(tmp_path_factory: pytest.TempPathFactory) -> Built:
    folder = tmp_path_factory.mktemp("filebox")
    (folder / "specs/distributions").mkdir(parents=True)
    (folder / "specs/distributions/filebox.yaml").write_text(DISTRIBUTION)
    done = stackgen("build", "filebox", "--specs", folder / "specs", "--out", folder / "filebox")
    assert done.returncode == 0, done.stderr
    return Built("filebox", folder / "filebox", environment_for(folder / "filebox", CACHE / "envs", lambda _: None))


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("data")


@pytest.fixture(scope="module")
def server(filebox: Built, data: Path) -> Iterator[Running]:
    environ = {"FILES_STORAGE_DIR": str(data / "files"), "SQLITE_STORE_DIR": str(data)}
    with filebox.serve(environ, "--workers", "2") as running:
        yield running


@pytest.fixture
def client(server: Running) -> Iterator[OpenAI]:
    with OpenAI(base_url=f"{server.url}/v1", api_key="none", max_retries=0) as client:
        yield client


def test_openai_s_client(client: OpenAI) -> None:
    made = []
    for number, purpose in enumerate(get_args(FilePurpose)):
        file = client.files.create(file=(f"ñ {number}.jsonl", b"{}" * number), purpose=purpose)
        assert (file.bytes, file.purpose, file.filename) == (2 * number, purpose, f"ñ {number}.jsonl")
        assert client.files.retrieve(file.id) == file
        assert client.files.content(file.id).read() == b"{}" * number
        made.append(file.id)
    assert [each.id for each in client.files.list(limit=2)] == made[::-1]
    assert [each.id for each in client.files.list(limit=4, order="asc")] == made
    assert [each.purpose for each in client.files.list(purpose="batch")] == ["batch"]
    expiring = client.files.create(
        file=b"x", purpose="user_data", expires_after={"anchor": "created_at", "seconds": 3600}
    )
    assert expiring.expires_at == expiring.created_at + 3600
    for file_id in [*made, expiring.id]:
        assert client.files.delete(file_id).deleted
    assert list(client.files.list()) == []
    with pytest.raises(openai.NotFoundError):
        client.files.content(made[0])


def test_openai_s_client_is_told_what_is_wrong(client: OpenAI) -> None:
    with pytest.raises(openai.BadRequestError, match="purpose") as wrong:
        client.files.create(file=b"x", purpose="nonsense")  # type: ignore[arg-type]
    assert wrong.value.param == "purpose"
    with pytest.raises(openai.NotFoundError) as unknown:
        client.files.list(after="file-none").data  # noqa: B018
    assert (unknown.value.param, unknown.value.code) == ("after", "file_not_found")
    with pytest.raises(openai.BadRequestError, match="made by the server") as ours:
        client.files.create(file=b"{}", purpose="batch_output")  # type: ignore[arg-type]
    assert ours.value.param == "purpose"
    with pytest.raises(openai.APIStatusError) as large:
        client.files.create(file=b"x" * 300_000_001, purpose="batch")
    assert large.value.status_code == 413


def test_what_browsers_and_curl_send(server: Running) -> None:
    got = httpx.post(
        f"{server.url}/v1/openai/v1/files",
        data={"purpose": "assistants"},
        files={"file": ("../../../etc/x\r\nSet-Cookie: y.txt", b"<script>", "text/html")},
    )
    assert got.status_code == 200, got.text
    found = httpx.get(f"{server.url}/v1/files/{got.json()['id']}/content")
    assert found.headers["content-type"] == "application/octet-stream"
    assert found.headers["x-content-type-options"] == "nosniff"
    assert "set-cookie" not in found.headers
    head = httpx.head(f"{server.url}/v1/files/{got.json()['id']}/content")
    assert (head.status_code, head.headers["content-length"], head.content) == (200, "8", b"")


def test_a_part_of_a_file(server: Running, client: OpenAI) -> None:
    content = os.urandom(1_000_000)
    url = f"{server.url}/v1/files/{client.files.create(file=content, purpose='user_data').id}/content"
    part = httpx.get(url, headers={"Range": "bytes=300000-699999"})
    assert (part.status_code, part.content) == (206, content[300_000:700_000])
    assert (part.headers["content-range"], part.headers["content-length"]) == ("bytes 300000-699999/1000000", "400000")
    # As a download that broke off is gone on with.
    rest = httpx.get(url, headers={"Range": "bytes=999990-"})
    assert (rest.status_code, rest.content) == (206, content[-10:])
    beyond = httpx.get(url, headers={"Range": "bytes=1000000-"})
    assert (beyond.status_code, beyond.headers["content-range"]) == (416, "bytes */1000000")
    assert beyond.json()["error"]["code"] == "range_not_satisfiable"
    whole = httpx.get(url)
    assert (whole.status_code, whole.headers["accept-ranges"], whole.content) == (200, "bytes", content)


def test_what_a_file_is_can_be_asked_without_reading_it(server: Running, client: OpenAI, data: Path) -> None:
    id = client.files.create(file=b"abc", purpose="user_data").id
    (data / "files" / id).unlink()
    url = f"{server.url}/v1/files/{id}/content"
    head = httpx.head(url, headers={"Range": "bytes=0-0"})
    assert (head.status_code, head.headers["content-length"], head.headers["accept-ranges"]) == (200, "3", "bytes")
    assert httpx.get(url).status_code == 404, "there is nothing that could have been read"
    assert client.files.delete(id).deleted


def test_llama_stack_s_client(server: Running) -> None:
    with LlamaStackClient(base_url=server.url, max_retries=0) as client:
        file = client.files.create(file=("a.txt", b"abc"), purpose="assistants")
        assert client.files.retrieve(file.id).bytes == 3
        assert file.id in [each.id for each in client.files.list(purpose="assistants").data]
        client.files.content(file.id)
        assert client.files.delete(file.id).deleted


def test_ogx_s_client(server: Running) -> None:
    with OgxClient(base_url=server.url, max_retries=0) as client:
        file = client.files.create(file=("a.txt", b"abc"), purpose="assistants")
        assert client.files.retrieve(file.id).filename == "a.txt"
        assert file.id in [each.id for each in client.files.list()]
        assert client.files.delete(file.id).deleted


def test_a_file_of_200_mb_goes_through_flat_memory(filebox: Built, tmp_path: Path) -> None:
    source, digest = tmp_path / "large.bin", hashlib.sha256()
    with source.open("wb") as file:
        for _ in range(200):
            piece = os.urandom(1_000_000)
            digest.update(piece)
            file.write(piece)
    environ = {"FILES_STORAGE_DIR": str(tmp_path / "files"), "SQLITE_STORE_DIR": str(tmp_path)}
    with filebox.serve(environ) as server, OpenAI(base_url=f"{server.url}/v1", api_key="none") as client:
        client.files.delete(client.files.create(file=b"once, to have everything loaded", purpose="batch").id)
        with Peak(server) as peak:
            with source.open("rb") as file:
                uploaded = client.files.create(file=file, purpose="user_data")
            found = hashlib.sha256()
            with client.files.with_streaming_response.content(uploaded.id) as answer:
                for piece in answer.iter_bytes():
                    found.update(piece)
        assert found.digest() == digest.digest()
        assert peak.grown < 24 * 2**20


class Peak:
    """By how many bytes a server's memory is larger than at first, at most."""

    def __init__(self, server: Running) -> None:
        self.process = psutil.Process(server.process.pid)
        self.before = self.process.memory_info().rss
        self.grown = 0
        self.over = Event()
        self.thread = Thread(target=self.watch)

    def watch(self) -> None:
        while not self.over.wait(0.01):
            self.grown = max(self.grown, self.process.memory_info().rss - self.before)

    def __enter__(self) -> Peak:
        self.thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.over.set()
        self.thread.join()
