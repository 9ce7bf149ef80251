"""What the commands of the command line do. Modules that only some commands need are imported by those."""

from __future__ import annotations

import dataclasses
import json
import sys
from argparse import Namespace
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from . import __version__
from .problems import Problem, format_problems, problems_json

if TYPE_CHECKING:
    from .plan import Plan
    from .resolve import ApiRow, DistributionRow, ProviderRow
    from .workspace import Roots
    from .write import Drift

EXIT_SPECS = 1
EXIT_USAGE = 2
EXIT_ENVIRONMENT = 3

GENERATED = Path("generated")


def version() -> str:
    return __version__


# ── specs ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def check(options: Namespace) -> int:
    from .build import check as all_problems

    roots = _roots(options)
    if roots is None:
        return EXIT_USAGE
    return _report(all_problems(roots, options.names), as_json=options.json)


def explain(options: Namespace) -> int:
    from .problems import explain as explained
    from .problems.catalogue import CATALOGUE
    from .problems.nearest import nearest

    if options.code is None:
        return _say("".join(f"{code}  {entry.title}\n" for code, entry in sorted(CATALOGUE.items())))
    text = explained(options.code)
    if text is None:
        close = nearest(options.code.upper(), CATALOGUE)
        hint = f"did you mean {close}?" if close else "`stackgen explain` lists all codes"
        return _usage(f"there is no problem {options.code}; {hint}")
    return _say(text)


def list_(options: Namespace) -> int:
    roots = _roots(options)
    if roots is None:
        return EXIT_USAGE
    rows = [dataclasses.asdict(row) for row in _rows(roots, options.kind)]
    if options.json:
        return _say_json(rows)
    cells = [[_cell(each) for each in row.values()] for row in rows]
    return _say("".join(f"{line}\n" for line in _columns([*(list(row) for row in rows[:1]), *cells])))


def show(options: Namespace) -> int:
    from .problems.nearest import nearest
    from .resolve import ProviderRow
    from .resolve import show as text_of

    roots = _roots(options)
    if roots is None:
        return EXIT_USAGE
    text = text_of(roots, options.kind, options.name)
    if text is not None:
        return _say(text)
    kinds = "apis" if options.kind == "api" else f"{options.kind}s"
    names = [row.type if isinstance(row, ProviderRow) else row.name for row in _rows(roots, kinds)]
    close = nearest(options.name, names)
    hint = f"did you mean {close}?" if close else f"`stackgen list {kinds}` names them all"
    return _usage(f"there is no {options.kind} {options.name}; {hint}")


def _rows(roots: Roots, kind: str) -> Sequence[ApiRow | ProviderRow | DistributionRow]:
    from .resolve import apis, distributions, providers

    match kind:
        case "apis":
            return apis(roots)
        case "providers":
            return providers(roots)
    return distributions(roots)


# ── building ────────────────────────────────────────────────────────────────────────────────────────────────────────


def plan(options: Namespace) -> int:
    from .printing import format_plan, plan_json

    roots = _roots(options)
    if roots is None:
        return EXIT_USAGE
    found = _plan(roots, options.name)
    if isinstance(found, int):
        return found
    return _say(plan_json(found) if options.json else format_plan(found))


def build(options: Namespace) -> int:
    roots = _roots(options)
    if roots is None:
        return EXIT_USAGE
    if bool(options.name) == options.all:
        return _usage("name a distribution, or say --all")
    if not options.all:
        return _build(roots, options.name, options.out or GENERATED / options.name, options)
    folder = options.out or GENERATED
    return max((_build(roots, name, folder / name, options) for name in roots.names("distributions")), default=0)


def contracts(options: Namespace) -> int:
    from .contracts import run_contracts

    roots = _roots(options)
    return EXIT_USAGE if roots is None else run_contracts(roots, check=options.check)


def run(options: Namespace) -> int:
    from .run import run_server

    roots = _roots(options)
    if roots is None:
        return EXIT_USAGE
    found = _plan(roots, options.name)
    if isinstance(found, int):
        return found
    quiet = Namespace(check=False, quiet=True, json=False)
    return run_server(
        options.name,
        found.package,
        lambda folder: _build(roots, options.name, folder, quiet),
        port=options.port,
        workers=options.workers,
    )


# ── the lock ────────────────────────────────────────────────────────────────────────────────────────────────────────


def lock(options: Namespace) -> int:
    from .lock import run_lock

    roots = _roots(options)
    return EXIT_USAGE if roots is None else run_lock(roots, upgrade=options.upgrade, check=options.check)


def why(options: Namespace) -> int:
    from .lock import read_locks
    from .why import run_why

    roots = _roots(options)
    if roots is None:
        return EXIT_USAGE
    found = _plan(roots, options.name)
    return found if isinstance(found, int) else run_why(found, read_locks(roots), options.package)


# ── one distribution ────────────────────────────────────────────────────────────────────────────────────────────────


def _build(roots: Roots, name: str, folder: Path, options: Namespace) -> int:
    from .build import build as build_package
    from .write import NotOurs, check_ours, compare, write

    found = _plan(roots, name, as_json=options.json)
    if isinstance(found, int):
        return found
    built = build_package(roots, found)
    if built.problems:
        return _report(built.problems, as_json=options.json)
    if options.check:
        return _tell_drift(name, folder, compare(folder, built.files), options)
    try:
        check_ours(folder)
        write(folder, built.files)
    except NotOurs as error:
        return _usage(str(error))
    if options.json:
        return _say(
            json.dumps({"distribution": name, "folder": str(folder), "files": sorted(built.files)}, indent=2) + "\n"
        )
    return 0 if options.quiet else _say(f"{name}: {len(built.files)} files in {folder}\n")


def _tell_drift(name: str, folder: Path, drift: Drift, options: Namespace) -> int:
    if options.json:
        _say_json({"distribution": name, "folder": str(folder), **dataclasses.asdict(drift)})
    elif drift:
        lines = [f"{what}: {folder / path}" for what, paths in dataclasses.asdict(drift).items() for path in paths]
        specs = "".join(f" --specs {path}" for path in getattr(options, "specs", ()))
        out = "" if folder == GENERATED / name else f" --out {folder}"
        lines.append(f"{folder} is not what the specs say; run: stackgen build {name}{out}{specs}")
        sys.stderr.write("".join(f"{line}\n" for line in lines))
    elif not options.quiet:
        _say(f"{name}: {folder} is up to date\n")
    return EXIT_SPECS if drift else 0


def _plan(roots: Roots, name: str, *, as_json: bool = False) -> Plan | int:
    """The Plan, or the exit code after its problems were told."""
    from .resolve import compile_plan

    found = compile_plan(roots, name)
    return _report(found, as_json=as_json) if isinstance(found, list) else found


# ── telling ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _roots(options: Namespace) -> Roots | None:
    """All trees of specs; None, and it is told, where one that was named is no folder."""
    from .workspace import find_roots

    for path in options.specs:
        if not path.is_dir():
            _usage(f"--specs: there is no folder {path}")
            return None
    return find_roots(options.specs)


def _report(problems: Sequence[Problem], *, as_json: bool) -> int:
    if as_json:
        _say(problems_json(problems))
    else:
        sys.stderr.write(format_problems(problems, colour=sys.stderr.isatty()))
    return EXIT_SPECS if problems else 0


def _usage(message: str) -> int:
    sys.stderr.write(f"stackgen: {message}\n")
    return EXIT_USAGE


def _say(text: str) -> int:
    sys.stdout.write(text)
    sys.stdout.flush()
    return 0


def _say_json(value: object) -> int:
    return _say(json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def _cell(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _columns(rows: Sequence[Sequence[str]]) -> Iterable[str]:
    widths = [max(len(row[index]) for row in rows) for index in range(len(rows[0]))] if rows else []
    for row in rows:
        yield "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
