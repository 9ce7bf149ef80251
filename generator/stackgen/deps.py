"""`stackgen list deps NAME`: the packages of a server, as a list or as the command that installs them.

    stackgen list deps nvidia --format uv  →  uv pip install aiohttp==3.14.5 'uvloop==0.23 ; sys_platform != "win32"' …

What is installed in earnest is the package's own requirements.txt, with hashes; this is to read, and for tools that
want names.
"""

from __future__ import annotations

import shlex

from .lockfile import Lock, reachable
from .plan import Plan
from .requirements import requirement_name

FORMATS = {"pip": "pip install", "uv": "uv pip install"}


def packages_of(plan: Plan, lock: Lock) -> list[str]:
    """Every package with its locked version, by name; then what its user installs in a build of their choice."""
    names = [requirement_name(each.text) or "" for each in plan.requirements]
    locked = [each.pin for entries in reachable(lock, names).values() for each in entries]
    return [*sorted(locked), *(each.text for each in plan.externals)]


def as_text(packages: list[str], form: str | None) -> str:
    """One a line, or one command. form: a key of FORMATS."""
    if form is None:
        return "".join(f"{each}\n" for each in packages)
    return f"{FORMATS[form]} {shlex.join(each.replace(chr(39), chr(34)) for each in packages)}\n"
