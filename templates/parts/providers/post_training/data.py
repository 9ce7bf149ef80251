"""The examples of a dataset, copied into a job's folder: whoever goes on with the job reads the same."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic_core import to_json

from ...contracts.datasetio.requests import IterrowsRequest
from ...runtime.context import Context
from ...runtime.errors import BadRequest
from .training.examples import BadRow, Form, Row, example_of

if TYPE_CHECKING:
    from ...contracts.datasetio import Datasetio

_PAGE = 500


async def check_first(datasetio: Datasetio, dataset: str, form: Form, ctx: Context) -> None:
    """Raises BadRequest where the dataset is empty, or begins with what cannot be trained on; NotFound."""
    page = await datasetio.iterrows(IterrowsRequest(dataset_id=dataset, start_index=0, limit=1), ctx)
    if not page.data:
        raise BadRequest(f"the dataset {dataset!r} has no rows", code="dataset_empty", param="training_config")
    _example(page.data[0], 0, dataset, form)


async def copy_examples(datasetio: Datasetio, dataset: str, form: Form, ctx: Context, file: Path) -> None:
    """Writes a line of JSON for each row. The file is there whole or not at all. Raises StackError."""
    if await asyncio.to_thread(file.exists):
        return
    under_way = file.with_name(f".{file.name}")
    with await asyncio.to_thread(under_way.open, "wb") as out:
        async for lines in _lines(datasetio, dataset, form, ctx):
            await asyncio.to_thread(out.write, lines)
        await asyncio.to_thread(_flush, out.fileno())
    await asyncio.to_thread(under_way.replace, file)


async def _lines(datasetio: Datasetio, dataset: str, form: Form, ctx: Context) -> AsyncIterator[bytes]:
    start = 0
    while True:
        page = await datasetio.iterrows(IterrowsRequest(dataset_id=dataset, start_index=start, limit=_PAGE), ctx)
        examples = [_example(row, start + number, dataset, form) for number, row in enumerate(page.data)]
        yield b"".join(to_json(each) + b"\n" for each in examples)
        start += len(page.data)
        if not page.has_more or not page.data:
            return


def _example(row: Row, number: int, dataset: str, form: Form) -> dict[str, object]:
    try:
        return example_of(row, form)
    except BadRow as error:
        message = f"row {number} of the dataset {dataset!r} cannot be trained on: {error}"
        raise BadRequest(message, code="bad_row", param="training_config") from None


def _flush(descriptor: int) -> None:
    os.fsync(descriptor)
