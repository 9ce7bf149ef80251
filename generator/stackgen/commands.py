"""What the commands of the command line do. Modules that only some commands need are imported by those."""

from __future__ import annotations

import dataclasses
import json
import re
import sys
from argparse import Namespace
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from . import __version__
from .problems import Problem, format_problems, plain

if TYPE_CHECKING:
    from .importing.write import Written
    from .plan import Plan
    from .resolve import ApiRow, DistributionRow, ProviderRow
    from .workspace import Roots
    from .write import Drift

EXIT_SPECS = 1
EXIT_USAGE = 2
EXIT_ENVIRONMENT = 3

GENERATED = Path("generated")
NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


class UsageError(Exception):
    """The command line is wrong, or a folder is not ours; the message says how."""


class SpecError(Exception):
    """The specs are wrong."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(problems)
        self.problems = problems


def version() -> str:
    return __version__


# ── specs ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def check(options: Namespace) -> int:
    from .build import check as all_problems

    return report(all_problems(_roots(options), options.names), as_json=options.json)


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
        raise UsageError(f"there is no problem {options.code}; {hint}")
    return _say(text)


def list_(options: Namespace) -> int:
    if options.kind == "deps":
        return _list_deps(options)
    if options.name is not None or options.format is not None:
        raise UsageError("NAME and --format go with `stackgen list deps`")
    rows = [dataclasses.asdict(row) for row in _rows(_roots(options), options.kind)]
    if options.json:
        return _say_json(rows)
    cells = [[_cell(each) for each in row.values()] for row in rows]
    return _say("".join(f"{line}\n" for line in _columns([*(list(row) for row in rows[:1]), *cells])))


def _list_deps(options: Namespace) -> int:
    from .deps import as_text, packages_of
    from .lock import read_locks

    if options.name is None:
        raise UsageError("name a distribution: stackgen list deps NAME")
    roots = _roots(options)
    found = packages_of(_plan(roots, options), read_locks(roots))
    return _say_json(found) if options.json else _say(as_text(found, options.format))


def show(options: Namespace) -> int:
    from .resolve import show as text_of

    roots = _roots(options)
    text = text_of(roots, options.kind, options.name)
    if text is not None:
        return _say(text)
    raise _no_such(roots, options.kind, options.name)


def _no_such(roots: Roots, kind: str, name: str) -> UsageError:
    from .problems.nearest import nearest
    from .resolve import ProviderRow

    kinds = "apis" if kind == "api" else f"{kind}s"
    names = [row.type if isinstance(row, ProviderRow) else row.name for row in _rows(roots, kinds)]
    close = nearest(name, names)
    hint = f"did you mean {close}?" if close else f"`stackgen list {kinds}` names them all"
    return UsageError(f"there is no {kind} {name}; {hint}")


def _rows(roots: Roots, kind: str) -> Sequence[ApiRow | ProviderRow | DistributionRow]:
    from .resolve import apis, distributions, providers

    match kind:
        case "apis":
            return apis(roots)
        case "providers":
            return providers(roots)
    return distributions(roots)


def completion(options: Namespace) -> int:
    from .completion import script

    return _say(script(options.parser, options.shell))


# ── importing ───────────────────────────────────────────────────────────────────────────────────────────────────────


def import_(options: Namespace) -> int:
    folder = options.specs[-1] if options.specs else Path()
    written = _import(options, folder)
    if options.json:
        plain_notices = [plain(each) for each in written.notices]
        return _say_json({"distribution": written.name, "file": str(written.path), "notices": plain_notices})
    if not options.quiet:
        _tell(written.notices)
        _say(f"{written.name}: {written.path}; to serve it: stackgen run {written.name} --specs {folder}\n")
    return 0


def _import(options: Namespace, folder: Path) -> Written:
    """Write the distribution of a run config into a workspace."""
    from .importing.write import CannotPlace, import_file

    if not options.source.is_file():
        raise UsageError(f"there is no file {options.source}")
    others = [each for each in options.specs if each != folder]  # the folder itself is made where it is not there
    _roots(Namespace(specs=others))
    try:
        written = import_file(
            options.source,
            folder,
            specs=others,
            name=options.name,
            force=options.force,
            strict=options.strict,
        )
    except CannotPlace as error:
        raise UsageError(str(error)) from error
    if isinstance(written, list):
        raise SpecError(written)
    return written


# ── building ────────────────────────────────────────────────────────────────────────────────────────────────────────


def plan(options: Namespace) -> int:
    from .printing import format_plan, plan_json

    found = _plan(_roots(options), options)
    return _say(plan_json(found) if options.json else format_plan(found))


def build(options: Namespace) -> int:
    roots = _roots(options)
    if bool(options.name) == options.all:
        raise UsageError("name a distribution, or say --all")
    if options.called and (options.all or not NAME.fullmatch(options.called)):
        raise UsageError("--name gives one server a name, of lower-case words joined by `-`")
    if options.all:
        outcomes = [_build_one_of_all(roots, name, options) for name in roots.names("distributions")]
    else:
        outcomes = [_build(roots, options.out or GENERATED / (options.called or options.name), options)]
    if options.json:
        said = [outcome for _, outcome in outcomes]
        _say_json(said if options.all else said[0])
    return max((code for code, _ in outcomes), default=0)


def contracts(options: Namespace) -> int:
    from .contracts import run_contracts

    return run_contracts(_roots(options), check=options.check)


def run(options: Namespace) -> int:
    from .run import HOME, Start, run_server
    from .trial import PROMPT

    if Path(options.name).suffix in (".yaml", ".yml") or "/" in options.name:
        source = Namespace(source=Path(options.name), specs=options.specs, name=None, force=True, strict=False)
        imported = _import(source, HOME / "imported")
        _tell(() if options.quiet else imported.notices)
        options = Namespace(**{**vars(options), "name": imported.name, "specs": [*options.specs, HOME / "imported"]})
    roots = _roots(options)
    found = _plan(roots, options)
    if options.sample_models and not found.samples:
        raise UsageError(f"--sample-models: {options.name} has none")
    quiet = Namespace(name=options.name, check=False, quiet=True, json=False)
    start = Start(
        extra=tuple(options.extra),
        port=options.port,
        workers=options.workers,
        prompt=PROMPT if options.prompt == "" else options.prompt,
        sample_models=options.sample_models,
        quiet=options.quiet,
    )
    return run_server(found, lambda folder: _build(roots, folder, quiet)[0], start)


def diff(options: Namespace) -> int:
    from .diff import NoOperand, changes_json, compare, format_changes, read_operand

    roots = _roots(options)
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
    _say(tell(options.old, options.new, changes))
    minded = {"breaking": any(each.breaking for each in changes), "any": bool(changes)}
    return EXIT_SPECS if minded.get(options.fail_on, False) else 0


def graph(options: Namespace) -> int:
    from .graph import picture
    from .links import spec_links

    roots = _roots(options)
    return _give(options, picture(_plan(roots, options), spec_links(roots, options.out, options.link)))


def report_(options: Namespace) -> int:
    from .links import spec_links
    from .report import report as page_of

    roots = _roots(options)
    link = spec_links(roots, options.out, options.link)
    try:
        found = page_of(roots, _plan(roots, options), link, options.environment)
    except NotADirectoryError as error:
        raise UsageError(str(error)) from error
    if isinstance(found, tuple):
        raise SpecError(found)
    return _give(options, found)


def docs(options: Namespace) -> int:
    from .docs import all_pages, page
    from .write import write_texts

    roots = _roots(options)
    if options.name is None:
        if options.out is None:
            raise UsageError("name one, or say with --out where all of them are to be written")
        pages, problems = all_pages(roots, options.kind)
        write_texts(options.out, pages)
        return report(problems, as_json=False)
    found = page(roots, options.kind, options.name)
    if found is None:
        raise _no_such(roots, options.kind, options.name)
    if isinstance(found, tuple):
        raise SpecError(found)
    return _give(options, found)


def _give(options: Namespace, text: str) -> int:
    """A text into the file that --out names, else to standard output."""
    if options.out is None:
        return _say(text)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(text, "utf-8", newline="\n")
    return 0


# ── the lock ────────────────────────────────────────────────────────────────────────────────────────────────────────


def lock(options: Namespace) -> int:
    from .lock import run_lock

    return run_lock(_roots(options), upgrade=options.upgrade, check=options.check)


def why(options: Namespace) -> int:
    from .lock import read_locks
    from .why import run_why

    roots = _roots(options)
    return run_why(_plan(roots, options), read_locks(roots), options.package)


# ── one distribution ────────────────────────────────────────────────────────────────────────────────────────────────


Outcome = tuple[int, dict[str, object]]
"""An exit code, and what happened, for programs."""


def _build_one_of_all(roots: Roots, name: str, options: Namespace) -> Outcome:
    """Build one of several: what is wrong with it does not keep the others from being built."""
    own = Namespace(**{**vars(options), "name": name})
    try:
        return _build(roots, (options.out or GENERATED) / name, own)
    except SpecError as error:
        if not options.json:
            report(error.problems, as_json=False)
        return EXIT_SPECS, {"distribution": name, "problems": [plain(each) for each in error.problems]}


def _build(roots: Roots, folder: Path, options: Namespace) -> Outcome:
    """Build, or compare, one distribution, and tell people of it."""
    from .build import build as build_package
    from .resolve.instances import renamed
    from .write import NotOurs, check_ours, compare, write

    plan = _plan(roots, options)
    called = getattr(options, "called", None)
    built = build_package(roots, renamed(plan, called) if called else plan)
    if built.problems:
        raise SpecError(built.problems)
    outcome: dict[str, object] = {"distribution": options.name, "folder": str(folder)}
    if options.check:
        drift = compare(folder, built.files)
        if not options.json:
            _tell_drift(options.name, folder, drift, options)
        return EXIT_SPECS if drift else 0, {**outcome, **dataclasses.asdict(drift)}
    try:
        check_ours(folder)
        write(folder, built.files)
    except NotOurs as error:
        raise UsageError(str(error)) from error
    if not (options.quiet or options.json):
        _say(f"{options.name}: {len(built.files)} files in {folder}\n")
    return 0, {**outcome, "files": sorted(built.files)}


def _tell_drift(name: str, folder: Path, drift: Drift, options: Namespace) -> None:
    if drift:
        lines = [f"{what}: {folder / path}" for what, paths in dataclasses.asdict(drift).items() for path in paths]
        specs = "".join(f" --specs {path}" for path in options.specs)
        out = "" if folder == GENERATED / name else f" --out {folder}"
        called = f" --name {options.called}" if options.called else ""
        lines.append(f"{folder} is not what the specs say; run: stackgen build {name}{called}{out}{specs}")
        sys.stderr.write("".join(f"{line}\n" for line in lines))
    elif not options.quiet:
        _say(f"{name}: {folder} is up to date\n")


def _plan(roots: Roots, options: Namespace) -> Plan:
    from .resolve import compile_plan

    found = compile_plan(roots, options.name)
    if isinstance(found, list):
        raise SpecError(found)
    return found


# ── telling ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _roots(options: Namespace) -> Roots:
    """All trees of specs."""
    from .workspace import find_roots

    for path in options.specs:
        if not path.is_dir():
            raise UsageError(f"--specs: there is no folder {path}")
    return find_roots(options.specs)


def report(problems: Sequence[Problem], *, as_json: bool) -> int:
    """Tell problems, on stdout as JSON, else on stderr for people. The answer is an exit code."""
    if as_json:
        _say_json([plain(each) for each in problems])
    else:
        _tell(problems)
    return EXIT_SPECS if problems else 0


def _tell(problems: Sequence[Problem]) -> None:
    sys.stderr.write(format_problems(problems, colour=sys.stderr.isatty()))


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
