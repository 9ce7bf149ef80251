"""What all commands share: exit codes, the errors that end one, the trees of specs, and saying things."""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..problems import Problem, format_problems, plain

if TYPE_CHECKING:
    from ..plan import Plan
    from ..workspace import Roots

EXIT_SPECS = 1
EXIT_USAGE = 2
EXIT_ENVIRONMENT = 3


class UsageError(Exception):
    """The command line is wrong, or a folder is not ours; the message says how."""


class SpecError(Exception):
    """The specs are wrong."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(problems)
        self.problems = problems


def roots_for(options: Namespace) -> Roots:
    """All trees of specs: the bundled one, the workspace around the working folder, those that --specs names."""
    from ..workspace import find_roots

    return find_roots(workspaces(options.specs))


def workspaces(given: Sequence[Path]) -> list[Path]:
    """The workspace around the working folder, and those that --specs names, each once."""
    for path in given:
        if not path.is_dir():
            raise UsageError(f"--specs: there is no folder {path}")
    here = own_workspace()
    around = [] if here is None or any(here.samefile(path) for path in given) else [here]
    return [*around, *given]


def own_workspace() -> Path | None:
    """The workspace around the working folder."""
    from ..workspace import find_workspace

    return find_workspace(Path())


def below(name: str | Path) -> Path:
    """A path of ours below the workspace, else below the working folder."""
    return (own_workspace() or Path()) / name


def plan_for(roots: Roots, options: Namespace) -> Plan:
    """The Plan of the distribution that the command line names. Raises SpecError."""
    from ..resolve import compile_plan

    found = compile_plan(roots, options.name)
    if isinstance(found, list):
        raise SpecError(found)
    return found


def no_such(roots: Roots, kind: str, name: str) -> UsageError:
    """What to say of an API, provider or distribution that is not there."""
    from ..problems.nearest import nearest
    from ..resolve import ProviderRow, rows

    kinds = "apis" if kind == "api" else f"{kind}s"
    names = [row.type if isinstance(row, ProviderRow) else row.name for row in rows(roots, kinds)]
    close = nearest(name, names)
    hint = f"did you mean {close}?" if close else f"`stackgen list {kinds}` names them all"
    return UsageError(f"there is no {kind} {name}; {hint}")


def report(problems: Sequence[Problem], *, as_json: bool) -> int:
    """Tell problems, on stdout as JSON, else on stderr for people. The answer is an exit code."""
    if as_json:
        say_json([plain(each) for each in problems])
    else:
        tell(problems)
    return EXIT_SPECS if problems else 0


def tell(problems: Sequence[Problem]) -> None:
    sys.stderr.write(format_problems(problems, colour=sys.stderr.isatty()))


def say(text: str) -> int:
    sys.stdout.write(text)
    sys.stdout.flush()
    return 0


def say_json(value: object) -> int:
    return say(json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def give(options: Namespace, text: str) -> int:
    """A text into the file that --out names, else to standard output."""
    if options.out is None:
        return say(text)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(text, "utf-8", newline="\n")
    return 0
