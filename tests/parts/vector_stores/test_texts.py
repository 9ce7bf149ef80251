"""The texts of files, and what they are cut into."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from parts.providers.vector_stores.kept.chunking import _TOKEN, Chunking, chunks, fitting, places
from parts.providers.vector_stores.kept.reading import Unreadable, text_of

OBJECTS = (
    b"<</Type /Catalog /Pages 2 0 R>>",
    b"<</Type /Pages /Kids [3 0 R] /Count 1>>",
    b"<</Type /Page /Parent 2 0 R /MediaBox [0 0 200 200] /Contents 4 0 R /Resources <</Font <</F1 5 0 R>>>>>>",
    b"<</Length 46>> stream\nBT /F1 18 Tf 10 100 Td (Hello from a PDF) Tj ET\nendstream",
    b"<</Type /Font /Subtype /Type1 /BaseFont /Helvetica>>",
)


def pdf() -> bytes:
    """A PDF of one line."""
    written, found = b"%PDF-1.4\n", []
    for number, each in enumerate(OBJECTS, 1):
        found.append(len(written))
        written += b"%d 0 obj %b endobj\n" % (number, each)
    table = b"".join(b"%010d 00000 n \n" % place for place in found)
    head = b"xref\n0 %d\n0000000000 65535 f \n" % (len(OBJECTS) + 1)
    tail = b"trailer <</Root 1 0 R /Size %d>>\nstartxref\n%d\n%%%%EOF" % (len(OBJECTS) + 1, len(written))
    return written + head + table + tail


def test_what_can_be_read() -> None:
    assert text_of(pdf(), "a.txt") == "Hello from a PDF"
    assert text_of("\ufeffGrüße".encode(), "a.md") == "Grüße"
    assert text_of("Grüße".encode("utf-16"), "a.txt") == "Grüße"
    html = b"<html><title>T</title><script>no()</script><p>One <b>two</b></p><p>three &amp; four</html>"
    assert text_of(html, "A.HTML") == "T\nOne two\nthree & four"
    assert text_of(b'{"a": [1]}', "a.json") == '{"a": [1]}'


@pytest.mark.parametrize("content", [b"", b"\x00\x01", b"\x89PNG\r\n", b"%PDF-1.7", b"\x1f\x8b\x08", b"\xc3\x28"])
def test_what_cannot_be_read(content: bytes) -> None:
    with pytest.raises(Unreadable):
        text_of(content, "a.txt")


@given(st.text(alphabet="ab1 .\n,中é", max_size=600), st.integers(4, 40), st.integers(0, 20))
def test_chunks_lose_nothing_and_are_no_longer_than_they_may_be(text: str, tokens: int, overlap: int) -> None:
    overlap = min(overlap, tokens // 2)
    end, begun = 0, -1
    for start, stop in places(text, Chunking(tokens, overlap)):
        assert 0 < len(_TOKEN.findall(text[start:stop])) <= tokens
        assert start > begun, "each begins behind where the one before does"
        assert not text[end:start].strip(), "nothing but blanks is between them"
        assert len(_TOKEN.findall(text[start:end])) <= overlap, "and they share no more than they may"
        begun, end = start, stop
    assert not text[end:].strip()


def test_the_same_text_is_cut_the_same_way() -> None:
    text = "One sentence. Another one, which is longer!\n\n" * 200
    assert list(chunks(text, Chunking(100, 20))) == list(chunks(text, Chunking(100, 20)))
    assert all(each.endswith((".", "!")) for each in chunks(text, Chunking(100, 20))), "a chunk ends with a sentence"


def test_chunks_fit_the_model() -> None:
    usual = Chunking(800, 400)
    assert fitting(usual, None) == fitting(usual, 8192) == usual
    assert fitting(usual, 256) == Chunking(256, 128)
    assert fitting(usual, 3) == Chunking(100, 50)
