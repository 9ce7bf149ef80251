"""What messages hold, in Llama Stack's words and in those of chat completions."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import unquote_to_bytes

from ...contracts.agents.requests import AgentUserMessage
from ...contracts.shared.content import ImageAddress, ImageContentItem, ImageSource, TextContentItem
from ...runtime.errors import BadRequest

if TYPE_CHECKING:
    from ...contracts.agents.requests import AgentDocument, AgentInputMessage
    from ...contracts.shared.content import ContentItem, InterleavedContent

Part: TypeAlias = dict[str, object]
"""A part of a chat message, as JSON."""

_MAGIC = (("/9j/", "jpeg"), ("iVBOR", "png"), ("R0lGOD", "gif"), ("UklGR", "webp"))
"""How images begin in base64, and what they are then."""
_DATA_URL = re.compile(r"data:([^,;]*)((?:;[^,;]*)*?)(;base64)?,(.*)", re.DOTALL)
_WEB_URL = re.compile(r"https?://\S+")
_TEXTS = ("application/json", "application/xml", "application/yaml", "application/x-yaml")


def items_of(content: InterleavedContent) -> Sequence[ContentItem]:
    """A content as its pieces."""
    if isinstance(content, str):
        return [TextContentItem(type="text", text=content)]
    return content if isinstance(content, list) else [content]


def text_of(content: InterleavedContent) -> str:
    """A content as the text that a tool's message can have; an image is named."""
    return "\n".join(each.text if isinstance(each, TextContentItem) else "[an image]" for each in items_of(content))


def parts_of(content: InterleavedContent, context: InterleavedContent | None = None) -> str | list[Part]:
    """A content for a user's message, and what is to be read after it."""
    pieces = [*items_of(content), *(items_of(context) if context is not None else ())]
    if all(isinstance(each, TextContentItem) for each in pieces):
        return "\n".join(each.text for each in pieces if isinstance(each, TextContentItem))
    return [_part(each) for each in pieces]


def _part(item: ContentItem) -> Part:
    if isinstance(item, TextContentItem):
        return {"type": "text", "text": item.text}
    if item.image.url is not None:
        return {"type": "image_url", "image_url": {"url": item.image.url.uri}}
    data = item.image.data or ""
    kind = next((name for start, name in _MAGIC if data.startswith(start)), "png")
    return {"type": "image_url", "image_url": {"url": f"data:image/{kind};base64,{data}"}}


# ── documents ───────────────────────────────────────────────────────────────────────────────────────────────────────


def with_documents(
    messages: Sequence[AgentInputMessage], documents: Sequence[AgentDocument]
) -> list[AgentInputMessage]:
    """The messages, of which the last has the documents as its context. Raises BadRequest for what cannot be read."""
    if not documents:
        return list(messages)
    *first, last = messages
    if not isinstance(last, AgentUserMessage):
        raise BadRequest("documents go with a message of the user, and the last one is a tool's", param="documents")
    read = [item for number, each in enumerate(documents) for item in _read(each, f"documents.{number}")]
    before = [] if last.context is None else items_of(last.context)
    return [*first, AgentUserMessage(role="user", content=last.content, context=[*before, *read])]


def _read(document: AgentDocument, where: str) -> Iterator[ContentItem]:
    content, kind = document.content, document.mime_type
    if isinstance(content, ImageAddress):
        yield _addressed(content.uri, kind, where)
    elif isinstance(content, str) and (content.startswith("data:") or _WEB_URL.fullmatch(content.strip())):
        yield _addressed(content.strip(), kind, where)
    elif isinstance(content, str) and not _is_text(kind):
        raise BadRequest(f"{where}: {kind[:100]!r} as a text cannot be read; send its text", param=where)
    else:
        yield from items_of(content)


def _addressed(url: str, kind: str, where: str) -> ContentItem:
    if kind.startswith("image/"):
        # Whoever serves the model gets it, as any image's address in a message.
        return ImageContentItem(type="image", image=ImageSource(url=ImageAddress(uri=url)))
    found = _DATA_URL.fullmatch(url)
    if found is None:
        message = f"{where}: this server fetches no documents; send the text, or a data: URL of it"
        raise BadRequest(message, code="unsupported_document", param=where)
    if not _is_text(found[1] or kind):
        message = f"{where}: a document of type {(found[1] or kind)[:100]!r} cannot be read; send its text"
        raise BadRequest(message, code="unsupported_document", param=where)
    try:
        raw = unquote_to_bytes(found[4])
        return TextContentItem(type="text", text=(base64.b64decode(raw, validate=True) if found[3] else raw).decode())
    except (binascii.Error, UnicodeDecodeError):
        raise BadRequest(f"{where}: the data: URL holds no text in UTF-8", param=where) from None


def _is_text(kind: str) -> bool:
    return kind.startswith("text/") or kind.partition(";")[0] in _TEXTS
