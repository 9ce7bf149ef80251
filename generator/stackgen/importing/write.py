"""From a run config's file to a distribution's in a workspace: the only effects of importing."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from ..load import load
from ..problems import Problem
from ..workspace import find_roots
from . import import_config, name_of

_GENERIC = ("run", "config", "build", "run-config")
_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


class CannotPlace(Exception):
    """There is no name, or the place is taken; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Written:
    """A distribution's file as it was, or would be, written."""

    name: str
    path: Path
    notices: tuple[Problem, ...]


def import_file(
    source: Path, folder: Path, *, specs: list[Path], name: str | None, force: bool, strict: bool
) -> Written | list[Problem]:
    """Write `folder`/distributions/NAME.yaml; or nothing, and why. Raises CannotPlace, OSError.

    specs: further trees of specs. force: replace a file that is there. strict: notices are in the way, too.
    """
    document, problems = load(source, source.as_posix())
    if problems:
        return problems
    chosen = name or name_of(document, _otherwise(source))
    if not _NAME.fullmatch(chosen):
        wrong = f"{chosen!r} is no name of a distribution" if chosen else f"{source} gives no name to a distribution"
        raise CannotPlace(f"{wrong}; choose one with --name, lower-case words joined by `-`")
    target = folder / "distributions" / f"{chosen}.yaml"
    others = [each for each in specs if each.resolve() != folder.resolve()]
    imported = import_config(find_roots([*others, folder]), document, chosen)
    if isinstance(imported, list):
        return imported
    if strict and imported.notices:
        return list(imported.notices)
    if target.exists() and not force:
        raise CannotPlace(f"{target} is there already; --force replaces it, --name chooses another name")
    target.parent.mkdir(parents=True, exist_ok=True)
    staged = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        staged.write_text(imported.text, encoding="utf-8", newline="\n")
        staged.replace(target)
    finally:
        staged.unlink(missing_ok=True)
    return Written(chosen, target, imported.notices)


def _otherwise(source: Path) -> str:
    """A name where the config has none: the file's, or its folder's where the file is called like all of them."""
    return source.absolute().parent.name if source.stem in _GENERIC else source.stem
