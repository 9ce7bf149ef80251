"""A form (`multipart/form-data`, RFC 7578) that is read as it comes: texts are kept, files go to disk.

    form = Form(boundary_of(headers), spool, files=frozenset({"file"}), resources=stack)
    await form.feed(b"--x\\r\\nContent-Disposition: form-data; name=purpose\\r\\n\\r\\nbatch\\r\\n…")
    await form.finish()
    form.content()                   # {"purpose": "batch", "file": Upload(…), "expires_after": {"seconds": "3600", …}}

A name in brackets is a member of an object (`expires_after[seconds]`), an empty pair of brackets an item of a list
(`include[]`), as the clients of OpenAI and Llama Stack write them.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import IO

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from .errors import BadRequest, TooLarge
from .undisturbed import undisturbed
from .upload import PIECE, Spool, Upload, not_written

MOST_PARTS = 100
LARGEST_TEXT = 64 * 1024
DEEPEST_NAME = 5

_NAME = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


@dataclass(slots=True)
class _Part:
    """The part that is being read. file: where it goes, None for a text."""

    headers: dict[bytes, bytes] = field(default_factory=dict)
    header: bytearray = field(default_factory=bytearray)
    value: bytearray = field(default_factory=bytearray)
    name: str = ""
    filename: str = ""
    file: IO[bytes] | None = None
    size: int = 0
    text: bytearray = field(default_factory=bytearray)


class Form:
    """One form. files: the fields that are files. resources: closes them."""

    def __init__(self, boundary: bytes, spool: Spool, files: frozenset[str], resources: ExitStack) -> None:
        self._spool = spool
        self._files = files
        self._resources = resources
        self._uploads: dict[str, Upload] = {}
        self._texts: list[tuple[str, str]] = []
        self._part = _Part()
        self._parts = 0
        self._whole = False
        self._waiting: list[tuple[IO[bytes], bytes]] = []
        self._waiting_bytes = 0
        # It tells of each oddity of a body, with which a client could fill the log.
        logging.getLogger("python_multipart").setLevel(logging.CRITICAL)
        try:
            self._parser = MultipartParser(
                boundary,
                {
                    "on_part_begin": self._begin_part,
                    "on_header_field": lambda data, start, end: self._part.header.extend(data[start:end]),
                    "on_header_value": lambda data, start, end: self._part.value.extend(data[start:end]),
                    "on_header_end": self._end_header,
                    "on_headers_finished": self._end_headers,
                    "on_part_data": self._take,
                    "on_part_end": self._end_part,
                    "on_end": self._end,
                },
            )
        except FormParserError as error:
            raise _invalid(str(error)) from None

    async def feed(self, data: bytes) -> None:
        """The next bytes of the form; what there is of a file is written from time to time. Raises StackError."""
        try:
            self._parser.write(data)
        except FormParserError as error:
            raise _invalid(str(error)) from None
        if self._waiting_bytes >= PIECE:
            await self._write()

    async def finish(self) -> None:
        """To be called at the end of the body. Raises StackError, also where the form is not whole."""
        if not self._whole:
            raise _invalid("it breaks off before its end")
        await self._write()

    def content(self) -> dict[str, object]:
        """The fields of a form that is finished, files among them. Raises BadRequest for names that do not fit."""
        fields: dict[str, object] = {}
        for name, text in self._texts:
            _put(fields, name, text)
        return {**fields, **self._uploads}

    # ── what the parser calls ───────────────────────────────────────────────────────────────────────────────────────

    def _begin_part(self) -> None:
        self._part = _Part()
        self._parts += 1
        if self._parts > MOST_PARTS:
            raise _invalid(f"it has more than {MOST_PARTS} parts")

    def _end_header(self) -> None:
        part = self._part
        part.headers[bytes(part.header).lower()] = bytes(part.value)
        part.header.clear()
        part.value.clear()

    def _end_headers(self) -> None:
        part = self._part
        said, options = parse_options_header(part.headers.get(b"content-disposition", b"").decode("latin-1"))
        part.name = options.get(b"name", b"").decode("utf-8", "replace")
        if said != b"form-data" or not part.name:
            raise _invalid("a part of it has no name")
        if b"filename" not in options:
            return
        # The empty name is a browser's for a file that nobody has chosen.
        if not options[b"filename"]:
            part.name = ""
        elif part.name not in self._files:
            raise BadRequest(f"{part.name[:100]}: is not a file", param=part.name[:100], code="invalid_form")
        elif part.name in self._uploads:
            raise BadRequest(f"{part.name}: more than one file", param=part.name, code="invalid_form")
        else:
            part.filename = safe_name(options[b"filename"].decode("utf-8", "replace"))
            try:
                part.file = self._resources.enter_context(self._spool.open())
            except OSError as error:
                raise not_written(error) from error

    def _take(self, data: bytes, start: int, end: int) -> None:
        part, most = self._part, self._spool.max_file_bytes
        part.size += end - start
        if part.file is None:
            if part.size > LARGEST_TEXT:
                raise TooLarge(f"{part.name[:100]}: more than {LARGEST_TEXT} bytes", code="request_too_large")
            part.text += data[start:end]
        elif part.size > most:
            raise TooLarge(f"the file is larger than {most} bytes", param=part.name, code="request_too_large")
        else:
            self._waiting.append((part.file, data[start:end]))
            self._waiting_bytes += end - start

    def _end_part(self) -> None:
        part = self._part
        if part.file is not None:
            kind = part.headers.get(b"content-type", b"").decode("latin-1")
            self._uploads[part.name] = Upload(
                file=part.file, size=part.size, filename=part.filename, content_type=_CONTROL.sub("", kind)
            )
        elif part.name:
            try:
                self._texts.append((part.name, part.text.decode()))
            except UnicodeDecodeError:
                raise BadRequest(f"{part.name[:100]}: is not UTF-8", param=part.name[:100]) from None

    def _end(self) -> None:
        self._whole = True

    # ── the disk ────────────────────────────────────────────────────────────────────────────────────────────────────

    async def _write(self) -> None:
        waiting, self._waiting, self._waiting_bytes = self._waiting, [], 0
        if waiting:
            try:
                await undisturbed(asyncio.to_thread(_write_all, waiting))
            except OSError as error:
                raise not_written(error) from error


def boundary_of(headers: Mapping[bytes, bytes]) -> bytes:
    """What stands between the parts of this request's form. Raises BadRequest where it is no form."""
    kind, options = parse_options_header(headers.get(b"content-type", b"").decode("latin-1"))
    if kind != b"multipart/form-data" or not options.get(b"boundary"):
        asked = "the body must be a form, with the header 'Content-Type: multipart/form-data; boundary=…'"
        raise BadRequest(asked, code="invalid_form")
    return options[b"boundary"]


def safe_name(filename: str) -> str:
    """A file's name without folders and control characters; `file` where nothing else is left."""
    name = _CONTROL.sub("", re.split(r"[/\\]", filename)[-1]).strip()
    return name if name.strip(".") else "file"


def _write_all(waiting: list[tuple[IO[bytes], bytes]]) -> None:
    for file, data in waiting:
        left = memoryview(data)
        while left:
            left = left[file.write(left) :]


def _put(fields: dict[str, object], name: str, text: str) -> None:
    """`a[b]` as a member of an object, `a[]` as an item of a list."""
    found = _NAME.fullmatch(name)
    steps = [found[1], *re.findall(r"\[([^\[\]]*)\]", found[2])] if found else []
    if not 1 <= len(steps) <= DEEPEST_NAME:
        raise BadRequest(f"{name[:100]}: is not the name of a field", param=name[:100], code="invalid_form")
    place: object = fields
    for step, following in zip(steps, [*steps[1:], None], strict=True):
        fresh: object = text if following is None else [] if following == "" else {}
        if isinstance(place, list) and step == "":
            place.append(fresh)
            place = fresh
        elif isinstance(place, dict) and (following is not None or step not in place):
            place = place.setdefault(step, fresh)
        else:
            raise BadRequest(f"{name[:100]}: is there twice, or in two forms", param=name[:100], code="invalid_form")


def _invalid(why: str) -> BadRequest:
    return BadRequest(f"the form cannot be read: {why}"[:300], code="invalid_form")
