"""`stackgen init`: a workspace of one's own, and what a later template changes in it.

The template comes inside the installed package, without a history. So a workspace records its files as they were made
(.stackgen-template.json), which is all that a three-way merge needs.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from .. import __version__
from ..lockfile import Lock, digest, render_lock
from ..render.code import string
from ..workspace import MARKER, Roots
from . import files
from .new import CHAT, NoScaffold, new_provider
from .update import Step, steps

RECORD = ".stackgen-template.json"
EXAMPLE = "hello"
_LOCK = "lock/requirements.txt"


def init(roots: Roots, folder: Path) -> list[str]:
    """Make a workspace; the paths of its files. roots: the bundled one. Raises NoScaffold, OSError."""
    if (folder / MARKER).exists():
        raise NoScaffold(f"{folder} is a workspace already; `stackgen init --update` brings it up to date")
    made = _template(roots, _name(folder))
    written = {
        **made,
        RECORD: _record(_name(folder), made),
        _LOCK: render_lock(Lock(digest(()), ())),
        "apis/.gitkeep": "",
    }
    write_new(folder, written)
    return sorted(written)


def update(roots: Roots, folder: Path) -> list[Step]:
    """Carry the template's changes into a workspace; what was done, by path. Raises NoScaffold, EnvironmentFailure."""
    record = folder / RECORD
    name, base = _read_record(record)
    new = _template(roots, name)
    mine = {path: (folder / path).read_text("utf-8") for path in {*base, *new} if (folder / path).is_file()}
    done = steps(base, mine, new)
    for step in done:
        if step.what == "removed":
            (folder / step.path).unlink()
        elif step.text is not None:
            _write(folder / step.path, step.text)
    _write(record, _record(name, new))
    return done


def write_new(folder: Path, texts: Mapping[str, str]) -> None:
    """Write files that are not there yet; none at all where one is. Raises NoScaffold, OSError."""
    taken = sorted(path for path in texts if (folder / path).exists())
    if taken:
        raise NoScaffold(f"{', '.join(str(folder / path) for path in taken)}: there already, and nothing was written")
    for path, text in texts.items():
        _write(folder / path, text)


def _template(roots: Roots, name: str) -> dict[str, str]:
    """Every file of a workspace whose later versions concern it."""
    view = {"name": string(name), "version": string(__version__)}
    plain = files(roots, "workspace", {**view, "title": name, "release": __version__})
    return {**plain, **new_provider(roots, EXAMPLE, CHAT)}


def _record(name: str, made: Mapping[str, str]) -> str:
    said = {"name": name, "template": __version__, "files": made}
    return json.dumps(said, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def _read_record(path: Path) -> tuple[str, dict[str, str]]:
    """The workspace's name, and its files as they were made. Raises NoScaffold."""
    try:
        said = json.loads(path.read_text("utf-8"))
        name, texts = said["name"], said["files"]
        sound = isinstance(name, str) and all(isinstance(each, str) and _inside(key) for key, each in texts.items())
    except FileNotFoundError:
        raise NoScaffold(f"{path} is not there: only what `stackgen init` made can be updated") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        sound = False
    if not sound:
        raise NoScaffold(f"{path} is not as `stackgen init` wrote it; take it from the history of the workspace")
    return name, texts


def _inside(path: str) -> bool:
    """Whether a path leads to nothing outside of the folder it is relative to."""
    parts = PurePosixPath(path)
    return not parts.is_absolute() and ".." not in parts.parts


def _name(folder: Path) -> str:
    """What a workspace is called: as its folder is."""
    return folder.resolve().name or "workspace"


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")
