"""Where a model is: a file, a folder, or a repository of the Hugging Face hub.

/models/llama-3.2-1b-q4_k_m.gguf
./models/llama                                        the one model in that folder
ggml-org/gemma-3-1b-it-GGUF                           its only model, or the one in Q4_K_M
ggml-org/gemma-3-1b-it-GGUF:Q8_0@0123abc              that quantisation (or file), at that revision
"""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from .header import BadFile

if TYPE_CHECKING:
    from huggingface_hub import HfApi

log = logging.getLogger(__name__)

USUAL = "Q4_K_M"
"""What is taken of a repository that has several quantisations, unless the reference says which."""

HUB_SECONDS = 10.0
"""How long start-up waits for the hub's list of files."""

_HUB = re.compile(r"(?P<repository>[\w.-]+/[\w.-]+)(?::(?P<wanted>[\w./-]+))?(?:@(?P<revision>[\w./-]+))?")
_PIECE = re.compile(r"-(\d{5})-of-(\d{5})\.gguf$")


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


def name_of(reference: str) -> str:
    """The name to serve a model under where none is set: the file's or folder's, or the repository."""
    path = Path(reference).expanduser()
    hub = None if path.exists() else parse_hub(reference)
    if hub is not None:
        return hub.repository
    return _PIECE.sub("", path.name).removesuffix(".gguf") or path.resolve().name or reference


def locate(reference: str) -> Path:
    """The model's file, its first where it comes in pieces; fetched first where it is at the hub. Blocks.

    Raises BadFile, saying what is missing.
    """
    path = Path(reference).expanduser()
    if path.is_file():
        return path
    if path.is_dir():
        names = sorted(str(each.relative_to(path)) for each in path.rglob("*.gguf"))
        return path / choose(names, None, str(path))[0]
    hub = parse_hub(reference)
    if hub is None:
        raise BadFile(f"there is no file or folder {reference}")
    return _fetch(hub)


def choose(names: Sequence[str], wanted: str | None, where: str) -> list[str]:
    """The files of one model among those of a folder or repository, in order. Raises BadFile."""
    whole = [name for name in names if name.endswith(".gguf") and "mmproj" not in name.lower()]
    if not whole:
        raise BadFile(f"{where} holds no model: no file in it ends in .gguf")
    firsts = [name for name in whole if (piece := _PIECE.search(name)) is None or int(piece[1]) == 1]
    if wanted is not None:
        firsts = [name for name in firsts if name == wanted] or [n for n in firsts if wanted.lower() in n.lower()]
    elif len(firsts) > 1:
        firsts = [name for name in firsts if USUAL.lower() in name.lower()] or firsts
    if len(firsts) != 1:
        said = "none" if not firsts else "several"
        which = f"that match {wanted!r}" if wanted is not None else "to choose from"
        raise BadFile(f"{where} holds {said} {which}; name one of: {', '.join(sorted(whole)[:20])}")
    return _pieces(firsts[0], whole, where)


def _pieces(first: str, names: Sequence[str], where: str) -> list[str]:
    piece = _PIECE.search(first)
    if piece is None:
        return [first]
    wanted = [f"{first[: piece.start()]}-{number:05}-of-{piece[2]}.gguf" for number in range(1, int(piece[2]) + 1)]
    missing = [name for name in wanted if name not in names]
    if missing:
        raise BadFile(f"{where} lacks pieces of a model: {', '.join(missing[:20])}")
    return wanted


def _fetch(model: HubModel) -> Path:
    # Imported here: half a second of start-up that only a reference to the hub is worth.
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError, RepositoryNotFoundError, RevisionNotFoundError

    # Its lines tell every request, with addresses that are signed and so open to whoever reads them.
    logging.getLogger("httpx2").setLevel(logging.WARNING)
    where = f"{model.repository} at the hub"
    hub = HfApi()
    try:
        listed = hub.model_info(model.repository, revision=model.revision, timeout=HUB_SECONDS).siblings
        names = choose([each.rfilename for each in listed or ()], model.wanted, where)
        log.info("fetching %s of %s, unless it is here", ", ".join(names), where)
        paths = [hub.hf_hub_download(model.repository, name, revision=model.revision) for name in names]
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
        return _fetched_before(hub, model, error)
    return Path(paths[0])


def _fetched_before(hub: HfApi, model: HubModel, trouble: Exception) -> Path:
    """What an earlier start has fetched, where the hub cannot be reached now. Raises BadFile."""
    try:
        folder = Path(hub.snapshot_download(model.repository, revision=model.revision, local_files_only=True))
    except (OSError, ValueError):
        raise BadFile(
            f"{model.repository} is no file or folder here, and the hub cannot be reached: {_short(trouble)}"
        ) from None
    names = sorted(str(each.relative_to(folder)) for each in folder.rglob("*.gguf"))
    return folder / choose(names, model.wanted, f"{model.repository}, as far as it was fetched before,")[0]


def _short(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
