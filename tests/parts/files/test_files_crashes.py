"""Files whose server is killed, whose client leaves, whose disk is full: nothing is left that is not a file."""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
from parts.contracts.files.requests import CreateFileRequest, DeleteFileRequest
from parts.providers.files import localfs, rows
from parts.providers.files.keeping import KeptFiles, Placed
from parts.providers.files.rows import FILES, LEASE, SECOND, FileRows
from parts.providers.files.sweeping import sweep
from parts.runtime import http_watch
from parts.runtime.errors import SettingsError, Unavailable
from parts.runtime.sql import Sql
from parts.testing.files.asking import caller, content_of, every_page, uploaded
from parts.testing.suite import refused
from places import local, served
from sqlalchemy import select

HERE = Path(__file__).parent


async def states(sql: Sql) -> dict[str, str]:
    async with sql.reading() as connection:
        return {row.id: row.state for row in await connection.execute(select(FILES.c.id, FILES.c.state))}


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Moves the clock of the rows. By: microseconds."""
    shift = 0
    now = rows.now

    def move(by: int) -> None:
        nonlocal shift
        shift += by

    for module in ("rows", "keeping"):
        monkeypatch.setattr(f"parts.providers.files.{module}.now", lambda: now() + shift)
    return move


@pytest.fixture
def swept_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(*what: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr("parts.providers.files.keeping.sweeping", never)


async def until(what: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not what():
            await asyncio.sleep(0.02)


# ── kill -9 ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.usefixtures("swept_by_hand")
@pytest.mark.parametrize("how", ["names", "copies"])
async def test_kill_9_at_random_points_leaves_no_orphan_row_or_blob(
    tmp_path: Path, how: str, later: Callable[[int], None]
) -> None:
    rounds = os.environ.get("STACKGEN_CRASH_ROUNDS", "12")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([*sys.path, str(HERE)])}
    command = [sys.executable, str(HERE / "crash_rounds.py"), str(tmp_path), rounds, "7", how]
    await asyncio.to_thread(subprocess.run, command, env=environment, check=True, timeout=300)
    said = (tmp_path / "answered").read_text().splitlines()
    kept = dict(line[1:].split() for line in said if line[0] == "+")
    gone = {line[1:] for line in said if line[0] == "-"}
    maybe = {line[1:] for line in said if line[0] == "?"}
    assert len(kept) > 20
    assert len(gone) > 5

    later(LEASE + 30 * SECOND)
    async with local(tmp_path) as files:
        await sweep(files._rows, files._blobs)
        left = await states(files._rows._sql)
        assert set(left.values()) == {"ready"}
        assert set(left) == {path.name for path in (tmp_path / "files").iterdir()}, (
            "each row has bytes, and only rows do"
        )
        assert kept.keys() - maybe <= left.keys(), "what was answered is kept"
        assert not gone & left.keys(), "what was deleted is gone"
        for file_id, digest in kept.items():
            if file_id in left:
                assert hashlib.sha256(await content_of(files, file_id)).hexdigest() == digest


# ── sweeping ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.usefixtures("swept_by_hand")
async def test_what_is_over_is_not_there_and_is_swept(tmp_path: Path, later: Callable[[int], None]) -> None:
    async with local(tmp_path, ttl_secs=100) as files:
        short = await uploaded(files, b"1")
        longer = await uploaded(files, b"2", expires_after={"anchor": "created_at", "seconds": 3600})
        later(101 * SECOND)
        assert await every_page(files) == [longer.id]
        assert (await refused(content_of(files, short.id))).status == 404
        assert await sweep(files._rows, files._blobs) == 1
        assert {path.name for path in (tmp_path / "files").iterdir()} == {longer.id}


@pytest.mark.usefixtures("swept_by_hand")
async def test_files_without_an_end_stay(tmp_path: Path, later: Callable[[int], None]) -> None:
    async with local(tmp_path, ttl_secs=None) as files:
        file = await uploaded(files, b"1")
        assert file.expires_at is None
        later(10**9 * SECOND)
        assert await sweep(files._rows, files._blobs) == 0
        assert await content_of(files, file.id) == b"1"


@pytest.mark.usefixtures("swept_by_hand")
async def test_another_place_in_the_same_database_is_left_alone(tmp_path: Path, later: Callable[[int], None]) -> None:
    async with local(tmp_path, ttl_secs=100) as files:
        await uploaded(files, b"1")
        later(101 * SECOND)
        assert await sweep(FileRows(files._rows._sql, "s3/bucket"), files._blobs) == 0


@pytest.mark.usefixtures("swept_by_hand")
async def test_many_sweep_at_once_and_each_row_once(tmp_path: Path, later: Callable[[int], None]) -> None:
    async with local(tmp_path, ttl_secs=100) as files:
        for _ in range(30):
            await uploaded(files, b"x")
        later(101 * SECOND)
        assert sum(await asyncio.gather(*(sweep(files._rows, files._blobs) for _ in range(5)))) == 30
        assert await states(files._rows._sql) == {}


async def test_the_sweeper_runs_by_itself(tmp_path: Path, later: Callable[[int], None]) -> None:
    async with local(tmp_path, ttl_secs=100, sweep_interval_seconds=0.1) as files:
        await uploaded(files, b"1")
        later(101 * SECOND)
        await until(lambda: not list((tmp_path / "files").iterdir()))


class Slow:
    """Blobs that take their time."""

    part = None

    def __init__(self, blobs: Any) -> None:
        self.blobs = blobs
        self.going = asyncio.Event()
        self.go = asyncio.Event()
        self.deleted: list[str] = []

    async def put(self, id: str, request: CreateFileRequest) -> Placed:
        self.going.set()
        await self.go.wait()
        placed: Placed = await self.blobs.put(id, request)
        return placed

    async def delete(self, id: str) -> None:
        self.deleted.append(id)
        await self.blobs.delete(id)

    def get(self, id: str) -> AsyncGenerator[bytes, None]:
        pieces: AsyncGenerator[bytes, None] = self.blobs.get(id)
        return pieces


@pytest.mark.usefixtures("swept_by_hand")
async def test_an_upload_that_was_taken_for_abandoned_leaves_nothing(
    tmp_path: Path, later: Callable[[int], None]
) -> None:
    async with local(tmp_path) as files:
        slow = files._blobs = Slow(files._blobs)
        task = asyncio.create_task(uploaded(files, b"late"))
        await slow.going.wait()
        assert await sweep(files._rows, slow) == 0, "somebody works on it"
        later(LEASE + SECOND)
        assert await sweep(files._rows, slow) == 1
        slow.go.set()
        assert isinstance(await refused(task), Unavailable)
        assert (await states(files._rows._sql), list((tmp_path / "files").iterdir())) == ({}, [])


@pytest.mark.usefixtures("swept_by_hand")
async def test_an_upload_that_takes_long_is_held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, later: Callable[[int], None]
) -> None:
    monkeypatch.setattr("parts.providers.files.keeping.LEASE", SECOND // 10)
    async with local(tmp_path) as files:
        slow = files._blobs = Slow(files._blobs)
        task = asyncio.create_task(uploaded(files, b"late"))
        await slow.going.wait()
        later(LEASE + SECOND)
        await asyncio.sleep(0.5)
        assert await sweep(files._rows, slow) == 0, "the row was held anew since"
        slow.go.set()
        assert await content_of(files, (await task).id) == b"late"


async def test_a_caller_who_is_cancelled_leaves_nothing(tmp_path: Path) -> None:
    async with local(tmp_path) as files:
        slow = files._blobs = Slow(files._blobs)
        task = asyncio.create_task(uploaded(files, b"never"))
        await slow.going.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert (await states(files._rows._sql), list((tmp_path / "files").iterdir())) == ({}, [])


@pytest.mark.usefixtures("swept_by_hand")
async def test_bytes_that_cannot_be_removed_now_are_removed_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, later: Callable[[int], None]
) -> None:
    async with local(tmp_path) as files:
        file = await uploaded(files, b"1")

        def fails(*folder: object) -> None:
            raise OSError(5, "Input/output error")

        with monkeypatch.context() as patch:
            patch.setattr(localfs, "_remove", fails)
            assert (await files.delete_file(DeleteFileRequest(file_id=file.id), caller())).deleted
            assert await every_page(files) == []
            later(LEASE + SECOND)
            assert await sweep(files._rows, files._blobs) == 0
        assert await states(files._rows._sql) == {file.id: "deleting"}
        later(LEASE + SECOND)
        assert await sweep(files._rows, files._blobs) == 1
        assert (await states(files._rows._sql), list((tmp_path / "files").iterdir())) == ({}, [])


async def test_bytes_that_somebody_has_removed(tmp_path: Path) -> None:
    async with local(tmp_path) as files:
        file = await uploaded(files, b"1")
        (tmp_path / "files" / file.id).unlink()
        assert (await refused(content_of(files, file.id))).status == 404
        assert (await files.delete_file(DeleteFileRequest(file_id=file.id), caller())).deleted


# ── a disk that is full ─────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 3 MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=3m", "none", str(folder)]
    if os.geteuid() != 0 or subprocess.run(command, capture_output=True, check=False).returncode != 0:
        pytest.skip("only root may mount a small disk")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.parametrize("how", ["names", "copies"])
async def test_disk_full(tmp_path: Path, small_disk: Path, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    if how == "copies":
        monkeypatch.setattr(localfs, "_name", lambda *file: False)
    (tmp_path / "files").symlink_to(small_disk)
    size = 2_000_000
    async with local(tmp_path) as files, served(files) as port:
        answers = [await send(port, form(b"x" * size)) for _ in range(3)]
        kept = [each for each in answers if each.startswith(b"HTTP/1.1 200")]
        assert len(kept) == (1 if how == "names" else 0), "a copy takes its room twice"
        refusals = [each for each in answers if each not in kept]
        assert all(each.startswith(b"HTTP/1.1 507") and b"storage_full" in each for each in refusals)
        ids = await every_page(files)
        assert {path.name for path in small_disk.iterdir()} == set(ids) == (await states(files._rows._sql)).keys()
        assert shutil.disk_usage(small_disk).used < (size + 100_000) * len(kept) + 100_000, "what was refused is gone"
        assert (await send(port, form(b"small"))).startswith(b"HTTP/1.1 200"), "what fits is taken still"


# ── clients ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def form(content: bytes) -> bytes:
    head = b'--x\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nbatch\r\n'
    file = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n' + content + b"\r\n--x--\r\n"
    return head + file


def posted(body: bytes, length: int | None = None) -> bytes:
    head = "POST /v1/files HTTP/1.1\r\nhost: x\r\ncontent-type: multipart/form-data; boundary=x\r\n"
    return f"{head}connection: close\r\ncontent-length: {length or len(body)}\r\n\r\n".encode() + body


async def send(port: int, body: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(posted(body))
    answer = await reader.read()
    writer.close()
    return answer


def descriptors() -> int:
    return psutil.Process().num_fds()


async def test_an_upload_cut_off(tmp_path: Path) -> None:
    async with local(tmp_path) as files, served(files) as port:
        await send(port, form(b"one before"))
        before, there = descriptors(), len(list((tmp_path / "files").iterdir()))
        body = form(b"x" * 3_000_000)
        for cut in (0, 10, 200, 70_000, 2_500_000, len(body) - 1):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(posted(body[:cut], len(body)))
            await writer.drain()
            await asyncio.sleep(0.05)
            writer.transport.abort()
        await until(lambda: descriptors() <= before)
        assert len(list((tmp_path / "files").iterdir())) == there
        assert len(await states(files._rows._sql)) == 1


async def test_a_folder_that_cannot_be_written_is_told_at_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Asked like this, as tests may run as somebody who can write everywhere.
    monkeypatch.setattr(os, "access", lambda path, mode: not mode & os.W_OK)
    with pytest.raises(SettingsError, match="cannot be read and written by this process"):
        async with local(tmp_path):
            pass


async def test_a_client_that_falls_silent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_watch, "SILENCE_SECONDS", 0.2)
    async with local(tmp_path) as files, served(files) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        body = form(b"x" * 1000)
        writer.write(posted(body[:500], len(body)))
        assert (await reader.read()).startswith(b"HTTP/1.1 408")
        writer.close()
        assert (list((tmp_path / "files").iterdir()), await states(files._rows._sql)) == ([], {})


@asynccontextmanager
async def large(folder: Path) -> AsyncIterator[tuple[KeptFiles, str, int]]:
    """A server with a file of 40 MB, which no connection's buffers hold."""
    async with local(folder, max_file_bytes=50_000_000) as files, served(files) as port:
        yield files, (await uploaded(files, b"x" * 40_000_000)).id, port


def asks(file_id: str) -> bytes:
    return f"GET /v1/files/{file_id}/content HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n".encode()


async def test_a_client_that_leaves_during_a_download_frees_everything(tmp_path: Path) -> None:
    async with large(tmp_path) as (_, file_id, port):
        before = descriptors()
        for _ in range(5):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(asks(file_id))
            await reader.readexactly(100_000)
            writer.transport.abort()
        await until(lambda: descriptors() <= before)


async def test_a_download_goes_as_fast_as_its_client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read = 0
    pread = os.pread

    def counted(*what: Any) -> bytes:
        nonlocal read
        piece = pread(*what)
        read += len(piece)
        return piece

    async with large(tmp_path) as (_, file_id, port):
        monkeypatch.setattr(os, "pread", counted)
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1000)
        writer.write(asks(file_id))
        await reader.readexactly(500)
        last = -1
        while read != last:
            last = read
            await asyncio.sleep(0.3)
        assert read < 20_000_000, "what nobody takes is not read"
        assert (await reader.read()).endswith(b"x" * 1000)
        assert read == 40_000_000
        writer.close()


async def test_a_file_that_is_deleted_while_it_is_read(tmp_path: Path) -> None:
    async with large(tmp_path) as (files, file_id, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1000)
        writer.write(asks(file_id))
        await reader.readexactly(500)
        await files.delete_file(DeleteFileRequest(file_id=file_id), caller())
        assert len(await reader.read()) > 39_000_000, "who has begun to read it reads it to its end"
        writer.close()
