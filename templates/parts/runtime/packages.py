"""Packages that no lock fixes, since which of their builds is right depends on the machine: checked at start.

need_package(read, "torch", ">=2.6,<3", torch_version, at="providers.inference.transformers", help="…")
"""

from __future__ import annotations

import re
from collections.abc import Callable

from .openmp import calm_threads
from .settings import Reader

_RELEASE = re.compile(r"\d+(?:\.\d+)*")


def need_package(read: Reader, name: str, versions: str, version: Callable[[], str], *, at: str, help: str) -> None:
    """Note a problem unless the package can be imported in a version of the range, such as ">=2.6,<3".

    version: imports it and tells its version. at: the path of what needs it. help: where the right build comes from.
    """
    calm_threads()
    try:
        found = version()
    except (ImportError, OSError) as error:
        # OSError: it is there, but a library that it loads is not.
        missing = isinstance(error, ModuleNotFoundError) and error.name == name
        trouble = "is not installed" if missing else f"cannot be imported ({error})"
    else:
        if _within(found, versions):
            return
        trouble = f"is there as {found}"
    read.note(f"{at} needs {name}{versions}, which {trouble}: pip install '{name}{versions}' ({help})")


def _within(found: str, versions: str) -> bool:
    least, below = (_release(bound) for bound in versions.split(","))
    return least <= _release(found) < below


def _release(text: str) -> tuple[int, ...]:
    """The numbers of a version, without what follows them: "2.13.0+cpu" → (2, 13), so that 2.6 is 2.6.0."""
    release = _RELEASE.search(text)
    numbers = [int(number) for number in release[0].split(".")] if release else []
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)
