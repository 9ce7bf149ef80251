"""Where a model is: a file, a folder, or a repository of the Hugging Face hub.

/models/llama-3.2-1b-q4_k_m.gguf
./models/llama                                        the one model in that folder
ggml-org/gemma-3-1b-it-GGUF                           its only model, or the one in Q4_K_M
ggml-org/gemma-3-1b-it-GGUF:Q8_0@0123abc              that quantisation (or file), at that revision
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from ..model_files import BadFile, fetch, parse_hub

USUAL = "Q4_K_M"
"""What is taken of a repository that has several quantisations, unless the reference says which."""

_PIECE = re.compile(r"-(\d{5})-of-(\d{5})\.gguf$")


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
    return fetch(hub, lambda names, where: choose(names, hub.wanted, where))[0]


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
