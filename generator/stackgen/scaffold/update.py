"""A workspace and a later template: which files change, and how. Three texts decide for each file.

base   as the template wrote it, recorded in the workspace      mine   as it is now      new   as the template writes it

A file nobody touched follows the template; one that was edited is merged line by line; one that was removed stays away.
Where both changed the same lines, both are kept between git's markers: nothing that was written here is ever lost.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ..environment import EnvironmentFailure

What = Literal["written", "merged", "removed", "conflict", "left"]


@dataclass(frozen=True, slots=True)
class Step:
    """What becomes of one file. text: what is to be written, None where nothing is. note: why it is left as it is."""

    path: str
    what: What
    text: str | None = None
    note: str = ""


def steps(base: Mapping[str, str], mine: Mapping[str, str], new: Mapping[str, str]) -> list[Step]:
    """What to do, by path; files that stay as they are for good reason are not told. mine: only of base's and new's.

    Raises EnvironmentFailure where a merge needs git, and there is none.
    """
    found = [_step(path, base.get(path), mine.get(path), new.get(path)) for path in sorted({*base, *new})]
    return [step for step in found if step is not None]


def _step(path: str, base: str | None, mine: str | None, new: str | None) -> Step | None:
    if new in (base, mine):
        return None
    if new is None:
        note = "the template has it no longer, and it was changed here"
        return None if mine is None else Step(path, "removed") if mine == base else Step(path, "left", note=note)
    if mine is None:
        return Step(path, "written", new) if base is None else None
    if mine == base:
        return Step(path, "written", new)
    if base is None:
        return Step(path, "left", note="the template has a file of this name now, and it is not this one")
    merged, conflicts = _merged(mine, base, new)
    return Step(path, "conflict" if conflicts else "merged", merged)


def _merged(mine: str, base: str, new: str) -> tuple[str, bool]:
    """The three as git merges them, and whether they are at odds."""
    git = shutil.which("git")
    if git is None:
        raise EnvironmentFailure("merging what was changed here with what the template has now needs git")
    with tempfile.TemporaryDirectory() as temporary:
        names = ("mine", "base", "new")
        for name, text in zip(names, (mine, base, new), strict=True):
            (Path(temporary) / name).write_bytes(text.encode())
        labels = [word for label in ("here", "as it was made", "the template's") for word in ("-L", label)]
        done = subprocess.run(
            [git, "merge-file", "--stdout", *labels, *names], cwd=temporary, capture_output=True, check=False
        )
    # The exit code is the number of conflicts, at most 127; above it is git's own trouble.
    if not 0 <= done.returncode < 128:
        raise EnvironmentFailure(f"git merge-file failed: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout.decode(), done.returncode > 0
