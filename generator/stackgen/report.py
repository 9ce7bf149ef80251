"""`stackgen report NAME`: one page with all of a distribution. Reads files, writes none.

What packages weigh to download is in the lock. What they take once installed is not: it is read from an environment
that has them, where one is named, and only of the very version that the lock has.
"""

from __future__ import annotations

from importlib.metadata import distributions
from pathlib import Path

from packaging.utils import canonicalize_name

from .build import build
from .graph import picture
from .links import Link
from .lock import read_locks
from .lockfile import chosen
from .plan import Plan
from .problems import Problem
from .render.report import TEMPLATE, report_page
from .workspace import Roots


def report(roots: Roots, plan: Plan, link: Link, environment: Path | None) -> str | tuple[Problem, ...]:
    """The page as HTML, or what stands in the way of the package that it tells of.

    environment: a virtual environment that has the packages installed. Raises NotADirectoryError where it is none.
    """
    built = build(roots, plan)
    if built.problems:
        return built.problems
    return report_page(
        (roots.templates / "jinja" / f"{TEMPLATE}.jinja").read_text("utf-8"),
        plan,
        built.files,
        list(chosen(read_locks(roots), plan.requirements)),
        picture(plan, link),
        link,
        installed(environment) if environment else None,
    )


def installed(environment: Path) -> dict[str, tuple[str, int]]:
    """Package → (version, bytes of its files) of what is installed in a virtual environment, as its records say."""
    sites = [*sorted(environment.glob("lib/python*/site-packages")), *environment.glob("Lib/site-packages")]
    if not sites:
        raise NotADirectoryError(f"{environment} is no virtual environment: it has no site-packages")
    return {
        canonicalize_name(each.name): (each.version, sum(file.size or 0 for file in each.files or ()))
        for each in distributions(path=[str(site) for site in sites])
    }
