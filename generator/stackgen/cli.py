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
from collections.abc import Callable, Sequence
from pathlib import Path

from . import commands

Command = Callable[[argparse.Namespace], int]

EPILOG = """\
to begin with:
  stackgen list distributions         what there is
  stackgen run gateway                build a server, and start it on port 8321
  stackgen run local --try            a server with a model inside, and its first answer
  stackgen build gateway --out mine   only write its package

with a run config of Llama Stack or OGX:
  stackgen run ./run.yaml             import it, build it, start it
  stackgen import run.yaml            only write distributions/NAME.yaml

with specs of your own, in a folder with providers/, distributions/ and parts/:
  stackgen check --specs my-specs
  stackgen build NAME --specs my-specs

exit codes: 1 the specs are wrong or the output differs, 2 wrong usage, 3 the machine lacks something
"""


EXAMPLES = {
    "check": "stackgen check gateway\nstackgen check --specs my-specs        all that is there",
    "explain": "stackgen explain SG303",
    "list": "stackgen list providers\nstackgen list deps gateway --format uv",
    "show": "stackgen show provider remote::vllm",
    "import": "stackgen import run.yaml\nstackgen run starter --specs .",
    "build": "stackgen build gateway --out mine\npip install --no-deps --require-hashes -r mine/requirements.txt",
    "plan": "stackgen plan gateway",
    "contracts": "stackgen contracts --check",
    "run": "OPENAI_API_KEY=sk-… stackgen run gateway --port 8000\nstackgen run ./run.yaml",
    "diff": "stackgen diff HEAD:gateway gateway",
    "report": "stackgen report gateway --out gateway.html --environment .venv",
    "docs": "stackgen docs provider inference/remote::vllm\nstackgen docs distribution --out docs/distributions",
    "graph": "stackgen graph gateway --out gateway.svg",
    "lock": "stackgen lock --upgrade",
    "why": "stackgen why gateway yarl",
    "completion": "source <(stackgen completion bash)\nstackgen completion zsh > ~/.zfunc/_stackgen\n"
    "stackgen completion fish > ~/.config/fish/completions/stackgen.fish",
}
"""Of each command, for its --help."""


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
    except commands.SpecError as error:
        return commands.report(error.problems, as_json=getattr(options, "json", False))
    except commands.UsageError as error:
        sys.stderr.write(f"stackgen: {error}\n")
        return commands.EXIT_USAGE
    except BrokenPipeError:
        # Whoever read our output has left; Python would complain once more while it exits.
        sys.stdout = None
        return 0
    except KeyboardInterrupt:
        return 130
    except (OSError, UnicodeDecodeError) as error:
        sys.stderr.write(f"stackgen: {error}\n")
        return commands.EXIT_ENVIRONMENT


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
    parser.add_argument("--version", action="version", version=f"stackgen {commands.version()}")
    found = parser.add_subparsers(metavar="COMMAND", required=True)
    _add_spec_commands(found)
    _add_import_command(found)
    _add_build_commands(found)
    _add_view_commands(found)
    _add_lock_commands(found)
    completion = _command(
        found, "completion", commands.completion, "print what a shell completes commands with", specs=False
    )
    completion.add_argument("shell", choices=("bash", "fish", "zsh"), help="for which shell")
    completion.set_defaults(parser=parser)
    return parser


Subparsers = argparse._SubParsersAction  # the type has no public name


def _add_spec_commands(found: Subparsers[argparse.ArgumentParser]) -> None:
    check = _command(found, "check", commands.check, "report every problem of the specs, and write nothing")
    check.add_argument(
        "names", nargs="*", metavar="NAME", help="a distribution, an API, or api/provider; without one, every file"
    )
    _json(check)
    explain = _command(found, "explain", commands.explain, "say more about a kind of problem", specs=False)
    explain.add_argument("code", nargs="?", metavar="SGnnn", help="its code; without one, all codes are listed")
    listing = _command(found, "list", commands.list_, "list what there is")
    kinds = ("apis", "providers", "distributions", "deps")
    listing.add_argument("kind", choices=kinds, help="of which kind; deps: the packages of a distribution's server")
    listing.add_argument("name", nargs="?", metavar="NAME", help="of deps: the distribution")
    listing.add_argument("--format", choices=("pip", "uv"), help="of deps: print the command that installs them")
    _json(listing)
    show = _command(found, "show", commands.show, "print a spec")
    show.add_argument("kind", choices=("api", "provider", "distribution"), help="of which kind")
    show.add_argument("name", metavar="NAME", help="its name; of a provider its type, or API/TYPE")


def _add_import_command(found: Subparsers[argparse.ArgumentParser]) -> None:
    importing = _command(
        found, "import", commands.import_, "turn a run config of Llama Stack or OGX into a distribution"
    )
    importing.add_argument("source", type=Path, metavar="RUN.YAML", help="a run config, or a build config")
    importing.add_argument("--name", metavar="NAME", help="the distribution's name (default: the config's own)")
    importing.add_argument("--force", action="store_true", help="replace the distribution if it is there already")
    importing.add_argument("--strict", action="store_true", help="write nothing if anything is left out or changed")
    importing.add_argument("--quiet", action="store_true", help="say neither what is written nor what is left out")
    _json(importing)


def _add_build_commands(found: Subparsers[argparse.ArgumentParser]) -> None:
    build = _command(found, "build", commands.build, "write the package of a distribution")
    build.add_argument("name", nargs="?", metavar="NAME", help="the distribution")
    build.add_argument("--name", dest="called", metavar="NAME", help="what to call the server instead")
    build.add_argument("--all", action="store_true", help="every distribution, each in DIR/NAME")
    build.add_argument("--out", type=Path, metavar="DIR", help="the package's own folder (default: generated/NAME)")
    build.add_argument("--check", action="store_true", help="write nothing, say what differs from what is there")
    build.add_argument("--quiet", action="store_true", help="say nothing where all is well")
    _json(build)
    plan = _command(found, "plan", commands.plan, "print what would be built")
    plan.add_argument("name", metavar="NAME", help="the distribution")
    _json(plan)
    contracts = _command(found, "contracts", commands.contracts, "generate the contracts of all APIs")
    contracts.add_argument("--check", action="store_true", help="write nothing, say what is out of date")
    run = _command(found, "run", commands.run, "build a distribution, make its environment and start it")
    run.add_argument("name", metavar="NAME", help="the distribution, or the file of a run config to import first")
    run.add_argument("--port", type=int, metavar="N", help="the port to listen on (default: the distribution's, 8321)")
    run.add_argument("--workers", type=int, metavar="N", help="how many processes serve")
    run.add_argument(
        "--with",
        dest="extra",
        action="append",
        default=[],
        metavar="PACKAGE",
        help="install this too, such as the build of torch for this machine; may be given several times",
    )
    run.add_argument(
        "--try",
        dest="prompt",
        nargs="?",
        const="",
        metavar="PROMPT",
        help="once it serves, print the curl command that asks a model this, and the answer",
    )
    run.add_argument(
        "--sample-models",
        action="store_true",
        help="where no model is named, install the distribution's sample models: weights of third parties, as packages",
    )
    run.add_argument("--quiet", action="store_true", help="say nothing of the progress")


def _add_view_commands(found: Subparsers[argparse.ArgumentParser]) -> None:
    diff = _command(found, "diff", commands.diff, "say what changed between two builds of a server")
    operand = "a distribution, a folder that was built, or REV:NAME for a distribution at a git revision"
    diff.add_argument("old", metavar="OLD", help=operand)
    diff.add_argument("new", metavar="NEW", help="the same")
    diff.add_argument("--fail-on", choices=("breaking", "any"), help="exit with 1 on a breaking, or on any, change")
    _json(diff)
    graph = _command(found, "graph", commands.graph, "draw a distribution, as SVG")
    graph.add_argument("name", metavar="NAME", help="the distribution")
    _out(graph, "FILE.svg")
    _link(graph)
    report = _command(found, "report", commands.report_, "tell all of a distribution on one HTML page")
    report.add_argument("name", metavar="NAME", help="the distribution")
    report.add_argument("--environment", type=Path, metavar="DIR", help="a virtual environment to weigh packages in")
    _out(report, "FILE.html")
    _link(report)
    docs = _command(found, "docs", commands.docs, "write what specs say as Markdown")
    docs.add_argument("kind", choices=("distribution", "provider"), help="of which kind")
    docs.add_argument("name", nargs="?", metavar="NAME", help="its name; of a provider its type, or API/TYPE")
    docs.add_argument("--out", type=Path, metavar="PATH", help="a file; or, without NAME, a folder for all of the kind")


def _add_lock_commands(found: Subparsers[argparse.ArgumentParser]) -> None:
    lock = _command(found, "lock", commands.lock, "resolve the requirements of all specs")
    lock.add_argument("--upgrade", action="store_true", help="take the newest versions")
    lock.add_argument("--check", action="store_true", help="only say whether the lock fits the specs")
    why = _command(found, "why", commands.why, "say what needs a package")
    why.add_argument("name", metavar="NAME", help="the distribution")
    why.add_argument("package", metavar="PACKAGE", help="a package of its requirements.txt")


def _command(
    found: Subparsers[argparse.ArgumentParser], name: str, command: Command, summary: str, *, specs: bool = True
) -> argparse.ArgumentParser:
    parser = found.add_parser(
        name,
        help=summary,
        description=f"{summary[0].upper()}{summary[1:]}.",
        epilog=f"for example:\n{_indented(EXAMPLES.get(name, ''))}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.set_defaults(command=command)
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


def _out(parser: argparse.ArgumentParser, what: str) -> None:
    parser.add_argument("--out", type=Path, metavar=what, help="where to write it (default: standard output)")


def _link(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--link", metavar="URL", help="what stands before the names of specs in links to their lines")


def _indented(lines: str) -> str:
    return "".join(f"  {line}\n" for line in lines.splitlines())


def _json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON")
