"""Which model a request means: a checkpoint of a job, one that lies on the machine, or one of the hub."""

from __future__ import annotations

from pathlib import Path

from ...runtime.context import Context
from ...runtime.errors import BadRequest, NotFound
from ...runtime.jobs import Jobs
from ..inference.model_files import parse_hub
from .progress import read_progress

MOST_JOBS = 10_000
"""That are looked at or listed, the newest first."""


async def model_of(name: str | None, ctx: Context, jobs: Jobs, *, models_dir: str | None, hub: bool) -> str:
    """A folder or a reference to the hub. Raises BadRequest, NotFound."""
    if not name:
        raise BadRequest("the request names no model", param="model")
    for job in await jobs.listed(ctx, limit=MOST_JOBS):
        for each in read_progress(job.progress).checkpoints:
            if name in (each.identifier, each.path):
                return each.path
    if models_dir is not None and (folder := _inside(Path(models_dir).expanduser(), name)) is not None:
        return str(folder)
    if hub and parse_hub(name) is not None:
        return name
    where = ["a checkpoint of a job"]
    where += ["one of the server's models_dir"] if models_dir is not None else []
    where += ["OWNER/NAME at the hub"] if hub else []
    raise NotFound(f"the model {name[:100]!r} is not known: {', '.join(where)}", code="model_not_found", param="model")


def _inside(root: Path, name: str) -> Path | None:
    if ".." in Path(name).parts or Path(name).is_absolute():
        return None
    return root / name if (root / name).is_dir() else None
