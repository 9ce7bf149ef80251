"""How what was found is put for a model: texts with placeholders, which are replaced and not run.

put("Result {index}: {chunk.content}", {"index": "1", "chunk.content": "{index}"})   → "Result 1: {index}"
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pydantic_core import to_json

from ....contracts.shared.content import TextContentItem
from ...vector_stores.kept.chunking import count

if TYPE_CHECKING:
    from ....contracts.vector_io.responses import EmbeddedChunk

_PLACEHOLDER = re.compile(r"\{([a-z_.]{1,40})\}")

SHOWN = ("chunk_id", "document_id", "source")
"""What is known of a chunk, and worth a model's attention."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSearchParams:
    """What stands before all chunks, and after them. `{num_chunks}`, `{tool}`."""

    header_template: str = "{tool} tool found {num_chunks} chunks:\nBEGIN of {tool} tool results.\n"
    footer_template: str = "END of {tool} tool results.\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextPromptParams:
    """How a chunk is put (`{index}`, `{chunk.content}`, `{metadata}`), and what is said of all (`{query}`)."""

    chunk_annotation_template: str = "Result {index}\nContent: {chunk.content}\nMetadata: {metadata}\n"
    context_template: str = (
        'These results were looked up to help answer "{query}". Use them for that alone, as supporting information.\n'
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Forms:
    """tool: whose results they are called."""

    tool: str
    around: FileSearchParams = field(default_factory=FileSearchParams)
    within: ContextPromptParams = field(default_factory=ContextPromptParams)


@dataclass(frozen=True, slots=True)
class Hit:
    """A chunk that was found. store: where."""

    chunk: EmbeddedChunk
    score: float
    store: str


def put(template: str, values: Mapping[str, str]) -> str:
    """Braces that are no placeholder of these stay."""
    return _PLACEHOLDER.sub(lambda found: values.get(found[1], found[0]), template)


def lacking(template: str, names: Collection[str]) -> list[str]:
    """Which placeholders are not in a template."""
    there = set(_PLACEHOLDER.findall(template))
    return [f"{{{name}}}" for name in names if name not in there]


def fitting(hits: Sequence[Hit], template: str, most_tokens: int) -> list[tuple[Hit, str]]:
    """The hits as texts, in their order, as far as they fit; one at least, if there is one."""
    found: list[tuple[Hit, str]] = []
    left = most_tokens
    for number, hit in enumerate(hits, 1):
        metadata = to_json(_known(hit.chunk)).decode()
        values = {"index": str(number), "chunk.content": hit.chunk.content, "metadata": metadata}
        text = put(template, values)
        left -= count(text)
        if left < 0 and found:
            break
        found.append((hit, text))
    return found


def context(texts: Sequence[str], query: str, forms: Forms) -> list[TextContentItem]:
    """All that a model is given."""
    # Instructions for citations are the Responses API's, whose templates these are elsewhere.
    values = {"tool": forms.tool, "num_chunks": str(len(texts)), "query": query, "annotation_instruction": ""}
    ends = (forms.around.footer_template, forms.within.context_template)
    pieces = [put(forms.around.header_template, values), *texts, *(put(each, values) for each in ends)]
    return [TextContentItem(type="text", text=each) for each in pieces]


def _known(chunk: EmbeddedChunk) -> dict[str, object]:
    notes = chunk.chunk_metadata.model_dump(exclude_none=True)
    return {key: notes[key] for key in SHOWN if key in notes} | chunk.metadata
