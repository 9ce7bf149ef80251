"""A job as the server does it: its data copied, its process begun, what that tells written down."""

from __future__ import annotations

import asyncio
import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ...runtime.errors import BadRequest, StackError
from ...runtime.jobs import Work
from ..inference.one_model import without_folders
from .asked import Asked, read_asked
from .data import copy_examples
from .process import ChildFailed, training
from .progress import Made, Progress, progress_bytes, read_progress, with_checkpoint
from .training.order import TRAINING_FILE, VALIDATION_FILE

if TYPE_CHECKING:
    from ...contracts.datasetio import Datasetio

_LEFT_BEHIND = (TRAINING_FILE, VALIDATION_FILE, "state.pt")


class Running:
    """figures: of the jobs that this process does, as they were told last."""

    def __init__(self, datasetio: Datasetio) -> None:
        self._datasetio = datasetio
        self.figures: dict[str, dict[str, object]] = {}

    async def run(self, work: Work) -> bytes:
        """Its progress, at its end. Raises BadRequest where it cannot be done, Unavailable where it may be later."""
        asked = read_asked(work.job.request)
        folder = Path(asked.order.folder)
        over = False
        try:
            await self._prepare(asked, work, folder)
            found = await self._train(asked, work)
            over = True
            return progress_bytes(found)
        except StackError as error:
            over = error.status < 500
            raise
        except ChildFailed:
            over = True
            raise
        finally:
            self.figures.pop(work.job.id, None)
            if over or work.cancelled.is_set():
                await asyncio.to_thread(_tidy, folder)

    async def _prepare(self, asked: Asked, work: Work, folder: Path) -> None:
        await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
        ctx = work.job.context()
        await copy_examples(self._datasetio, asked.dataset, asked.form, ctx, folder / TRAINING_FILE)
        if asked.validation is not None:
            await copy_examples(self._datasetio, asked.validation, asked.form, ctx, folder / VALIDATION_FILE)

    async def _train(self, asked: Asked, work: Work) -> Progress:
        progress = read_progress(work.job.progress)
        async with training(asked.order) as process:
            async for told in process.told():
                details = told.details or {}
                if told.event == "failed":
                    raise BadRequest(without_folders(told.message))
                if told.event == "checkpoint":
                    progress = with_checkpoint(progress, Made(**details), asked.order.keep)  # type: ignore[arg-type]
                else:
                    progress = replace(progress, figures=details)
                    self.figures[work.job.id] = details
                if told.event != "ready":
                    # What has only begun has not got on: a job that ends its process each time is to be given up.
                    await work.note(progress_bytes(progress))
        return progress


def _tidy(folder: Path) -> None:
    """Leaves the checkpoints."""
    for name in _LEFT_BEHIND:
        (folder / name).unlink(missing_ok=True)
    for under_way in folder.glob(".*"):
        shutil.rmtree(under_way, ignore_errors=True) if under_way.is_dir() else under_way.unlink(missing_ok=True)
