"""What locked packages weigh, read from a pylock.toml (PEP 751): the bytes that one machine downloads to install them.

    {"packages": [{"name": "yarl", "wheels": […, {"url": "…cp311-manylinux…", "size": 117728, …}]}]}
        →  {("yarl", "1.25.1"): Weight(117728, "sha256:d5ad…")}

Which wheel that machine takes follows from its tags and markers, which are written down here: whoever locks, wherever,
gets the same figures.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

from packaging.markers import Environment
from packaging.pylock import PackageSdist, PackageWheel, Pylock, PylockSelectError, PylockValidationError
from packaging.tags import compatible_tags, cpython_tags
from packaging.utils import canonicalize_name

from .lockfile import Weight

# MACHINE, as markers and tags have it.
_ENVIRONMENT: Environment = {
    "implementation_name": "cpython",
    "implementation_version": "3.11.15",
    "os_name": "posix",
    "platform_machine": "x86_64",
    "platform_python_implementation": "CPython",
    "platform_release": "",
    "platform_system": "Linux",
    "platform_version": "",
    "python_full_version": "3.11.15",
    "python_version": "3.11",
    "sys_platform": "linux",
}
_GLIBC = 39
"""Wheels for a glibc after 2.39 (of early 2024) count as none."""

_PLATFORMS = [
    *(f"manylinux_2_{minor}_x86_64" for minor in range(_GLIBC, 4, -1)),
    *("manylinux2014_x86_64", "manylinux2010_x86_64", "manylinux1_x86_64", "linux_x86_64"),
]
_TAGS = [*cpython_tags((3, 11), None, _PLATFORMS), *compatible_tags((3, 11), "cp311", _PLATFORMS)]


def weigh(pylock: Mapping[str, Any]) -> dict[tuple[str, str], Weight]:
    """(name, version) → its weight. pylock: the file as tomllib reads it; ValueError where it is of another format."""
    tables = pylock.get("packages", ())
    try:
        Pylock.from_dict({**pylock, "packages": []})
    except PylockValidationError as error:
        raise ValueError(str(error)) from error
    found: dict[tuple[str, str], Weight] = {}
    for table in tables:
        key = (canonicalize_name(table["name"]), table.get("version", ""))
        # One at a time, so that one that cannot be read or installed there leaves the others their weights.
        weight = _weight({**pylock, "packages": [table]})
        # Forks of a resolution may have one version twice, once for each of their markers.
        found[key] = weight if weight.file or key not in found else found[key]
    return found


def _weight(pylock: Mapping[str, Any]) -> Weight:
    try:
        taken = next(iter(Pylock.from_dict(pylock).select(environment=_ENVIRONMENT, tags=_TAGS)), None)
    except (PylockValidationError, PylockSelectError):
        # A file is named as no tool should, or none is for the machine, whose markers let the package in.
        return Weight(None)
    if taken is None:
        return Weight(0)
    _, file = taken
    if not isinstance(file, PackageWheel | PackageSdist) or (size := _size(file)) is None:
        return Weight(None)
    algorithm, digest = next(iter(file.hashes.items()))
    return Weight(size, f"{algorithm}:{digest}")


def _size(file: PackageWheel | PackageSdist) -> int | None:
    """As the index says; of a file of this machine (`UV_FIND_LINKS`), as it is."""
    here = urlsplit(file.url or "")
    if file.size is None and here.scheme == "file":
        return Path(url2pathname(here.path)).stat().st_size
    return file.size
