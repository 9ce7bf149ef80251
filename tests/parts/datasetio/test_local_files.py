"""Where the files of datasets may be, and what they may hold."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from parts.providers.datasetio.local.kept import KeptRows
from parts.providers.datasetio.local.parsing import form_of, parsed
from parts.providers.datasetio.localfs import LocalDatasets, LocalfsConfig, open_localfs_datasets
from parts.runtime.context import Context
from parts.runtime.dataset_rows import DatasetPlace, Row
from parts.runtime.errors import BadRequest, Forbidden, StackError, TooLarge, UpstreamError
from parts.runtime.upstream_config import NetworkConfig, TimeoutConfig
from sql_backends import sqlite_at
from upstreams import Script, answers, fake_upstream, refuses

CTX = Context("r")
QUICK = NetworkConfig(timeout=TimeoutConfig(connect=2.0, read=2.0), retries=0, headers={"X-Key": "of-the-server"})
ROWS: list[Row] = [{"a": 1, "b": "x"}]


@asynccontextmanager
async def shelf(path: Path, **said: object) -> AsyncIterator[LocalDatasets]:
    config = LocalfsConfig(network=QUICK, **said)  # type: ignore[arg-type]
    async with sqlite_at(path / "sql.db") as sql, open_localfs_datasets(config, store=sql) as opened:
        yield opened


def at(uri: str | None, *, declared: bool = False, key: str = "rows_1") -> DatasetPlace:
    return DatasetPlace(id="quiz", key=key, uri=uri, metadata={}, declared=declared)


async def rows(opened: LocalDatasets, uri: str, *, declared: bool = False) -> list[Row]:
    place = at(uri, declared=declared)
    await opened.forget(place, CTX)
    await opened.take(place, None, CTX)
    return (await opened.read(place, 0, None, CTX)).rows


# ── what a file holds ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("form", "content", "expected"),
    [
        ("jsonl", b'\xef\xbb\xbf{"a": 1}\r\n\r\n{"a": null}', [{"a": 1}, {"a": None}]),
        ("jsonl", b"", []),
        ("json", b'[{"a": {"b": [1.5]}}]', [{"a": {"b": [1.5]}}]),
        ("json", b'{"data": [{"a": 1}], "n": 1}', [{"a": 1}]),
        ("json", b'{"rows": [{"a": 1}]}', [{"a": 1}]),
        ("csv", b'a,b,c,d,e\r\n1,0.5,true,"x, ""y""\n",007\r\n,2,,,010\r\n', None),
        ("csv", b"a,b\n", []),
        ("csv", b"", []),
    ],
)
def test_forms(form: str, content: bytes, expected: list[Row] | None) -> None:
    if expected is None:
        expected = [
            {"a": 1, "b": 0.5, "c": True, "d": 'x, "y"\n', "e": "007"},
            {"a": None, "b": 2.0, "c": None, "d": None, "e": "010"},
        ]
    assert parsed(content, form) == expected  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("form", "content", "says_"),
    [
        ("jsonl", b'{"a": 1}\nnonsense', "line 2 is no JSON"),
        ("jsonl", b"[1]", "line 1 is no object"),
        ("jsonl", b'{"a": "\xff"}', "line 1 is no JSON"),
        ("json", b'{"a": 1}', "no list"),
        ("json", b"[1]", "item 0 is no object"),
        ("json", b"[" * 100_000, "is no JSON"),
        ("csv", b"a,a\n1,2", "one name"),
        ("csv", b"a,b\n1,2\n3\n", "row 2 has 1 cells"),
        ("csv", b"a\n\xff", "byte 2 is no UTF-8"),
        ("csv", b'a\n"b"c\n', "expected after"),
    ],
)
def test_what_is_no_rows_is_told(form: str, content: bytes, says_: str) -> None:
    with pytest.raises(BadRequest, match=says_) as refusal:
        parsed(content, form)  # type: ignore[arg-type]
    assert (refusal.value.code, refusal.value.param) == ("invalid_rows", "source.uri")


def test_a_file_is_told_by_its_name_or_its_type() -> None:
    assert form_of("/x/Rows.NDJSON") == "jsonl"
    assert form_of("/x/rows.csv", "application/json") == "csv"
    assert form_of("/download", "TEXT/CSV") == "csv"
    for path in ("/x/rows.parquet", "/x.json/rows", "/rows.tar.gz", ""):
        with pytest.raises(BadRequest, match="expected JSON Lines"):
            form_of(path)


# ── where it is ─────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_uri_may_hold_its_rows(tmp_path: Path) -> None:
    packed = base64.b64encode(b"a,b\n1,x\n").decode()
    async with shelf(tmp_path) as opened:
        for uri in (
            f"data:text/csv;base64,{packed}",
            f"data:csv;base64,{packed}",
            "data:text/csv;charset=utf-8,a%2Cb%0A1%2Cx",
            'data:application/json,[{"a":1,"b":"x"}]',
        ):
            assert await rows(opened, uri) == ROWS
        for uri, told in (
            ("data:text/csv;base64,*", "base64"),
            ("data:text/csv", "comma"),
            ("data:,x", "say what it is"),
            ("s3://bucket/rows.csv", "s3: URIs are not read"),
        ):
            with pytest.raises(BadRequest, match=told):
                await rows(opened, uri)


async def test_clients_name_files_of_one_folder(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    (folder / "sub").mkdir(parents=True)
    (folder / "sub" / "my rows.json").write_text(json.dumps(ROWS))
    (tmp_path / "secret.json").write_text(json.dumps([{"secret": 1}]))
    (folder / "link.json").symlink_to(tmp_path / "secret.json")
    (folder / "folder.json").mkdir()
    async with shelf(tmp_path, files_dir=str(folder)) as opened:
        inside = folder / "sub" / "my rows.json"
        for uri in ("lsfs://sub/my%20rows.json", "sub/my rows.json", inside.as_uri(), f"file://localhost{inside}"):
            assert await rows(opened, uri) == ROWS
        for uri in (
            "lsfs://../secret.json",
            "lsfs://sub/../../secret.json",
            "lsfs://%2e%2e/secret.json",
            "lsfs://link.json",
            "lsfs://folder.json",
            (tmp_path / "secret.json").as_uri(),
            str(tmp_path / "secret.json"),
            "/etc/passwd",
            "lsfs://a\0.json",
            "file:///nothing.json",
        ):
            with pytest.raises(BadRequest, match="no such file") as refusal:
                await rows(opened, uri)
            assert str(tmp_path) not in refusal.value.message
        with pytest.raises(BadRequest, match="of this machine"):
            await rows(opened, "file://elsewhere/rows.json")


async def test_without_a_folder_only_the_distribution_names_files(tmp_path: Path) -> None:
    path = tmp_path / "rows.json"
    path.write_text(json.dumps(ROWS))
    async with shelf(tmp_path) as opened:
        with pytest.raises(Forbidden):
            await rows(opened, path.as_uri())
        assert await rows(opened, path.as_uri(), declared=True) == ROWS
        with pytest.raises(BadRequest, match="cannot be read"):
            await rows(opened, f"{path.as_uri()}l", declared=True)


def moved(where: str) -> Script:
    return answers(b"", status=302, headers={"Location": where})


async def test_the_web_is_read_and_redirects_are_followed(tmp_path: Path) -> None:
    csv = answers(b"a,b\n1,x\n", content_type="text/csv")
    async with shelf(tmp_path, client_uris="any") as opened:
        async with fake_upstream(moved("/rows"), csv) as service:
            assert await rows(opened, f"{service.url}/latest") == ROWS
            assert [each.path for each in service.requests] == ["/v1/latest", "/rows"]
            assert "x-key" not in service.requests[0].headers, "what is the server's own is not sent there"
        async with fake_upstream(answers(ROWS)) as service:
            assert await rows(opened, f"{service.url}/rows.json", declared=True) == ROWS
            assert service.requests[0].headers["x-key"] == "of-the-server"
        async with fake_upstream(moved("/again")) as service:
            with pytest.raises(UpstreamError, match="without end"):
                await rows(opened, f"{service.url}/rows.csv")
        for script, kind in ((refuses(404), BadRequest), (refuses(401), BadRequest), (refuses(500), UpstreamError)):
            async with fake_upstream(script) as service:
                with pytest.raises(kind):
                    await rows(opened, f"{service.url}/rows.csv")


@pytest.mark.parametrize("client_uris", ["public", "none"])
async def test_clients_do_not_reach_into_the_network(tmp_path: Path, client_uris: str) -> None:
    async with shelf(tmp_path, client_uris=client_uris) as opened, fake_upstream(answers(ROWS)) as service:
        port = service.url.split(":")[2].partition("/")[0]
        for host in ("127.0.0.1", "localhost", "[::1]", "169.254.169.254", "10.0.0.1", "[::ffff:127.0.0.1]"):
            with pytest.raises(Forbidden) as refusal:
                await rows(opened, f"http://{host}:{port}/v1/rows.json")
            assert refusal.value.code == "source_not_allowed"
        assert service.requests == []
        assert await rows(opened, f"{service.url}/rows.json", declared=True) == ROWS


async def test_what_is_no_url_is_refused(tmp_path: Path) -> None:
    async with shelf(tmp_path) as opened:
        for uri in (
            "http://",
            "https:///rows.csv",
            "http://[::1/rows.csv",
            "http://x:99999/a.csv",
            "http://ü.de/a.csv",
        ):
            with pytest.raises(BadRequest, match="no URL"):
                await rows(opened, uri)
        with pytest.raises(BadRequest, match="no password"):
            await rows(opened, "https://me:secret@example.com/rows.csv")


async def test_what_is_too_large_is_refused(tmp_path: Path) -> None:
    (tmp_path / "rows.json").write_text(json.dumps([{"a": "x" * 200}]))
    async with shelf(tmp_path, files_dir=str(tmp_path), client_uris="any", max_dataset_bytes=100) as opened:
        async with fake_upstream(answers([{"a": "x" * 200}])) as service:
            for uri in ("lsfs://rows.json", f"{service.url}/rows.json", "data:csv,a%0A" + "x" * 200):
                with pytest.raises(TooLarge):
                    await rows(opened, uri)
        with pytest.raises(TooLarge):
            await opened.take(at(None), [{"a": "x" * 200}], CTX)
        await opened.take(at(None), [{"a": "x" * 50}], CTX)
        with pytest.raises(TooLarge):
            await opened.append(at(None), [{"a": "x" * 50}], CTX)
        assert len((await opened.read(at(None), 0, None, CTX)).rows) == 1


# ── what is kept ────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_declared_dataset_is_read_when_it_is_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "rows.json"
    place = at(str(path), declared=True)
    async with shelf(tmp_path) as opened:
        with pytest.raises(BadRequest, match="cannot be read"):
            await opened.read(place, 0, None, CTX)
        path.write_text(json.dumps(ROWS))
        await opened.append(place, [{"a": 2}], CTX)
        path.unlink()
        assert (await opened.read(place, 0, None, CTX)).rows == [*ROWS, {"a": 2}]


async def test_rows_that_nobody_has_are_told_of(tmp_path: Path) -> None:
    async with shelf(tmp_path) as opened:
        for call in (opened.read(at(None), 0, None, CTX), opened.append(at(None), ROWS, CTX)):
            with pytest.raises(StackError) as refusal:
                await call
            assert (refusal.value.status, refusal.value.code) == (404, "rows_not_found")


async def test_what_is_never_settled_is_forgotten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("parts.providers.datasetio.local.kept.UNSETTLED_SECONDS", -1.0)
    async with sqlite_at(tmp_path / "sql.db") as sql, open_localfs_datasets(LocalfsConfig(), store=sql) as opened:
        kept = KeptRows(sql, most=1000)
        for key in ("left", "settled"):
            await kept.take(key, ROWS, settled=False)
            if key == "settled":
                await kept.settle(key)
        await opened.take(at(None, key="next"), ROWS, CTX)
        assert [await kept.has(key) for key in ("left", "settled", "next")] == [False, True, True]


async def test_half_a_surrogate_pair_is_refused(tmp_path: Path) -> None:
    async with shelf(tmp_path) as opened:
        with pytest.raises(BadRequest, match="row 1") as refusal:
            await opened.take(at(None), [{"a": 1}, {"a": "\ud800"}], CTX)
        assert refusal.value.param == "rows.1"
