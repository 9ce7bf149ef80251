"""Commands that write what is made of specs: build, contracts, lock."""

from __future__ import annotations

import argparse
import dataclasses
import re
import sys
from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from ..problems import plain
from .parsing import Subparsers, add_json, command
from .telling import EXIT_SPECS, SpecError, UsageError, below, plan_for, report, roots_for, say, say_json

if TYPE_CHECKING:
    from ..workspace import Roots
    from ..write import Drift

GENERATED = "generated"
NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")

Outcome = tuple[int, dict[str, object]]
"""An exit code, and what happened, for programs."""


def add(found: Subparsers[argparse.ArgumentParser]) -> None:
    parser = command(
        found,
        "build",
        build,
        "write the package of a distribution",
        "stackgen build gateway --out mine\npip install --no-deps --require-hashes -r mine/requirements.txt",
    )
    parser.add_argument("name", nargs="?", metavar="NAME", help="the distribution")
    parser.add_argument("--name", dest="called", metavar="NAME", help="what to call the server instead")
    parser.add_argument(
        "--all",
        action="store_true",
        help="every distribution (of the workspaces, where there are any), each in DIR/NAME",
    )
    parser.add_argument("--out", type=Path, metavar="DIR", help="the package's own folder (default: generated/NAME)")
    parser.add_argument("--check", action="store_true", help="write nothing, say what differs from what is there")
    parser.add_argument("--quiet", action="store_true", help="say nothing where all is well")
    add_json(parser)
    parser = command(found, "contracts", contracts, "generate the contracts of all APIs", "stackgen contracts --check")
    parser.add_argument("--check", action="store_true", help="write nothing, say what is out of date")
    parser = command(found, "lock", lock, "resolve the requirements of all specs", "stackgen lock --upgrade")
    parser.add_argument("--upgrade", action="store_true", help="take the newest versions")
    parser.add_argument("--check", action="store_true", help="only say whether the lock fits the specs")


def build(options: Namespace) -> int:
    roots = roots_for(options)
    if bool(options.name) == options.all:
        raise UsageError("name a distribution, or say --all")
    if options.called and (options.all or not NAME.fullmatch(options.called)):
        raise UsageError("--name gives one server a name, of lower-case words joined by `-`")
    if options.all:
        outcomes = [_build_one_of_all(roots, name, options) for name in roots.own_names("distributions")]
    else:
        outcomes = [build_one(roots, options.out or below(GENERATED) / (options.called or options.name), options)]
    if options.json:
        said = [outcome for _, outcome in outcomes]
        say_json(said if options.all else said[0])
    return max((code for code, _ in outcomes), default=0)


def contracts(options: Namespace) -> int:
    return make_contracts(roots_for(options), check=options.check)


def make_contracts(roots: Roots, *, check: bool) -> int:
    """The contracts of all APIs. Raises OSError where what makes them is not installed."""
    from ..contracts import run_contracts

    try:
        return run_contracts(roots, check=check)
    except ModuleNotFoundError as error:
        mend = "install it with `pip install 'stackgen[contracts]'`, then run `stackgen contracts`"
        raise OSError(f"making contracts needs {error.name}; {mend}") from error


def lock(options: Namespace) -> int:
    from ..lock import run_lock

    return run_lock(roots_for(options), upgrade=options.upgrade, check=options.check)


def _build_one_of_all(roots: Roots, name: str, options: Namespace) -> Outcome:
    """Build one of several: what is wrong with it does not keep the others from being built."""
    own = Namespace(**{**vars(options), "name": name})
    try:
        return build_one(roots, (options.out or below(GENERATED)) / name, own)
    except SpecError as error:
        if not options.json:
            report(error.problems, as_json=False)
        return EXIT_SPECS, {"distribution": name, "problems": [plain(each) for each in error.problems]}


def build_one(roots: Roots, folder: Path, options: Namespace) -> Outcome:
    """Build, or compare, one distribution, and tell people of it."""
    from ..build import build as build_package
    from ..resolve.instances import renamed
    from ..write import NotOurs, check_ours, compare, write

    plan = plan_for(roots, options)
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
        say(f"{options.name}: {len(built.files)} files in {folder}\n")
    return 0, {**outcome, "files": sorted(built.files)}


def _tell_drift(name: str, folder: Path, drift: Drift, options: Namespace) -> None:
    if drift:
        lines = [f"{what}: {folder / path}" for what, paths in dataclasses.asdict(drift).items() for path in paths]
        specs = "".join(f" --specs {path}" for path in options.specs)
        out = "" if folder == below(GENERATED) / name else f" --out {folder}"
        called = f" --name {options.called}" if options.called else ""
        lines.append(f"{folder} is not what the specs say; run: stackgen build {name}{called}{out}{specs}")
        sys.stderr.write("".join(f"{line}\n" for line in lines))
    elif not options.quiet:
        say(f"{name}: {folder} is up to date\n")
