"""Addresses of spec lines, for pictures and pages.

spec_links(roots, Path("docs/starter.svg"))(Position("specs/base.yaml", 20, 7))   →  "../specs/base.yaml#L20"
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

from .plan import Position
from .workspace import Roots

Link = Callable[[Position], str]
"""The address of a line of a spec, "" for none."""


def spec_links(roots: Roots, out: Path | None, prefix: str | None = None) -> Link:
    """What leads from the file `out` to a line of a spec.

    out: None for standard output, which counts as a file of the working folder. prefix: stands before the file's name
    as it is in positions ("https://…/blob/main/"). Without one the link is relative, but only between files below the
    working folder: no path of this machine is written anywhere.
    """
    here = Path.cwd().resolve()
    begin = out.parent.resolve() if out else here

    def link(position: Position) -> str:
        name = position.file
        if prefix is None and (path := _path(roots, name)) and path.is_relative_to(here) and begin.is_relative_to(here):
            name = Path(os.path.relpath(path, begin)).as_posix()
        return f"{prefix or ''}{quote(name)}#L{position.line}"

    return link


def _path(roots: Roots, file: str) -> Path | None:
    """Where a spec lies that goes by this name in positions."""
    for tree in roots.trees:
        path = tree.specs / file.removeprefix(tree.label)
        if file.startswith(tree.label) and path.is_file():
            return path.resolve()
    return None
