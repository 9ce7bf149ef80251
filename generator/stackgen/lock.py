"""`stackgen lock`: resolve what the specs ask for into specs/lock/requirements.txt, or check that it is resolved.

Resolving is uv's work and the only thing here that needs the network. Versions that are locked already stay, except
with `--upgrade`. What each of them weighs is asked of the index in the same run, and kept in the lock. A workspace has
its own lock beside its specs; it is resolved within the versions of stackgen's own lock, so that both can be installed
together.
"""

from __future__ import annotations

import os
import sys
import tempfile
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from .environment import EXIT_CODE, EnvironmentFailure, find_uv, run_tool
from .load import load
from .lockfile import FIX, NO_LOCK, SPECS, Lock, Locked, Weight, combined, digest, parse_lock, render_lock, unlocked
from .plan import Requirement
from .requirements import (
    BASE_ASKER,
    UPLOADS,
    UPLOADS_ASKER,
    known_externals,
    parted,
    read_base,
    requirements_of,
)
from .sizes import total_text
from .workspace import Root, Roots

PYTHON = "3.11"
_FILE = Path("lock", "requirements.txt")
_UNIVERSAL = ("pip", "compile", "--quiet", "--universal", "--python-version", PYTHON)
_COMPILE = (
    *(*_UNIVERSAL, "--generate-hashes"),
    # Nothing of the machine that resolves may show: no index, no command line, no local folders.
    *("--no-header", "--no-emit-index-url", "--no-emit-find-links", "--annotation-style", "line"),
)
# Only this format of uv's has sizes, and it has addresses too: it is read, and not kept.
_SIZES = (*_UNIVERSAL, "--no-deps", "--format", "pylock.toml", "--output-file", "pylock.toml")


def run_lock(roots: Roots, *, upgrade: bool, check: bool) -> int:
    """Write, or with `check` only verify, the lock of each workspace; of stackgen's own specs where there is none.

    The answer is an exit code: 0, 1 where `check` finds a stale lock, 3 where uv is missing or fails.
    """
    trees = roots.trees[1:] or roots.trees
    if check:
        stale = [line for tree in trees for line in stale_lines(roots, tree)]
        _say("\n".join(stale))
        return 1 if stale else 0
    try:
        for tree in trees:
            path = tree.specs / _FILE
            known = Lock("", ()) if upgrade else read_lock(tree)
            absent = sorted(known_externals(read_base(roots)))
            lock = _resolved(wanted(roots, tree), known, _constraints(roots, tree), absent)
            _write(path, render_lock(lock))
            _say(f"{tree.label}{_FILE.as_posix()}: {total_text(lock.packages, ())}")
    except (EnvironmentFailure, OSError) as error:
        _say(f"stackgen lock: {error}")
        return EXIT_CODE
    return 0


def read_locks(roots: Roots) -> Lock:
    """All locks as one: stackgen's own versions first."""
    return combined([read_lock(tree) for tree in roots.trees])


def read_lock(tree: Root) -> Lock:
    """The lock of one tree; an empty one where there is none yet."""
    path = tree.specs / _FILE
    return parse_lock(path.read_text(encoding="utf-8")) if path.is_file() else NO_LOCK


def wanted(roots: Roots, tree: Root) -> tuple[Requirement, ...]:
    """All that is to be locked of what one tree's provider specs ask for; in stackgen's own also of every server."""
    base = read_base(roots)
    own = tree is roots.trees[0]
    found = [*requirements_of(base, BASE_ASKER), *requirements_of(base, UPLOADS_ASKER, UPLOADS)] if own else []
    for path in sorted((tree.specs / "providers").glob("*/*.yaml")):
        document, _ = load(path, tree.label + path.relative_to(tree.specs).as_posix())
        kind = document.data.get("type") if isinstance(document.data, dict) else None
        found += requirements_of(document, f"{path.parent.name}/{kind}")
    return parted(found, known_externals(base))[0]


def stale_lines(roots: Roots, tree: Root) -> list[str]:
    """What is wrong with a tree's lock, and how to mend it; nothing where it fits its specs. Reads files only."""
    requirements = wanted(roots, tree)
    lock = read_lock(tree)
    both = combined([*(read_lock(own) for own in roots.trees[:1] if own is not tree), lock])
    lines = [f"{each.requirement.wanted_by[0]}: {each.message}" for each in unlocked(both, requirements)]
    if lock.digest != digest(requirements):
        lines.append(f"{tree.label}{_FILE.as_posix()} was made for other requirements than the specs have now")
    lines += [f"{each.pin} is not the version of stackgen's own lock" for each in _strays(both, lock)]
    if unweighed := [each.pin for each in lock.packages if not each.weighed]:
        lines.append(f"{tree.label}{_FILE.as_posix()} does not say what {_some(unweighed)}")
    return [*lines, f"run `{_fix(roots, tree)}`"] if lines else []


def _strays(both: Lock, lock: Lock) -> list[Locked]:
    pins = {each.pin for each in both.packages}
    return [each for each in lock.packages if each.pin not in pins]


def _some(pins: list[str]) -> str:
    more = len(pins) - 1
    return f"{pins[0]} and {more} more weigh" if more else f"{pins[0]} weighs"


def _fix(roots: Roots, tree: Root) -> str:
    return FIX if tree is roots.trees[0] else f"{FIX} --specs {tree.label.rstrip('/') or tree.specs}"


def _constraints(roots: Roots, tree: Root) -> Lock:
    return NO_LOCK if tree is roots.trees[0] else read_lock(roots.trees[0])


def _resolved(requirements: tuple[Requirement, ...], known: Lock, constraints: Lock, absent: Iterable[str]) -> Lock:
    """absent: packages that are left out with all that only they need, whoever asks for them."""
    uv = find_uv()
    if uv is None:
        raise EnvironmentFailure("resolving needs uv; install it with `pip install 'stackgen[lock]'`")
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        _lines(folder / SPECS, [each.text for each in requirements])
        _lines(folder / "constraints.txt", [each.pin for each in constraints.packages])
        _lines(folder / "overrides.txt", [f"{name} ; python_version < '3'" for name in absent])
        (folder / "known.txt").write_text(render_lock(known), encoding="utf-8")
        files = ["--constraint", "constraints.txt", "--override", "overrides.txt", "--output-file", "known.txt", SPECS]
        run_tool([*uv, *_COMPILE, *files], cwd=folder)
        found = parse_lock((folder / "known.txt").read_text(encoding="utf-8"))
        weights = _weights(uv, folder) if found.packages else {}
    return Lock(digest(requirements), tuple(_told(each, weights) for each in found.packages))


def _weights(uv: list[str], folder: Path) -> dict[tuple[str, str], Weight]:
    """What the versions of `known.txt` weigh."""
    from .weigh import weigh

    run_tool([*uv, *_SIZES, "known.txt"], cwd=folder)
    try:
        return weigh(tomllib.loads((folder / "pylock.toml").read_text(encoding="utf-8")))
    except ValueError as error:
        raise EnvironmentFailure(f"this stackgen cannot read the pylock.toml of this uv: {error}") from error


def _told(package: Locked, weights: Mapping[tuple[str, str], Weight]) -> Locked:
    """uv names the file of a requirement where the specs themselves ask; constraints ask for nothing."""
    via = {SPECS if each == f"-r {SPECS}" else each for each in package.via if not each.startswith("-c ")}
    return replace(package, via=tuple(sorted(via)), weight=weights.get((package.name, package.version), Weight(None)))


def _lines(path: Path, lines: Iterable[str]) -> None:
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".new")
    fresh.write_text(text, encoding="utf-8", newline="\n")
    os.replace(fresh, path)


def _say(text: str) -> None:
    if text:
        sys.stderr.write(text + "\n")
