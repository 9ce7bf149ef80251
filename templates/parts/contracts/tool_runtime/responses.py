"""What the answers of the tool_runtime API are made of.

Generated from apis/tool_runtime.yaml by `stackgen contracts`; a change belongs there.
"""

from __future__ import annotations

from typing import Any

from ..shared.content import ContentItem
from ..wire import WireModel


class ToolInvocationResult(WireModel):
    """What became of a tool's run."""

    content: str | ContentItem | list[ContentItem] | None = None
    """What the tool answered."""
    error_message: str | None = None
    """Why the tool failed, where it has."""
    error_code: int | None = None
    """Not 0 where the tool has failed."""
    metadata: dict[str, Any] | None = None
    """What does not fit into `content`."""


class RAGQueryResult(WireModel):
    """What was found."""

    content: str | ContentItem | list[ContentItem] | None = None
    """What a model can be given; null where nothing was found."""
    metadata: dict[str, Any]
    """`document_ids`, `chunks`, `scores` and `vector_store_ids` of what is in it."""
