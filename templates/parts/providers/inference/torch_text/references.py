"""Which files of a folder or repository are a model of the transformers library."""

from __future__ import annotations

import json
from collections.abc import Sequence
from fnmatch import fnmatch
from pathlib import Path

from ..model_files import BadModel, HubModel, fetch, locate_folder, names_in, pickled

CONFIG = "config.json"
_INDEX = "model.safetensors.index.json"
# Weights in safetensors form, and what goes with them; nothing that would have to be unpickled.
_FILES = ("*.json", "*.safetensors", "*.jinja", "*.model", "*.txt")
# The same weights once more, as their makers' own programs name them.
_TWICE = "consolidated*"
_PICKLED = ("*.bin", "*.pt", "*.pth", "*.ckpt")


def locate(reference: str, *, code: bool) -> Path:
    """The model's folder, fetched first where it is at the hub. Blocks. code: whether its own Python files are wanted.

    Raises BadModel, saying what is missing.
    """

    def wanted(names: Sequence[str], where: str) -> list[str]:
        check(names, where)
        return [name for name in names if _is_wanted(name, code=code)]

    def fetched(hub: HubModel) -> Path:
        return fetch(hub, wanted).folder

    folder = locate_folder(reference, fetched)
    names = names_in(folder)
    check(names, reference)
    missing = sorted(_indexed(folder) - set(names))
    if missing:
        raise BadModel(f"{reference} lacks pieces of the model: {', '.join(missing[:20])}")
    return folder


def check(names: Sequence[str], where: str) -> None:
    """Raises BadModel where files of these names lack what a model consists of."""
    here = [name for name in names if "/" not in name]
    if CONFIG not in here:
        if any(name.endswith(".gguf") for name in here):
            raise BadModel(f"{where} holds GGUF files; models of that kind are served by inline::llama-cpp")
        raise BadModel(f"{where} holds no model: there is no {CONFIG} in it")
    if any(name.endswith(".safetensors") for name in here):
        return
    pickle = next((name for name in here if any(fnmatch(name, pattern) for pattern in _PICKLED)), None)
    if pickle is not None:
        raise pickled(where, pickle)
    raise BadModel(f"{where} holds no weights: no file in it ends in .safetensors")


def _is_wanted(name: str, *, code: bool) -> bool:
    """In folders of a repository are models for other programs, beside more templates and code."""
    if name.endswith(".jinja") or (code and name.endswith(".py")):
        return True
    return "/" not in name and not fnmatch(name, _TWICE) and any(fnmatch(name, pattern) for pattern in _FILES)


def _indexed(folder: Path) -> set[str]:
    """The files that a model in pieces consists of, by its index; none where it has no index."""
    index = folder / _INDEX
    try:
        return set(json.loads(index.read_bytes())["weight_map"].values()) if index.is_file() else set()
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise BadModel(f"{index} is damaged: it does not say where the weights are") from None
