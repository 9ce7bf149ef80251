"""What every provider that reranks takes in and gives out."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING

from ...runtime.errors import BadRequest
from ...runtime.reply import Answer

if TYPE_CHECKING:
    from ...contracts.inference.requests import RerankInput
    from ...contracts.inference.responses import RerankResponse


def text_of(item: RerankInput) -> str:
    """The text of a query or an item: a string, or a text part. Raises BadRequest for an image."""
    if isinstance(item, str):
        return item
    if item.type == "text":
        return item.text
    raise BadRequest("this model reranks text, not images", param="items")


def ranked(found: Iterable[tuple[int, float]], limit: int | None) -> Answer[RerankResponse]:
    """The best first, and no more than `limit`."""
    best = sorted(found, key=lambda pair: -pair[1])[:limit]
    data = [{"index": index, "relevance_score": score} for index, score in best]
    return Answer(json.dumps({"data": data}).encode())
