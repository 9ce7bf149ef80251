"""Commands for specs of one's own: init makes a workspace, new something in it."""

from __future__ import annotations

import argparse
from argparse import Namespace
from pathlib import Path

from .building import make_contracts
from .parsing import Subparsers, command
from .telling import EXIT_SPECS, UsageError, own_workspace, roots_for, say


def add(found: Subparsers[argparse.ArgumentParser]) -> None:
    parser = command(
        found,
        "init",
        init,
        "make a workspace for specs of your own",
        "stackgen init our-servers && cd our-servers\nstackgen init --update        later, from inside it",
        specs=False,
    )
    parser.add_argument("folder", nargs="?", type=Path, metavar="DIR", help="its folder (default: the working folder)")
    parser.add_argument("--update", action="store_true", help="carry this stackgen's changes of the template over")
    parser = command(
        found,
        "new",
        new,
        "write an API, a provider or a distribution to begin with",
        "stackgen new provider parrot\nstackgen new api weather && stackgen new provider almanac --api weather\n"
        "stackgen new provider acme --package acme-stack==1.2\n"
        "stackgen new distribution our-models",
    )
    parser.add_argument("kind", choices=("api", "provider", "distribution"), help="of which kind")
    parser.add_argument("name", metavar="NAME", help="what to call it")
    parser.add_argument("--api", metavar="API", help="of a provider: what it serves (default: inference)")
    parser.add_argument(
        "--package", metavar="PACKAGE==VERSION", help="of a provider: the package that has it, in place of a part"
    )


def init(options: Namespace) -> int:
    from ..environment import EnvironmentFailure
    from ..scaffold.init import init as make
    from ..scaffold.init import update
    from ..scaffold.new import NoScaffold
    from ..workspace import find_roots

    roots = find_roots(())
    try:
        if not options.update:
            folder = options.folder or Path()
            written = make(roots, folder)
            return say(f"{folder}: {len(written)} files; begin with {folder / 'README.md'}\n")
        folder = options.folder or own_workspace()
        if folder is None:
            raise UsageError("there is no workspace here; name its folder: stackgen init --update DIR")
        done = update(roots, folder)
    except NoScaffold as error:
        raise UsageError(str(error)) from error
    except EnvironmentFailure as error:
        raise OSError(str(error)) from error
    for step in done:
        say(f"{step.what}: {folder / step.path}{f' ({step.note})' if step.note else ''}\n")
    if not done:
        say(f"{folder} is up to date\n")
    return EXIT_SPECS if any(step.what == "conflict" for step in done) else 0


def new(options: Namespace) -> int:
    from ..scaffold.init import write_new
    from ..scaffold.new import NoScaffold, new_api, new_distribution, new_packaged, new_provider

    for given, option in ((options.api, "--api"), (options.package, "--package")):
        if given is not None and options.kind != "provider":
            raise UsageError(f"{option} goes with `stackgen new provider`")
    folder = options.specs[-1] if options.specs else own_workspace()
    if folder is None:
        raise UsageError("there is no workspace here; make one with `stackgen init DIR`, or name a folder with --specs")
    roots = roots_for(options)
    try:
        match options.kind:
            case "api":
                written = new_api(roots, options.name)
            case "provider" if options.package is not None:
                written = new_packaged(roots, options.name, options.api or "inference", options.package)
            case "provider":
                written = new_provider(roots, options.name, options.api or "inference")
            case _:
                written = new_distribution(roots, options.name)
        support = "tests/conftest.py"
        fresh = {path: text for path, text in written.items() if path != support or not (folder / path).exists()}
        write_new(folder, fresh)
    except NoScaffold as error:
        raise UsageError(str(error)) from error
    say("".join(f"{folder / path}\n" for path in fresh))
    # Nothing can be checked without the contracts of a new API.
    return make_contracts(roots, check=False) if options.kind == "api" else 0
