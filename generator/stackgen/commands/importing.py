"""`stackgen import`: a run config of Llama Stack or OGX becomes a distribution."""

from __future__ import annotations

import argparse
from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from ..problems import plain
from .parsing import Subparsers, add_json, command
from .telling import SpecError, UsageError, below, own_workspace, say, say_json, tell, workspaces

if TYPE_CHECKING:
    from ..importing.write import Written


def add(found: Subparsers[argparse.ArgumentParser]) -> None:
    parser = command(
        found,
        "import",
        import_,
        "turn a run config of Llama Stack or OGX into a distribution",
        "stackgen import run.yaml\nstackgen run starter --specs .",
    )
    parser.add_argument("source", type=Path, metavar="RUN.YAML", help="a run config, or a build config")
    parser.add_argument("--name", metavar="NAME", help="the distribution's name (default: the config's own)")
    parser.add_argument("--force", action="store_true", help="replace the distribution if it is there already")
    parser.add_argument("--strict", action="store_true", help="write nothing if anything is left out or changed")
    parser.add_argument("--quiet", action="store_true", help="say neither what is written nor what is left out")
    add_json(parser)


def import_(options: Namespace) -> int:
    folder = options.specs[-1] if options.specs else below("")
    written = import_into(options, folder)
    if options.json:
        plain_notices = [plain(each) for each in written.notices]
        return say_json({"distribution": written.name, "file": str(written.path), "notices": plain_notices})
    if not options.quiet:
        tell(written.notices)
        specs = f" --specs {folder}" if options.specs or own_workspace() is None else ""
        say(f"{written.name}: {written.path}; to serve it: stackgen run {written.name}{specs}\n")
    return 0


def import_into(options: Namespace, folder: Path) -> Written:
    """Write the distribution of a run config into a workspace."""
    from ..importing.write import CannotPlace, import_file

    if not options.source.is_file():
        raise UsageError(f"there is no file {options.source}")
    # The folder itself is made where it is not there.
    others = workspaces([each for each in options.specs if each != folder])
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
