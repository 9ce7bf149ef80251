"""What measures is right itself: the figures, the records, and the load in front of the upstream.

No case reaches it, as it is no part of the compiler.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import records
from blocking import count_chunks
from figures import median_ratio, table
from load import Wrong, request, run
from upstream import BURST, EVENTS, Upstream

PASSES = [
    {"base": {"chat_1": 1.0, "packages": 20}, "ours": {"chat_1": 0.5, "packages": 10}},
    {"base": {"chat_1": 10.0, "packages": 20}, "ours": {"chat_1": 9.0, "packages": 10}},
    {"base": {"chat_1": 2.0, "packages": 20}, "ours": {"chat_1": 1.6, "packages": 10}},
]


def test_a_ratio_is_taken_within_a_pass_and_then_the_median() -> None:
    assert median_ratio(PASSES, "chat_1", "ours", "base") == 0.8
    assert median_ratio(PASSES, "chat_1", "ours", "not measured") is None


def test_the_table_has_what_was_measured() -> None:
    assert table(PASSES, "base").splitlines()[2:] == [
        "| CPU per chat, 1 client, ms | 2.000 | 1.600 (×0.80) |",
        "| packages installed | 20 | 10 (×0.50) |",
    ]


@pytest.mark.parametrize(("now", "told"), [(110, 0), (111, 1), (20, 0)])
def test_a_tenth_more_is_allowed(now: int, told: int) -> None:
    assert len(records.grown({"chat": 100}, {"chat": now})) == told


def test_growth_is_told_with_both_numbers() -> None:
    assert records.grown({"chat": 1000, "start": 5}, {"chat": 1200, "start": 5}) == [
        "chat: 1,200 instructions, recorded are 1,000: +20.0%, allowed is +10%"
    ]


def test_a_figure_without_a_record_does_not_pass() -> None:
    assert "burst: 7 instructions" in records.grown({"chat": 1}, {"chat": 1, "burst": 7})[0]


def test_records_are_written_as_they_are_read(tmp_path: Path) -> None:
    file = tmp_path / "instructions.toml"
    assert records.read(file) == {}
    written = {"3.11.7": {"start": 1_900_000_000, "chat": 700_000}, "3.9.1": {"chat": 1}}
    records.write(file, written)
    assert records.read(file) == written
    assert file.read_text().index("3.9.1") < file.read_text().index("3.11.7")


@asynccontextmanager
async def listening(protocol: type[asyncio.Protocol]) -> AsyncIterator[int]:
    server = await asyncio.get_running_loop().create_server(protocol, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


@pytest.mark.parametrize(
    ("model", "stream", "events"), [("mock", False, 0), ("mock", True, 51), ("mock-paced-5", True, 51)]
)
async def test_load_and_upstream_understand_each_other(model: str, stream: bool, events: int) -> None:
    async with listening(Upstream) as port:
        done = await run(request(port, model, stream=stream), port, 3, seconds=None, requests=7)
    assert (done.requests, done.events) == (7, 7 * events)
    assert (done.first_chunk_ms > 0) == stream


async def test_load_ends_with_its_time() -> None:
    async with listening(Upstream) as port:
        done = await run(request(port, "mock", stream=False), port, 2, seconds=0.05, requests=None)
    assert done.requests > 0


class Careless(Upstream):
    """Sends a stream without its last event but one, in small pieces."""

    def _write(self, data: bytes) -> None:
        events = data.split(b"\r\n")
        del events[-6:-4]
        for byte in b"\r\n".join(events):
            super()._write(bytes([byte]))


class Closing(Upstream):
    """Goes away in the middle of a stream."""

    def _write(self, data: bytes) -> None:
        super()._write(data[: len(data) // 2])
        if self._transport is not None:
            self._transport.close()


class Pieces(Upstream):
    """Sends each byte by itself."""

    def _write(self, data: bytes) -> None:
        for byte in data:
            super()._write(bytes([byte]))


class Refusing(Upstream):
    def _write(self, data: bytes) -> None:
        super()._write(data.replace(b"200 OK", b"503 Service Unavailable"))


@pytest.mark.parametrize(
    ("server", "said"), [(Careless, "50 events in place of 51"), (Closing, "before its answer"), (Refusing, "503")]
)
async def test_load_sees_what_is_wrong(server: type[asyncio.Protocol], said: str) -> None:
    async with listening(server) as port:
        with pytest.raises(Wrong, match=said):
            await run(request(port, "mock", stream=True), port, 1, seconds=None, requests=1)


async def test_events_are_counted_however_they_are_cut() -> None:
    async with listening(Pieces) as port:
        done = await run(request(port, "mock", stream=True), port, 1, seconds=None, requests=1)
    assert done.events == EVENTS


def test_chunks_are_counted() -> None:
    assert count_chunks(BURST.partition(b"\r\n\r\n")[2]) == EVENTS
