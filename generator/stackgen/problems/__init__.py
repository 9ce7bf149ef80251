"""Problems: what the compiler says when a spec is wrong, and how it says it.

    specs/distributions/gateway.yaml:9:15: error SG303: there is no provider 'remote::opena' of inference
      expected      a provider of inference
      found         'remote::opena'
      did you mean  'remote::openai'
      help          `stackgen list providers` names them all

The catalogue of codes is in `catalogue/`; `explain` prints one entry of it.
Those that it calls notices are only told, in one line each.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..plan import Position
from .catalogue import CATALOGUE
from .catalogue.entry import Entry


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, at its place.

    message: one line. expected, found: what should stand there, and what does. nearest: the valid name meant, probably.
    mend: what to do; the catalogue's own advice where this is empty.
    """

    code: str
    position: Position
    message: str
    expected: str = ""
    found: str = ""
    nearest: str | None = None
    mend: str = ""

    @property
    def is_notice(self) -> bool:
        """Whether it is only told, and in the way of nothing."""
        return CATALOGUE[self.code].notice

    @property
    def help(self) -> str:
        return self.mend or CATALOGUE[self.code].mend


def ordered(problems: Iterable[Problem]) -> list[Problem]:
    """By place, each once."""
    return sorted(set(problems), key=lambda p: (p.position, p.code, p.message, p.expected, p.found))


def format_problem(problem: Problem, *, colour: bool = False) -> str:
    """The problem as text without the last newline, a notice in one line, others in several. colour: for a terminal."""
    bold, red, dim, end = ("\x1b[1m", "\x1b[31m", "\x1b[2m", "\x1b[0m") if colour else ("", "", "", "")
    if problem.is_notice:
        return f"{problem.position}: {dim}notice {problem.code}:{end} {problem.message}"
    head = f"{bold}{problem.position}:{end} {red}error {problem.code}:{end} {bold}{problem.message}{end}"
    details = (
        ("expected", problem.expected),
        ("found", problem.found),
        ("did you mean", repr(problem.nearest) if problem.nearest else ""),
        ("help", problem.help),
    )
    return "\n".join([head, *(f"  {dim}{name:<12}{end}  {text}" for name, text in details if text)])


def format_problems(problems: Sequence[Problem], *, colour: bool = False) -> str:
    """All of them and their count, ending in a newline; "" for none."""
    if not problems:
        return ""
    notices = sum(each.is_notice for each in problems)
    count = ", ".join(_counted(len(problems) - notices, "problem") + _counted(notices, "notice"))
    return "\n".join([*(format_problem(each, colour=colour) for each in problems), count]) + "\n"


def _counted(number: int, noun: str) -> list[str]:
    return [f"{number} {noun}{'' if number == 1 else 's'}"] if number else []


def explain(code: str) -> str | None:
    """What a code means, why it is an error, how to mend it, and an example. None if there is no such code."""
    entry = CATALOGUE.get(code.upper())
    return None if entry is None else _explained(code.upper(), entry)


def _explained(code: str, entry: Entry) -> str:
    example = "\n".join(f"    {line}" for line in entry.example.splitlines())
    return f"{code}: {entry.title}\n\n{entry.why}\n\nTo mend it: {entry.mend}.\n\nFor example:\n\n{example}\n"


def plain(problem: Problem) -> dict[str, object]:
    """The same for programs."""
    return {
        "code": problem.code,
        "severity": "notice" if problem.is_notice else "error",
        "title": CATALOGUE[problem.code].title,
        "file": problem.position.file,
        "line": problem.position.line,
        "column": problem.position.column,
        "message": problem.message,
        "expected": problem.expected,
        "found": problem.found,
        "nearest": problem.nearest,
        "help": problem.help,
    }
