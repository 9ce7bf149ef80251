"""Commands that read specs and write nothing: check, explain, list, show; and completion."""

from __future__ import annotations

import argparse
import dataclasses
from argparse import Namespace
from collections.abc import Iterable, Sequence

from .parsing import Subparsers, add_json, command
from .telling import UsageError, no_such, plan_for, report, roots_for, say, say_json


def add(found: Subparsers[argparse.ArgumentParser]) -> None:
    parser = command(
        found,
        "check",
        check,
        "report every problem of the specs, and write nothing",
        "stackgen check gateway\nstackgen check --specs my-specs        all that is there",
    )
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help="a distribution, an API, or api/provider; without one, every file"
    )
    add_json(parser)
    parser = command(
        found, "explain", explain, "say more about a kind of problem", "stackgen explain SG303", specs=False
    )
    parser.add_argument("code", nargs="?", metavar="SGnnn", help="its code; without one, all codes are listed")
    parser = command(
        found, "list", list_, "list what there is", "stackgen list providers\nstackgen list deps gateway --format uv"
    )
    kinds = ("apis", "providers", "distributions", "deps")
    parser.add_argument("kind", choices=kinds, help="of which kind; deps: the packages of a distribution's server")
    parser.add_argument("name", nargs="?", metavar="NAME", help="of deps: the distribution")
    parser.add_argument("--format", choices=("pip", "uv"), help="of deps: print the command that installs them")
    add_json(parser)
    parser = command(found, "show", show, "print a spec", "stackgen show provider remote::vllm")
    parser.add_argument("kind", choices=("api", "provider", "distribution"), help="of which kind")
    parser.add_argument("name", metavar="NAME", help="its name; of a provider its type, or API/TYPE")


def add_completion(found: Subparsers[argparse.ArgumentParser], whole: argparse.ArgumentParser) -> None:
    """whole: the parser of all commands, which is what a shell completes."""
    parser = command(
        found,
        "completion",
        completion,
        "print what a shell completes commands with",
        "source <(stackgen completion bash)\nstackgen completion zsh > ~/.zfunc/_stackgen\n"
        "stackgen completion fish > ~/.config/fish/completions/stackgen.fish",
        specs=False,
    )
    parser.add_argument("shell", choices=("bash", "fish", "zsh"), help="for which shell")
    parser.set_defaults(parser=whole)


def check(options: Namespace) -> int:
    from ..build import check as all_problems

    return report(all_problems(roots_for(options), options.names), as_json=options.json)


def explain(options: Namespace) -> int:
    from ..problems import explain as explained
    from ..problems.catalogue import CATALOGUE
    from ..problems.nearest import nearest

    if options.code is None:
        return say("".join(f"{code}  {entry.title}\n" for code, entry in sorted(CATALOGUE.items())))
    text = explained(options.code)
    if text is None:
        close = nearest(options.code.upper(), CATALOGUE)
        hint = f"did you mean {close}?" if close else "`stackgen explain` lists all codes"
        raise UsageError(f"there is no problem {options.code}; {hint}")
    return say(text)


def list_(options: Namespace) -> int:
    from ..resolve import rows as rows_of

    if options.kind == "deps":
        return _list_deps(options)
    if options.name is not None or options.format is not None:
        raise UsageError("NAME and --format go with `stackgen list deps`")
    rows = [dataclasses.asdict(row) for row in rows_of(roots_for(options), options.kind)]
    if options.json:
        return say_json(rows)
    cells = [[_cell(each) for each in row.values()] for row in rows]
    return say("".join(f"{line}\n" for line in _columns([*(list(row) for row in rows[:1]), *cells])))


def _list_deps(options: Namespace) -> int:
    from ..deps import as_text, packages_of
    from ..lock import read_locks

    if options.name is None:
        raise UsageError("name a distribution: stackgen list deps NAME")
    roots = roots_for(options)
    found = packages_of(plan_for(roots, options), read_locks(roots))
    return say_json(found) if options.json else say(as_text(found, options.format))


def show(options: Namespace) -> int:
    from ..resolve import show as text_of

    roots = roots_for(options)
    text = text_of(roots, options.kind, options.name)
    if text is not None:
        return say(text)
    raise no_such(roots, options.kind, options.name)


def completion(options: Namespace) -> int:
    from ..completion import script

    return say(script(options.parser, options.shell))


def _cell(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _columns(rows: Sequence[Sequence[str]]) -> Iterable[str]:
    widths = [max(len(row[index]) for row in rows) for index in range(len(rows[0]))] if rows else []
    for row in rows:
        yield "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
