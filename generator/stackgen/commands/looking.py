"""Commands that show what would be built, or what was: plan, why, diff, graph, report, docs."""

from __future__ import annotations

import argparse
from argparse import Namespace
from pathlib import Path

from .parsing import Subparsers, add_json, add_link, add_out, command
from .telling import EXIT_SPECS, SpecError, UsageError, give, no_such, plan_for, report, roots_for, say


def add(found: Subparsers[argparse.ArgumentParser]) -> None:
    parser = command(found, "plan", plan, "print what would be built", "stackgen plan gateway")
    parser.add_argument("name", metavar="NAME", help="the distribution")
    add_json(parser)
    parser = command(found, "why", why, "say what needs a package", "stackgen why gateway yarl")
    parser.add_argument("name", metavar="NAME", help="the distribution")
    parser.add_argument("package", metavar="PACKAGE", help="a package of its requirements.txt")
    parser = command(
        found, "diff", diff, "say what changed between two builds of a server", "stackgen diff HEAD:gateway gateway"
    )
    operand = "a distribution, a folder that was built, or REV:NAME for a distribution at a git revision"
    parser.add_argument("old", metavar="OLD", help=operand)
    parser.add_argument("new", metavar="NEW", help="the same")
    parser.add_argument("--fail-on", choices=("breaking", "any"), help="exit with 1 on a breaking, or on any, change")
    add_json(parser)
    _add_pages(found)


def _add_pages(found: Subparsers[argparse.ArgumentParser]) -> None:
    parser = command(found, "graph", graph, "draw a distribution, as SVG", "stackgen graph gateway --out gateway.svg")
    parser.add_argument("name", metavar="NAME", help="the distribution")
    add_out(parser, "FILE.svg")
    add_link(parser)
    parser = command(
        found,
        "report",
        report_page,
        "tell all of a distribution on one HTML page",
        "stackgen report gateway --out gateway.html --environment .venv",
    )
    parser.add_argument("name", metavar="NAME", help="the distribution")
    parser.add_argument(
        "--environment", type=Path, metavar="DIR", help="a virtual environment: tell what they take there"
    )
    add_out(parser, "FILE.html")
    add_link(parser)
    parser = command(
        found,
        "docs",
        docs,
        "write what specs say as Markdown",
        "stackgen docs provider inference/remote::vllm\nstackgen docs distribution --out docs/distributions",
    )
    parser.add_argument("kind", choices=("distribution", "provider"), help="of which kind")
    parser.add_argument("name", nargs="?", metavar="NAME", help="its name; of a provider its type, or API/TYPE")
    parser.add_argument(
        "--out", type=Path, metavar="PATH", help="a file; or, without NAME, a folder for all of the kind"
    )


def plan(options: Namespace) -> int:
    from ..printing import format_plan, plan_json

    found = plan_for(roots_for(options), options)
    return say(plan_json(found) if options.json else format_plan(found))


def why(options: Namespace) -> int:
    from ..lock import read_locks
    from ..why import run_why

    roots = roots_for(options)
    return run_why(plan_for(roots, options), read_locks(roots), options.package)


def diff(options: Namespace) -> int:
    from ..diff import NoOperand, changes_json, compare, format_changes, read_operand

    roots = roots_for(options)
    sides = []
    for operand in (options.old, options.new):
        try:
            package = read_operand(roots, operand)
        except NoOperand as error:
            raise UsageError(str(error)) from error
        if isinstance(package, tuple):
            raise SpecError(package)
        sides.append(package)
    changes = compare(*sides)
    tell = changes_json if options.json else format_changes
    say(tell(options.old, options.new, changes))
    minded = {"breaking": any(each.breaking for each in changes), "any": bool(changes)}
    return EXIT_SPECS if minded.get(options.fail_on, False) else 0


def graph(options: Namespace) -> int:
    from ..graph import picture
    from ..links import spec_links

    roots = roots_for(options)
    return give(options, picture(plan_for(roots, options), spec_links(roots, options.out, options.link)))


def report_page(options: Namespace) -> int:
    from ..links import spec_links
    from ..report import report as page_of

    roots = roots_for(options)
    link = spec_links(roots, options.out, options.link)
    try:
        found = page_of(roots, plan_for(roots, options), link, options.environment)
    except NotADirectoryError as error:
        raise UsageError(str(error)) from error
    if isinstance(found, tuple):
        raise SpecError(found)
    return give(options, found)


def docs(options: Namespace) -> int:
    from ..docs import all_pages, page
    from ..write import write_texts

    roots = roots_for(options)
    if options.name is None:
        if options.out is None:
            raise UsageError("name one, or say with --out where all of them are to be written")
        pages, problems = all_pages(roots, options.kind)
        write_texts(options.out, pages)
        return report(problems, as_json=False)
    found = page(roots, options.kind, options.name)
    if found is None:
        raise no_such(roots, options.kind, options.name)
    if isinstance(found, tuple):
        raise SpecError(found)
    return give(options, found)
