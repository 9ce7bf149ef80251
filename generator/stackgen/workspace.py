"""Where specs, schemas and parts are: stackgen's own, and the workspaces that add to them.

A spec is found by its file name, never by reading all of them: `remote::nvidia` of inference is
`providers/inference/nvidia.yaml`.
Roots are searched in order; a later one's entry of a taken name counts only where it says `replaces:` (checked
by `resolve`).
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath


@dataclass(frozen=True, slots=True)
class Root:
    """One tree of specs. specs: holds apis/, providers/, distributions/; parts: the Python package root of the parts.

    label, parts_label: what stands before a file's path in positions ("specs/" in stackgen's own tree).
    """

    specs: Path
    parts: Path
    label: str = ""
    parts_label: str = "parts/"


@dataclass(frozen=True, slots=True)
class Roots:
    """All trees, stackgen's own first. schema, templates: where stackgen's own JSON Schemas and templates are."""

    trees: tuple[Root, ...]
    schema: Path
    templates: Path

    @property
    def specs(self) -> Path:
        """stackgen's own specs."""
        return self.trees[0].specs

    def find(self, relative: str) -> list[SpecFile]:
        """Every spec of this path ("providers/inference/openai.yaml"), in the order of the roots."""
        if _leads_out(relative):
            return []
        return [
            SpecFile(tree.specs / relative, tree.label + relative)
            for tree in self.trees
            if _is_file(tree.specs / relative)
        ]

    def part(self, relative: str) -> list[SpecFile]:
        """Every part of this path ("providers/inference/nvidia.py"), in the order of the roots."""
        if _leads_out(relative):
            return []
        return [
            SpecFile(tree.parts / relative, tree.parts_label + relative)
            for tree in self.trees
            if _is_file(tree.parts / relative)
        ]

    def names(self, folder: str) -> list[str]:
        """The stems of the specs in a folder ("apis") of any root, sorted."""
        return sorted({path.stem for tree in self.trees for path in (tree.specs / folder).glob("*.yaml")})

    def own_names(self, folder: str) -> list[str]:
        """Those of the workspaces alone, or of stackgen's own tree where there is none: what "all" is to a user."""
        return Roots(self.trees[1:] or self.trees, self.schema, self.templates).names(folder)

    def folders(self, folder: str) -> list[str]:
        """The names of the folders in a folder ("providers") of any root, sorted; `shared` is none."""
        found = {path.name for tree in self.trees for path in (tree.specs / folder).glob("*") if path.is_dir()}
        return sorted(found - {"shared"})


@dataclass(frozen=True, slots=True)
class SpecFile:
    """A file and the name it goes by in positions."""

    path: Path
    label: str


def _is_file(path: Path) -> bool:
    """Whether there is this file; a name that is too long for any is that of none."""
    try:
        return path.is_file()
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            return False
        raise


def _leads_out(relative: str) -> bool:
    path = PurePosixPath(relative)
    return path.is_absolute() or ".." in path.parts


def find_roots(extra: Sequence[Path]) -> Roots:
    """stackgen's own tree (a checkout's, or the one inside the installed package) and the workspaces beside
    it, in order."""
    here = Path(__file__).resolve().parent
    data = here / "data"
    base = data if (data / "schema").is_dir() else here.parent.parent
    own = Root(base / "specs", base / "templates" / "parts", "specs/", "templates/parts/")
    return Roots((own, *map(workspace, extra)), base / "schema", base / "templates")


def workspace(path: Path) -> Root:
    """A user's tree: apis/ providers/ distributions/ parts/."""
    return Root(path, path / "parts")


MARKER = "stackgen.toml"
"""The file that makes a folder a workspace."""


def find_workspace(start: Path) -> Path | None:
    """The nearest folder with the marker, from `start` upward; as it is called from there ("." or "../..")."""
    here = start.resolve()
    for folder in (here, *here.parents):
        if _is_file(folder / MARKER):
            return start / os.path.relpath(folder, here)
    return None


def candidates(provider_type: str) -> Iterator[str]:
    """The file names, less `.yaml`, that a provider type may have: `inline::milvus` → inline-milvus, milvus."""
    yield provider_type.replace("::", "-")
    yield provider_type.partition("::")[2].replace("::", "-") or provider_type
