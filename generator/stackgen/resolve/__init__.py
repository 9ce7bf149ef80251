"""Resolve: specs in, a Plan or problems out. The front door of the compiler's front.

compile_plan(find_roots(()), "gateway")  →  Plan(name="gateway", …)  or  [Problem("SG303", …), …]
"""

from __future__ import annotations

from collections.abc import Sequence

from ..plan import Plan
from ..problems import Problem, explain, ordered
from ..workspace import Roots, find_roots
from .apis import STORAGE
from .checking import check_names
from .desk import Desk
from .distribution import resolve
from .listing import (
    ApiRow,
    DistributionRow,
    ProviderRow,
    apis,
    distributions,
    provider_row,
    providers,
    read_row,
    rows,
    show,
)
from .providers import Provider
from .schemas import Property

__all__ = [
    "STORAGE",
    "ApiRow",
    "DistributionRow",
    "Property",
    "Provider",
    "ProviderRow",
    "apis",
    "check",
    "compile_plan",
    "distributions",
    "explain",
    "find_roots",
    "provider_row",
    "providers",
    "read_row",
    "rows",
    "show",
]


def compile_plan(roots: Roots, name: str) -> Plan | list[Problem]:
    """The Plan of a distribution, or all that is wrong with it and with whatever it uses."""
    desk = Desk(roots)
    plan = resolve(desk, name)
    problems = ordered([*desk.problems, *desk.parts.problems])
    return problems if problems or plan is None else plan


def check(roots: Roots, names: Sequence[str]) -> list[Problem]:
    """All problems of the named specs ("gateway", "inference", "inference/nvidia"), or of every file where
    none is named."""
    desk = Desk(roots)
    check_names(desk, names)
    return ordered([*desk.problems, *desk.parts.problems])
