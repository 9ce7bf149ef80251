"""Where a model's files are, and how those of the Hugging Face hub are had: fetched once, kept in the hub's own cache.

ggml-org/gemma-3-1b-it-GGUF
ggml-org/gemma-3-1b-it-GGUF:Q8_0@0123abc              a part of a file's name, and a revision
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from huggingface_hub import HfApi

log = logging.getLogger(__name__)

HUB_SECONDS = 10.0
"""How long start-up waits for the hub's list of files."""

_HUB = re.compile(r"(?P<repository>[\w.-]+/[\w.-]+)(?::(?P<wanted>[\w./-]+))?(?:@(?P<revision>[\w./-]+))?")

Choose: TypeAlias = Callable[[Sequence[str], str], list[str]]
"""Which of a repository's files are wanted. Gets their names and what to call the repository; may raise BadFile."""


class BadFile(Exception):
    """There is no model that could be loaded; the message says why, and names the file or repository."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HubModel:
    """A repository. wanted: a file of it, or a part of one's name; None for the usual. revision: None for its head."""

    repository: str
    wanted: str | None
    revision: str | None


def parse_hub(reference: str) -> HubModel | None:
    """The reference as a hub's, None if it does not look like one."""
    found = _HUB.fullmatch(reference)
    if found is None or reference.startswith((".", "/", "~")) or found["repository"].endswith(".gguf"):
        return None
    return HubModel(repository=found["repository"], wanted=found["wanted"], revision=found["revision"])


def names_at_hub(model: HubModel) -> list[str]:
    """The files of a repository: those fetched before, where the hub cannot be reached. Blocks. Raises BadFile."""
    found: list[str] = []

    def look(names: Sequence[str], where: str) -> list[str]:
        found[:] = names
        return []

    fetch(model, look)
    return found


def fetch(model: HubModel, choose: Choose) -> list[Path]:
    """The chosen files of a repository, fetched where they were not before. Blocks. Raises BadFile."""
    # Imported here: half a second of start-up that only a reference to the hub is worth.
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError, RepositoryNotFoundError, RevisionNotFoundError

    # Its lines tell every request, with addresses that are signed and so open to whoever reads them.
    logging.getLogger("httpx2").setLevel(logging.WARNING)
    where = f"{model.repository} at the hub"
    hub = HfApi()
    try:
        listed = hub.model_info(model.repository, revision=model.revision, timeout=HUB_SECONDS).siblings
        names = choose([each.rfilename for each in listed or ()], where)
        if names:
            log.info("fetching %s of %s, unless it is here", ", ".join(names), where)
        return [Path(hub.hf_hub_download(model.repository, name, revision=model.revision)) for name in names]
    except BadFile:
        raise
    except RevisionNotFoundError:
        raise BadFile(f"{where} has no revision {model.revision!r}") from None
    except RepositoryNotFoundError:
        raise BadFile(f"{model.repository} is no file or folder here, and no public repository of the hub") from None
    except HfHubHTTPError as error:
        raise BadFile(f"{where} cannot be had: {_short(error)}") from None
    except Exception as error:  # the hub's client lets through whatever its HTTP library raises
        log.debug("%s cannot be had now", where, exc_info=True)
        return _fetched_before(hub, model, choose, error)


def _fetched_before(hub: HfApi, model: HubModel, choose: Choose, trouble: Exception) -> list[Path]:
    """What an earlier start has fetched, where the hub cannot be reached now. Raises BadFile."""
    try:
        folder = Path(hub.snapshot_download(model.repository, revision=model.revision, local_files_only=True))
    except (OSError, ValueError):
        raise BadFile(
            f"{model.repository} is no file or folder here, and the hub cannot be reached: {_short(trouble)}"
        ) from None
    names = sorted(str(each.relative_to(folder)) for each in folder.rglob("*") if each.is_file())
    return [folder / name for name in choose(names, f"{model.repository}, as far as it was fetched before,")]


def _short(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
