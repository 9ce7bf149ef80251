"""Routes that take and give files: what a form may be, and what is left when it is not."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from pathlib import Path
from typing import IO

import pytest
from http_calls import Got, call
from hypothesis import given
from hypothesis import strategies as st
from parts.contracts.files.requests import CreateFileRequest
from parts.runtime.context import Context
from parts.runtime.download import Download
from parts.runtime.errors import NotFound, UpstreamError
from parts.runtime.http import App, Http
from parts.runtime.http_download import disposition, download
from parts.runtime.http_form import safe_name
from parts.runtime.http_upload import FORM_BYTES, upload
from parts.runtime.metrics import Accounts
from parts.runtime.upload import PIECE, Spool
from pydantic import BaseModel

MOST = 3 * PIECE
FORM = {"content-type": "multipart/form-data; boundary=x"}
PURPOSE = b'--x\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nbatch\r\n'


class Kept(BaseModel):
    filename: str
    content_type: str
    content: str
    purpose: str
    expires: int | None


class Store:
    """Reads what it gets, and remembers its files: they are to be closed once it has answered."""

    def __init__(self, folder: Path) -> None:
        self.spool = Spool(folder=folder, max_file_bytes=MOST)
        self.files: list[IO[bytes]] = []
        self.closed = 0

    async def keep(self, request: CreateFileRequest, ctx: Context) -> Kept:
        self.files.append(request.file.file)
        content = b"".join([piece async for piece in request.file.pieces(3)]) if request.file.size < 100 else b""
        assert os.fstat(request.file.file.fileno()).st_size == request.file.size
        return Kept(
            filename=request.file.filename,
            content_type=request.file.content_type,
            content=content.decode("latin-1"),
            purpose=request.purpose,
            expires=request.expires_after and request.expires_after.seconds,
        )

    async def give(self, request: Wanted, ctx: Context) -> Download:
        if request.name == "missing":
            raise NotFound("there is no such file")
        size = 6 if request.name != "unknown" else None
        part = self._part if request.name == "sought" else None
        return Download(pieces=self._pieces(request.name), size=size, filename="ö.txt", part=part)

    async def _part(self, start: int, stop: int) -> AsyncGenerator[bytes, None]:
        self.closed += 1
        for place in range(start, stop):
            yield b"abcdef"[place : place + 1]

    async def _pieces(self, name: str) -> AsyncGenerator[bytes, None]:
        try:
            if name == "broken":
                raise UpstreamError("the store is gone")
            yield b"abc"
            if name == "half":
                raise UpstreamError("the store is gone")
            if name != "short":
                yield b"def"
        finally:
            self.closed += 1


class Wanted(BaseModel):
    name: str


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path)
    yield store
    assert all(file.closed for file in store.files)
    assert not list(tmp_path.iterdir())


def app(store: Store) -> App:
    routes = [
        upload("/files", CreateFileRequest, store.keep, store.spool),
        download("/files/{name}/content", Wanted, store.give),
    ]
    return Http(Accounts(), max_body_bytes=100).app(routes)


def part(name: bytes, text: bytes, filename: bytes | None = None, *headers: bytes) -> bytes:
    named = b"" if filename is None else b'; filename="' + filename + b'"'
    lines = [b'Content-Disposition: form-data; name="' + name + b'"' + named, *headers]
    return b"--x\r\n" + b"\r\n".join(lines) + b"\r\n\r\n" + text + b"\r\n"


async def post(store: Store, *parts: bytes, end: bytes = b"--x--\r\n", piece: int = 0) -> Got:
    body = b"".join(parts) + end

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(body), piece):
            yield body[start : start + piece]

    return await call(app(store), "POST", "/files", body, FORM, chunks=pieces() if piece else None)


# ── good forms ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("piece", [0, 1, 2, 7, 64])
async def test_a_form_in_pieces_of_any_size(store: Store, piece: int) -> None:
    content = b"--x-\r\n\r\n--\r\n\x00\xff--"
    file = part(b"file", content, b"a.bin", b"Content-Type: text/plain")
    expiry = [part(b"expires_after[anchor]", b"created_at"), part(b"expires_after[seconds]", b"3600")]
    got = await post(store, file, PURPOSE, *expiry, piece=piece)
    assert json.loads(got.body) == {
        "filename": "a.bin",
        "content_type": "text/plain",
        "content": content.decode("latin-1"),
        "purpose": "batch",
        "expires": 3600,
    }


async def test_an_empty_file(store: Store) -> None:
    got = await post(store, part(b"file", b"", b"empty"), PURPOSE)
    assert json.loads(got.body)["content"] == ""


async def test_a_file_of_the_largest_size(store: Store) -> None:
    got = await post(store, part(b"file", b"a" * MOST, b"a"), PURPOSE, piece=65536)
    assert got.status == 200


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("naïve 文件 📄.txt".encode(), "naïve 文件 📄.txt"),
        (b"../../etc/passwd", "passwd"),
        (b"C:\\\\temp\\\\x.txt", "x.txt"),
        (b"/etc/", "file"),
        (b"..", "file"),
        (b"a\x00b\x1b[31m\x7f", "ab[31m"),
        (b"bad \xff utf-8", "bad � utf-8"),
        (b"'; DROP TABLE files; --", "'; DROP TABLE files; --"),
        (b'a\\"b', 'a"b'),
    ],
)
async def test_names_are_kept_without_folders_and_controls(store: Store, sent: bytes, kept: str) -> None:
    got = await post(store, part(b"file", b"x", sent), PURPOSE)
    assert json.loads(got.body)["filename"] == kept


@given(st.text(max_size=50))
def test_no_name_leads_anywhere(name: str) -> None:
    safe = safe_name(name)
    assert safe
    assert safe not in (".", "..")
    assert not set(safe) & set("/\\\r\n\x00")


# ── bad forms ───────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_no_file_part(store: Store) -> None:
    error = (await post(store, PURPOSE)).error
    assert (error["param"], error["code"]) == ("file", "missing_required_parameter")


async def test_a_file_that_nobody_chose(store: Store) -> None:
    assert (await post(store, part(b"file", b"", b""), PURPOSE)).error["param"] == "file"


async def test_a_file_without_a_filename(store: Store) -> None:
    error = (await post(store, part(b"file", b"text"), PURPOSE)).error
    assert error["message"] == "file: expected a file: a part of a form that has a filename"


async def test_two_file_parts(store: Store) -> None:
    error = (await post(store, part(b"file", b"1", b"a"), part(b"file", b"2", b"b"), PURPOSE)).error
    assert (error["param"], error["message"]) == ("file", "file: more than one file")


async def test_a_file_where_none_is_wanted(store: Store) -> None:
    assert (await post(store, part(b"purpose", b"batch", b"a"))).error["param"] == "purpose"


async def test_missing_purpose(store: Store) -> None:
    error = (await post(store, part(b"file", b"1", b"a"))).error
    assert (error["param"], error["code"]) == ("purpose", "missing_required_parameter")


@pytest.mark.parametrize("purpose", [b"", b"Batch", b"batch' OR '1'='1"])
async def test_an_unknown_purpose(store: Store, purpose: bytes) -> None:
    got = await post(store, part(b"file", b"1", b"a"), part(b"purpose", purpose))
    assert (got.status, got.error["param"]) == (400, "purpose")


@pytest.mark.parametrize("seconds", [b"3599", b"2592001", b"soon", b"", b"1e4x"])
async def test_an_expiry_that_cannot_be(store: Store, seconds: bytes) -> None:
    expiry = [part(b"expires_after[anchor]", b"created_at"), part(b"expires_after[seconds]", seconds)]
    got = await post(store, part(b"file", b"1", b"a"), PURPOSE, *expiry)
    assert (got.status, got.error["param"]) == (400, "expires_after.seconds")


@pytest.mark.parametrize(
    "parts",
    [
        [PURPOSE, PURPOSE],
        [part(b"a[b]", b"1"), part(b"a", b"1")],
        [part(b"a", b"1"), part(b"a[b]", b"1")],
        [part(b"a[][b]", b"1"), part(b"a[c]", b"1")],
        [part(b"a[b][b][b][b][b]", b"1")],
        [part(b"a[", b"1")],
        [part(b"[a]", b"1")],
        [part(b"purpose", b"\xff")],
        [b"--x\r\nContent-Disposition: form-data\r\n\r\n1\r\n"],
        [b"--x\r\nContent-Disposition: attachment; name=a\r\n\r\n1\r\n"],
        [b"--x\r\n\r\n1\r\n"],
        [b"--x\r\nno header\r\n\r\n1\r\n"],
        [b"nonsense"],
        [part(b"a", b"1", None, *[b"X-%d: 1" % number for number in range(100)])],
        [part(b"a", b"1", None, b"X: " + b"x" * 100_000)],
        [part(b"a%d" % number, b"") for number in range(101)],
    ],
)
async def test_a_form_that_makes_no_sense(store: Store, parts: list[bytes]) -> None:
    got = await post(store, part(b"file", b"1", b"a"), *parts)
    assert (got.status, got.error["type"]) == (400, "invalid_request_error")


@pytest.mark.parametrize(
    "kind",
    ["application/json", "multipart/form-data", "multipart/form-data; boundary=", "", "multipart/mixed; boundary=x"],
)
async def test_a_body_that_is_no_form(store: Store, kind: str) -> None:
    got = await call(app(store), "POST", "/files", b"{}", {"content-type": kind})
    assert (got.status, got.error["code"]) == (400, "invalid_form")


async def test_a_boundary_without_end(store: Store) -> None:
    head = {"content-type": f"multipart/form-data; boundary={'b' * 5000}"}
    assert (await call(app(store), "POST", "/files", b"{}", head)).error["code"] == "invalid_form"


async def test_a_text_that_is_too_long(store: Store) -> None:
    got = await post(store, part(b"file", b"1", b"a"), part(b"purpose", b"x" * 70_000))
    assert (got.status, got.error["code"]) == (413, "request_too_large")


async def test_a_file_that_is_too_large(store: Store) -> None:
    got = await post(store, part(b"file", b"a" * (MOST + 1), b"a"), PURPOSE, piece=65536)
    assert (got.status, got.error["param"]) == (413, "file")


async def test_a_length_that_is_too_large_is_refused_before_it_is_read(store: Store) -> None:
    async def never() -> AsyncIterator[bytes]:
        raise AssertionError("nothing is to be read")
        yield b""

    head = {**FORM, "content-length": str(MOST + FORM_BYTES + 1)}
    assert (await call(app(store), "POST", "/files", b"", head, chunks=never())).status == 413


async def test_a_tail_without_end(store: Store) -> None:
    got = await post(store, part(b"file", b"1", b"a"), PURPOSE, end=b"--x--" + b"y" * (MOST + FORM_BYTES), piece=65536)
    assert got.status == 413


async def test_a_form_that_breaks_off(store: Store) -> None:
    got = await post(store, PURPOSE, part(b"file", b"1", b"a"), end=b"")
    assert (got.status, got.error["message"]) == (400, "the form cannot be read: it breaks off before its end")


# ── a disk that does not do as it should ────────────────────────────────────────────────────────────────────────────


class _Full:
    """A file of a disk that is full after the first bytes."""

    def __init__(self, file: IO[bytes], number: int) -> None:
        self.file = file
        self.number = number
        self.closed_ = False

    def write(self, data: bytes) -> int:
        if self.file.tell():
            raise OSError(self.number, "no")
        return self.file.write(data[:10])

    def __enter__(self) -> _Full:
        return self

    def __exit__(self, *exc: object) -> None:
        self.file.close()


@pytest.mark.parametrize(
    ("number", "status", "code"),
    [(errno.ENOSPC, 507, "storage_full"), (errno.EDQUOT, 507, "storage_full"), (errno.EIO, 503, "storage_unavailable")],
)
async def test_disk_full(store: Store, monkeypatch: pytest.MonkeyPatch, number: int, status: int, code: str) -> None:
    opened = Spool.open

    def open_(self: Spool) -> _Full:
        file = opened(self)
        store.files.append(file)
        return _Full(file, number)

    monkeypatch.setattr(Spool, "open", open_)
    got = await post(store, part(b"file", b"a" * 2 * PIECE, b"a"), PURPOSE, piece=65536)
    assert (got.status, got.error["code"]) == (status, code)


async def test_a_folder_that_is_gone(store: Store) -> None:
    store.spool.folder.rmdir()
    got = await post(store, part(b"file", b"a", b"a"), PURPOSE)
    assert (got.status, got.error["code"]) == (503, "storage_unavailable")
    store.spool.folder.mkdir()


async def test_a_system_without_nameless_files(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = os.open

    def open_(path: str, flags: int, *rest: object, **more: object) -> int:
        if flags & os.O_TMPFILE == os.O_TMPFILE:
            raise OSError(errno.EOPNOTSUPP, "no")
        return opened(path, flags, *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "open", open_)
    got = await post(store, part(b"file", b"abc", b"a"), PURPOSE)
    assert json.loads(got.body)["content"] == "abc"


# ── downloads ───────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_download(store: Store) -> None:
    got = await call(app(store), "GET", "/files/whole/content")
    assert (got.status, got.body, store.closed) == (200, b"abcdef", 1)
    assert {key: value for key, value in got.headers.items() if key != "x-request-id"} == {
        "content-type": "application/octet-stream",
        "content-length": "6",
        "content-disposition": "attachment; filename=\"_.txt\"; filename*=UTF-8''%C3%B6.txt",
        "x-content-type-options": "nosniff",
        "accept-ranges": "none",
    }


async def test_a_download_of_unknown_size(store: Store) -> None:
    got = await call(app(store), "GET", "/files/unknown/content")
    assert (got.body, "content-length" in got.headers) == (b"abcdef", False)


async def test_a_download_that_is_not_there(store: Store) -> None:
    assert (await call(app(store), "GET", "/files/missing/content")).status == 404


async def test_a_download_that_fails_before_its_first_byte_is_an_error(store: Store) -> None:
    got = await call(app(store), "GET", "/files/broken/content")
    assert (got.status, got.error["message"], store.closed) == (502, "the store is gone", 1)


@pytest.mark.parametrize("name", ["half", "short"])
async def test_a_download_that_breaks_off_is_not_ended(store: Store, name: str) -> None:
    with pytest.raises(AssertionError):  # `call` wants an end
        await call(app(store), "GET", f"/files/{name}/content")
    assert store.closed == 1


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("a b.txt", 'attachment; filename="a b.txt"'),
        ("", "attachment"),
        ('a"b\\c', "attachment; filename=\"a_b_c\"; filename*=UTF-8''a%22b%5Cc"),
        ("a\r\nSet-Cookie: x", "attachment; filename=\"a__Set-Cookie_ x\"; filename*=UTF-8''a%0D%0ASet-Cookie%3A%20x"),
        ("50%.txt", "attachment; filename=\"50_.txt\"; filename*=UTF-8''50%25.txt"),
        ("\ud800", "attachment; filename=\"_\"; filename*=UTF-8''%3F"),
    ],
)
def test_no_name_leaves_its_header(name: str, header: str) -> None:
    assert disposition(name) == header


@given(st.text(max_size=60))
def test_a_header_is_printable_ascii(name: str) -> None:
    header = disposition(name)
    assert header.isascii()
    assert header.isprintable()


@pytest.mark.parametrize(
    ("asked", "status", "content", "told"),
    [
        ("bytes=0-0", 206, b"a", b"bytes 0-0/6"),
        ("bytes=1-3", 206, b"bcd", b"bytes 1-3/6"),
        ("Bytes=4-", 206, b"ef", b"bytes 4-5/6"),
        ("bytes=-2", 206, b"ef", b"bytes 4-5/6"),
        ("bytes=-9", 206, b"abcdef", b"bytes 0-5/6"),
        ("bytes=5-99999999999999999", 206, b"f", b"bytes 5-5/6"),
        ("bytes=6-", 416, None, b"bytes */6"),
        ("bytes=9-9", 416, None, b"bytes */6"),
        ("bytes=-0", 416, None, b"bytes */6"),
        # What is no range of bytes, or more than one, is as if nothing had been asked.
        ("bytes=3-1", 200, b"abcdef", None),
        ("bytes=-", 200, b"abcdef", None),
        ("bytes=0-0,2-3", 200, b"abcdef", None),
        ("bytes=0-" + "9" * 5000, 200, b"abcdef", None),
        ("items=0-1", 200, b"abcdef", None),
        ("bytes=a-b", 200, b"abcdef", None),
    ],
)
async def test_a_part_is_given_where_one_is_asked_for(
    store: Store, asked: str, status: int, content: bytes | None, told: bytes | None
) -> None:
    got = await call(app(store), "GET", "/files/sought/content", b"", {"range": asked})
    assert (got.status, got.headers.get("content-range")) == (status, told.decode() if told else None)
    if content is None:
        assert json.loads(got.body)["error"]["code"] == "range_not_satisfiable"
    else:
        assert (got.body, got.headers["accept-ranges"], int(got.headers["content-length"])) == (
            content,
            "bytes",
            len(content),
        )
    assert store.closed == (status != 416)


async def test_a_part_is_not_given_on_a_condition_nor_where_it_cannot_be_sought(store: Store) -> None:
    headers = {"range": "bytes=1-2", "if-range": '"tag"'}
    assert (await call(app(store), "GET", "/files/sought/content", b"", headers)).status == 200
    got = await call(app(store), "GET", "/files/whole/content", b"", {"range": "bytes=1-2"})
    assert (got.status, got.body, got.headers["accept-ranges"]) == (200, b"abcdef", "none")


async def test_a_head_reads_nothing(store: Store) -> None:
    got = await call(app(store), "HEAD", "/files/broken/content", b"", {"range": "bytes=1-2"})
    assert (got.status, got.body, got.headers["content-length"], store.closed) == (200, b"", "6", 0)
