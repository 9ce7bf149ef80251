"""Which file of a folder or repository is the GGUF model.

./models/llama                                        the one model in that folder
ggml-org/gemma-3-1b-it-GGUF                           its only model, or the one in Q4_K_M
ggml-org/gemma-3-1b-it-GGUF:Q8_0@0123abc              that quantisation (or file), at that revision
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..model_files import PIECE, BadModel, fetch, names_in, parse_hub

USUAL = "Q4_K_M"
"""What is taken of a repository that has several quantisations, unless the reference says which."""


def locate(reference: str) -> Path:
    """The model's file, its first where it comes in pieces; fetched first where it is at the hub. Blocks.

    Raises BadModel, saying what is missing.
    """
    path = Path(reference).expanduser()
    if path.is_file():
        return path
    if path.is_dir():
        return path / choose(names_in(path), None, str(path))[0]
    hub = parse_hub(reference)
    if hub is None:
        raise BadModel(f"there is no file or folder {reference}")
    fetched = fetch(hub, lambda names, where: choose(names, hub.wanted, where))
    return fetched.folder / fetched.names[0]


def choose(names: Sequence[str], wanted: str | None, where: str) -> list[str]:
    """The files of one model among those of a folder or repository, in order. Raises BadModel."""
    whole = [name for name in names if name.endswith(".gguf") and "mmproj" not in name.lower()]
    if not whole:
        raise BadModel(f"{where} holds no model: no file in it ends in .gguf")
    firsts = [name for name in whole if (piece := PIECE.search(name)) is None or int(piece[1]) == 1]
    if wanted is not None:
        firsts = [name for name in firsts if name == wanted] or [n for n in firsts if wanted.lower() in n.lower()]
    elif len(firsts) > 1:
        firsts = [name for name in firsts if USUAL.lower() in name.lower()] or firsts
    if len(firsts) != 1:
        said = "none" if not firsts else "several"
        which = f"that match {wanted!r}" if wanted is not None else "to choose from"
        raise BadModel(f"{where} holds {said} {which}; name one of: {', '.join(sorted(whole)[:20])}")
    return _pieces(firsts[0], whole, where)


def _pieces(first: str, names: Sequence[str], where: str) -> list[str]:
    piece = PIECE.search(first)
    if piece is None:
        return [first]
    wanted = [f"{first[: piece.start()]}-{number:05}-of-{piece[2]}.gguf" for number in range(1, int(piece[2]) + 1)]
    missing = [name for name in wanted if name not in names]
    if missing:
        raise BadModel(f"{where} lacks pieces of a model: {', '.join(missing[:20])}")
    return wanted
