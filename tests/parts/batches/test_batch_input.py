"""Input files that are wrong, and what is said about them."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any
from unittest.mock import AsyncMock

import pytest
from batch_stand_ins import CHAT, FolderFiles, Upstream, asks, caller, chat_line, open_batches, put, until
from hypothesis import given
from hypothesis import strategies as st
from parts.contracts.batches.responses import Batch
from parts.providers.batches.jobs import validating
from parts.providers.batches.jobs.checks import Checker, Fault, Request
from parts.providers.batches.jobs.endpoints import endpoints
from parts.providers.batches.jobs.lines import LineTooLong, lines
from parts.runtime.errors import TooLarge, Unavailable
from parts.runtime.sql import Sql

BODY = {"model": "m", "messages": [{"role": "user", "content": "q"}]}


async def looked_through(sql: Sql, files: FolderFiles, upstream: Upstream, content: bytes) -> Batch:
    async with open_batches(sql, files, upstream) as batches:
        return await until(batches, (await batches.create_batch(asks(await put(files, content)), caller())).id)


def faults(batch: Batch) -> list[tuple[int | None, str, str | None]]:
    assert batch.errors is not None, batch
    return [(fault.line, fault.code, fault.param) for fault in batch.errors.data]


@pytest.mark.parametrize(
    ("line", "found"),
    [
        (b"{", [("invalid_json_line", None)]),
        (b"[1]", [("invalid_json_line", None)]),
        (b'"text"', [("invalid_json_line", None)]),
        (b"\xff\xfe", [("invalid_json_line", None)]),
        (b'{"a": NaN}', [("invalid_json_line", None)]),
        (b'{"custom_id": "\\ud800"}', [("invalid_json_line", None)]),
        (b"[" * 5000, [("invalid_json_line", None)]),
        (b"{}", [("missing_required_parameter", key) for key in ("custom_id", "method", "url", "body")]),
        (chat_line("a", custom_id=None), [("missing_required_parameter", "custom_id")]),
        (chat_line("a", custom_id=""), [("invalid_custom_id", "custom_id")]),
        (chat_line("a", custom_id=7), [("invalid_custom_id", "custom_id")]),
        (chat_line("a", custom_id="i" * 513), [("invalid_custom_id", "custom_id")]),
        (chat_line("a", method="GET"), [("invalid_method", "method")]),
        (chat_line("a", url="/v1/embeddings"), [("invalid_url", "url")]),
        (chat_line("a", url=[1], method={}), [("invalid_method", "method"), ("invalid_url", "url")]),
        (chat_line("a", body=[]), [("invalid_request", "body")]),
        (chat_line("a", body={**BODY, "stream": True}), [("streaming_unsupported", "body.stream")]),
        (chat_line("a", body={"model": "m"}), [("missing_required_parameter", "body.messages")]),
        (chat_line("a", body={**BODY, "messages": "hello"}), [("invalid_request", "body.messages")]),
        (chat_line("a", body={**BODY, "temperature": "warm"}), [("invalid_request", "body.temperature")]),
        (chat_line("a", body={**BODY, "model": "unknown"}), [("model_not_found", "body.model")]),
        (chat_line("same"), [("duplicate_custom_id", "custom_id")]),
    ],
)
async def test_every_fault_of_a_line_is_told_and_nothing_is_run(
    sql: Sql, files: FolderFiles, upstream: Upstream, line: bytes | dict[str, object], found: list[tuple[str, str]]
) -> None:
    wrong = line if isinstance(line, bytes) else json.dumps(line).encode()
    content = json.dumps(chat_line("same")).encode() + b"\n\n" + wrong + b"\n" + json.dumps(chat_line("b")).encode()
    done = await looked_through(sql, files, upstream, content)
    assert (done.status, done.failed_at is not None) == ("failed", True)
    assert faults(done) == [(3, code, param) for code, param in found]
    assert upstream.asked() == {}
    assert (done.output_file_id, done.error_file_id, done.request_counts.total) == (None, None, 0)


@pytest.mark.parametrize("content", [b"", b"\n\n  \r\n", b"\xef\xbb\xbf"])
async def test_a_file_without_a_request_fails(sql: Sql, files: FolderFiles, upstream: Upstream, content: bytes) -> None:
    assert faults(await looked_through(sql, files, upstream, content)) == [(None, "empty_file", None)]


async def test_too_many_requests_are_refused(
    sql: Sql, files: FolderFiles, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(validating, "MOST_LINES", 3)
    content = b"\n".join(json.dumps(chat_line(f"q{n}")).encode() for n in range(4))
    assert faults(await looked_through(sql, files, upstream, content)) == [(4, "too_many_requests", None)]


async def test_a_line_that_is_too_long_is_refused_before_it_is_read_to_its_end(
    sql: Sql, files: FolderFiles, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(validating, "LONGEST_LINE", 10_000)
    content = json.dumps(chat_line("q")).encode() + b"\n" + b"x" * 1_000_000
    assert faults(await looked_through(sql, files, upstream, content)) == [(2, "line_too_long", None)]


async def test_only_so_many_faults_are_told(sql: Sql, files: FolderFiles, upstream: Upstream) -> None:
    done = await looked_through(sql, files, upstream, b"{}\n" * 500)
    assert len(faults(done)) == validating.MOST_FAULTS


async def test_what_is_run_is_what_stood_in_the_line(sql: Sql, files: FolderFiles, upstream: Upstream) -> None:
    body = (
        b'{ "model":"m","our_own":12345678901234567890123, "messages":[{"role":"user","content":"q"}],"top_p":1.0e-1}'
    )
    line = b'\xef\xbb\xbf{"custom_id":"q\\u0000\\n\xc3\xa4","method":"POST","url":"%b","body":%b}\r\n' % (
        CHAT.encode(),
        body,
    )
    done = await looked_through(sql, files, upstream, line)
    assert [ctx.body for ctx in upstream.contexts] == [body]
    assert files.content(done.output_file_id)[0]["custom_id"] == "q\0\nä"


async def test_a_file_that_was_deleted_before_it_is_read_fails_the_batch(
    sql: Sql, files: FolderFiles, upstream: Upstream
) -> None:
    async with open_batches(sql, files, upstream, poll_seconds=60) as batches:
        file = await put(files, [chat_line("q")])
        made = await batches.create_batch(asks(file), caller())
        for path in files.folder.glob(f"{file}*"):
            path.unlink()
        done = await until(batches, made.id)
    assert (done.status, faults(done)) == ("failed", [(None, "file_not_found", "input_file_id")])


async def test_a_file_that_is_deleted_while_a_batch_reads_it_fails_the_batch(
    sql: Sql, files: FolderFiles, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = await put(files, [chat_line(f"q{n}") for n in range(500)])
    seen = 0

    def look(self: Checker, number: int, line: bytes) -> Request | list[Fault]:
        nonlocal seen
        seen += 1
        if seen == 250:
            (files.folder / file).unlink()
        return original(self, number, line)

    original = Checker.look
    monkeypatch.setattr(Checker, "look", look)
    async with open_batches(sql, files, upstream) as batches:
        done = await until(batches, (await batches.create_batch(asks(file), caller())).id)
    assert 250 <= seen < 500
    assert (done.status, faults(done)) == ("failed", [(None, "file_not_found", "input_file_id")])


async def test_a_file_that_is_deleted_once_it_was_read_is_not_missed(
    sql: Sql, files: FolderFiles, upstream: Upstream
) -> None:
    upstream.pause = 0.05
    async with open_batches(sql, files, upstream, max_concurrent_requests_per_batch=2) as batches:
        file = await put(files, [chat_line(f"q{n}") for n in range(10)])
        made = await batches.create_batch(asks(file), caller())
        await until(batches, made.id, "in_progress")
        (files.folder / file).unlink()
        done = await until(batches, made.id)
    assert (done.status, done.request_counts.completed) == ("completed", 10)


async def test_files_that_are_away_are_waited_for(
    sql: Sql, files: FolderFiles, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("parts.providers.batches.jobs.worker._LATER_SECONDS", 0.05)
    async with open_batches(sql, files, upstream) as batches:
        file = await put(files, [chat_line("q")])
        made = await batches.create_batch(asks(file), caller())
        files.down = Unavailable("the disk is away", code="storage_unavailable")
        await asyncio.sleep(0.3)
        assert (await until(batches, made.id, "validating", "finalizing")).completed_at is None
        files.down = None
        done = await until(batches, made.id)
    assert (done.status, done.request_counts.completed) == ("completed", 1)
    assert upstream.asked() == {"q": 1}


async def test_an_output_that_no_file_can_hold_fails_the_batch(
    sql: Sql, files: FolderFiles, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_batches(sql, files, upstream) as batches:
        file = await put(files, [chat_line("q")])
        monkeypatch.setattr(files, "create_file", AsyncMock(side_effect=TooLarge("at most 1 byte", code="too_large")))
        done = await until(batches, (await batches.create_batch(asks(file), caller())).id)
    assert (done.status, faults(done)) == ("failed", [(None, "too_large", None)])


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)
LINE = st.one_of(
    st.binary(max_size=60),
    JSON.map(lambda value: json.dumps(value).encode()),
    st.fixed_dictionaries(
        {},
        optional={
            "custom_id": JSON,
            "method": st.just("POST") | JSON,
            "url": st.just(CHAT) | JSON,
            "body": st.just(BODY) | st.dictionaries(st.sampled_from([*BODY, "stream"]), JSON) | JSON,
        },
    ).map(lambda value: json.dumps(value).encode()),
    st.text(max_size=5).map(lambda text: json.dumps(chat_line("a", custom_id=text)).encode()),
)


@given(st.lists(LINE, max_size=8))
def test_whatever_stands_in_a_file_is_a_request_or_has_faults(tmp_path_factory: Any, content: list[bytes]) -> None:
    endpoint = endpoints(Upstream(Path("nowhere")))[CHAT]
    checker = Checker(CHAT, endpoint.check)
    ids = set()
    for number, line in enumerate(content, 1):
        found = checker.look(number, line)
        if isinstance(found, Request):
            whole = json.loads(line)
            assert json.loads(found.custom_id) == whole["custom_id"]
            assert json.loads(found.body) == whole["body"]
            assert (whole["method"], whole["url"], found.model) == ("POST", CHAT, whole["body"]["model"])
            assert found.custom_id not in ids
            ids.add(found.custom_id)
        else:
            assert found, line
            assert all(fault.line == number and fault.code and fault.message for fault in found)


@given(st.lists(st.sampled_from([b"", b"a", b"{}", b"\n", b"\r\n", b"long-line", b" "]), max_size=30), st.data())
def test_lines_are_the_same_however_a_file_is_cut(parts: list[bytes], data: st.DataObject) -> None:
    whole = b"".join(parts)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=5)))
    pieces = [whole[a:b] for a, b in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
    want = [(n, line.strip()) for n, line in enumerate(whole.split(b"\n"), 1) if line.strip()]
    limit = data.draw(st.integers(1, 40))

    async def read() -> list[tuple[int, bytes]]:
        async def source() -> Any:
            for piece in pieces:
                yield piece

        return [each async for each in lines(source(), limit)]

    if any(len(line) > limit for line in whole.split(b"\n")):
        with pytest.raises(LineTooLong):
            asyncio.run(read())
    else:
        assert asyncio.run(read()) == want
