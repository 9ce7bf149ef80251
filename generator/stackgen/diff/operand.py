"""What `stackgen diff` is asked to compare: a distribution, a folder that was built, or a distribution at a revision.

    gateway                a distribution, built in memory
    generated/gateway      a folder (./gateway, where a distribution has the name, too)
    v1.2:gateway           a distribution, built from the specs and parts of a git revision

Of a revision come specs and parts. Schemas and templates are those of the stackgen that runs, so that what differs is
what the specs and parts differ in, not the compiler.
"""

from __future__ import annotations

import io
import os
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import IO

from ..build import build
from ..problems import Problem
from ..resolve import compile_plan
from ..workspace import Root, Roots
from ..write import MANIFEST, manifest_of
from .package import NoPackage, Package, read_package


class NoOperand(Exception):
    """There is nothing that this operand could name; the message says why."""


def read_operand(roots: Roots, text: str) -> Package | tuple[Problem, ...]:
    """The package, or what is wrong with the specs that it would be built from. Raises NoOperand."""
    try:
        if text not in roots.names("distributions"):
            if Path(text).is_dir():
                return read_package(_folder(Path(text)))
            revision, colon, name = text.rpartition(":")
            if colon and revision and name:
                with _at(roots, revision) as then:
                    return _distribution(then, name)
            if {"/", os.sep} & set(text):
                raise NoOperand(f"there is no folder {text}")
        return _distribution(roots, text)
    except NoPackage as error:
        raise NoOperand(f"{text}: {error}") from error


def _distribution(roots: Roots, name: str) -> Package | tuple[Problem, ...]:
    plan = compile_plan(roots, name)
    if isinstance(plan, list):
        return tuple(plan)
    built = build(roots, plan)
    return built.problems or read_package(built.files)


def _folder(folder: Path) -> Mapping[str, bytes]:
    """The files that a folder's manifest lists, as far as they are there, and the manifest."""
    listed = manifest_of(folder)
    if not listed:
        raise NoPackage(f"it has no {MANIFEST} of stackgen")
    return {path: (folder / path).read_bytes() for path in (*sorted(listed), MANIFEST) if (folder / path).is_file()}


# ── revisions ───────────────────────────────────────────────────────────────────────────────────────────────────────


@contextmanager
def _at(roots: Roots, revision: str) -> Iterator[Roots]:
    """The trees as they were at a revision of the repository that holds the last of them; trees outside it stay."""
    repository = _toplevel(roots.trees[-1].specs)
    if repository is None:
        raise NoOperand(f"{roots.trees[-1].specs} is in no git repository, so that it has no revision {revision}")
    commit = _git(repository, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    if commit is None:
        raise NoOperand(f"there is no git revision {revision} of {repository}")
    with tempfile.TemporaryDirectory(prefix="stackgen-") as folder:
        trees = [_tree(tree, repository, commit.decode().strip(), Path(folder)) for tree in roots.trees]
        if trees[-1] is None:
            raise NoOperand(f"the git revision {revision} has no {roots.trees[-1].specs}")
        yield replace(roots, trees=tuple(then or now for then, now in zip(trees, roots.trees, strict=True)))


def _tree(tree: Root, repository: Path, commit: str, folder: Path) -> Root | None:
    """A tree as it was. None for one that the repository does not hold: it is elsewhere, or installed in an environment
    below and ignored."""
    if _toplevel(tree.specs) != repository:
        return None
    specs = _extract(tree.specs, repository, commit, folder)
    if specs is None:
        return None
    inside = tree.parts.resolve().is_relative_to(repository)
    parts = _extract(tree.parts, repository, commit, folder) if inside else tree.parts
    return replace(tree, specs=specs, parts=parts or folder / "no parts")


def _extract(path: Path, repository: Path, commit: str, folder: Path) -> Path | None:
    """Where a folder of the repository lies below `folder` as it was; None if it was not there."""
    below = path.resolve().relative_to(repository)
    where = "" if below == Path() else below.as_posix()
    archive = _git(repository, "archive", "--format=tar", f"{commit}:{where}")
    if archive is None:
        return None
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        for member in tar:
            _place(folder / below, member.name, tar.extractfile(member) if member.isfile() else None)
    return folder / below


def _place(folder: Path, name: str, content: IO[bytes] | None) -> None:
    """Write one file of an archive; git's own know no way out of their folder. Links and folders are not specs."""
    if content is not None:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content.read())


def _toplevel(path: Path) -> Path | None:
    if not path.is_dir():
        return None
    found = _git(path, "rev-parse", "--show-toplevel")
    return Path(os.fsdecode(found).strip()).resolve() if found else None


def _git(folder: Path, *arguments: str) -> bytes | None:
    """What git answers; None where it fails, as it does outside of a repository."""
    try:
        done = subprocess.run(["git", "-C", folder, *arguments], capture_output=True, check=False)
    except FileNotFoundError as error:
        raise NoOperand("git is not there to read the revision with") from error
    return done.stdout if done.returncode == 0 else None
