"""Which files of a folder or repository are a model of sentence-transformers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath

from ..model_files import BadModel, HubModel, fetch, locate_folder, names_in, pickled

MODULES = "modules.json"
"""What a model of sentence-transformers has in its folder: the steps from a text to its vector."""

_WANTED = ("*.json", "*.txt", "*.model", "*.safetensors", "*.jinja")
_OTHER_ENGINES = ("onnx/*", "openvino/*")
# Weights that Python's pickle reads: it runs what is in the file.
_PICKLES = ("pytorch_model*.bin", "adapter_model*.bin")


def locate(reference: str, *, code: bool, before: Callable[[], None] = lambda: None) -> Path:
    """The model's folder, fetched first where it is at the hub. code: whether Python files are fetched too. before: is
    called before anything is fetched. Blocks.

    Raises BadModel, saying what is missing, and what `before` does.
    """
    patterns = (*_WANTED, "*.py") if code else _WANTED

    def wanted(names: Sequence[str], where: str) -> list[str]:
        check(names, where)
        return [name for name in names if _is(name, patterns) and not _is(name, _OTHER_ENGINES)]

    def fetched(hub: HubModel) -> Path:
        before()
        return fetch(hub, wanted).folder

    folder = locate_folder(reference, fetched)
    check(names_in(folder), reference)
    return folder


def check(names: Sequence[str], where: str) -> None:
    """Raises BadModel where files of these names are no model that can be loaded.

    A transformer without `modules.json` is refused: which of its tokens' vectors make the text's is not said there, the
    library would take the mean of all, and vectors that were made so and stored are wrong until they are made again.
    """
    if MODULES not in names:
        raise no_modules(where)
    weights = {PurePosixPath(name).parent for name in names if name.endswith(".safetensors")}
    for name in sorted(names):
        path = PurePosixPath(name)
        if _is(path.name, _PICKLES) and path.parent not in weights:
            raise pickled(where, name)
    if not weights:
        raise BadModel(f"{where} holds no weights: no file in it ends in .safetensors")


def no_modules(where: str) -> BadModel:
    """Whichever library is to run it."""
    return BadModel(
        f"{where} has no {MODULES}, so that it is not known how one vector is made of its tokens'; save it once with "
        "sentence-transformers, with the pooling that it was trained with"
    )


def _is(name: str, patterns: Sequence[str]) -> bool:
    return any(fnmatch(name, pattern) for pattern in patterns)
