"""Which files of a repository are a model in sentence-transformers' layout, and which of them ONNX Runtime needs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from ..model_files import HubModel, fetch, locate_folder
from ..sentences.folder import MODULES, no_modules
from .families import FAMILIES
from .layout import no_weights, read_json

CONFIG = "config.json"
_SAYS = (MODULES, "tokenizer.json", "tokenizer_config.json", "config_sentence_transformers.json", CONFIG)
# The Transformer itself may lie in a folder, like the modules after it.
_OF_A_MODULE = re.compile(
    r"\d+_\w+/(config\.json|model\.safetensors|tokenizer\.json|tokenizer_config\.json|sentence_\w+_config\.json)"
)
_OF_THE_TRANSFORMER = re.compile(r"sentence_[\w-]+_config\.json")
_WEIGHTS = re.compile(r"model(-\d+-of-\d+)?\.safetensors(\.index\.json)?")
_ONNX = re.compile(r"(onnx/)?model\.onnx([._]data)?")


def is_layout(names: Sequence[str]) -> bool:
    """Whether files of these names can be a model in this layout. Those of GGUF models often have a config.json beside
    them, and no weights that it could be of.
    """
    return MODULES in names or (CONFIG in names and any(name.endswith((".safetensors", ".onnx")) for name in names))


def locate(reference: str) -> Path:
    """The model's folder; what it needs is fetched first where it is at the hub. Blocks. Raises BadModel."""
    return locate_folder(reference, _fetched)


def _fetched(hub: HubModel) -> Path:
    folder = fetch(hub, choose_configs).folder
    kind = str(read_json(folder / CONFIG).get("model_type", "")) if (folder / CONFIG).is_file() else ""
    return fetch(hub, lambda names, where: choose_weights(names, kind, where)).folder


def choose_configs(names: Sequence[str], where: str) -> list[str]:
    """What a model says of itself, and the small weights of the modules after it. Raises BadModel."""
    if MODULES not in names:
        raise no_modules(where)
    return [
        name for name in names if name in _SAYS or _OF_A_MODULE.fullmatch(name) or _OF_THE_TRANSFORMER.fullmatch(name)
    ]


def choose_weights(names: Sequence[str], kind: str, where: str) -> list[str]:
    """kind: the model's architecture. Raises BadModel where none of them can be run."""
    safetensors = [name for name in names if _WEIGHTS.fullmatch(name)]
    chosen = (safetensors if kind in FAMILIES else []) or [name for name in names if _ONNX.fullmatch(name)]
    if not chosen:
        raise no_weights(where, kind, [name for name in names if "/" not in name])
    return chosen
