"""The command line: `stackgen COMMAND …`. Each command is a short function that gives an exit code.

0 all is well
1 the specs are wrong, or what is there differs (`--check`)
2 the command line is wrong, or a folder is not ours
3 the machine lacks something (network, disk, tools)
"""

from __future__ import annotations

import argparse
import io
import sys
from collections.abc import Sequence

from . import __version__
from .commands import building, importing, looking, publishing, running, scaffolding, specs
from .commands.parsing import Command
from .commands.telling import EXIT_ENVIRONMENT, EXIT_USAGE, SpecError, UsageError, report

EPILOG = """\
to begin with:
  stackgen list distributions         what there is
  stackgen run gateway                build a server, and start it on port 8321
  stackgen run local --try            a server with a model inside, and its first answer
  stackgen build gateway --out mine   only write its package

with a run config of Llama Stack or OGX:
  stackgen run ./run.yaml             import it, build it, start it
  stackgen import run.yaml            only write distributions/NAME.yaml

with specs of your own, in a workspace (or in any folder that --specs names):
  stackgen init our-servers           make one; then, inside it:
  stackgen new provider parrot        a provider to begin with; also `new api`, `new distribution`
  stackgen check

exit codes: 1 the specs are wrong or the output differs, 2 wrong usage, 3 the machine lacks something
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command. arguments: without the program's name; None for those of this process."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # What a terminal cannot show is escaped: no locale turns a message into an error.
            stream.reconfigure(errors="backslashreplace")
    options = build_parser().parse_args(arguments)
    command: Command = options.command
    try:
        return command(options)
    except SpecError as error:
        return report(error.problems, as_json=getattr(options, "json", False))
    except UsageError as error:
        sys.stderr.write(f"stackgen: {error}\n")
        return EXIT_USAGE
    except BrokenPipeError:
        # Whoever read our output has left; Python would complain once more while it exits.
        sys.stdout = None
        return 0
    except KeyboardInterrupt:
        return 130
    except (OSError, UnicodeDecodeError) as error:
        sys.stderr.write(f"stackgen: {error}\n")
        return EXIT_ENVIRONMENT


def build_parser() -> argparse.ArgumentParser:
    """All commands and their options."""
    parser = argparse.ArgumentParser(
        prog="stackgen",
        description="A compiler for AI API servers: API specs, provider specs and one distribution file in, a Python "
        "package with a server out.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"stackgen {__version__}")
    found = parser.add_subparsers(metavar="COMMAND", required=True)
    for group in (specs, scaffolding, importing, building, looking, running, publishing):
        group.add(found)
    specs.add_completion(found, parser)
    return parser
