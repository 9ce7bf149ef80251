"""How a command is told to the parser: its summary, an example, and options that several commands have."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

Command = Callable[[argparse.Namespace], int]
Subparsers = argparse._SubParsersAction  # the type has no public name


def command(
    found: Subparsers[argparse.ArgumentParser],
    name: str,
    function: Command,
    summary: str,
    example: str,
    *,
    specs: bool = True,
) -> argparse.ArgumentParser:
    """A command's parser. example: lines for its --help. specs: it reads specs, and so has --specs."""
    parser = found.add_parser(
        name,
        help=summary,
        description=f"{summary[0].upper()}{summary[1:]}.",
        epilog="for example:\n" + "".join(f"  {line}\n" for line in example.splitlines()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.set_defaults(command=function)
    if specs:
        parser.add_argument(
            "--specs",
            type=Path,
            action="append",
            default=[],
            metavar="DIR",
            help="a folder of specs beside the bundled ones; may be given several times",
        )
    return parser


def add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON")


def add_out(parser: argparse.ArgumentParser, what: str) -> None:
    parser.add_argument("--out", type=Path, metavar=what, help="where to write it (default: standard output)")


def add_link(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--link", metavar="URL", help="what stands before the names of specs in links to their lines")
