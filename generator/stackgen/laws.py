"""What must hold between a Plan and the parts it reaches: every import leads somewhere and is declared, every
requirement is imported or says why it is not."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from .plan import Plan, Position
from .problems import Problem
from .problems.nearest import nearest
from .requirements import asker
from .trim import Import, Trimmed, distribution_of, requirement_name

Label = Callable[[str], str]
"""What positions call a part, by its path."""


def broken_laws(plan: Plan, parts: Trimmed, label: Label) -> Iterator[Problem]:
    """Every problem, in no particular order."""
    yield from _absent(plan, parts)
    for part in parts.files.values():
        for each in part.missing:
            message = f"there is no part {each.module}"
            near = nearest(each.module, parts.files)
            yield Problem("SG708", _at(label(part.path), each), message, found=each.module, nearest=near)
    yield from _undeclared(plan, parts, label)
    yield from _unused(plan, parts)


def _absent(plan: Plan, parts: Trimmed) -> Iterator[Problem]:
    for path in parts.absent:
        api = next((each.api for each in plan.routes if path == f"contracts/{each.api}/requests.py"), "")
        because = next((each.because for each in plan.components if api == each.api or path == each.part), plan.origin)
        if api:
            yield Problem("SG713", because, f"the API {api} has no contract", expected=path)
        elif not path.startswith("contracts/"):
            yield Problem("SG701", because, f"there is no part {path}", found=path, nearest=nearest(path, parts.files))


def _undeclared(plan: Plan, parts: Trimmed, label: Label) -> Iterator[Problem]:
    declared = {requirement_name(each.text) for each in plan.packages}
    for module, users in parts.packages().items():
        needed = distribution_of(module)
        if needed not in declared:
            for part in users:
                first = next(each for each in part.external if each.module == module)
                message = f"{module} is imported, and no spec of {plan.name} requires {needed}"
                yield Problem("SG709", _at(label(part.path), first), message, expected=f"requires: [{needed}]")


def _unused(plan: Plan, parts: Trimmed) -> Iterator[Problem]:
    imported = {distribution_of(module) for module in parts.packages()}
    needed = [(each.text, each.wanted_by) for each in plan.requirements if not each.reason]
    needed += [(each.name, each.wanted_by) for each in plan.externals]
    for text, askers in needed:
        if requirement_name(text) not in imported:
            for wanted_by in askers:
                who, position = asker(wanted_by)
                message = f"{who} requires {text}, and no part that {plan.name} reaches imports it"
                yield Problem("SG710", position, message, found=text)


def _at(file: str, place: Import) -> Position:
    return Position(file, place.line, place.column)
