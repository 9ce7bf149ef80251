"""Files to disk: the only pass that touches the output.

    write(Path("generated/gateway"), files)   # all of them, or nothing
    compare(Path("generated/gateway"), files) # Drift(changed=(…), missing=(…), orphaned=(…)), nothing written

The folder is the package's own: its MANIFEST.json says so. What the manifest lists and the new files do not is pruned.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

MANIFEST = "MANIFEST.json"
MODE = 0o644
FOLDER_MODE = 0o755


class NotOurs(Exception):
    """The folder holds something else than a generated package; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Drift:
    """How a folder differs from what would be written; paths, sorted."""

    changed: tuple[str, ...]
    missing: tuple[str, ...]
    orphaned: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.changed or self.missing or self.orphaned)


def write(folder: Path, files: Mapping[str, bytes]) -> None:
    """Make `folder` hold exactly these files. files: by posix path below it, MANIFEST.json among them.

    Everything is staged beside the folder first, so that a full disk or a bad path leaves a former build as it is.
    Raises NotOurs, OSError.
    """
    former = manifest_of(folder)
    check_ours(folder)
    for path in files:
        _below(folder, path)
    folder.parent.mkdir(parents=True, exist_ok=True)
    staged = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        for path, content in files.items():
            _stage(staged / path, content)
        if not folder.is_dir():
            folder.mkdir()
            folder.chmod(FOLDER_MODE)
        for path in sorted(files.keys() - {MANIFEST}):
            _place(staged / path, folder, path)
        for path in sorted(former - files.keys()):
            _prune(folder, path)
        # The manifest comes last: until it is there, the old one still tells what to prune.
        _place(staged / MANIFEST, folder, MANIFEST)
    finally:
        shutil.rmtree(staged, ignore_errors=True)


def write_texts(folder: Path, texts: Mapping[str, str]) -> None:
    """Each text into the file of its path below `folder`; what else is there stays."""
    for path, text in texts.items():
        place = _below(folder, path)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, "utf-8", newline="\n")


def compare(folder: Path, files: Mapping[str, bytes]) -> Drift:
    """What `write` would change.

    Orphans are files of the package's source folder, or of its manifest, that are not to be there; caches are none.
    """
    changed, missing = [], []
    for path, content in sorted(files.items()):
        there = _read(folder / path)
        if there is None:
            missing.append(path)
        elif there != content:
            changed.append(path)
    orphaned = {path for path in manifest_of(folder) if (folder / path).exists()} | set(_sources(folder))
    return Drift(tuple(changed), tuple(missing), tuple(sorted(orphaned - files.keys())))


def check_ours(folder: Path) -> None:
    """Raises NotOurs if the folder holds something that no manifest of ours accounts for."""
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise NotOurs(f"{folder} is no folder; name another one with --out")
    if folder.is_dir() and any(folder.iterdir()) and not _is_manifest(folder / MANIFEST):
        raise NotOurs(f"{folder} is not empty and has no {MANIFEST} of stackgen; name an empty folder with --out")


def manifest_of(folder: Path) -> frozenset[str]:
    """The paths that the manifest of a folder lists; none where there is no manifest."""
    if not _is_manifest(folder / MANIFEST):
        return frozenset()
    listed = json.loads((folder / MANIFEST).read_bytes()).get("files", {})
    return frozenset(path for path in listed if isinstance(path, str) and _is_inside(path))


def _is_manifest(path: Path) -> bool:
    content = _read(path)
    if content is None:
        return False
    try:
        parsed = json.loads(content)
    except ValueError:
        return False
    return isinstance(parsed, dict) and "stackgen" in parsed and isinstance(parsed.get("files"), dict)


def _below(folder: Path, path: str) -> Path:
    if not _is_inside(path):
        raise ValueError(f"{path} would be written outside of {folder}")
    return folder / path


def _is_inside(path: str) -> bool:
    pure = PurePosixPath(path)
    return not pure.is_absolute() and ".." not in pure.parts and str(pure) == path and path != "."


def _stage(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    path.chmod(MODE)  # not the umask's choice


def _place(staged: Path, folder: Path, path: str) -> None:
    """Move one staged file to its place; what is in the way of it, or of its folders, gives way."""
    target = folder / path
    for parent in reversed(target.relative_to(folder).parents):
        place = folder / parent
        if place.is_symlink() or (place.exists() and not place.is_dir()):
            place.unlink()
        if not place.is_dir():
            place.mkdir()
            place.chmod(FOLDER_MODE)
    if target.is_dir() and not target.is_symlink():
        shutil.rmtree(target)
    if _read(target) != staged.read_bytes() or target.is_symlink() or target.stat().st_mode & 0o777 != MODE:
        os.replace(staged, target)


def _prune(folder: Path, path: str) -> None:
    """Remove a file and the folders it leaves empty, caches aside."""
    if not (folder / path).is_file():
        return
    (folder / path).unlink()
    for parent in (folder / path).relative_to(folder).parents:
        place = folder / parent
        if place == folder or not place.is_dir() or any(each.name != "__pycache__" for each in place.iterdir()):
            return
        shutil.rmtree(place)


def _sources(folder: Path) -> Iterator[str]:
    for path in sorted((folder / "src").rglob("*")):
        parts = path.relative_to(folder).parts
        if not path.is_dir() and "__pycache__" not in parts and not any(part.endswith(".egg-info") for part in parts):
            yield "/".join(parts)


def _read(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None
