"""Requests for embeddings, and answers to them, as bytes."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
from pydantic_core import to_json

from ....runtime.errors import BadRequest
from ....runtime.reply import Answer
from ..refusals import not_finite
from .batches import Input, Rows

if TYPE_CHECKING:
    from ....contracts.inference.requests import CreateEmbeddingRequest
    from ....contracts.inference.responses import CreateEmbeddingResponse

LONG_ANSWER = 100_000
"""Numbers of an answer that is written on another thread: on the event loop's it would hold up the others."""


def inputs_of(request: CreateEmbeddingRequest, vocabulary: int) -> list[Input]:
    """The texts of a request, or their tokens. vocabulary: the model's ids are below. Raises BadRequest."""
    given = request.input
    inputs: list[Input]
    if isinstance(given, str):
        inputs = [given]
    elif isinstance(given[0], int):
        inputs = [[each for each in given if isinstance(each, int)]]
    else:
        inputs = [each for each in given if not isinstance(each, int)]
    for index, each in enumerate(inputs):
        if not each:
            where = f"input[{index}]" if len(inputs) > 1 else "input"
            raise BadRequest(f"{where} is empty", param="input")
        if not isinstance(each, str) and not (min(each) >= 0 and max(each) < vocabulary):
            raise BadRequest(
                f"token ids are this model's own, from 0 to {vocabulary - 1}, and the request has others: send texts, "
                "unless you have its tokenizer",
                param="input",
            )
    return inputs


async def answered(
    request: CreateEmbeddingRequest, rows: Rows, tokens: int, model: str
) -> Answer[CreateEmbeddingResponse]:
    """The answer, as the request wants its vectors written. Raises StackError."""
    base64 = request.encoding_format == "base64"
    if rows.size < LONG_ANSWER:
        return Answer(answer(rows, tokens, model, base64=base64))
    return Answer(await asyncio.to_thread(answer, rows, tokens, model, base64=base64))


def answer(rows: Rows, tokens: int, model: str, *, base64: bool) -> bytes:
    """The vectors as OpenAI's list: numbers, or 32-bit floats (little endian) in base64. Raises StackError."""
    if not np.isfinite(rows).all():
        raise not_finite()
    usage = to_json({"prompt_tokens": tokens, "total_tokens": tokens})
    name = to_json(model)
    return b'{"object":"list","data":[%b],"model":%b,"usage":%b}' % (b",".join(_items(rows, base64)), name, usage)


def _items(rows: Rows, base64: bool) -> Iterator[bytes]:
    # A row at a time: for all at once nothing else of the server would run meanwhile.
    for index, row in enumerate(rows):
        vector = b'"%b"' % b64encode(row.astype("<f4").tobytes()) if base64 else to_json(row.tolist())
        yield b'{"object":"embedding","index":%d,"embedding":%b}' % (index, vector)


def check_length(wanted: int | None, dimensions: int, lengths: Sequence[int]) -> None:
    """wanted: numbers of a vector. dimensions: how many the model makes. lengths: how many a vector may have.

    Raises BadRequest where it may not.
    """
    if wanted is None or wanted == dimensions or wanted in lengths:
        return
    raise BadRequest(
        f"the model cannot make vectors of {wanted} dimensions: its own have {dimensions}, and {_may(lengths)}",
        param="dimensions",
    )


def _may(lengths: Sequence[int]) -> str:
    if len(lengths) == 1:
        return "it is not known to let one shorten them"
    return "any less will do" if isinstance(lengths, range) else f"it knows {', '.join(map(str, lengths))}"
