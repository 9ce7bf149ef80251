"""What to look for: the content itself, or what a model makes of it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ....contracts.shared.content import TextContentItem
from ....contracts.tool_runtime.requests import LLMRAGQueryGeneratorConfig
from ....runtime.asking import chat_text
from ....runtime.errors import BadRequest

if TYPE_CHECKING:
    from ....contracts.inference import Inference
    from ....contracts.shared.content import InterleavedContent
    from ....contracts.tool_runtime.requests import DefaultRAGQueryGeneratorConfig
    from ....runtime.context import Context

_CONTENT = re.compile(r"\{\{\s{0,9}(?:messages|query)\s{0,9}\}\}|\{(?:messages|query)\}")


async def query_of(
    content: InterleavedContent,
    how: DefaultRAGQueryGeneratorConfig | LLMRAGQueryGeneratorConfig | None,
    inference: Inference,
    ctx: Context,
) -> str:
    """Raises BadRequest where there is no text in the content, or no place for it in the template."""
    separator = None if how is None or isinstance(how, LLMRAGQueryGeneratorConfig) else how.separator
    text = said(content, " " if separator is None else separator)
    if not text.strip():
        raise BadRequest("content: expected a text that is not empty", code="empty_query", param="content")
    if not isinstance(how, LLMRAGQueryGeneratorConfig):
        return text
    if not _CONTENT.search(how.template):
        where = "query_config.query_generator_config.template"
        message = f"{where}: expected {{{{ messages }}}} or {{query}} in it, for the content"
        raise BadRequest(message, code="invalid_template", param=where)
    return await chat_text(inference, how.model, _CONTENT.sub(lambda _: text, how.template), ctx)


def said(content: InterleavedContent, separator: str = " ") -> str:
    """The text of a content."""
    items = content if isinstance(content, list) else [content]
    texts = [each if isinstance(each, str) else each.text for each in items if isinstance(each, str | TextContentItem)]
    return separator.join(texts)
