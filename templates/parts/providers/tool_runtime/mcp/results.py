"""What a tool answered, as Llama Stack's clients know it: text and images; what is neither is named in the text, and
stands in `metadata` as it came.
"""

from __future__ import annotations

from collections.abc import Iterator

from ....contracts.shared.content import ImageContentItem, ImageSource, TextContentItem
from ....contracts.tool_runtime.responses import ToolInvocationResult
from ....runtime.errors import UpstreamError
from .protocol import Json

FAILED = 1
"""`error_code` of a tool that ran and failed; the protocol has no code for it."""


def result_of_call(result: Json, host: str) -> ToolInvocationResult:
    """Raises UpstreamError for what is no result of a tool."""
    blocks, structured = result.get("content", []), result.get("structuredContent")
    if not isinstance(blocks, list) or not all(isinstance(each, dict) for each in blocks):
        raise UpstreamError(f"{host} answered no result of a tool", code="upstream_invalid_answer")
    items: list[TextContentItem | ImageContentItem] = []
    others: list[Json] = []
    for block in blocks:
        items += _items(block, others)
    answer = ToolInvocationResult(content=list(items))
    metadata = {
        **({"structured_content": structured} if structured is not None else {}),
        **({"resources": others} if others else {}),
    }
    if metadata:
        answer.metadata = metadata
    if result.get("isError") is True:
        texts = (each.text for each in items if isinstance(each, TextContentItem))
        answer.error_code = FAILED
        answer.error_message = "\n".join(texts) or "the tool failed, and did not say why"
    return answer


def _items(block: Json, others: list[Json]) -> Iterator[TextContentItem | ImageContentItem]:
    """One block of content. others: takes what is neither text nor an image."""
    resource = block.get("resource")
    match block.get("type"):
        case "text" if isinstance(text := block.get("text"), str):
            yield _text(text)
        case "image" if isinstance(image := block.get("data"), str):
            yield _image(image)
        case "resource" if isinstance(resource, dict) and isinstance(text := resource.get("text"), str):
            yield _text(text)
        case "resource" if isinstance(resource, dict) and _is_image(resource):
            yield _image(str(resource["blob"]))
        case _:
            others.append(block)
            yield _text(_named(block))


def _text(text: str) -> TextContentItem:
    return TextContentItem(type="text", text=text)


def _image(base64: str) -> ImageContentItem:
    return ImageContentItem(type="image", image=ImageSource(data=base64))


def _is_image(resource: Json) -> bool:
    return str(resource.get("mimeType")).startswith("image/") and isinstance(resource.get("blob"), str)


def _named(block: Json) -> str:
    """`[resource_link: file:///a.pdf, application/pdf]`"""
    inner = block.get("resource")
    said = inner if isinstance(inner, dict) else block
    words = [said.get("uri"), said.get("mimeType")]
    kind = block.get("type")
    return f"[{': '.join([str(kind), ', '.join(each for each in words if isinstance(each, str))]).rstrip(': ')}]"
