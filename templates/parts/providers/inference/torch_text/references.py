"""Where a model of the transformers library is: a folder, or a repository of the Hugging Face hub.

/models/qwen3-0.6b                                    a folder with config.json, tokenizer and *.safetensors
Qwen/Qwen3-0.6B                                       a repository's newest revision
Qwen/Qwen3-0.6B@0123abc                               that revision
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable
from pathlib import Path

from .problems import BadModel

log = logging.getLogger(__name__)

_HUB = re.compile(r"(?P<repository>[\w.-]+/[\w.-]+)(?:@(?P<revision>[\w./-]+))?")
# Weights in safetensors form, and what goes with them; nothing that would have to be unpickled.
_FILES = ("*.json", "*.safetensors", "*.jinja", "*.model", "*.txt")
_PICKLED = ("*.bin", "*.pt", "*.pth", "*.ckpt")


def parse_hub(reference: str) -> tuple[str, str | None] | None:
    """(repository, revision) where the reference looks like a hub's, else None."""
    found = _HUB.fullmatch(reference)
    if found is None or reference.startswith((".", "/", "~")):
        return None
    return found["repository"], found["revision"]


def name_of(reference: str) -> str:
    """The name to serve a model under where none is set: the folder's, or the repository."""
    path = Path(reference).expanduser()
    hub = None if path.exists() else parse_hub(reference)
    return hub[0] if hub is not None else path.resolve().name or reference


def locate(reference: str, *, code: bool) -> Path:
    """The model's folder, fetched first where it is at the hub. Blocks. code: whether its own Python files are wanted.

    Raises BadModel, saying what is missing.
    """
    path = Path(reference).expanduser()
    if path.suffix == ".gguf":
        raise BadModel(f"{reference} is a GGUF file; models of that kind are served by inline::llama-cpp")
    if path.is_file():
        raise BadModel(f"{reference} is a file; give the folder that has config.json and the *.safetensors files")
    hub = None if path.is_dir() else parse_hub(reference)
    if hub is not None:
        path = _fetch(*hub, code=code)
    elif not path.is_dir():
        raise BadModel(f"there is no folder {reference}")
    _check(path, reference)
    return path


def _check(folder: Path, where: str) -> None:
    """Raises BadModel for a folder that lacks what a model consists of."""
    if not (folder / "config.json").is_file():
        if any(folder.glob("*.gguf")):
            raise BadModel(f"{where} holds GGUF files; models of that kind are served by inline::llama-cpp")
        raise BadModel(f"{where} holds no model: there is no config.json in it")
    names = {path.name for path in folder.glob("*.safetensors")}
    if not names:
        pickled = any(path for pattern in _PICKLED for path in folder.glob(pattern))
        why = "; those it has are pickled, and unpickling runs whatever is in them" if pickled else ""
        raise BadModel(f"{where} holds no weights: no file in it ends in .safetensors{why}")
    missing = sorted(_indexed(folder) - names)
    if missing:
        raise BadModel(f"{where} lacks pieces of the model: {', '.join(missing[:20])}")


def _indexed(folder: Path) -> set[str]:
    """The files that a model in pieces consists of, by its index; none where it has no index."""
    index = folder / "model.safetensors.index.json"
    try:
        return set(json.loads(index.read_bytes())["weight_map"].values()) if index.is_file() else set()
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise BadModel(f"{index} is damaged: it does not say where the weights are") from None


def _fetch(repository: str, revision: str | None, *, code: bool) -> Path:
    # Imported here: half a second of start-up that only a reference to the hub is worth.
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, RepositoryNotFoundError, RevisionNotFoundError

    patterns = [*_FILES, *(("*.py",) if code else ())]
    download: Callable[..., str] = snapshot_download
    try:
        return Path(download(repository, revision=revision, allow_patterns=patterns))
    except RevisionNotFoundError:
        raise BadModel(f"{repository} at the hub has no revision {revision!r}") from None
    except RepositoryNotFoundError:
        raise BadModel(f"{repository} is no folder here, and no public repository of the hub") from None
    except HfHubHTTPError as error:
        raise BadModel(f"{repository} at the hub cannot be had: {_short(error)}") from None
    except Exception as error:  # the hub's client lets through whatever its HTTP library raises
        log.debug("%s at the hub cannot be had now", repository, exc_info=True)
        return _fetched_before(repository, revision, error)


def _fetched_before(repository: str, revision: str | None, trouble: Exception) -> Path:
    """What an earlier start has fetched, where the hub cannot be reached now. Raises BadModel."""
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(repository, revision=revision, local_files_only=True))
    except (OSError, ValueError):
        raise BadModel(f"{repository} is no folder here, and the hub cannot be reached: {_short(trouble)}") from None


def _short(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
