"""The lock as data: one hashed version of every package that any bundled provider needs, who needs it, its weight.

    yarl==1.25.1 \\                →  Locked(name="yarl", version="1.25.1", hashes=("sha256:d5ad…",), via=("aiohttp",),
        --hash=sha256:d5ad…               weight=Weight(117728, "sha256:d5ad…"))
        # via aiohttp
        # weighs 117728 sha256:d5ad…

It is the format of pip and of `uv pip compile`, less the names of hosts: reading it needs no network, and `via` is the
graph from which `closure` cuts a distribution's own requirements.txt. `via specs` marks what the specs ask for.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from packaging.requirements import Requirement as Pep508
from packaging.utils import canonicalize_name

from .plan import Requirement
from .requirements import asker

SPECS = "specs"
FIX = "stackgen lock"

MACHINE = "CPython 3.11 on Linux x86-64"
"""For which packages are weighed: a wheel's size differs by machine, and one figure is to stand for all of them."""

_PIN = re.compile(
    r"(?P<name>[A-Za-z0-9._-]+)(?:\[[^]]*\])?==(?P<version>[^\s;\\]+)(?:\s*;\s*(?P<marker>[^\\]+?))?\s*\\?"
)
_HASH = re.compile(r"\s+--hash=(?P<hash>[a-z0-9]+:[0-9a-f]+)\s*\\?")
_VIA = re.compile(r"\s+# via (?P<via>.+)")
_WEIGHT = re.compile(r"\s+# weighs (?:(?P<size>\d+)|unknown)(?: (?P<file>[a-z0-9]+:[0-9a-f]+))?")
_DIGEST = re.compile(r"# requirements: (?P<digest>sha256:[0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class Weight:
    """What one version is to download: of the wheel that `MACHINE` takes, of the sdist where it can take none.

    size: in bytes, 0 for what is not installed there, None where the index tells no sizes. file: the digest of what was
    weighed, "" for nothing.
    """

    size: int | None
    file: str = ""

    def __str__(self) -> str:
        return " ".join(["unknown" if self.size is None else str(self.size), *([self.file] if self.file else [])])


@dataclass(frozen=True, slots=True, kw_only=True)
class Locked:
    """One version of one package.

    marker: where it is meant for, "" for everywhere. via: the names of the packages that need it, or "specs". weight:
    None where the lock has none.
    """

    name: str
    version: str
    marker: str = ""
    hashes: tuple[str, ...]
    via: tuple[str, ...]
    weight: Weight | None = None

    @property
    def pin(self) -> str:
        return f"{self.name}=={self.version}" + (f" ; {self.marker}" if self.marker else "")

    @property
    def size(self) -> int | None:
        """What it weighs in bytes; None where that is unknown, as it is where the weight is another version's."""
        return None if self.weight is None or not self.weighed else self.weight.size

    @property
    def weighed(self) -> bool:
        """Whether the lock has a weight of it that is its own."""
        return self.weight is not None and (not self.weight.file or self.weight.file in self.hashes)


@dataclass(frozen=True, slots=True)
class Lock:
    """A lock file. A package has several entries where markers tell them apart.

    digest: of the requirements it was made for.
    """

    digest: str
    packages: tuple[Locked, ...]

    def by_name(self) -> dict[str, tuple[Locked, ...]]:
        found: dict[str, tuple[Locked, ...]] = {}
        for each in self.packages:
            found[each.name] = (*found.get(each.name, ()), each)
        return found


NO_LOCK = Lock("", ())


@dataclass(frozen=True, slots=True)
class Unlocked:
    """A requirement the lock does not meet. message: one line that says how. versions: those that it has instead."""

    requirement: Requirement
    message: str
    versions: tuple[str, ...] = ()


def digest(requirements: Iterable[Requirement]) -> str:
    """Identifies a set of requirements, whoever asked for them."""
    texts = "\n".join(sorted({each.text for each in requirements}))
    return "sha256:" + hashlib.sha256(texts.encode()).hexdigest()


def parse_lock(text: str) -> Lock:
    """Read a lock; what the format does not have is an error (ValueError with the line)."""
    found = _DIGEST.search(text)
    packages: list[Locked] = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        if pin := _PIN.fullmatch(line):
            name, version, marker = pin["name"], pin["version"], pin["marker"] or ""
            packages.append(Locked(name=canonicalize_name(name), version=version, marker=marker, hashes=(), via=()))
        elif packages and (one := _HASH.fullmatch(line)):
            packages[-1] = replace(packages[-1], hashes=(*packages[-1].hashes, one["hash"]))
        elif packages and (one := _VIA.fullmatch(line)):
            packages[-1] = replace(packages[-1], via=tuple(one["via"].split(", ")))
        elif packages and (one := _WEIGHT.fullmatch(line)):
            size = int(one["size"]) if one["size"] else None
            packages[-1] = replace(packages[-1], weight=Weight(size, one["file"] or ""))
        else:
            raise ValueError(f"line {number} of the lock is not understood: {line.strip()[:80]}")
    return Lock(found["digest"] if found else "", tuple(packages))


def render_lock(lock: Lock) -> str:
    """The lock as text, ending in a newline."""
    head = [
        f"# Written by `{FIX}`: one version, hashed, of every package that the specs ask for and of what those need.",
        f"# Each weighs as many bytes as {MACHINE} downloads: of a wheel, or of the sdist where there is none for it.",
        f"# requirements: {lock.digest}",
    ]
    entries = [[*_pinned(each), *_said(each)] for each in sorted(lock.packages, key=_order)]
    return "\n".join([*head, *(line for entry in entries for line in entry)]) + "\n"


def combined(locks: Sequence[Lock]) -> Lock:
    """Several locks as one: the first that has a package decides its versions, everybody's `via` counts."""
    packages: dict[str, tuple[Locked, ...]] = {}
    for lock in locks:
        for name, here in lock.by_name().items():
            via = tuple(dict.fromkeys(asking for each in here for asking in each.via))
            known = packages.get(name, here)
            packages[name] = tuple(replace(each, via=tuple(dict.fromkeys((*each.via, *via)))) for each in known)
    return Lock(locks[0].digest if locks else "", tuple(each for entries in packages.values() for each in entries))


def unlocked(lock: Lock, requirements: Iterable[Requirement]) -> list[Unlocked]:
    """The requirements that the lock does not meet: not in it, or in a version outside the range."""
    found = []
    packages = lock.by_name()
    for requirement in requirements:
        asked = Pep508(requirement.text)
        name = canonicalize_name(asked.name)
        versions = [each.version for each in packages.get(name, ())]
        if not versions:
            found.append(Unlocked(requirement, f"the lock has no {name}"))
        elif not all(asked.specifier.contains(version, prereleases=True) for version in versions):
            message = f"the lock has {name} {', '.join(versions)}, not {asked.specifier}"
            found.append(Unlocked(requirement, message, tuple(versions)))
    return found


def reachable(lock: Lock, roots: Iterable[str]) -> dict[str, tuple[Locked, ...]]:
    """These packages and what they need, by name, sorted. Extras that anybody asked for count for everybody."""
    needs = needs_of(lock)
    found: set[str] = set()
    waiting = list(roots)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting.extend(needs.get(name, ()))
    packages = lock.by_name()
    return {name: packages[name] for name in sorted(found) if name in packages}


def needs_of(lock: Lock) -> Mapping[str, tuple[str, ...]]:
    """The graph read forwards: package → the packages it needs, sorted."""
    needs: dict[str, set[str]] = {}
    for each in lock.packages:
        for via in each.via:
            needs.setdefault(via, set()).add(each.name)
    return {name: tuple(sorted(names)) for name, names in needs.items()}


def closure(lock: Lock, requirements: Sequence[Requirement]) -> str:
    """The requirements.txt of a distribution: its requirements and what those need, each hashed and with who needs it.

    Takes for granted that `unlocked` found nothing.
    """
    lines = [
        "# Exactly what this server needs, with hashes: pip install --no-deps --require-hashes -r requirements.txt"
    ]
    for each, asked in chosen(lock, requirements):
        lines += ["", *(f"# {line}" for line in asked), *_pinned(each)]
    return "\n".join(lines) + "\n"


def chosen(lock: Lock, requirements: Sequence[Requirement]) -> Iterator[tuple[Locked, tuple[str, ...]]]:
    """Every package of a distribution, by name, and who asked for it: specs with their line, then "via" packages."""
    askers: dict[str, list[str]] = {}
    for requirement in requirements:
        asked_for = canonicalize_name(Pep508(requirement.text).name)
        askers.setdefault(asked_for, []).extend(_asked(each) for each in requirement.wanted_by)
    found = reachable(lock, askers)
    for name, entries in found.items():
        for each in entries:
            packages = [via for via in each.via if via in found]
            yield each, tuple(dict.fromkeys([*askers.get(name, ()), *(f"via {via}" for via in packages)]))


def _asked(wanted_by: str) -> str:
    who, place = asker(wanted_by)
    return f"{who} ({place.file}:{place.line})"


def _said(package: Locked) -> list[str]:
    weight = [f"    # weighs {package.weight}"] if package.weight else []
    return [f"    # via {', '.join(package.via)}", *weight]


def _pinned(package: Locked) -> list[str]:
    lines = [package.pin, *(f"    --hash={each}" for each in sorted(package.hashes))]
    return [*(f"{line} \\" for line in lines[:-1]), lines[-1]]


def _order(package: Locked) -> tuple[str, str, str]:
    return (package.name, package.version, package.marker)
