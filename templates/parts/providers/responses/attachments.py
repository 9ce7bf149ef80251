"""Files that an input names by id: fetched, and made into what a model reads."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...contracts.files.requests import DownloadFileRequest, RetrieveFileRequest
from ...runtime.errors import BadRequest, TooLarge

if TYPE_CHECKING:
    from ...contracts.files import Files
    from ...runtime.context import Context

Item = dict[str, Any]
"""JSON."""

MOST_BYTES = 32 * 1024 * 1024
"""Of all files of one input."""

_IMAGES = {
    b"\x89PNG": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF8": "image/gif",
    b"RIFF": "image/webp",
}


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file's content."""

    filename: str
    content: bytes

    @property
    def url(self) -> str:
        """The file as a `data:` URL."""
        found = (kind for begin, kind in _IMAGES.items() if self.content.startswith(begin))
        kind = next(found, "application/pdf" if self.content.startswith(b"%PDF-") else "application/octet-stream")
        return f"data:{kind};base64,{base64.b64encode(self.content).decode()}"

    @property
    def part(self) -> Item:
        """The file as a part of a message: a text as such, which every model reads."""
        try:
            text = self.content.decode()
        except UnicodeDecodeError:
            text = "\x00"
        if "\x00" not in text and not text.startswith("%PDF-"):
            return {"type": "text", "text": f"The file {self.filename}:\n\n{text}"}
        return {"type": "file", "file": {"file_data": self.url, "filename": self.filename}}


async def attached(items: Iterable[Item], files: Files | None, ctx: Context) -> Mapping[str, Attachment]:
    """The files of the items, by id. Raises NotFound, and BadRequest where the server has no files."""
    found: dict[str, Attachment] = {}
    left = MOST_BYTES
    for file_id in dict.fromkeys(_named(items)):
        if files is None:
            raise BadRequest("this server keeps no files; send image_url or file_data", code="no_files", param="input")
        about = await files.retrieve_file(RetrieveFileRequest(file_id=file_id), ctx)
        left -= about.bytes
        if left < 0:
            raise TooLarge(f"the files of the input have more than {MOST_BYTES} bytes", param="input")
        download = await files.download_file(DownloadFileRequest(file_id=file_id), ctx)
        try:
            content = b"".join([piece async for piece in download])
        finally:
            await download.aclose()
        found[file_id] = Attachment(about.filename, content)
    return found


def _named(items: Iterable[Item]) -> Iterator[str]:
    for item in items:
        parts = item.get("content") if item["type"] == "message" else item.get("output")
        for part in parts if isinstance(parts, list) else ():
            if part.get("type") in ("input_image", "input_file") and part.get("file_id"):
                yield part["file_id"]
