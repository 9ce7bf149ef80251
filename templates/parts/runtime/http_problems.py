"""A validation error in one line that helps: where in the request, and what was expected there.

    {"messages": [{"role": "user", "content": 5}]}
    → param "messages.0.content", "expected a valid string, or a valid list"

pydantic reports every branch of a union. What is told is the branch the client meant: the one whose fixed values
(`role`, `type`) fit, else the one that got furthest, and of several the one that lacks least.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pydantic import ValidationError
from pydantic_core import ErrorDetails, from_json

from .errors import BadRequest

LONGEST_MESSAGE = 400
MOST_PROBLEMS = 1000
_NAME = re.compile(r"'(\w+)'")


@dataclass(frozen=True, slots=True)
class _Problem:
    """loc: pydantic's, with the names of union branches in it. real: which of its steps exist in the request.

    telling: whether it is about a member that tells the branches of a union apart.
    """

    loc: tuple[int | str, ...]
    real: tuple[bool, ...]
    type: str
    text: str
    telling: bool

    @property
    def where(self) -> tuple[int | str, ...]:
        return tuple(step for step, real in zip(self.loc, self.real, strict=True) if real)


def explain(error: ValidationError, content: object) -> BadRequest:
    """The BadRequest that tells a ValidationError of `content`: the body, or what was parsed of it."""
    if error.error_count() > MOST_PROBLEMS:
        # Taking so many apart would keep everyone else waiting.
        return BadRequest(f"the request has {error.error_count()} values of a wrong type or size")
    details = error.errors(include_url=False, include_input=False)
    if details[0]["type"] == "json_invalid":
        text = details[0]["msg"].removeprefix("Invalid JSON: ")
        return BadRequest(f"the body is not valid JSON: {text}", code="invalid_json")
    value = from_json(content) if isinstance(content, bytes) else content
    problems = _narrow([_problem(detail, value) for detail in details], 0)
    where = problems[0].where
    texts = dict.fromkeys(_plain(problem.text) for problem in problems if problem.where == where)
    others = len({problem.where for problem in problems}) - 1
    param = ".".join(map(str, where)) or None
    message = f"{param or 'the body'}: {_or(list(texts))}"[:LONGEST_MESSAGE]
    more = f" (and {others} more)" if others else ""
    return BadRequest(
        message + more, param=param, code="missing_required_parameter" if problems[0].type == "missing" else None
    )


def _problem(detail: ErrorDetails, value: object) -> _Problem:
    loc, kind, text = detail["loc"], detail["type"], detail["msg"]
    context = detail.get("ctx", {})
    # A union told apart by a member, `role` or `type`, is complained about as a whole; that member is what is meant.
    named = _NAME.fullmatch(str(context.get("discriminator", "")))
    if named and kind in ("union_tag_invalid", "union_tag_not_found"):
        real = (*_real(loc, value, kind), True)
        missing = kind == "union_tag_not_found"
        text = "Field required" if missing else f"expected {' or '.join(context['expected_tags'].rsplit(', ', 1))}"
        return _Problem((*loc, named[1]), real, "missing" if missing else "literal_error", text, telling=True)
    # One value, or the names of a thing; of other sets of values any member of a branch may have one.
    telling = kind == "literal_error" and (loc[-1] == "type" or " or " not in str(context.get("expected")))
    return _Problem(loc, _real(loc, value, kind), kind, text, telling)


def _or(texts: list[str]) -> str:
    first, *others = texts
    return ", or ".join([first, *(text.removeprefix("expected ") for text in others)])


def _real(loc: Sequence[int | str], value: object, kind: str) -> tuple[bool, ...]:
    """Which steps of a location lead somewhere in the value; the others name branches of unions."""
    marks: list[bool] = []
    for index, step in enumerate(loc):
        last = index == len(loc) - 1
        if _holds(value, step):
            value = value[step]  # type: ignore[index]  # that is what _holds says
            marks.append(True)
        else:
            marks.append(last and kind == "missing")
    return tuple(marks)


def _holds(value: object, step: int | str) -> bool:
    if isinstance(value, list):
        return isinstance(step, int) and step < len(value)
    return isinstance(value, Mapping) and step in value


def _narrow(problems: list[_Problem], depth: int) -> list[_Problem]:
    """Of every union, only the branch that was meant."""
    if not any(len(problem.loc) > depth for problem in problems):
        return problems
    kept: list[_Problem] = []
    unions: dict[tuple[int | str, ...], dict[int | str, list[_Problem]]] = {}
    for problem in problems:
        if len(problem.loc) > depth and not problem.real[depth]:
            unions.setdefault(problem.loc[:depth], {}).setdefault(problem.loc[depth], []).append(problem)
        else:
            kept.append(problem)
    for branches in unions.values():
        kept += _meant(list(branches.values()), depth)
    return _narrow(kept, depth + 1)


def _meant(branches: list[list[_Problem]], depth: int) -> Iterable[_Problem]:
    fitting = [branch for branch in branches if not any(_is_mismatch(problem, depth) for problem in branch)]
    if not fitting:
        return [problem for branch in branches for problem in branch if _is_mismatch(problem, depth)]

    def rank(branch: list[_Problem]) -> tuple[int, int, int]:
        lacking = sum(problem.type == "missing" for problem in branch)
        return -max(len(problem.where) for problem in branch), lacking, len(branch)

    best = min(map(rank, fitting))
    return [problem for branch in fitting if rank(branch) == best for problem in branch]


def _is_mismatch(problem: _Problem, depth: int) -> bool:
    """Whether what tells the branches apart, right inside the union, says another: a branch that was not meant."""
    return problem.telling and sum(problem.real[depth:]) == 1


def _plain(text: str) -> str:
    return text.replace("Input should be", "expected", 1).replace("Field required", "is required").replace("\n", " ")
