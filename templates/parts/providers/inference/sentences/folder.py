"""Where a model is: a folder, or a repository of the Hugging Face hub.

/models/all-MiniLM-L6-v2
sentence-transformers/all-MiniLM-L6-v2                its head
sentence-transformers/all-MiniLM-L6-v2@0123abc        that revision
"""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from huggingface_hub import HfApi

log = logging.getLogger(__name__)

HUB_SECONDS = 10.0
"""How long start-up waits for the hub's list of files."""

MODULES = "modules.json"
"""What a model of sentence-transformers has in its folder: the steps from a text to its vector."""

_HUB = re.compile(r"(?P<repository>[\w.-]+/[\w.-]+)(?:@(?P<revision>[\w./-]+))?")
_WANTED = ("*.json", "*.txt", "*.model", "*.safetensors", "*.jinja")
_OTHER_ENGINES = ("onnx/*", "openvino/*")
# Weights that Python's pickle reads: it runs what is in the file.
_PICKLES = ("pytorch_model*.bin", "adapter_model*.bin")


class BadModel(Exception):
    """The model cannot be had; the message says why, and names it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HubModel:
    """A repository. revision: None for its head."""

    repository: str
    revision: str | None


def parse_hub(reference: str) -> HubModel | None:
    """The reference as a hub's, None if it does not look like one."""
    found = _HUB.fullmatch(reference)
    if found is None or reference.startswith((".", "/", "~")):
        return None
    return HubModel(repository=found["repository"], revision=found["revision"])


def name_of(reference: str) -> str:
    """The name to serve a model under where none is set: the folder's, or the repository."""
    path = Path(reference).expanduser()
    hub = None if path.exists() else parse_hub(reference)
    if hub is not None:
        return hub.repository
    return path.name or path.resolve().name or reference


def locate(reference: str, *, code: bool) -> Path:
    """The model's folder, fetched first where it is at the hub. code: whether Python files are fetched too. Blocks.

    Raises BadModel, saying what is missing.
    """
    path = Path(reference).expanduser()
    if path.is_dir():
        check_folder(path, str(path))
        return path
    if path.is_file():
        raise BadModel(f"{path} is a file; name the folder of the model")
    hub = parse_hub(reference)
    if hub is None:
        raise BadModel(f"there is no folder {reference}")
    folder = _fetch(hub, code=code)
    check_folder(folder, f"{hub.repository} at the hub")
    return folder


def check_folder(folder: Path, where: str) -> None:
    """Raises BadModel where the folder is no model that can be loaded.

    A transformer without `modules.json` is refused: which of its tokens' vectors make the text's is not said there, the
    library would take the mean of all, and vectors that were made so and stored are wrong until they are made again.
    """
    if not (folder / MODULES).is_file():
        raise BadModel(
            f"{where} has no {MODULES}, so it is no model of sentence-transformers: how its tokens become one vector "
            "is not known. Save it once with that library, with the pooling it was trained with"
        )
    pickles = [path for pattern in _PICKLES for path in folder.rglob(pattern)]
    for pickle in sorted(pickles):
        if not any(pickle.parent.glob("*.safetensors")):
            raise BadModel(
                f"{where} has weights as pickles only ({pickle.relative_to(folder)}), which can run code; save it as "
                "safetensors"
            )
    if not any(folder.rglob("*.safetensors")):
        raise BadModel(f"{where} holds no weights: no file in it ends in .safetensors")


def _fetch(model: HubModel, *, code: bool) -> Path:
    # Imported here: half a second of start-up that only a reference to the hub is worth.
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError, RepositoryNotFoundError, RevisionNotFoundError

    where = f"{model.repository} at the hub"
    hub = HfApi()
    try:
        files = hub.model_info(model.repository, revision=model.revision, timeout=HUB_SECONDS).siblings or ()
        _check_list([each.rfilename for each in files], where)
        return _snapshot(hub, model, code=code, fetch=True)
    except BadModel:
        raise
    except RevisionNotFoundError:
        raise BadModel(f"{where} has no revision {model.revision or 'main'!r}") from None
    except RepositoryNotFoundError:
        raise BadModel(f"{model.repository} is no folder here, and no public repository of the hub") from None
    except HfHubHTTPError as error:
        raise BadModel(f"{where} cannot be had: {short(error)}") from None
    except Exception as error:  # the hub's client lets through whatever its HTTP library raises
        log.debug("%s cannot be had now", where, exc_info=True)
        return _fetched_before(hub, model, error, code=code)


def _snapshot(hub: HfApi, model: HubModel, *, code: bool, fetch: bool) -> Path:
    """The folder of what is needed of a repository. fetch: whether to ask the hub for what is not here yet."""
    wanted = [*_WANTED, "*.py"] if code else list(_WANTED)
    folder = hub.snapshot_download(
        model.repository,
        revision=model.revision,
        allow_patterns=wanted,
        ignore_patterns=list(_OTHER_ENGINES),
        local_files_only=not fetch,
    )
    return Path(folder)


def _check_list(names: list[str], where: str) -> None:
    """What can be told before anything is fetched. Raises BadModel."""
    if MODULES in names and not any(name.endswith(".safetensors") for name in names):
        raise BadModel(f"{where} has no weights as safetensors")


def _fetched_before(hub: HfApi, model: HubModel, trouble: Exception, *, code: bool) -> Path:
    """What an earlier start has fetched, where the hub cannot be reached now. Raises BadModel."""
    try:
        return _snapshot(hub, model, code=code, fetch=False)
    except (OSError, ValueError):
        raise BadModel(
            f"{model.repository} is no folder here, and the hub cannot be reached: {short(trouble)}"
        ) from None


def short(error: BaseException) -> str:
    """The first line of what an exception says."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
