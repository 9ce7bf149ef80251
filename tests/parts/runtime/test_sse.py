"""Cutting a stream into events does not depend on how it was chunked."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from parts.runtime.errors import RateLimited, UpstreamError
from parts.runtime.sse import DONE, Splitter, data, error_event, event, events

lines = st.sampled_from(["data: {}", 'data: {"a": "é"}', "data:x", ": keep-alive", "event: ping", "id: 1"])
ends = st.sampled_from(["\n", "\r\n", "\r"])


@st.composite
def streams(draw: st.DrawFn) -> tuple[list[bytes], bytes, list[int]]:
    """The events, the stream that holds them, and where to cut it."""
    wanted = draw(st.lists(st.lists(lines, min_size=1, max_size=3), max_size=6))
    stream = b""
    for written in wanted:
        end = draw(ends)
        stream += (end.join(written) + end * draw(st.integers(2, 4))).encode()
    cuts = sorted(draw(st.lists(st.integers(0, len(stream)), max_size=12)))
    return ["\n".join(w).encode() for w in wanted], stream, cuts


def chunks(stream: bytes, cuts: list[int]) -> list[bytes]:
    return [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]


@given(streams())
def test_any_chunking_gives_the_same_events(case: tuple[list[bytes], bytes, list[int]]) -> None:
    wanted, stream, cuts = case
    splitter = Splitter()
    blocks = [block for chunk in chunks(stream, cuts) if (block := splitter.feed(chunk))]
    assert [each for block in blocks for each in events(block)] == wanted
    assert splitter.finish() == b""
    assert all(block.endswith(b"\n\n") and not block.startswith(b"\n") for block in blocks)


def test_events_that_arrive_together_are_one_block() -> None:
    assert Splitter().feed(b"data: 1\n\ndata: 2\n\n") == b"data: 1\n\ndata: 2\n\n"


def test_an_event_that_the_stream_did_not_end_is_left_over() -> None:
    splitter = Splitter()
    assert splitter.feed(b"data: 1\n\ndata: 2\n") == b"data: 1\n\n"
    assert splitter.finish() == b"data: 2"


def test_a_line_end_cut_in_two_is_one() -> None:
    splitter = Splitter()
    got = b"".join(splitter.feed(bytes([byte])) for byte in b"data: 1\r\n\r\ndata: 2\r\n\r\n")
    assert got == b"data: 1\n\ndata: 2\n\n"


def test_an_event_without_end_is_refused() -> None:
    splitter = Splitter(limit=100)
    for _ in range(10):
        assert splitter.feed(b"data: xxxx") == b""
    with pytest.raises(UpstreamError):
        splitter.feed(b"x")


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"data: a", b"a"),
        (b"data:a\ndata: b", b"a\nb"),
        (b": note", None),
        (b"event: x\ndata:  a", b" a"),
        (b"id: 1", None),
    ],
)
def test_data_of_an_event(raw: bytes, said: bytes | None) -> None:
    assert data(raw) == said


def test_written_events_are_read_back() -> None:
    written = event(b"{}") + error_event(RateLimited("slow\ndown", code="c")) + DONE
    first, second, third = events(written)
    assert (data(first), data(third)) == (b"{}", b"[DONE]")
    said = {"message": "slow\ndown", "type": "rate_limit_error", "param": None, "code": "c"}
    assert json.loads(data(second) or b"") == {"error": said}
