"""The text of a file: plain text of any kind, HTML without its marks, PDF page by page.

What a file is follows from its bytes first and its name second: a name may say anything.
"""

from __future__ import annotations

import codecs
import io
from html.parser import HTMLParser
from pathlib import PurePath
from typing import Literal, TypeAlias

ErrorCode: TypeAlias = Literal["server_error", "unsupported_file", "invalid_file"]

_BINARY = {
    b"PK\x03\x04": "a ZIP archive, as documents of office programs are",
    b"\x89PNG": "a PNG image",
    b"\xff\xd8\xff": "a JPEG image",
    b"GIF8": "a GIF image",
    b"\x1f\x8b": "compressed by gzip",
    b"\xd0\xcf\x11\xe0": "a document of an old office program",
    b"\x7fELF": "a program",
    b"SQLite format 3\x00": "a SQLite database",
}
_KNOWN = "text in UTF-8 or UTF-16 (plain, Markdown, JSON, CSV, source code), HTML, and PDF"
_BLOCKS = frozenset(
    [
        "address",
        "article",
        "aside",
        "blockquote",
        "br",
        "dd",
        "div",
        "dl",
        "dt",
        "figcaption",
        "footer",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "header",
        "hr",
        "li",
        "main",
        "nav",
        "ol",
        "p",
        "pre",
        "section",
        "table",
        "td",
        "th",
        "title",
        "tr",
        "ul",
    ]
)
_UNSEEN = frozenset(("script", "style", "template", "noscript"))
_LINES_BETWEEN = "\n\n"
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


class Unreadable(Exception):
    """There is no text to be had of a file. code: as the API has it. The message is for the file's owner."""

    def __init__(self, code: ErrorCode, message: str) -> None:
        super().__init__(message)
        self.code: ErrorCode = code
        self.message = message


def text_of(content: bytes, filename: str) -> str:
    """Raises Unreadable. Takes long for a long PDF: for a thread."""
    if content.lstrip()[:5] == b"%PDF-":
        return _pdf(content)
    for begin, what in _BINARY.items():
        if content.startswith(begin):
            raise Unreadable("unsupported_file", f"it is {what}; what can be read is {_KNOWN}")
    text = _decoded(content)
    if PurePath(filename.lower()).suffix in (".html", ".htm", ".xhtml"):
        text = _html(text)
    if not text.strip():
        raise Unreadable("invalid_file", "there is no text in it")
    return text


def _decoded(content: bytes) -> str:
    encoding = next((name for mark, name in _MARKS if content.startswith(mark)), "utf-8")
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        why = f"it is no text in {encoding.upper()}: byte {error.start} does not fit"
        raise Unreadable("unsupported_file", f"{why}; what can be read is {_KNOWN}") from None
    if "\x00" in text:
        raise Unreadable("unsupported_file", f"there are zero bytes in it; what can be read is {_KNOWN}")
    return text


class _Text(HTMLParser):
    """What a browser would show, more or less: a line for each block."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._hidden += tag in _UNSEEN
        if tag in _BLOCKS:
            self.pieces.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in _UNSEEN and self._hidden:
            self._hidden -= 1
        if tag in _BLOCKS:
            self.pieces.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.pieces.append(data)


def _html(text: str) -> str:
    parser = _Text()
    parser.feed(text)
    parser.close()
    lines = (" ".join(line.split()) for line in "".join(parser.pieces).splitlines())
    return "\n".join(line for line in lines if line)


def _pdf(content: bytes) -> str:
    import logging

    from pypdf import PdfReader
    from pypdf.errors import PyPdfError

    logging.getLogger("pypdf").setLevel(logging.ERROR)  # It tells of each oddity of a file, and files have many.
    try:
        reader = PdfReader(io.BytesIO(content))
        if reader.is_encrypted and not reader.decrypt(""):
            raise Unreadable("invalid_file", "it is a PDF that needs a password")
        text = _LINES_BETWEEN.join(page.extract_text() for page in reader.pages)
    except Unreadable:
        raise
    except (PyPdfError, ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError) as error:
        # It is written for whole files: of a broken one it raises whatever it comes upon.
        raise Unreadable("invalid_file", f"it is a PDF that cannot be read: {type(error).__name__}") from error
    if not text.strip():
        raise Unreadable("invalid_file", "it is a PDF without text, as of scanned pages")
    return text
