"""Counts of instructions that are committed, and what has grown since. Pure but for the file.

A record is of one version of Python: a 3.11.7 made from source without optimisation takes 7 to 16 % more than Debian's
3.11.2, so nothing is compared across versions.
"""

from __future__ import annotations

import platform
import tomllib
from collections.abc import Mapping
from pathlib import Path

MOST_GROWTH = 0.10
ACCEPT = "nox -s instructions -- --update"

Counts = Mapping[str, int]
_HEAD = f"""\
# Instructions of the built gateway by version of Python, what each is: `instructions.py`. Written by
#     {ACCEPT}

"""


def grown(before: Counts, now: Counts) -> list[str]:
    """A sentence for each figure that has grown too much, or is not recorded."""
    told = []
    for name, count in now.items():
        known = before.get(name)
        if known is None:
            told.append(f"{name}: {count:,} instructions, and nothing is recorded to compare them with")
        elif count > known * (1 + MOST_GROWTH):
            change = f"{count / known - 1:+.1%}, allowed is {MOST_GROWTH:+.0%}"
            told.append(f"{name}: {count:,} instructions, recorded are {known:,}: {change}")
    return told


def this_python() -> str:
    return platform.python_version()


def read(file: Path) -> dict[str, Counts]:
    """The counts of each version of Python."""
    return tomllib.loads(file.read_text()) if file.exists() else {}


def write(file: Path, records: Mapping[str, Counts]) -> None:
    tables = []
    for version, counts in sorted(records.items(), key=lambda record: [int(part) for part in record[0].split(".")]):
        lines = "".join(f"{name} = {count:_}\n" for name, count in counts.items())
        tables.append(f'["{version}"]\n{lines}')
    file.write_text(_HEAD + "\n".join(tables))
