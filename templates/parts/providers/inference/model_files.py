"""Where a model is, and how one of the Hugging Face hub is had: fetched once, kept in the hub's own cache.

/models/all-MiniLM-L6-v2                              a folder
/models/llama-3.2-1b-q4_k_m.gguf                      a file, where the model is in GGUF
sentence-transformers/all-MiniLM-L6-v2                a repository's head
sentence-transformers/all-MiniLM-L6-v2@0123abc        that revision
ggml-org/gemma-3-1b-it-GGUF:Q8_0@0123abc              of GGUF models also a file, or a part of its name
"""

from __future__ import annotations

import glob
import logging
import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError

log = logging.getLogger(__name__)

HUB_SECONDS = 10.0
"""How long start-up waits for the hub's list of files."""

PIECE = re.compile(r"-(\d{5})-of-(\d{5})\.gguf$")
"""How the file of a GGUF model ends that comes in several."""

_HUB = re.compile(r"(?P<repository>[\w.-]+/[\w.-]+)(?::(?P<wanted>[\w./-]+))?(?:@(?P<revision>[\w./-]+))?")
# The end of an address, where signatures are.
_QUERY = re.compile(r"(?<=\S)\?[^\s'\"]+")

Choose: TypeAlias = Callable[[Sequence[str], str], list[str]]
"""Which of a repository's files are wanted. Gets their names and what to call the repository; may raise BadModel."""


class BadModel(Exception):
    """The model cannot be had; the message says why, and names it or its file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HubModel:
    """A repository. wanted: a file of it, or a part of one's name; None for the usual. revision: None for its head."""

    repository: str
    wanted: str | None
    revision: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """names: the files that were chosen, below the folder."""

    folder: Path
    names: list[str]


# ── references ──────────────────────────────────────────────────────────────────────────────────────────────────────


def parse_hub(reference: str) -> HubModel | None:
    """The reference as a hub's, None if it does not look like one."""
    found = _HUB.fullmatch(reference)
    if found is None or reference.startswith((".", "/", "~")) or found["repository"].endswith(".gguf"):
        return None
    return HubModel(repository=found["repository"], wanted=found["wanted"], revision=found["revision"])


def name_of(reference: str) -> str:
    """The name to serve a model under where none is set: the file's or folder's, or the repository."""
    path = Path(reference).expanduser()
    hub = None if path.exists() else parse_hub(reference)
    if hub is not None:
        return hub.repository
    return PIECE.sub("", path.name).removesuffix(".gguf") or path.resolve().name or reference


def locate_folder(reference: str, fetched: Callable[[HubModel], Path]) -> Path:
    """The folder that a reference names; `fetched` gives that of a repository. Blocks. Raises BadModel."""
    path = Path(reference).expanduser()
    if path.is_dir():
        return path
    if path.suffix == ".gguf":
        raise BadModel(f"{reference} is a GGUF file; models of that kind are served by inline::llama-cpp")
    if path.exists():
        raise BadModel(f"{reference} is a file; name the folder of the model")
    hub = parse_hub(reference)
    if hub is None:
        raise BadModel(f"there is no folder {reference}")
    if hub.wanted is not None:
        raise BadModel(f"{reference} names {hub.wanted!r} after a colon, which GGUF models alone can have there")
    return fetched(hub)


# ── files ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def names_in(folder: Path) -> list[str]:
    """The files below a folder, as a repository lists them."""
    return sorted(each.relative_to(folder).as_posix() for each in folder.rglob("*") if each.is_file())


def pickled(where: str, name: str) -> BadModel:
    """name: the file of weights that Python's pickle would read."""
    return BadModel(
        f"{where} has weights as pickles only ({name}), and unpickling runs whatever is in them; save it as "
        "safetensors where you trust it"
    )


def read_template(file: str | None) -> str | None:
    """The text of a chat template's file. Raises BadModel."""
    if file is None:
        return None
    try:
        return Path(file).expanduser().read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadModel(f"the chat template {file} cannot be read: {error}") from None


def short(error: BaseException) -> str:
    """What an exception says, on one line, without what may be secret in an address."""
    return _QUERY.sub("", " ".join(str(error).split()))[:300] or type(error).__name__


# ── the hub ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def names_at_hub(model: HubModel) -> list[str]:
    """The files of a repository: those fetched before, where the hub cannot be reached. Blocks. Raises BadModel."""
    return list(_listed(_client(), model)[0])


def fetch(model: HubModel, choose: Choose) -> Fetched:
    """The chosen files of a repository, fetched where they were not before. Blocks. Raises BadModel."""
    hub = _client()
    names, where, folder = _listed(hub, model)
    chosen = choose(names, where)
    if folder is None:
        log.info("fetching %s of %s, unless it is here", ", ".join(chosen), where)
        folder = _downloaded(hub, model, chosen)
    return Fetched(folder=folder, names=chosen)


def _client() -> HfApi:
    # Imported here: half a second of start-up that only a reference to the hub is worth.
    from huggingface_hub import HfApi
    from huggingface_hub.utils.tqdm import disable_progress_bars

    # A log is no place for bars.
    disable_progress_bars()
    # Its lines tell every request, with addresses that are signed and so open to whoever reads them.
    logging.getLogger("httpx2").setLevel(logging.WARNING)
    return HfApi()


def _listed(hub: HfApi, model: HubModel) -> tuple[Sequence[str], str, Path | None]:
    """(the files' names, what to call the repository, the folder of what was fetched before where the hub cannot tell
    more now). Raises BadModel.
    """
    from huggingface_hub.errors import HfHubHTTPError

    try:
        found = hub.model_info(model.repository, revision=model.revision, timeout=HUB_SECONDS).siblings or ()
        return [each.rfilename for each in found], f"{model.repository} at the hub", None
    except HfHubHTTPError as error:
        status = error.response.status_code
        if status < 500 and status != 429:
            raise _refused(model, error) from None
        trouble: Exception = error
    except Exception as error:  # the hub's client lets through whatever its HTTP library raises
        log.debug("%s at the hub cannot be had now", model.repository, exc_info=True)
        trouble = error
    with suppress(OSError, ValueError):
        # No file is asked for: with all of them, it would refuse a folder without those that were not chosen.
        here = hub.snapshot_download(
            model.repository, revision=model.revision, local_files_only=True, allow_patterns=[]
        )
        folder = Path(here)
        log.warning("%s: the hub cannot be reached, what was fetched before serves", model.repository)
        return names_in(folder), f"{model.repository}, as far as it was fetched before,", folder
    raise BadModel(f"{model.repository} is no file or folder here, and the hub cannot be reached: {short(trouble)}")


def _downloaded(hub: HfApi, model: HubModel, names: Sequence[str]) -> Path:
    """The folder with these files. Raises BadModel."""
    patterns = [glob.escape(name) for name in names]
    try:
        folder = Path(hub.snapshot_download(model.repository, revision=model.revision, allow_patterns=patterns))
    except Exception as error:  # as above, and a disk that is full
        log.debug("%s at the hub cannot be fetched", model.repository, exc_info=True)
        raise BadModel(f"{model.repository} at the hub cannot be fetched: {short(error)}") from None
    # Where the hub is gone by now, the client gives what is here without a word.
    missing = [name for name in names if not (folder / name).is_file()]
    if missing:
        raise BadModel(f"{model.repository} at the hub cannot be fetched in full; it lacks {', '.join(missing[:20])}")
    return folder


def _refused(model: HubModel, error: HfHubHTTPError) -> BadModel:
    from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError, RevisionNotFoundError

    where = f"{model.repository} at the hub"
    if isinstance(error, RevisionNotFoundError):
        return BadModel(f"{where} has no revision {model.revision or 'main'!r}")
    if isinstance(error, GatedRepoError):
        return BadModel(
            f"{where} is for those who have accepted its terms; do so there, and set HF_TOKEN to your token"
        )
    if isinstance(error, RepositoryNotFoundError):
        return BadModel(
            f"{model.repository} is no file or folder here, and no public repository of the hub; a private one needs a "
            "token in HF_TOKEN"
        )
    return BadModel(f"{where} cannot be had: {short(error)}")
