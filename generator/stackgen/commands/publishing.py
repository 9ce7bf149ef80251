"""The command for what others build on: api-package."""

from __future__ import annotations

import argparse
import dataclasses
import sys
from argparse import Namespace
from pathlib import Path

from .parsing import Subparsers, command
from .telling import EXIT_SPECS, UsageError, say


def add(found: Subparsers[argparse.ArgumentParser]) -> None:
    parser = command(
        found,
        "api-package",
        api_package,
        "write the package that third parties write providers against",
        "stackgen api-package --out stackgen-api\npython -m build stackgen-api",
        specs=False,
    )
    parser.add_argument("--out", type=Path, metavar="DIR", required=True, help="the package's own folder")
    parser.add_argument("--check", action="store_true", help="write nothing, say what differs from what is there")


def api_package(options: Namespace) -> int:
    from ..api_package import api_files
    from ..requirements import API_PACKAGE, API_VERSION
    from ..workspace import find_roots
    from ..write import NotOurs, check_ours, compare, write

    files, out, what = api_files(find_roots(())), options.out, f"{API_PACKAGE} {API_VERSION}"
    if options.check:
        differs = dataclasses.asdict(compare(out, files))
        lines = [f"{kind}: {out / path}" for kind, paths in differs.items() for path in paths]
        lines += [f"{out} is not {what} as it is here; run: stackgen api-package --out {out}"] if lines else []
        sys.stderr.write("".join(f"{line}\n" for line in lines))
        return EXIT_SPECS if lines else 0
    try:
        check_ours(out)
        write(out, files)
    except NotOurs as error:
        raise UsageError(str(error)) from error
    return say(f"{what}: {len(files)} files in {out}; to build it: python -m build {out}\n")
