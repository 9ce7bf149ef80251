"""`stackgen docs`: pages of documentation, made of what specs say. Reads files, writes none."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from .plan import Plan
from .problems import Problem
from .render.docs import DISTRIBUTION, INDEX, PROVIDER, Entry, distribution_page, index_page, provider_page
from .resolve import ProviderRow, compile_plan, distributions, provider_row, providers, read_row
from .workspace import Roots

Kind = Literal["distribution", "provider"]


def page(roots: Roots, kind: Kind, name: str) -> str | tuple[Problem, ...] | None:
    """The page of one, or what is wrong with its spec; None if there is none of this name."""
    if kind == "provider":
        row = provider_row(roots, name)
        return None if row is None else _provider(roots, row)
    if name not in roots.names("distributions"):
        return None
    return _distribution(roots, name)


def all_pages(roots: Roots, kind: Kind) -> tuple[dict[str, str], list[Problem]]:
    """Every page of a kind by its path, README.md with a list of them among them; and what kept others from being."""
    pages: dict[str, str] = {}
    problems: list[Problem] = []
    entries: list[Entry] = []
    for path, title, summary, made in _each(roots, kind):
        if isinstance(made, str):
            pages[path] = made
            entries.append(Entry(title=title, path=path, summary=summary))
        else:
            problems += made
    return {**pages, "README.md": index_page(_template(roots, INDEX), f"{kind}s".title(), entries)}, problems


def _each(roots: Roots, kind: Kind) -> Iterator[tuple[str, str, str, str | tuple[Problem, ...]]]:
    """(path, title, summary, page) of each."""
    if kind == "provider":
        for row in providers(roots):
            stem = row.file.rpartition("/")[2].removesuffix(".yaml")
            yield f"{row.api}/{stem}.md", f"{row.api}/{row.type}", row.summary, _provider(roots, row)
    else:
        for each in distributions(roots):
            yield f"{each.name}.md", each.name, each.summary, _distribution(roots, each.name)


def _distribution(roots: Roots, name: str) -> str | tuple[Problem, ...]:
    plan = compile_plan(roots, name)
    return distribution_page(_template(roots, DISTRIBUTION), plan) if isinstance(plan, Plan) else tuple(plan)


def _provider(roots: Roots, row: ProviderRow) -> str | tuple[Problem, ...]:
    found = read_row(roots, row)
    return tuple(found) if isinstance(found, list) else provider_page(_template(roots, PROVIDER), found)


def _template(roots: Roots, name: str) -> str:
    return (roots.templates / "jinja" / f"{name}.jinja").read_text("utf-8")
